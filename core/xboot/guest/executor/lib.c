/* Strings and files: what a libc would give, as small as the executor needs it.
 *
 *   read_directory                         names, sorted bytewise
 *   remove_tree                            any depth, any modes, no link followed, constant memory
 *   make_parents                           mkdir -p for a file's folders, owned by the builder
 */
#include "xboot.h"

#define BUILDER_UID 1000
#define BUILDER_GID 100

/* ---- strings */

unsigned long length(const char *s)
{
    unsigned long n = 0;
    while (s[n])
        n++;
    return n;
}

int compare(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return (u8)*a - (u8)*b;
}

int equal(const char *a, const char *b)
{
    return compare(a, b) == 0;
}

int starts_with(const char *s, const char *prefix)
{
    while (*prefix)
        if (*s++ != *prefix++)
            return 0;
    return 1;
}

void copy(void *to, const void *from, unsigned long n)
{
    u8 *t = to;
    const u8 *f = from;

    /* by words where both are aligned: most copies are of whole pages */
    if ((((unsigned long)t | (unsigned long)f) & (sizeof(long) - 1)) == 0)
        for (; n >= sizeof(long); n -= sizeof(long), t += sizeof(long), f += sizeof(long))
            *(long *)t = *(const long *)f;
    while (n--)
        *t++ = *f++;
}

void fill(void *to, int byte, unsigned long n)
{
    u8 *t = to;
    while (n--)
        *t++ = (u8)byte;
}

/* Compilers call these on their own. */
void *memcpy(void *to, const void *from, unsigned long n)
{
    copy(to, from, n);
    return to;
}

void *memmove(void *to, const void *from, unsigned long n)
{
    u8 *t = to;
    const u8 *f = from;

    if (t < f)
        copy(t, f, n);
    else
        while (n--)
            t[n] = f[n];
    return to;
}

void *memset(void *to, int byte, unsigned long n)
{
    fill(to, byte, n);
    return to;
}

char *join(const char *a, const char *b, const char *c)
{
    unsigned long x = length(a), y = length(b), z = length(c);
    char *s = allocate(x + y + z + 1);

    copy(s, a, x);
    copy(s + x, b, y);
    copy(s + x + y, c, z);
    s[x + y + z] = 0;
    return s;
}

/* By subtraction of powers of ten: a division of 64 bits would need the compiler's library on i386. */
char *decimal(u64 value)
{
    static char text[24];
    u64 power;
    static const u64 powers[] = {
        10000000000000000000ull, 1000000000000000000ull, 100000000000000000ull, 10000000000000000ull,
        1000000000000000ull, 100000000000000ull, 10000000000000ull, 1000000000000ull, 100000000000ull,
        10000000000ull, 1000000000ull, 100000000ull, 10000000ull, 1000000ull, 100000ull, 10000ull, 1000ull,
        100ull, 10ull, 1ull};
    int i, n = 0, digit;

    for (i = 0; i < 20; i++) {
        power = powers[i];
        for (digit = 0; value >= power; digit++)
            value -= power;
        if (digit || n || i == 19)
            text[n++] = (char)('0' + digit);
    }
    text[n] = 0;
    return text;
}

/* `array`, or a copy of it, with room for one more than `count` items. Ends the run when there is no memory left. */
void *grown(void *array, unsigned count, unsigned long item)
{
    void *bigger;

    if (count & (count - 1)) /* room was made for the next power of two */
        return array;
    bigger = allocate((count ? 2ul * count : 1) * item);
    copy(bigger, array, count * item);
    return bigger;
}

/* ---- files */

int open_at(int dir, const char *name, int flags)
{
    return (int)SYS4(SYS_openat, dir, name, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* A call that can fail only when something is wrong with the machine or the image. */
void must(long result, const char *what, const char *name)
{
    if (result < 0)
        fail("internal", join(what, " failed with error ", decimal(0 - (u64)result)), name);
}

long write_all(int fd, const void *data, unsigned long n)
{
    const char *p = data;
    long done;

    while (n) {
        done = SYS3(SYS_write, fd, p, n);
        if (done == -EINTR || done == -EAGAIN)
            continue;
        if (done <= 0)
            return done ? done : -EIO; /* a device that takes nothing must not hold up the run */
        p += done;
        n -= (unsigned long)done;
    }
    return 0;
}

void say(const char *a, const char *b, const char *c)
{
    char *line = join("xboot: ", a, b);

    line = join(line, c, "\n");
    write_all(1, line, length(line));
}

/* ---- directories */

static void sift(char **v, unsigned i, unsigned n)
{
    char *moved = v[i];
    unsigned child;

    for (; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && compare(v[child], v[child + 1]) < 0)
            child++;
        if (compare(moved, v[child]) >= 0)
            break;
        v[i] = v[child];
    }
    v[i] = moved;
}

/* Heapsort: no recursion, no bad case that a hostile builder could prepare. */
static void sort(char **v, unsigned n)
{
    unsigned i;
    char *top;

    for (i = n / 2; i-- > 0;)
        sift(v, i, n);
    for (i = n; i-- > 1;) {
        top = v[0];
        v[0] = v[i];
        v[i] = top;
        sift(v, 0, i);
    }
}

#ifndef LISTING
#define LISTING 32768 /* a proof about every listing makes it small */
#endif

static u8 listing[LISTING]; /* what getdents64 answered last */

/* The name in the entry at *at of the `got` bytes of the listing; NULL for . and .. Moves *at to the next entry. Ends the
 * run when the entry is malformed.
 */
static char *next_name(long got, long *at)
{
    u8 *entry = listing + *at;
    long size, i = DIRENT_NAME;

    size = got - *at < DIRENT_NAME ? 0 : entry[16] | entry[17] << 8;
    if (size <= got - *at)
        while (i < size && entry[i] && entry[i] != '/')
            i++;
    if (i == DIRENT_NAME || i > DIRENT_NAME + MAX_NAME || i >= size || entry[i])
        fail("internal", "the kernel listed a directory with a malformed entry", "");
    *at += size;
    entry += DIRENT_NAME;
    return entry[0] == '.' && (!entry[1] || (entry[1] == '.' && !entry[2])) ? NULL : (char *)entry;
}

struct names read_directory(int fd)
{
    struct names list;
    char *name;
    long got, at;

    list.count = 0;
    list.name = NULL;
    while ((got = SYS3(SYS_getdents64, fd, listing, LISTING)) > 0)
        for (at = 0; at < got;) {
            if (!(name = next_name(got, &at)))
                continue;
            GROW(list.name, list.count);
            list.name[list.count++] = join(name, "", "");
        }
    must(got, "reading a directory", "");
    sort(list.name, list.count);
    return list;
}

/* Removing a tree that a hostile builder made: it may be 10^5 directories deep, so neither recursion nor paths will
 * do. Instead every directory met is moved up into one flat folder of trash under a number, which is emptied until
 * nothing is left. Memory and descriptors stay constant.
 */
static unsigned trash_number;

static int empty_into(int dir, int trash)
{
    long got, at;
    char *name;
    int moved = 0;

    for (;;) {
        got = SYS3(SYS_getdents64, dir, listing, LISTING);
        must(got, "reading a directory to remove", "");
        if (got == 0)
            break;
        for (at = 0; at < got;) {
            if (!(name = next_name(got, &at)))
                continue;
            moved = 1;
            if (SYS3(SYS_unlinkat, dir, name, 0) < 0)
                must(SYS4(SYS_renameat, dir, name, trash, decimal(trash_number++)), "moving to the trash", name);
        }
    }
    return moved;
}

void remove_tree(int dir, const char *name)
{
    struct mark mark = arena_mark();
    struct names list;
    unsigned i;
    int trash, fd;

    if (SYS3(SYS_unlinkat, dir, name, 0) >= 0 || SYS3(SYS_unlinkat, dir, name, AT_REMOVEDIR) >= 0)
        return;
    must(SYS3(SYS_mkdirat, AT_FDCWD, "/xboot/trash", 0700), "making the trash", "");
    trash = open_at(AT_FDCWD, "/xboot/trash", O_RDONLY | O_DIRECTORY);
    must(trash, "opening the trash", "");
    must(SYS4(SYS_renameat, dir, name, trash, decimal(trash_number++)), "moving to the trash", name);
    for (;;) {
        must(SYS3(SYS_lseek, trash, 0, 0), "rewinding the trash", "");
        list = read_directory(trash);
        if (!list.count)
            break;
        for (i = 0; i < list.count; i++) {
            fd = open_at(trash, list.name[i], O_RDONLY | O_DIRECTORY);
            must(fd, "opening a folder in the trash", list.name[i]);
            while (empty_into(fd, trash))
                must(SYS3(SYS_lseek, fd, 0, 0), "rewinding a folder in the trash", "");
            SYS1(SYS_close, fd);
            must(SYS3(SYS_unlinkat, trash, list.name[i], AT_REMOVEDIR), "removing a folder in the trash", list.name[i]);
        }
        arena_release(mark);
    }
    arena_release(mark);
    SYS1(SYS_close, trash);
    must(SYS3(SYS_unlinkat, AT_FDCWD, "/xboot/trash", AT_REMOVEDIR), "removing the trash", "");
}

/* The folders above `path` (which has no leading slash) below the folder `root`: made where missing, mode 0755, owned by
 * the builder. Nothing of the builder's runs yet, so paths cannot change underneath.
 */
void make_parents(int root, const char *path)
{
    char *part = join(path, "", "");
    unsigned long i;

    for (i = 0; part[i]; i++)
        if (part[i] == '/') {
            part[i] = 0;
            if (SYS3(SYS_mkdirat, root, part, 0755) >= 0) {
                must(SYS4(SYS_fchmodat, root, part, 0755, 0), "setting a mode", part);
                must(SYS5(SYS_fchownat, root, part, BUILDER_UID, BUILDER_GID, AT_SYMLINK_NOFOLLOW), "setting an owner", part);
            }
            part[i] = '/';
        }
}
