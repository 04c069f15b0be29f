# Wins: the watcher's disk, memory or time, by 100 MB of noise
# Verdict: ok
# Log: more than 1 MiB
# Timeout: 180
yes 0123456789012345678901234567890123456789 | head -c 100000000; echo ok > $out
