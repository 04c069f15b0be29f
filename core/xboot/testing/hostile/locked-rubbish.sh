# Wins: the same, by modes
# Verdict: ok
# Then: echo ok > $out
mkdir -p a/b/c; echo x > a/b/c/f; chmod 000 a/b/c a/b a; echo ok > $out
