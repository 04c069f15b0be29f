# Wins: the executor hashes, or changes the modes of, what a link leads to
# Verdict: ok
# Output: link
ln -s /etc $out
