# Wins: the same, with the processor
# Verdict: fails no end within the step limit of 6 s
# Timeout: 6
while :; do :; done
