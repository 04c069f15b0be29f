# Wins: a program that runs with its owner's powers comes out
# Verdict: ok
mkdir $out; cp $bb/bin/busybox $out/su; chmod 6755 $out/su; chmod 2755 $out; true
