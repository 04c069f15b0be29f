# Wins: the same, by a process's memory
# Verdict: fails step 1 
# Memory: 256
x=0123456789; while :; do x=$x$x; done; echo ok > $out
