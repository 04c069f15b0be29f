# Wins: nothing; a builder that fails must end the run, with its status
# Verdict: fails ended with status 3 \[exit\]
echo about to fail; exit 3
