# Wins: a program that runs is changed under its feet, or a changed one still runs as it was
# Verdict: ok
# Output: right
mkdir /tmp/p; cp $bb/bin/busybox /tmp/p/busybox; chmod 755 /tmp/p/busybox
/tmp/p/busybox sh -c "echo bad > /tmp/p/busybox; exit 7" 2>/dev/null; [ $? = 7 ] || exit 11
/tmp/p/busybox true || exit 12                       # it was running: nobody could write to it
mkfifo /tmp/runs /tmp/ends
/tmp/p/busybox sh -c "echo > /tmp/runs; read x < /tmp/ends" &
read x < /tmp/runs; cp $bb/bin/busybox /tmp/other; (dd if=/dev/zero of=/tmp/p/busybox conv=notrunc bs=4096 count=4) 2>/dev/null
/tmp/p/busybox true || exit 13; echo > /tmp/ends; wait
rm /tmp/p/busybox; cp /tmp/other /tmp/p/busybox; chmod 755 /tmp/p/busybox; /tmp/p/busybox true || exit 14
printf '#!/tmp/p/busybox true\n' > /tmp/script; chmod 755 /tmp/script; /tmp/script || exit 15
chmod 755 /tmp/p/busybox; dd if=/dev/zero of=/tmp/p/busybox conv=notrunc bs=4096 count=4 2>/dev/null || exit 16
env /tmp/script 2>/dev/null && exit 17            # it is no program any more
mkdir $out; echo right > $out/f
