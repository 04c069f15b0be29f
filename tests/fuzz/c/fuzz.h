/* fuzz.h: what the targets share. Each includes the one executor file that it attacks, so that it can put its statics back; the others are linked.
   Everything is a library here: no builder runs, and no system call reaches this machine: `answer` gives each an answer out of the input. */
#include "xboot.h"

void *malloc(unsigned long);
void free(void *);
void abort(void);
void __asan_poison_memory_region(const volatile void *, unsigned long);
void __asan_unpoison_memory_region(const volatile void *, unsigned long);
int setjmp(void *);
void longjmp(void *, int) __attribute__((noreturn));

static void *ending[64]; /* a jmp_buf, with room to spare */
static const u8 *input;  /* what is left of the input */
static unsigned long left;

/* Pieces of memory come from a pool that is closed but for them, each between guards: a run gives all back at once. What is large comes from malloc. */
enum { POOL = 1 << 20,
    GUARD = 16,
    LARGE = 1 << 14 };
static _Alignas(16) u8 pool[POOL];
static unsigned long pool_used = POOL; /* by the run before: closed when the next begins */
static void *blocks[1 << 10];          /* what came from malloc, to be freed after the run */
static unsigned block_count;

static u8 take(void)
{
    return left ? left--, *input++ : 0;
}

/* `fail` ends a run, and so does the end of the input where the executor would wait for more. */
static void end_run(void)
{
    longjmp(ending, 1);
}

/* The harness's own way to put statics back: the executor's goes byte by byte, with the sanitizer at each. */
static void reset(void *what, unsigned long size)
{
    __builtin_memset(what, 0, size);
}

/* Every piece has guards around it and starts as rubbish. */
void *allocate(unsigned long size)
{
    u8 *piece;

    if (size > 1ul << 30)
        end_run();
    if (size < LARGE && size + 2 * GUARD <= POOL - pool_used) {
        piece = pool + pool_used + GUARD;
        pool_used += (GUARD + size + 15) & ~15ul;
        __asan_unpoison_memory_region(piece, size);
        return __builtin_memset(piece, 0xaa, size);
    }
    if (block_count == sizeof blocks / sizeof *blocks)
        end_run();
    return __builtin_memset(blocks[block_count++] = malloc(size), 0xaa, size);
}

struct mark arena_mark(void)
{
    struct mark mark = {NULL, 0};

    return mark;
}

void arena_release(struct mark mark)
{
    (void)mark;
}

void out_byte(long port, long value)
{
    (void)port;
    (void)value;
}

static struct statx *statx_buffer; /* the fifth argument */
static void target(void);
static long answer(long number, long a, long b, long c, long d);

long syscall6(long number, long a, long b, long c, long d, long e, long f)
{
    (void)f;
    statx_buffer = (struct statx *)e;
    return answer(number, a, b, c, d);
}

/* What Linux may answer to a read: any error, the end, or any number of bytes up to what was asked for. */
static long give(u8 *to, unsigned long room)
{
    u8 kind = take();
    unsigned long n = kind & 0x3f, i;

    if (kind >= 0xf0)
        return -(long)(kind & 15) - 1;
    if (kind & 0x40)
        n = n << 8 | take();
    if (n > room)
        n = room;
    if (n > left)
        n = left;
    for (i = 0; i < n; i++)
        to[i] = take();
    return (long)n;
}

int LLVMFuzzerTestOneInput(const u8 *data, unsigned long size)
{
    input = data;
    left = size;
    __asan_poison_memory_region(pool, pool_used);
    pool_used = 0;
    if (!setjmp(ending))
        target();
    while (block_count)
        free(blocks[--block_count]);
    return 0;
}
