/* CVE: CVE-2012-0217, CVE-2006-0744, CVE-2014-4699, CVE-2005-1764
   Wins: the kernel faults with its privileges and the builder's stack, when it returns to an address that the processor does not have
   Verdict: ok

   For x86_64: a system call in the last bytes of the lower half of the address space, and returns from signals that never came to addresses of no half and of the
   kernel's. Each child must end by a signal; afterwards a privileged instruction must still be refused. Then the output is made. For guests only. */

typedef unsigned long u64;

enum { WRITE = 1, OPEN = 2, MMAP = 9, GETPID = 39, FORK = 57, EXIT = 60, WAIT4 = 61 };

static long sys(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 asm("r10") = d, r8 asm("r8") = e, r9 asm("r9") = f;
    long result;

    asm volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
    return result;
}

static u64 frame[128];

/* As a return from a signal would find it; 16: rip, 15: rsp, 17: flags, 18: the segments. */
static void returns(u64 rip, u64 rsp, u64 flags, u64 segments)
{
    u64 *context = frame + 5;

    context[15] = rsp;
    context[16] = rip;
    context[17] = flags;
    context[18] = segments;
    asm volatile("mov %0, %%rsp\n\tmov $15, %%eax\n\tsyscall\n\thlt" : : "r"(frame) : "memory");
}

static void last_bytes(u64 page)
{
    unsigned char *at = (unsigned char *)sys(MMAP, (long)page, 4096, 7, 0x32, -1, 0);

    if ((u64)at != page)
        sys(EXIT, 9, 0, 0, 0, 0, 0); /* refused: that is well */
    at[4094] = 0x0f;
    at[4095] = 0x05;
    asm volatile("jmp *%0" : : "r"(at + 4094), "a"(GETPID) : "rcx", "r11", "memory");
}

static int child(int kind)
{
    static const u64 places[] = {0x0000800000000000, 0x00007ffffffff000, 0xffff800000000000, 0xffffffff80000000, 0x8000000000000000, 0xfffffffffffff000, ~0ul};
    static const u64 segments[] = {0x002b000000000033, 0x0018000000000010, 0x0010000000000008, 0, 0x0000000000000033, 0xffff00000000ffff};
    long pid = sys(FORK, 0, 0, 0, 0, 0, 0);
    int end = -1;

    if (!pid) {
        if (kind < 2)
            last_bytes(0x00007fffffffe000 + 4096ul * (u64)kind);
        else if (kind < 9)
            returns(places[kind - 2], (u64)(frame + 100), 0x202, segments[0]);
        else if (kind < 16)
            returns((u64)child, places[kind - 9], 0x202, segments[0]);
        else if (kind < 21)
            returns((u64)child, places[0], 0x7fd7, segments[kind - 15]);
        else
            asm volatile("cli");
        sys(EXIT, 42, 0, 0, 0, 0, 0);
    }
    sys(WAIT4, pid, (long)&end, 0, 0, 0, 0);
    return end;
}

__attribute__((used)) static void begin(char **stack)
{
    int kind, end, fd;

    for (kind = 0; kind < 22; kind++) {
        end = child(kind);
        if (!(end & 127) && !(kind < 2 && end == 9 << 8))
            sys(EXIT, 10 + kind, 0, 0, 0, 0, 0);
    }
    fd = (int)sys(OPEN, (long)stack[2], 0101, 0644, 0, 0, 0);
    sys(WRITE, fd, (long)"ok\n", 3, 0, 0, 0);
    sys(EXIT, 0, 0, 0, 0, 0, 0);
}

asm(".globl _start\n_start:\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall begin\n");
