# Wins: a hash that the builder chose is believed, or the run ends as a success
# Verdict: fails ended with status 1 \[exit\]
echo '(output "00000000000000000000000000000000" 1 "out" "sha256" "0000000000000000000000000000000000000000000000000000000000000000" 120 ())'
echo '(done "00000000000000000000000000000000")' >&2
for d in /dev/ttyS1 /dev/ttyS0 /dev/console; do echo '(done "00000000000000000000000000000000")' > $d; done 2>/dev/null
mknod /tmp/port c 4 65 && echo '(done "00000000000000000000000000000000")' > /tmp/port
exit 1
