# Wins: a folder that is removed while somebody stands in it, or lists it, is freed, or gets names that nobody finds
# Verdict: ok
# Output: right
cd /tmp; i=0
while [ $i -lt 30 ]; do
  mkdir -p a/b/c; (cd a/b/c; exec 5< .; rmdir ../c; : > x 2>/dev/null; mkdir y 2>/dev/null; ls; cd ..; ls) > list 2>&1
  [ -e a/b/c ] && exit 11
  (cd a/b; mv ../b /tmp/moved; ls .. > /tmp/list2; cd -P ..; [ -d moved ]) || exit 12
  mv moved a/b; mv a a/b/x 2>/dev/null && exit 13
  ln -s a l; rmdir l/ 2>/dev/null && exit 14; mv l/ m 2>/dev/null && exit 15
  [ -L l ] && [ -d a ] || exit 16; rm l; rm -r a; i=$((i+1))
done
mkdir $out; echo right > $out/f
