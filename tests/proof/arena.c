/* arena: pieces asked for, marked, released and asked for again, of sizes on each side of every bound. Each byte at an end is written. */
#include "linux.h"

void *calloc(size_t, size_t);
void free(void *);

long map(unsigned long size)
{
    return Frama_C_nondet(0, 1) ? Frama_C_long_interval(-4095, -1) : (long)calloc(1, size);
}

void unmap(void *memory)
{
    free(memory);
}

static const unsigned long sizes[] = {0, 1, (1ul << 20) - 32, (1ul << 20) - 31, 3ul << 20, ~0ul};

static char *some(void)
{
    unsigned long size = sizes[Frama_C_interval_split(0, sizeof sizes / sizeof *sizes - 1)];
    char *p = allocate(size);

    if (size)
        p[0] = p[size - 1] = 1;
    return p;
}

int main(void)
{
    struct mark empty = arena_mark(), mark;

    some();
    mark = arena_mark();
    some();
    arena_release(mark);
    arena_release(mark);
    some();
    arena_release(empty);
    some();
    return 0;
}
