# Wins: the process table, and with it the executor
# Verdict: fails no end within the step limit|step 1 
# Timeout: 6
f() { f | f & f; }; f; sleep 5; exit 1
