/* memory.c: mappings in 24 pages at a fixed place, and what is seen there: bytes, SIGSEGV, SIGBUS. */

#define ARENA 0x20000000u
#define ARENA_PAGES 24

enum { MINCORE = 218, MADVISE = 219, MSYNC = 144 };

/* The byte at an address, or -1 minus the signal that this brought (signals.c turns the fault into this). */
int peek(const volatile void *at);
int poke(volatile void *at, int byte);
void peek_faults(void);
void peek_end(void);
asm(".globl peek\npeek:\n\tmov 4(%esp), %ecx\n\tmovzbl (%ecx), %eax\n\tret\n"
    ".globl poke\npoke:\n\tmov 4(%esp), %ecx\n\tmov 8(%esp), %eax\n\tmovb %al, (%ecx)\n\tret\n"
    ".globl peek_end\npeek_end:\n\tnop\n"
    ".globl peek_faults\npeek_faults:\n\tret\n"); /* eax is what the handler put there */

static u32 any_page(void)
{
    return ARENA + draw(ARENA_PAGES) * 4096;
}

static u32 any_length(u32 at)
{
    u32 most = (ARENA + ARENA_PAGES * 4096 - at) / 4096, n = 1 + draw(8);

    return (n < most ? n : most) * 4096 - (one_in(8) ? draw(4096) : 0);
}

#define PAGE_OF(at) (((at) - ARENA) >> 12)

/* Private ones are of the program's own file, which nobody writes to: whether one shows what is written to its file later is not promised (docs/refusals.md). What lies
   where a socket is mapped is gone or not: nobody says. */
static void op_mmap(void)
{
    u32 at = any_page(), size = one_in(30) ? 0 : any_length(at), protection = one_in(8) ? draw(8) : one_in(3) ? 1 : 3, flags = 0x10 + (one_in(24) ? draw(3) : 1 + draw(2)), offset = draw(6);
    int fd = any_fd(), own = -1, r;

    if (one_in(3)) {
        flags |= 0x20;
        fd = -1;
    }
    if (one_in(16))
        flags |= 0x100000; /* NOREPLACE */
    if (fd >= 0 && is_socket(fd))
        return;
    if (fd >= 0 && is_file(fd) && (flags & 15) == 2)
        fd = own = sys(OPEN, self, O_RDONLY);
    r = sys(MMAP2, at, size, protection, flags, fd, offset);
    tell("mmap %d+%x %x flags %x fd %d page %d = %d", PAGE_OF(at), size, protection, flags, fd, offset, (u32)r == at ? 0 : r);
    if (own >= 0)
        sys(CLOSE, own);
}

static void op_munmap(void)
{
    u32 at = any_page(), size = any_length(at);

    tell("munmap %d+%x = %d", PAGE_OF(at), size, sys(MUNMAP, at, size));
}

static void op_mprotect(void)
{
    u32 at = any_page(), size = any_length(at), protection = one_in(4) ? draw(8) : one_in(3) ? 1 : 3;

    tell("mprotect %d+%x %x = %d", PAGE_OF(at), size, protection, sys(MPROTECT, at, size, protection));
}

/* Of one page when it grows, or is moved: whether neighbours are one mapping or two is not promised. */
static void op_mremap(void)
{
    u32 at = any_page(), size = any_length(at), to = any_page(), after = any_length(to), flags = one_in(3) ? 0 : 3;
    int r;

    if (flags ? one_in(2) : at + after > ARENA + ARENA_PAGES * 4096)
        after = 4096;
    else if (flags || after > size)
        size = 4096;
    r = sys(MREMAP, at, size, after, flags, to);
    tell("mremap %d+%x to %d+%x flags %d = %d", PAGE_OF(at), size, PAGE_OF(to), after, flags, (u32)r == (flags ? to : at) ? 0 : r);
}

static void op_madvise(void)
{
    u32 at = any_page(), size = any_length(at), advice = one_in(3) ? draw(3) : 4;

    tell("madvise %d+%x %d = %d", PAGE_OF(at), size, advice, sys(MADVISE, at, size, advice));
}

static void op_msync(void)
{
    u32 at = any_page(), size = any_length(at), flags = draw(8);

    tell("msync %d+%x %d = %d", PAGE_OF(at), size, flags, sys(MSYNC, at, size, flags));
}

static void op_peek(void)
{
    u32 at = any_page() + draw(4096);

    tell("peek %d+%x = %d", PAGE_OF(at), at & 4095, peek((void *)at));
}

static void op_poke(void)
{
    u32 at = any_page() + (one_in(2) ? draw(16) : draw(4096));

    tell("poke %d+%x = %d", PAGE_OF(at), at & 4095, poke((void *)at, (int)draw(256)) < 0 ? -1 : 0);
}

/* By the kernel instead of by the processor: from the program's own file, which is not mapped here, or to a pipe and out again. */
static void op_by_kernel(void)
{
    u32 at = any_page() + draw(4096), size = draw(4096), offset = draw(9000);
    int fd, p[2] = { -1, -1 }, r, n = 0;

    if (one_in(2)) {
        fd = sys(OPEN, self, O_RDONLY);
        r = sys(PREAD, fd, at, size, offset, 0);
        tell("pread to %d+%x %d at %d = %d", PAGE_OF(at), at & 4095, size, offset, r);
        sys(CLOSE, fd);
    } else {
        sys(PIPE2, p, O_NONBLOCK);
        r = sys(WRITE, p[1], at, size);
        if (r > 0)
            n = sys(READ, p[0], buffer, r);
        tell("write from %d+%x %d = %d %x", PAGE_OF(at), at & 4095, size, r, hash_of(buffer, n < 0 ? 0 : (u32)n, EMPTY));
        sys(CLOSE, p[0]);
        sys(CLOSE, p[1]);
    }
}

/* All pages: a hash of each, or what came of looking. */
static void look_at_arena(void)
{
    u32 page, hash = EMPTY, at;
    char kinds[ARENA_PAGES + 1];
    int r;

    for (page = 0; page < ARENA_PAGES; page++) {
        at = ARENA + page * 4096;
        r = peek((void *)at);
        kinds[page] = r >= 0 ? '+' : r == -12 ? 's' : r == -8 ? 'b' : '?';
        if (r >= 0)
            hash = hash_of((void *)at, 4096, hash);
    }
    kinds[ARENA_PAGES] = 0;
    tell("arena %s %x", kinds, hash);
}
