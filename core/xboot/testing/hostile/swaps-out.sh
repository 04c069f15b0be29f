# Wins: between two looks at the output it becomes a link out of the store
# Verdict: ok
# Output: right
# The swaps end before the output is made: whoever is killed instead may leave one `mv` behind, which would be a part of what the builder does.
echo right > regular; ln -s /etc link; : > swapping
(while [ -e swapping ]; do mv -f link $out; mv -f $out link; mv -f regular $out; mv -f $out regular; done) >/dev/null 2>&1 &
sleep 1; rm swapping; wait; rm -rf $out; mkdir $out && echo right > $out/f
