/* nar: trees of any size and depth, with names of up to NAME bytes and anything that Linux may say of them, in three parts.
 *
 * A walk: each folder has up to two names of any bytes. How many are read one after
 * the other has no bound here, so neither has the tree; a file's bytes have none either.
 * The hashing: any number of pieces, each of up to MOST bytes, through a window that is WINDOW bytes wide, for two candidates.
 * An end: the references found, in order.
 */
#include "linux.h"

#define NAME 2
#define MOST (2 * WINDOW + 1)

static char first_name[NAME + 1], second_name[NAME + 1], *names[] = {first_name, second_name};

/* What `folders` proves of read_directory stands for it here. */
#define read_directory some_names
static struct names some_names(int fd)
{
    struct names list = {names, 0};

    (void)fd;
    list.count = (unsigned)Frama_C_interval(0, 2);
    return list;
}

#include EXECUTOR_FILE

static void any_name(char *name)
{
    Frama_C_make_unknown(name, NAME);
}

static void take(struct sink *sink, const void *data, unsigned long n)
{
    (void)sink;
    /*@ assert \valid_read((char *)data + (0 .. n - 1)); */
    /*@ assert \initialized((char *)data + (0 .. n - 1)); */
}

static void a_walk(void)
{
    static char top[NAME + 1];
    struct sink sink;
    char hex[65];

    any_name(top), any_name(first_name), any_name(second_name);
    left_to_read = ENDLESS;
    sink.put = take;
    switch (Frama_C_interval_split(0, 2)) {
    case 0:
        canonicalise(3, top);
        break;
    case 1:
        nar_write(3, top, &sink);
        break;
    default:
        hash_file(3, top, hex);
    }
}

static struct path path[2];
static struct path *candidates[] = {&path[0], &path[1]}, *found[2];

static void candidates_of(const char *one, const char *other)
{
    path[0].path = (char *)one;
    path[1].path = (char *)other;
    path[0].name = path[0].path;
    path[1].name = path[1].path;
}

static void hashing(void)
{
    static struct hasher h;
    static char data[MOST];
    unsigned long n;

    Frama_C_make_unknown(data, sizeof data);
    if (Frama_C_nondet(0, 1))
        candidates_of("0123456789abcdfghijklmnpqrsvwxyz-a", "0123456789abcdfghijklmnpqrsvwxyz-b");
    else
        candidates_of("1123456789abcdfghijklmnpqrsvwxyz-a", "0123456789abcdfghijklmnpqrsvwxyz-b");
    hasher_init(&h, candidates, (unsigned)Frama_C_interval_split(0, 2));
    while (Frama_C_nondet(0, 1)) {
        n = Frama_C_nondet(0, 1) ? MOST : (unsigned long)Frama_C_interval_split(0, 1);
        /*@ split n; */
        h.sink.put(&h.sink, data + sizeof data - n, n);
        /*@ merge n; */
    }
    flush(&h);
}

static void an_end(void)
{
    static struct hasher h;
    char hex[65];
    static char one[NAME + 1], other[NAME + 1];

    any_name(one), any_name(other);
    candidates_of(one, other);
    path[0].occurs = Frama_C_interval(0, 1);
    path[1].occurs = Frama_C_interval(0, 1);
    h.candidates = candidates;
    h.count = (unsigned)Frama_C_interval_split(0, 2);
    hasher_finish(&h, hex, found);
}

int main(void)
{
    CASE();
    return 0;
}
