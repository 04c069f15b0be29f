# Builds the macro assembler M1, the linker hex2, blood-elf and the shell kaem, and assembles a program with them.
set -eu
mkdir -p $out/bin
cd $source
for tool in M1 hex2 blood-elf kaem; do
    case $tool in
    M1) files="M1-macro.c stringify.c" ;;
    hex2) files="hex2.c hex2_linker.c hex2_word.c" ;;
    blood-elf) files="blood-elf.c stringify.c" ;;
    kaem) files="Kaem/kaem.c Kaem/variable.c Kaem/kaem_globals.c" ;;
    esac
    $tcc/bin/tcc -B$tcc -static -w -o $out/bin/$tool $files M2libc/bootstrappable.c
    $out/bin/$tool --version
done
