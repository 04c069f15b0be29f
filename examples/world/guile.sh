# Guile, what every builder of Guix is: modules, numbers, a program started, a collection of garbage.
set -e
L=$debian/usr/lib/i386-linux-gnu
export LC_ALL=C GUILE_AUTO_COMPILE=0 GCONV_PATH=$L/gconv
export GUILE_LOAD_PATH=$debian/usr/share/guile/3.0 GUILE_LOAD_COMPILED_PATH=$L/guile/3.0/ccache
$L/guile/3.0/bin/guile -c '
(use-modules (ice-9 ftw) (srfi srfi-1))
(call-with-output-file (getenv "out")
  (lambda (port)
    (write (fold + 0 (iota 100000)) port)
    (newline port)
    (write (system* "true") port)
    (gc)
    (write (string-length (make-string 1000000 #\a)) port)))'
cat $out
