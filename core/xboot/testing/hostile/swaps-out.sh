# Wins: between two looks at the output it becomes a link out of the store
# Verdict: ok
# Output: right
echo right > regular; ln -s /etc link
(trap "" HUP TERM; while :; do mv -f link $out; mv -f $out link; mv -f regular $out; mv -f $out regular; done) >/dev/null 2>&1 &
sleep 1; kill -9 $!; rm -rf $out; mkdir $out; echo right > $out/f
