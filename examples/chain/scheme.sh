# Runs GNU Mes as what it is, a Scheme interpreter; $out is what the program printed.
set -eu
export MES_PREFIX=$mes/share GUILE_LOAD_PATH=$mes/share/mes/module:$mes/share/module
export MES_ARENA=20000000 MES_MAX_ARENA=20000000 MES_STACK=6000000 # cells; Mes's own default for MesCC
cat > factorial.scm <<'SCHEME'
(define (factorial n)
  (if (= n 0) 1 (* n (factorial (- n 1)))))
(display (map factorial '(1 2 3 4 5 6 7 8 9 10)))
(newline)
SCHEME
$mes/bin/mes factorial.scm > $out
grep -q '^(1 2 6 24 120 720 5040 40320 362880 3628800)$' $out
