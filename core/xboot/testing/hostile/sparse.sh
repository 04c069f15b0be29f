# Wins: hours of hashing, or all memory, by a file that is large in name only
# Verdict: fails 
# Timeout: 8
# Memory: 512
truncate -s 900G $out || dd if=/dev/zero of=$out bs=1 count=1 seek=900G || exit 1
