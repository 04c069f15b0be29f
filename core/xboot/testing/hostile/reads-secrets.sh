# Wins: the nonce, with which result lines can be forged, or the script
# Verdict: ok
for f in /xboot/script /proc/1/mem /proc/kcore /dev/mem /dev/kmem /dev/port /dev/ttyS1 /sys/firmware/qemu_fw_cfg/raw; do
    found=$(head -c 4096 $f 2>/dev/null | tr -d '\0' | head -c 100)
    [ -z "$found" ] || { echo "read $f: $found"; exit 10; }
done
grep -qE '[0-9a-f]{32}' /proc/cmdline 2>/dev/null && { echo "a nonce on the command line"; exit 11; }
for device in "1 1" "1 4" "4 65" "5 1"; do
    mknod /tmp/device c $device 2>/dev/null && { echo "made device $device"; exit 12; }
done
echo ok > $out
