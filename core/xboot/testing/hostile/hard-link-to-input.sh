# Wins: an input gets other modes or another owner, through a name in the output
# Verdict: ok
# Then: [ -x $bb/bin/busybox ] || exit 12; echo ok > $out
# Output: right
mkdir $out; ln $bb/bin/busybox $out/f 2>/dev/null && exit 10; ln $script $out/f 2>/dev/null && exit 11
echo right > $out/f
