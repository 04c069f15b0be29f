# Wins: a worker is blocked for ever
# Verdict: fails no end within the step limit of 6 s
# Timeout: 6
sleep 100000
