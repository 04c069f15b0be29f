# Compiles each program with the chain's tcc and runs it: a line for each, with how it ended and the checksum of its variables.
set -u
for program in $programs/*.c; do
    name=${program##*/}
    if $tcc/bin/tcc -B$tcc -nostdinc -nostdlib -static -I$programs/include -o ./program $program $tcc/lib/libtcc1.a 2>./errors; then
        sum=$($busybox/bin/busybox timeout 20 ./program)
        echo "$name $? $sum"
    else
        echo "$name not compiled"
        cat ./errors >&2
    fi >> $out
done
