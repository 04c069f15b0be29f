# Wins: a worker is blocked for ever
# Verdict: fails no end within the step limit of [0-9]+ s
# Timeout: 6
sleep 100000
