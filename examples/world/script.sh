# script of bsdutils: a program has a terminal, and what it prints there is the output; keys that were typed before are read, and so is the end of file.
set -e
export LC_ALL=C SHELL=$debian/bin/bash TERM=dumb
run() { $debian/lib/ld-linux.so.2 --library-path $debian/lib/i386-linux-gnu:$debian/usr/lib/i386-linux-gnu $script -q -e "$@"; }
{
    run -c 'tty; stty size; [ -t 0 ] && [ -t 1 ] && echo a terminal' /dev/null
    printf 'typed\n' | run -c 'read word; echo "read $word"' /dev/null
    run -c 'exit 3' /dev/null || echo "status $?"
    run -c 'trap "echo interrupted; exit 4" INT; kill -INT $$' /dev/null || echo "status $?"
} > $out < /dev/null
cat $out
