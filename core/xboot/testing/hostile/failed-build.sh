# CVE: CVE-2025-52992, CVE-2024-52867
# Wins: what a build that failed left behind, writable, or running as its owner, is taken for an output
# Verdict: fails ended with status 3 \[exit\]
mkdir $out; echo right > $out/f; cp $bb/bin/busybox $out/tool; chmod 6777 $out/tool $out 2>/dev/null; chmod 777 $out
exec 9>>$out/f; (trap "" HUP TERM; while sleep 0.05; do echo wrong >&9; done) >/dev/null 2>&1 &
exit 3
