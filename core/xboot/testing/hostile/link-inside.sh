# Wins: the same, from within an output
# Verdict: ok
mkdir $out; ln -s /../../../xboot $out/up; ln -s $bb $out/bb
