/* Memory: one arena in pieces of 1 MiB or more, which only grows; releasing a mark unmaps the pieces that came after it.
 *
 * What allocate answers is aligned to 16 bytes. Fresh pieces are zero, but what was released and is given out again is not.
 */
#include "xboot.h"

#define PIECE   (1ul << 20)
#define HEAD    32          /* bytes at a piece's start that are the arena's own */
#define LARGEST (~0ul >> 1) /* no sum below wraps around; no machine has as much */

struct piece {
    struct piece *before;
    unsigned long size, used;
};
static struct piece *arena; /* the newest */

/* `size` bytes. Ends the run when there is no memory left. */
void *allocate(unsigned long size)
{
    unsigned long whole;
    struct piece *piece;
    long got;
    void *p;

    if (size > LARGEST)
        fail("limit", "out of memory in the executor", "");
    size = (size + 15) & ~15ul;
    if (!arena || size > arena->size - arena->used) {
        whole = size + HEAD > PIECE ? (size + HEAD + 4095) & ~4095ul : PIECE;
        got = syscall6(SYS_mmap, 0, (long)whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (got < 0 && got > -4096)
            fail("limit", "out of memory in the executor", "");
        piece = (struct piece *)got;
        piece->before = arena;
        piece->size = whole;
        piece->used = HEAD;
        arena = piece;
    }
    p = (char *)arena + arena->used;
    arena->used += size;
    return p;
}

/* Where the arena stands now. */
struct mark arena_mark(void)
{
    struct mark mark;

    mark.piece = arena;
    mark.used = arena ? arena->used : 0;
    return mark;
}

/* Gives back what came after the mark, which stays good for being released to again. */
void arena_release(struct mark mark)
{
    struct piece *piece;

    while ((piece = arena) != mark.piece) {
        arena = piece->before;
        SYS2(SYS_munmap, piece, piece->size);
    }
    if (arena)
        arena->used = mark.used;
}
