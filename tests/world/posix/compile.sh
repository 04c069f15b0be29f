# Compile the cases whose names are in the file `wanted`, two at a time: suite/ is the suite, root/ holds Debian's i386 headers and libraries.
# A case that does not compile is named in the file `failed`.
R=$PWD/root; G=$R/usr/lib/gcc/i686-linux-gnu/12; U=$R/usr/lib/i386-linux-gnu; L=$R/lib/i386-linux-gnu
one() {
    gcc -m32 -O1 -w -std=gnu99 -D_GNU_SOURCE -fno-pie -no-pie -nostdinc -isystem $(gcc -print-file-name=include) -isystem $R/usr/include \
        -isystem $R/usr/include/i386-linux-gnu -I suite/include -I ${2%/*} -nostdlib -nostartfiles -s -o cases/$1 $U/crt1.o $U/crti.o $G/crtbegin.o $2 \
        -L$U -L$G $L/libc.so.6 $L/libm.so.6 $U/libc_nonshared.a -lgcc $L/ld-linux.so.2 $G/crtend.o $U/crtn.o -Wl,--dynamic-linker,/ld.so 2> /dev/null || echo $1
}
mkdir cases
while read name file; do
    one $name $file >> failed &
    while read name file; do one $name $file >> failed; break; done
    wait
done < wanted
