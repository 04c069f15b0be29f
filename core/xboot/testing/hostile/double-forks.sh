# Wins: the executor waits for a process that has left its family, or forgets it
# Verdict: ok
# Then: echo ok > $out
# Output: right
mkdir $out; echo right > $out/f
( ( ( trap "" HUP TERM; while :; do sleep 1; done ) & ) & )
exit 0
