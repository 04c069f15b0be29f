# Wins: a later step changes what an earlier one made
# Verdict: ok
# Then: echo wrong > $first/f && exit 10; chmod u+w $first $first/f && exit 11; rm -rf $first 2>/dev/null; mv $first /tmp/x && exit 12; ln $first/f /tmp/l && exit 13; touch $first/new && exit 14; [ $(cat $first/f) = right ] || exit 15; echo ok > $out
# Output: right
mkdir $out; echo right > $out/f
