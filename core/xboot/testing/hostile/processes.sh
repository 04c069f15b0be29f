# Wins: the executor cannot make the next step's process
# Verdict: ok
# Then: echo ok > $out
# Output: right
i=0; while [ $i -lt 400 ]; do (trap "" TERM HUP; sleep 1000) >/dev/null 2>&1 & i=$((i+1)); done
mkdir $out; echo right > $out/f; exit 0
