# Builds the Tiny C Compiler, static, with the C library of GNU Mes, into $out: bin/tcc, include, lib. No other compiler is involved.
#
#   system   for which: i686-linux, x86_64-linux        cc    a tcc that compiles for it        out   where to
#   tcc      tcc's source                               mes   the source of the Mes C library
#
# Use it with -B:  $out/bin/tcc -B$out -static -o hello hello.c
set -eu
case $system in
i686-linux) cpu=x86 target=I386 runtime='libtcc1.c alloca86.S' without=CONFIG_TCC_SEMLOCK ;;
x86_64-linux) cpu=x86_64 target=X86_64 runtime='libtcc1.c alloca86_64.S' without='CONFIG_TCC_SEMLOCK\|CONFIG_TCC_BACKTRACE' ;;
esac
mkdir -p $out/bin $out/include/arch $out/lib

# The library's headers, configured by hand as Mes's configure.sh does it.
cp -r $mes/include/. $out/include
chmod -R u+w $out/include # what is copied from a store is read-only
cp $mes/include/linux/$cpu/*.h $out/include/arch
echo '#undef SYSTEM_LIBC' > $out/include/mes/config.h

# The list of the library's files is Mes's own; it wants to know for which system, from a file config.sh.
echo "mes_kernel=linux mes_cpu=$cpu mes_libc=mes compiler=gcc" > config.sh
. $mes/build-aux/configure-lib.sh
flags="-nostdinc -I$out/include -I$mes/lib -D HAVE_CONFIG_H=1"

# Four places of the library are not made for an x86_64 compiler that passes arguments as the system's ABI says and keeps frame pointers.
mkdir changed
if [ $cpu = x86_64 ]; then
    # Arguments are in registers, and only the compiler knows where it keeps them.
    cat > stdarg <<'C'
typedef __builtin_va_list va_list;
#define va_start __builtin_va_start
#define va_arg __builtin_va_arg
#define va_arg8 __builtin_va_arg
#define va_end(ap)
#define va_copy(dest, src) (*(dest) = *(src))
C
    sed -e '/^typedef char \*va_list;/r stdarg' -e '/^typedef char \*va_list;/,/^#define va_copy/d' $mes/include/stdarg.h > $out/include/stdarg.h
    # Of an int in a register, the upper half says nothing.
    for file in vfprintf vsnprintf; do
        sed "s/long d = va_arg (ap, long);/long d = p[-1] == 'l' ? va_arg (ap, long) : strchr (\"di\", c) ? (long) va_arg (ap, int) : (long) va_arg (ap, unsigned);/" \
            $mes/lib/stdio/$file.c > changed/$file.c
    done
    # Mes's _exit loads its argument from where it has just put the number of the call.
    cat > changed/_exit.c <<'C'
void
_exit (int code)
{
  asm ("mov $60,%%eax\n\tsyscall" : : "D" (code));
}
C
    # Mes's setjmp keeps the frame of setjmp itself, which is gone when longjmp comes.
    cat > changed/setjmp.c <<'C'
#include <setjmp.h>

int
setjmp (jmp_buf env)
{
  long *frame;
  asm ("mov %%rbp,%0" : "=r" (frame));
  env[0].__bp = frame[0];
  env[0].__pc = frame[1];
  env[0].__sp = (long) &frame[2];
  return 0;
}

void
longjmp (jmp_buf env, int val)
{
  val = val == 0 ? 1 : val;
  asm ("mov %0,%%rax\n\t"
       "mov %1,%%rcx\n\t"
       "mov (%%rcx),%%rbp\n\t"
       "mov 16(%%rcx),%%rsp\n\t"
       "jmp *8(%%rcx)"
       : : "m" ((long) val), "m" (env) : "rax", "rcx");
}
C
    # How arguments of variable number are found: it calls abort, and so is in the library.
    cp $tcc/lib/va_list.c changed
fi

# -o comes first everywhere: tcc names an object in an archive after its file.
$cc -c $flags -o $out/lib/crt1.o $mes/lib/linux/$cpu-mes-gcc/crt1.c
echo > empty.c
$cc -c $flags -o $out/lib/crti.o empty.c
$cc -c $flags -o $out/lib/crtn.o empty.c

objects=
for file in $libc_gnu_SOURCES; do
    object=$(echo ${file%.c}.o | tr / _)
    case " $objects " in *" $object "*) continue ;; esac # the lists overlap
    source=$mes/$file
    if [ -e changed/${file##*/} ]; then source=changed/${file##*/}; fi
    $cc -c $flags -o $object $source
    objects="$objects $object"
done
if [ -e changed/va_list.c ]; then
    $cc -c $flags -o va_list.o changed/va_list.c
    objects="$objects va_list.o"
fi
$cc -ar rc $out/lib/libc.a $objects

# What tcc's code generator calls: 64-bit arithmetic, alloca.
objects=
for file in $runtime; do
    $cc -c $flags -o ${file%.*}.o $tcc/lib/$file
    objects="$objects ${file%.*}.o"
done
$cc -ar rc $out/lib/libtcc1.a $objects

# The compiler, from one file that includes all others. Without threads it needs no lock. For x86_64 the library has no ucontext_t, which
# traces of what runs inside the compiler (tcc -run -bt) are made with.
mkdir source
cp $tcc/*.c $tcc/*.h $tcc/*.def source
rm source/tcc.h
sed "/^# *define \\($without\\)\$/d" $tcc/tcc.h > source/tcc.h
echo > source/config.h
$cc $flags -static -nostdlib -o $out/bin/tcc -Isource \
    -DONE_SOURCE=1 -DTCC_TARGET_$target=1 -DCONFIG_TCC_STATIC=1 -DTCC_VERSION='"0.9.27"' \
    -DCONFIG_TCCDIR='"/no-default-use-B"' -DCONFIG_TCC_SYSINCLUDEPATHS='"{B}/include"' -DCONFIG_TCC_LIBPATHS='"{B}/lib"' \
    -DCONFIG_TCC_CRTPREFIX='"{B}/lib"' -DTCC_LIBTCC1='"lib/libtcc1.a"' -DCONFIG_TCC_ELFINTERP='"-"' \
    $out/lib/crt1.o source/tcc.c $out/lib/libc.a $out/lib/libtcc1.a
