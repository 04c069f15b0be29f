# Builds GNU Mes, a Scheme interpreter, with tcc: bin/mes, and its Scheme modules in share.
set -eu
case $system in
i686-linux) cpu=x86 ;;
x86_64-linux) cpu=x86_64 ;;
esac
mkdir -p $out/bin $out/share include/mes
echo '#undef SYSTEM_LIBC' > include/mes/config.h
echo '#define MES_VERSION "from Debian"' >> include/mes/config.h

echo "mes_kernel=linux mes_cpu=$cpu mes_libc=mes compiler=gcc" > config.sh
. $libc/build-aux/configure-lib.sh
files=
for file in $mes_SOURCES; do
    files="$files $source/$file"
done
$tcc/bin/tcc -B$tcc -static -w -o $out/bin/mes -D HAVE_CONFIG_H=1 -Iinclude -I$libc/include -I$libc/lib $files

cp -r $source/mes $source/module $out/share
# MesCC's start file, filled in as Mes's configure.sh does it.
sed -e "s,@mes_cpu@,$cpu," -e 's,@mes_kernel@,linux,' -e 's,@numbered_arch@,false,' -e 's,@VERSION@,xboot,' -e 's,@prefix@,,' \
    $source/scripts/mescc.scm.in > $out/bin/mescc.scm
