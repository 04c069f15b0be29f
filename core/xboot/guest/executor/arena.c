/* Memory: one arena in pieces of 1 MiB or more, which only grows; releasing a mark unmaps the pieces that came after it.
 *
 * What allocate answers is aligned to 16 bytes. Fresh pieces are zero, but what was released and is given out again is not.
 */
#include "xboot.h"

#define PIECE (1ul << 20)

struct piece {
    struct piece *before;
    unsigned long size, used;
};
static struct piece *arena;

void *allocate(unsigned long size)
{
    unsigned long whole;
    struct piece *piece;
    long got;
    void *p;

    size = (size + 15) & ~15ul;
    if (!arena || arena->used + size > arena->size) {
        whole = size + 64 > PIECE ? (size + 64 + 4095) & ~4095ul : PIECE;
        got = syscall6(SYS_mmap, 0, (long)whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (got < 0 && got > -4096)
            fail("limit", "out of memory in the executor", "");
        piece = (struct piece *)got;
        piece->before = arena;
        piece->size = whole;
        piece->used = 32;
        arena = piece;
    }
    p = (char *)arena + arena->used;
    arena->used += size;
    return p;
}

void *arena_mark(void)
{
    return allocate(0);
}

void arena_release(void *mark)
{
    struct piece *piece;
    unsigned long at;

    for (;;) {
        piece = arena;
        at = (unsigned long)mark - (unsigned long)piece;
        if ((unsigned long)mark >= (unsigned long)piece && at <= piece->size)
            break;
        arena = piece->before;
        SYS2(SYS_munmap, piece, piece->size);
    }
    arena->used = at;
}
