# The shell's tools, one line each: what they print is the output.
set -e
export LC_ALL=C
{
    echo a > x
    echo a | grep -E '(a|b)'
    grep -E '(a|b)' x
    grep a x > /dev/null
    printf 'x\n' | sed p
    printf 'a b\n' | awk '{ print $2 }'
    gawk 'BEGIN { print 3 }'
    sort x
    cat x x | wc -l
    perl -e 'print "p\n"'
    make --version | head -n 1
    gcc --version | head -n 1
    tar cf - x | tar tf -
    diff x x
} > $out
cat $out
