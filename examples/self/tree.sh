# Lays out what loader and compiler are made of, as core/xboot/guest/own_tcc.py does: tcc, and our libc. To be sourced; wants $source and $libc.
mkdir -p tcc/lib
cp $source/*.c $source/*.h $source/*.def tcc
cp -r $source/include tcc/include
cp $source/lib/libtcc1.c tcc/lib
cp -r $libc libc
read -r version < $source/VERSION
cat > tcc/config.h <<C
#define TCC_VERSION "$version"
#define CONFIG_TCC_STATIC 1
#define CONFIG_TCCBOOT 1
#define CONFIG_TCCDIR "/none"
#define CONFIG_TCC_SYSINCLUDEPATHS "/none"
#define CONFIG_TCC_LIBPATHS "/none"
#define CONFIG_TCC_CRTPREFIX "/none"
C
includes='-nostdlib -nostdinc -Ilibc -Ilibc/include -Itcc/include -Itcc -DTCC_TARGET_I386'
