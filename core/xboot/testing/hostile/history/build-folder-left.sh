# CVE: CVE-2024-38531, CVE-2025-52991, CVE-2024-52867
# Wins: a build directory that others can enter, with programs that run as its owner, is there for the next build
# Verdict: ok
# Output: right
# Then: case "$(ls -ld .)" in drwx------*) ;; *) exit 20;; esac; [ -z "$(ls -A .)" ] || exit 21; [ -z "$(ls -A /tmp)" ] || exit 22; [ ! -e /nix/store/left ] || exit 23; [ ! -e /left ] || exit 24; echo ok > $out
chmod 777 . /tmp 2>/dev/null
for folder in . /tmp /nix/store; do
    mkdir $folder/left && chmod 777 $folder/left && cp $bb/bin/busybox $folder/left/tool
    chmod 6777 $folder/left/tool 2>/dev/null; chmod 2777 $folder/left 2>/dev/null
done
mkdir /left 2>/dev/null
ln $bb/bin/busybox ./input 2>/dev/null
mkdir $out; echo right > $out/f
