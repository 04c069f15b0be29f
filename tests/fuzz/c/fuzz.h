/* fuzz.h: what the targets share. Each includes the one executor file that it attacks, so that it can put its statics back; the others are linked.
   Everything is a library here: no builder runs, and no system call reaches this machine: `answer` gives each an answer out of the input. */
#include "xboot.h"

void *malloc(unsigned long);
void free(void *);
void abort(void);
void *memset(void *, int, unsigned long);
int setjmp(void *);
void longjmp(void *, int) __attribute__((noreturn));

static void *ending[64]; /* a jmp_buf, with room to spare */
static const u8 *input;  /* what is left of the input */
static unsigned long left;
static void *blocks[1 << 16]; /* what was allocated, to be freed after the run */
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

/* Every piece has guards around it and starts as rubbish. */
void *allocate(unsigned long size)
{
    if (block_count == sizeof blocks / sizeof *blocks || size > 1ul << 30)
        end_run();
    return memset(blocks[block_count++] = malloc(size), 0xaa, size);
}

void *arena_mark(void)
{
    return NULL;
}

void arena_release(void *mark)
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
    if (!setjmp(ending))
        target();
    while (block_count)
        free(blocks[--block_count]);
    return 0;
}
