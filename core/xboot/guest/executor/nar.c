/* Outputs: canonicalise a tree as the daemons do, serialise it as NAR, hash it, and scan it for references.
 *
 *   canonicalise   owner 0:0, mtime 1, modes 0555 or 0444; refuses what a NAR cannot hold
 *   nar_write      the NAR into a sink
 *   hasher         a sink: SHA-256, size, and which hash parts of store paths occur
 *
 * When these run, no process of the step is alive, so a tree cannot change between two looks. Links are never followed
 * all the same. Nothing calls itself: where a walk stands is in `level`, one entry for each folder that is open.
 */
#include "xboot.h"

#ifndef MAX_DEPTH
#define MAX_DEPTH 64 /* a proof about every depth makes it small */
#endif
#define MAX_FILE (16ull << 30) /* only a sparse file could be so large, and hashing it would take hours */
#define BUFFER   65536

static long buffer[BUFFER / sizeof(long)]; /* of longs, so that copies from it go by words */
static const char *subject;                /* the name of the tree that is being worked on, for errors */

/* `why`, a name inside the tree, and the tree's own name */
static void refuse(const char *kind, const char *why, const char *name)
{
    static char text[2 * MAX_NAME + 200];
    unsigned n = 0;
    const char *part[4], *s;
    int i;

    part[0] = why;
    part[1] = name;
    part[2] = equal(name, subject) ? "" : " in ";
    part[3] = equal(name, subject) ? "" : subject;
    for (i = 0; i < 4; i++)
        for (s = part[i]; *s && n < sizeof text - 1; s++)
            text[n++] = *s;
    text[n] = 0;
    fail(kind, text, "");
}

static struct statx look(int dir, const char *name)
{
    static struct statx st;

    must(SYS5(SYS_statx, dir, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC, &st), "looking at an output", name);
    return st;
}

/* A walk through a tree: the folders that are open, from the tree's own down to the one whose names come next. */
static struct level {
    int fd;
    struct mark mark; /* of the arena before the names were read */
    struct names list;
    unsigned next;
} level[MAX_DEPTH];
static unsigned depth; /* how many are open */

/* Opens the folder `name`, so that its names come next. Ends the run when it is one too deep. */
static void enter(int dir, const char *name)
{
    struct level *here;

    if (depth == MAX_DEPTH)
        refuse("output", "directories nested deeper than 64: ", name);
    here = &level[depth];
    here->fd = open_at(dir, name, O_RDONLY | O_DIRECTORY);
    must(here->fd, "opening a directory of an output", name);
    here->mark = arena_mark();
    here->list = read_directory(here->fd);
    here->next = 0;
    depth++;
}

/* The next name of the folder that was opened last, and its descriptor; NULL when there is none: then it has been closed. */
static const char *next_entry(int *dir)
{
    struct level *here = &level[depth - 1];
    unsigned next = here->next;

    if (next < here->list.count) {
        here->next = next + 1;
        *dir = here->fd;
        return here->list.name[next];
    }
    arena_release(here->mark);
    SYS1(SYS_close, here->fd);
    depth--;
    return NULL;
}

/* ---- canonicalise */

/* What stands under one name; a folder is entered. Nothing that is done below a folder changes its own owner, mode or time. */
static void settle(int dir, const char *name)
{
    struct statx st = look(dir, name);
    u32 kind = st.mode & S_IFMT;
    long times[4];

    if (kind != S_IFREG && kind != S_IFDIR && kind != S_IFLNK)
        refuse("output", "neither regular file, directory nor symbolic link: ", name);
    must(SYS5(SYS_fchownat, dir, name, 0, 0, AT_SYMLINK_NOFOLLOW), "setting an owner", name);
    if (kind != S_IFLNK)
        must(SYS4(SYS_fchmodat, dir, name, kind == S_IFDIR || st.mode & 0100 ? 0555 : 0444, 0), "setting a mode", name);
    times[0] = times[2] = 1;
    times[1] = times[3] = 0;
    must(SYS4(SYS_utimensat, dir, name, times, AT_SYMLINK_NOFOLLOW), "setting a time", name);
    if (kind == S_IFDIR)
        enter(dir, name);
}

void canonicalise(int dir, const char *name)
{
    subject = name;
    settle(dir, name);
    while (depth)
        if ((name = next_entry(&dir)))
            settle(dir, name);
}

/* ---- serialise (the format: E. Dolstra, "The Purely Functional Software Deployment Model", figure 5.2) */

static void put_number(struct sink *sink, u64 n)
{
    u8 b[8];
    int i;

    for (i = 0; i < 8; i++, n >>= 8)
        b[i] = (u8)n;
    sink->put(sink, b, 8);
}

static void put_padding(struct sink *sink, u64 n)
{
    static const u8 zero[8];

    sink->put(sink, zero, (unsigned long)(-n & 7));
}

static void put_string(struct sink *sink, const char *s)
{
    unsigned long n = length(s);

    put_number(sink, n);
    sink->put(sink, s, n);
    put_padding(sink, n);
}

static void put_contents(struct sink *sink, int dir, const char *name, u64 size)
{
    u64 left = size;
    long got;
    int fd;

    if (size > MAX_FILE)
        refuse("limit", "a file larger than 16 GiB: ", name);
    fd = open_at(dir, name, O_RDONLY);
    must(fd, "opening a file of an output", name);
    put_number(sink, size);
    while ((got = SYS3(SYS_read, fd, buffer, BUFFER)) > 0) {
        if ((u64)got > left)
            break;
        sink->put(sink, buffer, (unsigned long)got);
        left -= (u64)got;
    }
    must(got, "reading a file of an output", name);
    if (left || got)
        refuse("internal", "a file changed its size while it was read: ", name);
    SYS1(SYS_close, fd);
    put_padding(sink, size);
}

/* Ends a node and, below a folder, the entry that it is. */
static void end_node(struct sink *sink)
{
    put_string(sink, ")");
    if (depth)
        put_string(sink, ")");
}

/* A node whole, or a folder's beginning: its entries come next. */
static void put_node(struct sink *sink, int dir, const char *name)
{
    static char target[MAX_PATH + 1];
    struct statx st = look(dir, name);
    long n;

    put_string(sink, "(");
    put_string(sink, "type");
    switch (st.mode & S_IFMT) {
    case S_IFREG:
        put_string(sink, "regular");
        if (st.mode & 0100) {
            put_string(sink, "executable");
            put_string(sink, "");
        }
        put_string(sink, "contents");
        put_contents(sink, dir, name, st.size);
        end_node(sink);
        break;
    case S_IFLNK:
        n = SYS4(SYS_readlinkat, dir, name, target, MAX_PATH);
        must(n, "reading a link", name);
        target[n] = 0;
        put_string(sink, "symlink");
        put_string(sink, "target");
        put_string(sink, target);
        end_node(sink);
        break;
    case S_IFDIR:
        put_string(sink, "directory");
        enter(dir, name);
        break;
    default:
        refuse("output", "neither regular file, directory nor symbolic link: ", name);
    }
}

void nar_write(int dir, const char *name, struct sink *sink)
{
    subject = name;
    put_string(sink, "nix-archive-1");
    put_node(sink, dir, name);
    while (depth)
        if ((name = next_entry(&dir))) {
            put_string(sink, "entry");
            put_string(sink, "(");
            put_string(sink, "name");
            put_string(sink, name);
            put_string(sink, "node");
            put_node(sink, dir, name);
        } else {
            end_node(sink);
        }
}

/* SHA-256 of the content of one regular file (flat fixed outputs). */
void hash_file(int dir, const char *name, char hex[65])
{
    struct sha256 sha;
    long got;
    int fd = open_at(dir, name, O_RDONLY);

    must(fd, "opening a file of an output", name);
    sha256_init(&sha);
    while ((got = SYS3(SYS_read, fd, buffer, BUFFER)) > 0)
        sha256_update(&sha, buffer, (unsigned long)got);
    must(got, "reading a file of an output", name);
    SYS1(SYS_close, fd);
    sha256_hex(&sha, hex);
}

/* ---- hash and scan
 *
 * A reference is an occurrence of a path's 32-character hash part. What a NAR is made of comes in small and large
 * pieces, so it is gathered in a window that starts with the last CARRY bytes of what came before: an occurrence across
 * a border is found. (CARRY could be one less; this way what follows it stays aligned, and copying goes by words.)
 */
#define CARRY HASH_PART
#ifndef WINDOW
#define WINDOW 65536 /* a proof about every window makes it small */
#endif
#define BUCKETS 1024

static long aligned_window[(CARRY + WINDOW) / sizeof(long)];
#define window ((u8 *)aligned_window)
static unsigned window_fill, window_carry; /* valid bytes in all; of these, carried over */
static struct path *bucket[BUCKETS];
static u8 in_alphabet[256];

static unsigned bucket_of(const u8 *s)
{
    return (s[0] + 37u * s[1] + 1369u * s[2] + 50653u * s[3]) & (BUCKETS - 1);
}

static int same_part(const u8 *a, const char *b)
{
    int i;

    for (i = 0; i < HASH_PART; i++)
        if (a[i] != (u8)b[i])
            return 0;
    return 1;
}

static void note(const u8 *at)
{
    struct path *p;

    for (p = bucket[bucket_of(at)]; p; p = p->next_candidate)
        if (!p->occurs && same_part(at, p->name))
            p->occurs = 1;
}

/* Looks at every 32nd byte first: where that is not of the alphabet, no hash part can lie across it. In a long run of the
 * alphabet each further byte is looked at once.
 */
static void scan(void)
{
    unsigned i = 0, j;

    while (i + HASH_PART <= window_fill) {
        for (j = HASH_PART; j > 0 && in_alphabet[window[i + j - 1]]; j--)
            ;
        if (j > 0) {
            i += j;
            continue;
        }
        do
            note(window + i++);
        while (i + HASH_PART <= window_fill && in_alphabet[window[i + HASH_PART - 1]]);
        i += HASH_PART;
    }
}

static void flush(struct hasher *h)
{
    sha256_update(&h->sha, window + window_carry, window_fill - window_carry);
    if (h->count)
        scan();
    window_carry = window_fill < CARRY ? window_fill : CARRY;
    copy(window, window + window_fill - window_carry, window_carry);
    window_fill = window_carry;
}

static void hasher_put(struct sink *sink, const void *data, unsigned long n)
{
    struct hasher *h = (struct hasher *)sink;
    const u8 *p = data;
    unsigned part;

    h->size += n;
    while (n) {
        part = (unsigned)sizeof aligned_window - window_fill;
        if (n < part)
            part = (unsigned)n;
        copy(window + window_fill, p, part);
        window_fill += part;
        p += part;
        n -= part;
        if (window_fill == sizeof aligned_window)
            flush(h);
    }
}

void hasher_init(struct hasher *h, struct path **candidates, unsigned count)
{
    unsigned i, b;

    for (i = 0; i < 128; i++)
        in_alphabet[i] = (u8)is_hash_character((char)i);
    h->sink.put = hasher_put;
    h->size = 0;
    h->candidates = candidates;
    h->count = count;
    sha256_init(&h->sha);
    window_fill = window_carry = 0;
    fill(bucket, 0, sizeof bucket);
    for (i = 0; i < count; i++) {
        b = bucket_of((u8 *)candidates[i]->name);
        candidates[i]->occurs = 0;
        candidates[i]->next_candidate = bucket[b];
        bucket[b] = candidates[i];
    }
}

/* Answers how many of the candidates occur: they are put into `found`, which has room for all, in the bytewise order of
 * their paths (an insertion sort: they are few).
 */
unsigned hasher_finish(struct hasher *h, char hex[65], struct path **found)
{
    unsigned i, j, n = 0;
    struct path *p;

    flush(h);
    sha256_hex(&h->sha, hex);
    for (i = 0; i < h->count; i++) {
        p = h->candidates[i];
        if (!p->occurs)
            continue;
        for (j = n++; j > 0 && compare(found[j - 1]->path, p->path) > 0; j--)
            found[j] = found[j - 1];
        found[j] = p;
    }
    return n;
}
