# MesCC, a C compiler in Scheme, run by GNU Mes, compiles a program and the little of the Mes C library that it needs; M1 and hex2 assemble and link it.
set -eu
case $system in
i686-linux) cpu=x86 architecture=x86 elf=elf32 ;;
x86_64-linux) cpu=x86_64 architecture=amd64 elf=elf64 ;;
esac
mkdir -p $out/bin lib/$cpu-mes include/mes include/arch
cp $libc/lib/$cpu-mes/* $libc/lib/linux/$cpu-mes/* lib/$cpu-mes
cp $libc/include/linux/$cpu/*.h include/arch
echo '#undef SYSTEM_LIBC' > include/mes/config.h
export MES_PREFIX=$mes/share GUILE_LOAD_PATH=$mes/share/mes/module:$mes/share/module:$nyacc/usr/share/guile/site/3.0
export MES_ARENA=20000000 MES_MAX_ARENA=20000000 MES_STACK=6000000 # cells; Mes's own default for MesCC
export includedir=$libc/include libdir=lib

cat > hello.c <<'C'
#include <mes/lib-mini.h>

int
main ()
{
  oputs ("Hello from MesCC\n");
  return 42;
}
C
objects=
for file in $libc/lib/linux/$cpu-mes-mescc/crt1.c hello.c $libc/lib/mes/oputs.c $libc/lib/mes/globals.c $libc/lib/mes/mini-write.c \
    $libc/lib/linux/$cpu-mes-mescc/_write.c $libc/lib/string/strlen.c; do
    object=${file##*/}
    object=${object%.c}.o
    $mes/bin/mes --no-auto-compile -e main $mes/bin/mescc.scm -- -D HAVE_CONFIG_H=1 -I include -I $libc/include -I $libc/lib -c -o $object $file
    objects="$objects -f $object"
done
hex2 --little-endian --architecture $architecture --base-address 0x1000000 -f lib/$cpu-mes/$elf-header.hex2 $objects \
    -f lib/$cpu-mes/$elf-footer-single-main.hex2 -o $out/bin/hello

status=0
$out/bin/hello > $out/printed || status=$?
test $status = 42
grep -q '^Hello from MesCC$' $out/printed
