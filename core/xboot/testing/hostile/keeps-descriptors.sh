# Wins: an output is written to after it was sealed, through a descriptor that was opened before
# Verdict: ok
# Then: sleep 2 2>/dev/null; echo ok > $out
# Output: right
mkdir $out; echo right > $out/f
exec 9>>$out/f 8<$out
(trap "" HUP TERM; sleep 1; while echo wrong >&9; do sleep 0.05; done) >/dev/null 2>&1 &
exit 0
