# Wins: the same, with the processor
# Verdict: fails no end within the step limit of [0-9]+ s
# Timeout: 6
while :; do :; done
