/* draw.h: numbers that a seed gives, what a sequence tells, and what is drawn from: descriptors, names, sizes.

   What is told is a line for each answer. Nothing in it may depend on anything but Linux's documented behaviour: no addresses (mappings are at fixed places), no
   numbers of processes, no inodes, no times. */

#include "../../../core/xboot/testing/programs/syscalls/common.h"

enum { TELLS = 200, TURNS = 201 }; /* descriptors: where lines go; from here on, those by which processes take turns */

static u32 state; /* of the generator */

/* The next number below n. */
static u32 draw(u32 n)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return (state >> 3) % n;
}

static int one_in(u32 n)
{
    return draw(n) == 0;
}

/* A generator's state for whom this one starts: another one, never 0. */
static u32 another_state(void)
{
    return (draw(1u << 28) << 3) | 5;
}

static u32 hash_of(const void *data, u32 n, u32 hash)
{
    const u8 *at = data;

    while (n--)
        hash = (hash ^ *at++) * 16777619u;
    return hash;
}
#define EMPTY 2166136261u

/* ---- telling ---- */

static u32 put_digits(char *to, u32 n, u32 base)
{
    char digits[12];
    u32 i = 0, at = 0;

    do {
        digits[i++] = "0123456789abcdef"[n % base];
        n /= base;
    } while (n);
    while (i)
        to[at++] = digits[--i];
    return at;
}

/* One line: %d, %o, %x a number, %s a text of at most 80 characters. Written at once, so that what a process told is not lost with it. */
static void tell(const char *format, ...)
{
    const u32 *argument = (const u32 *)&format + 1;
    char line[400];
    const char *s;
    u32 at = 0, n;

    for (; *format && at < 300; format++) {
        if (*format != '%') {
            line[at++] = *format;
            continue;
        }
        n = *argument++;
        if (*++format == 's') {
            for (s = (const char *)n; *s && s < (const char *)n + 80; s++)
                line[at++] = *s < 32 || *s > 126 ? '?' : *s;
        } else if (*format == 'd' && (int)n < 0) {
            line[at++] = '-';
            at += put_digits(line + at, 0u - n, 10);
        } else {
            at += put_digits(line + at, n, *format == 'd' ? 10 : *format == 'o' ? 8 : 16);
        }
    }
    line[at++] = '\n';
    sys(WRITE, TELLS, line, at);
}

/* ---- what is drawn from ---- */

static u8 buffer[70000];
static u32 opened; /* a bit for each descriptor below 32 that should be open */
static u32 depth;  /* of forks */

/* What a call that makes a descriptor answered. */
static int opens(int fd)
{
    if (fd >= 0 && fd < 32)
        opened |= 1u << fd;
    else if (fd >= 32 && fd < TELLS)
        sys(CLOSE, fd);
    return fd;
}

static int closes(int fd, int answer)
{
    if (!answer && fd >= 0 && fd < 32)
        opened &= ~(1u << fd);
    return answer;
}

/* One that is open, most of the time; never 1 or 2, which are not a sequence's. */
static int any_fd(void)
{
    u32 i, n = 0;

    if (one_in(24))
        return one_in(4) ? -1 : 3 + (int)draw(25);
    for (i = 0; i < 32; i++)
        n += opened >> i & 1;
    n = n ? draw(n) : 0;
    for (i = 0; i < 32; i++)
        if (opened >> i & 1 && !n--)
            return (int)i;
    return 0;
}

static const char *any_name(void)
{
    static const char *const plain[] = { "a", "b", "c", "d", "e", "d/a", "d/b", "d/e", "e/a", "e/d", "d/e/a", "e/d/b" };
    static const char *const odd[] = { "", ".", "..", "a/", "d/", "d/.", "d/..", "./a", "d//a", "a/b", "no", "no/a", "d/../b", "b/", "d/e/..", "c/.", "e/", "c/a", "b/a",
                                       "/dev/null", "/build", "e/d/", "d/e/" };

    return draw(6) ? plain[draw(sizeof plain / sizeof *plain)] : odd[draw(sizeof odd / sizeof *odd)];
}

static int any_mode(void)
{
    static const short modes[] = { 0644, 0755, 0644, 0755, 0600, 0700, 0777, 0666, 0444, 0555, 0311, 0 };

    return modes[draw(sizeof modes / sizeof *modes)];
}

/* How many bytes, or where: mostly small, often at a page's border. */
static int any_size(void)
{
    switch (draw(6)) {
    case 0: return (int)draw(4);
    case 1: return 4096 * (int)draw(9);
    case 2: return 4096 * (int)(1 + draw(8)) + (int)draw(9) - 4;
    default: return (int)draw(700);
    }
}

static int any_place(void)
{
    return one_in(20) ? -1 - (int)draw(5000) : any_size();
}

/* The kind of what is open here, as in a mode; 0: nothing is. */
static u32 kind_of(int fd)
{
    u32 s[24];

    return sys(FSTAT64, fd, s) ? 0 : s[4] & 0170000;
}

static int has_name(int fd)
{
    u32 s[24];

    return !sys(FSTAT64, fd, s) && s[5] > 0;
}

static int same_file(int fd, int other)
{
    u32 s[24], t[24];

    return !sys(FSTAT64, fd, s) && !sys(FSTAT64, other, t) && same(s, t, 8) && s[22] == t[22];
}

static int is_file(int fd)
{
    return kind_of(fd) == 0100000;
}

static int is_socket(int fd)
{
    return kind_of(fd) == 0140000;
}

/* Whether it is a pipe or socket, to which no more than some bytes are written: how much goes in before they are full is not promised. */
static int flows(int fd)
{
    return kind_of(fd) == 0010000 || is_socket(fd);
}

/* `n` bytes in the buffer, drawn. */
static void fill_buffer(u32 n)
{
    u32 i, byte = draw(256);

    for (i = 0; i < n; i++)
        buffer[i] = (u8)(byte + i * 7);
}
