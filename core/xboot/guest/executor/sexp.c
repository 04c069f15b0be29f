/* S-expressions: words, strings and numbers of the script, and the strings of the run line (docs/contract.md, section 1).
 *
 * Strings are decoded where they stand, so the text is written over; the script's SHA-256 has been taken before. No byte
 * at or behind `end` is looked at. Whatever is not as it must be ends the run.
 */
#include "xboot.h"

#define MAX_STEPS 1000000u

static char *at, *end;

void read_from(char *text, unsigned long size)
{
    at = text;
    end = text + size;
}

/* Ends the run; shows the next 47 bytes. */
void malformed(const char *expected)
{
    static char near[48];
    unsigned i;

    for (i = 0; i < sizeof near - 1 && at < end; i++, at++)
        near[i] = *at >= ' ' && *at < 127 ? *at : ' ';
    near[i] = 0;
    fail("internal", join("malformed script: expected ", expected, " at: "), near);
}

static void space(void)
{
    while (at < end && (*at == ' ' || *at == '\n'))
        at++;
}

/* Whether `c` comes next; it is not taken. */
int next_is(char c)
{
    space();
    return at < end && *at == c;
}

/* Whether `text` stands at `p`, whole. */
static int stands(const char *p, const char *text)
{
    while (*text)
        if (p >= end || *p++ != *text++)
            return 0;
    return 1;
}

/* Whether a clause comes next whose word starts with `word`; it is not taken. */
int next_clause_is(const char *word)
{
    const char *p;

    if (!next_is('('))
        return 0;
    for (p = at + 1; p < end && (*p == ' ' || *p == '\n'); p++)
        ;
    return stands(p, word);
}

void expect(const char *token)
{
    space();
    if (!stands(at, token))
        malformed(token);
    at += length(token);
}

/* `(word`, and nothing that merely starts so. */
void open_clause(const char *word)
{
    expect("(");
    expect(word);
    if (at < end && *at != ' ' && *at != '\n' && *at != ')')
        malformed(word);
}

void expect_end(void)
{
    space();
    if (at != end)
        malformed("the end");
}

/* The value of a digit of lower-case hex, or -1. */
int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                                                 : -1;
}

/* The byte whose escape `\xHH` has its digits at `p`, or -1. There is one way to write each string: what can be written
 * without this escape must be.
 */
static int escaped_byte(const char *p, const char *limit)
{
    int high, low, c;

    if (limit - p < 2 || (high = hex_digit(p[0])) < 0 || (low = hex_digit(p[1])) < 0)
        return -1;
    c = high << 4 | low;
    return c == '\n' || (c >= ' ' && c <= '~') ? -1 : c;
}

/* The string at *cursor, which is moved behind its closing quote: decoded in place, with a NUL behind it, which is at the
 * latest where the closing quote stood. Answers NULL when there is none that is whole and well-formed before `limit`.
 */
char *read_string(char **cursor, const char *limit, unsigned long *size)
{
    char *p = *cursor, *start, *out;
    int c;

    if (p >= limit || *p != '"')
        return NULL;
    for (start = out = ++p; p < limit; *out++ = (char)c) {
        c = *p++;
        if (c == '"') {
            *out = 0;
            *cursor = p;
            *size = (unsigned long)(out - start);
            return start;
        }
        if (c < ' ' || c > '~')
            return NULL;
        if (c != '\\')
            continue;
        if (p >= limit)
            return NULL;
        c = *p++;
        if (c == 'n') {
            c = '\n';
        } else if (c == 'x') {
            if ((c = escaped_byte(p, limit)) < 0)
                return NULL;
            p += 2;
        } else if (c != '"' && c != '\\') {
            return NULL;
        }
    }
    return NULL;
}

char *get_bytes(unsigned long *size)
{
    char *s;

    space();
    if (!(s = read_string(&at, end, size)))
        malformed("a string");
    return s;
}

char *get_string(void)
{
    unsigned long size;
    char *s = get_bytes(&size);

    if (length(s) != size)
        malformed("a string without NUL");
    return s;
}

char *get_hash(void)
{
    char *s = get_string();
    int i;

    for (i = 0; i < 64 && hex_digit(s[i]) >= 0; i++)
        ;
    if (i != 64 || s[64])
        malformed("a SHA-256 in hex");
    return s;
}

unsigned get_number(void)
{
    unsigned n = 0;

    space();
    if (at >= end || *at < '1' || *at > '9')
        malformed("a number");
    for (; at < end && *at >= '0' && *at <= '9'; at++) {
        n = 10 * n + (unsigned)(*at - '0');
        if (n > MAX_STEPS)
            malformed("a number of steps up to 1000000");
    }
    return n;
}
