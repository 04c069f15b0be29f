# Builds the Tiny C Compiler for i386, static, with the C library of GNU Mes, into $out: bin/tcc, include, lib. No other compiler is involved.
#
#   cc    a tcc that compiles for i386        tcc   its source        mes   the source of the Mes C library        out   where to
#
# Use it with -B:  $out/bin/tcc -B$out -static -o hello hello.c
set -eu
mkdir -p $out/bin $out/include/arch $out/lib

# The library's headers, configured by hand as Mes's configure.sh does it.
cp -r $mes/include/. $out/include
chmod -R u+w $out/include # what is copied from a store is read-only
cp $mes/include/linux/x86/*.h $out/include/arch
echo '#undef SYSTEM_LIBC' > $out/include/mes/config.h

# The list of the library's files is Mes's own; it wants to know for which system, from a file config.sh.
echo 'mes_kernel=linux mes_cpu=x86 mes_libc=mes compiler=gcc' > config.sh
. $mes/build-aux/configure-lib.sh
flags="-nostdinc -I$out/include -I$mes/lib -D HAVE_CONFIG_H=1"

# -o comes first everywhere: tcc names an object in an archive after its file.
$cc -c $flags -o $out/lib/crt1.o $mes/lib/linux/x86-mes-gcc/crt1.c
echo > empty.c
$cc -c $flags -o $out/lib/crti.o empty.c
$cc -c $flags -o $out/lib/crtn.o empty.c

objects=
for file in $libc_gnu_SOURCES; do
    object=$(echo ${file%.c}.o | tr / _)
    case " $objects " in *" $object "*) continue ;; esac # the lists overlap
    $cc -c $flags -o $object $mes/$file
    objects="$objects $object"
done
$cc -ar rc $out/lib/libc.a $objects

# What tcc's code generator calls: 64-bit arithmetic, alloca.
$cc -c $flags -o libtcc1.o $tcc/lib/libtcc1.c
$cc -c $flags -o alloca86.o $tcc/lib/alloca86.S
$cc -ar rc $out/lib/libtcc1.a libtcc1.o alloca86.o

# The compiler, from one file that includes all others. Without threads it needs no lock.
mkdir source
cp $tcc/*.c $tcc/*.h $tcc/*.def source
rm source/tcc.h
sed '/^#define CONFIG_TCC_SEMLOCK/d' $tcc/tcc.h > source/tcc.h
echo > source/config.h
$cc $flags -static -nostdlib -o $out/bin/tcc -Isource \
    -DONE_SOURCE=1 -DTCC_TARGET_I386=1 -DCONFIG_TCC_STATIC=1 -DTCC_VERSION='"0.9.27"' \
    -DCONFIG_TCCDIR='"/no-default-use-B"' -DCONFIG_TCC_SYSINCLUDEPATHS='"{B}/include"' -DCONFIG_TCC_LIBPATHS='"{B}/lib"' \
    -DCONFIG_TCC_CRTPREFIX='"{B}/lib"' -DTCC_LIBTCC1='"lib/libtcc1.a"' -DCONFIG_TCC_ELFINTERP='"-"' \
    $out/lib/crt1.o source/tcc.c $out/lib/libc.a $out/lib/libtcc1.a
