# Wins: the next step cannot start, because what this one left cannot be removed
# Verdict: ok
# Then: echo ok > $out
i=0; while [ $i -lt 3000 ]; do mkdir d; cd d; i=$((i+1)); done; echo ok > $out
