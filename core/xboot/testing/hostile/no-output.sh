# Wins: an output that nobody made counts as built
# Verdict: fails the builder did not make /nix/store/
echo nothing to see
