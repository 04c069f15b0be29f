# CVE: CVE-2026-44028
# Wins: the executor's stack, or its patience, ends in a deep tree
# Verdict: fails directories nested deeper than 64
p=$out; mkdir $p; i=0; while [ $i -lt 70 ]; do p=$p/d; mkdir $p; i=$((i+1)); done
