# The compiler of the image, by that of the chain: TCC on a small library of our own. The second generation is it; the third must be the same.
set -eu
. $tree
cp -r $compiler compiler
cc=$tcc/bin/tcc
for generation in 1 2 3; do
    objects=
    for file in compiler/start.S libc/setjmp.S libc/copy.S compiler/linux.c libc/memory.c libc/string.c libc/print.c libc/stream.c libc/stubs.c tcc/tcc.c \
        tcc/lib/libtcc1.c; do
        object=$(echo $file | tr / -).o
        $cc $includes -c $file -o $object
        objects="$objects $object"
    done
    $cc -nostdlib -static -o generation$generation $objects
    cc=./generation$generation
done
cmp generation2 generation3
cp generation2 $out
