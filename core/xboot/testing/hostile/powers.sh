# Wins: what only the machine's owner may do
# Verdict: ok
mknod /tmp/m c 1 1 && exit 10; chroot / true && exit 11; mount -t proc proc /tmp && exit 12; echo x > /proc/sys/kernel/hostname && exit 13
chown 0 . && exit 15; hostname evil && exit 16
reboot -f && exit 14; halt -f && exit 14; kill -9 -1; echo ok > $out
