# Wins: a named pipe that is removed, linked or moved while it is open is freed, or becomes another's
# Verdict: ok
# Output: right
cd /tmp; i=0
while [ $i -lt 40 ]; do
  mkfifo a; cat a > got & exec 7> a
  ln a b; mv a c; rm b; mkfifo a b; rm c
  echo right >&7; mv b a; rm a; exec 7>&-; wait
  [ "$(cat got)" = right ] || exit 11
  i=$((i+1))
done
mkdir $out; cat got > $out/f
