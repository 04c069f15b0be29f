# Wins: the executor waits for ever on a pipe that nobody writes to
# Verdict: fails neither regular file, directory nor symbolic link
mkfifo $out
