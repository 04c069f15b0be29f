# Wins: the machine stops, or a later step suffers
# Verdict: fails ended with status 1 \[exit\]|memory|killed|signal
# Memory: 256
cat /dev/zero > $out
