# Compiles a program and runs it; $out has the program and what it printed.
set -eu
mkdir -p $out/bin
$tcc/bin/tcc -B$tcc -static -o $out/bin/hello $source
$out/bin/hello > $out/printed
grep -q '42$' $out/printed
