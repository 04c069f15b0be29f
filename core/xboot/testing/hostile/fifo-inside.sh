# Wins: the same, one level down
# Verdict: fails neither regular file, directory nor symbolic link: pipe
mkdir $out; mkfifo $out/pipe
