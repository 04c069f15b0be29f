# Wins: two outputs share a file, so that one changes with the other
# Verdict: ok
# Outputs: out dev
# Output: right
# Then: echo wrong > $first/f && exit 10; echo ok > $out
mkdir $out $dev; echo right > $out/f; ln $out/f $dev/f; ln $out/f /tmp/f
