/* string: any bytes as a string: what is accepted, written again, must be the same bytes: there is one way to write each string. */
#include "fuzz.h"

void fail(const char *kind, const char *why, const char *name)
{
    length(kind), length(why), length(name);
    end_run();
}

static long answer(long number, long a, long b, long c, long d)
{
    (void)number, (void)a, (void)b, (void)c, (void)d;
    return 0;
}

static void written(u8 c)
{
    if (take() != c)
        abort();
}

static void target(void)
{
    char *text = allocate(left), *at = text, *s;
    unsigned long size, behind = left, i;

    copy(text, input, left);
    if (!(s = read_string(&at, text + left, &size)))
        return;
    if (at <= s || at > text + left || s[size])
        abort();
    written('"');
    for (i = 0; i < size; i++) {
        u8 c = (u8)s[i];

        if (c == '\n' || c == '"' || c == '\\') {
            written('\\');
            written(c == '\n' ? 'n' : c);
        } else if (c < ' ' || c > '~') {
            written('\\');
            written('x');
            written((u8) "0123456789abcdef"[c >> 4]);
            written((u8) "0123456789abcdef"[c & 15]);
        } else {
            written(c);
        }
    }
    written('"');
    if (left != behind - (unsigned long)(at - text))
        abort();
}
