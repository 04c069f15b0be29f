# Wins: the step ends as if its builder had succeeded, by a signal to itself. Process 1 of a namespace cannot be killed from within
# Verdict: fails ended with status 9 \[exit\]
kill -9 $$; kill -11 $$; exit 9
