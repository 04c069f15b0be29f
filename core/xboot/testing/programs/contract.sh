# Verdict: ok
# Then: sort < $first/facts > $out
# Says what a builder sees of the world: the suite compares it with the script. Section 4 of docs/contract.md.
mkdir $out
{
    echo "cwd $(pwd)"
    echo "files $(ls -A . | wc -l)"
    echo "user $(id -u) $(id -g) $(id -G)"
    echo "umask $(umask)"
    echo "pid $$"
    echo "host $(hostname)"
    echo "stdin $(cat | wc -c)"
    echo "store $(ls -A /nix/store | sort | tr '\n' ' ')"
    echo "tmp $(ls -A /tmp | wc -l)"
    input=${PATH%%/bin*}
    echo "times $(for path in $input $input/bin $input/bin/busybox; do date -u -r $path +%s; done | tr '\n' ' ')"
    echo "date $(date -u +'%F %H:%M')"
    touch /tmp/now; echo "future $(find / -path /proc -prune -o -newer /tmp/now -print | grep -v "^$out/facts" | wc -l)"; rm /tmp/now
    echo "root $(ls -A / | sort | tr '\n' ' ')"
    echo "shm $(stat -c %a /dev/shm) $(ls -A /dev/shm | wc -l)"
    for device in null zero full random urandom tty ptmx pts/ptmx fd stdin stdout stderr; do
        [ -e /dev/$device ] || [ -L /dev/$device ] || echo "no /dev/$device"
    done
    for i in 3 4 5 6 7 8 9; do (: >&$i) 2>/dev/null && echo "open $i"; done
    : > /tmp/scratch && : > scratch && echo "writes"
    head -c 3 /dev/zero | wc -c | tr -d ' ' | while read n; do echo "zero $n"; done
} > $out/facts 2>&1
env > $out/env
chmod 600 $out/facts
