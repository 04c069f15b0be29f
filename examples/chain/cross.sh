# Builds a tcc that compiles for x86_64 and runs here, into $out: bin/tcc alone, for tcc.sh, which says of everything else where it is.
set -eu
mkdir -p $out/bin source
cp $tcc/*.c $tcc/*.h $tcc/*.def source
rm source/tcc.h
sed '/^#define CONFIG_TCC_SEMLOCK$/d' $tcc/tcc.h > source/tcc.h
echo > source/config.h
$cc/bin/tcc -B$cc -static -o $out/bin/tcc -Isource \
    -DONE_SOURCE=1 -DTCC_TARGET_X86_64=1 -DCONFIG_TCC_STATIC=1 -DTCC_VERSION='"0.9.27"' -DCONFIG_TCCDIR='"/no-default"' source/tcc.c
