# Wins: memory, or hours of the executor's time, by 100,000 files
# Verdict: ok
# Timeout: 240
# Memory: 1024
mkdir $out; cd $out; d=0; while [ $d -lt 100 ]; do mkdir $d; cd $d; i=0; while [ $i -lt 1000 ]; do : > $i; i=$((i+1)); done; cd ..; d=$((d+1)); done
