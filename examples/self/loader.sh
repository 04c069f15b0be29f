# The boot loader, which is TCC and what it needs on a bare machine: as plugins/tccboot's loader.py compiles it.
set -eu
. $tree
cp -r $loader loader
objects=
for file in loader/boot.S libc/setjmp.S libc/copy.S loader/main.c loader/file.c libc/memory.c libc/string.c libc/print.c libc/stream.c libc/stubs.c \
    loader/sha256.c loader/tcc.c tcc/lib/libtcc1.c; do
    object=$(echo $file | tr / -).o
    $tcc -Iloader $includes -c $file -o $object
    objects="$objects $object"
done
$tcc -nostdlib -static -Wl,-Ttext=0x2000000 -o loader.elf $objects
cat loader.elf > $out
