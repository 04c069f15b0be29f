# Wins: the output changes after it was hashed, by a process that outlived its builder
# Verdict: ok
# Then: echo ok > $out
# Output: right
# It waits first: what is written before the builder ends is the builder's own.
mkdir $out; echo right > $out/f
(setsid sh -c 'trap "" HUP TERM INT; exec >/dev/null 2>&1 <&-; sleep 1; while :; do echo wrong > $out/f; sleep 0.01; done' &) &
(setsid setsid nohup sh -c 'sleep 1; echo wrong > $out/f' >/dev/null 2>&1 &)
exec 1>&- 2>&-; exit 0
