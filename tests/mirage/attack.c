/* Attacks on the kernel, one for each letter of the first argument. Each runs in a child of its own; the parent prints how it ended, which must be by a signal or by an
   ordinary error, and goes on: what would be won is a crash of the machine, or rights. i386 and x86_64. */
typedef unsigned long word;
#ifdef __x86_64__
enum { READ = 0, WRITE = 1, OPEN = 2, MMAP = 9, SIGRETURN = 15, PIPE = 22, DUP = 32, FORK = 57, EXECVE = 59, EXIT = 60, WAIT4 = 61, ARCH_PRCTL = 158, KILL = 62, UNLINK = 87, CHMOD = 90 };
static long sys(long n, word a, word b, word c, word d) {
    long r;
    register word r10 __asm__("r10") = d;
    __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
    return r;
}
#else
enum { EXIT = 1, FORK = 2, READ = 3, WRITE = 4, OPEN = 5, UNLINK = 10, EXECVE = 11, CHMOD = 15, KILL = 37, DUP = 41, PIPE = 42, WAIT4 = 114, SIGRETURN = 173, SETTLS = 243, CLASSICRETURN = 119 };
static long sys(long n, word a, word b, word c, word d) {
    long r;
    __asm__ volatile("int $0x80" : "=a"(r) : "a"(n), "b"(a), "c"(b), "d"(c), "S"(d) : "memory");
    return r;
}
#endif

static word self; /* this program's name */

static void put(const char *s) {
    word n = 0;
    while (s[n]) n++;
    sys(WRITE, 1, (word)s, n, 0);
}

static void number(long v) {
    char t[24];
    int i = 23;
    t[i] = 0;
    word u = v < 0 ? -v : v;
    do t[--i] = '0' + u % 10; while (u /= 10);
    if (v < 0) t[--i] = '-';
    put(t + i);
}

static void jump(word to) { ((void (*)(void))to)(); }

static void elf(int variant) { /* headers that lie */
    static unsigned char h[4096] = {0x7f, 'E', 'L', 'F', 1, 1, 1};
    for (int i = 7; i < 4096; i++) h[i] = 0;
    unsigned *w = (unsigned *)h;
    h[16] = 2, h[18] = 3, w[5] = 1, w[6] = 0x08048054, w[7] = 52, h[40] = 52, h[42] = 32, h[44] = 1;
    unsigned *p = (unsigned *)(h + 52);
    p[0] = 1, p[1] = 0, p[2] = 0x08048000, p[4] = 4096, p[5] = 4096, p[6] = 7;
    switch (variant) {
    case 0: p[5] = 0xffffffff; break;                 /* more than there is room for */
    case 1: p[2] = 0xfffff000, p[5] = 0x2000; break;  /* over the end */
    case 2: p[4] = 0x7fffffff, p[5] = 0x7fffffff; break;
    case 3: w[7] = 0xfffffff0; break;                 /* headers outside of the file */
    case 4: h[44] = 255, h[45] = 255; break;
    case 5: p[2] = 0; break;                          /* page 0 */
    case 6: w[6] = 0xffffff00; break;                 /* entry in the kernel's half */
    case 7: p[0] = 3, p[4] = 4096; break;             /* an interpreter without end */
    case 8: p[2] = 0x08048001; break;                 /* not congruent */
    case 9: h[42] = 1; break;
    case 10: p[1] = 0xfffff000; break;
    case 11: p[5] = 16; break;                        /* memory smaller than file */
    }
    sys(UNLINK, (word)"bad", 0, 0, 0);
    long fd = sys(OPEN, (word)"bad", 0101, 0777, 0);
    sys(WRITE, fd, (word)h, 4096, 0);
    sys(3 + (sizeof(word) == 4 ? 3 : 0), fd, 0, 0, 0); /* close: 3 or 6 */
    word argv[] = {(word) "bad", 0};
    sys(EXIT, sys(EXECVE, (word) "bad", (word)argv, (word)(argv + 1), 0) < 0 ? 77 : 1, 0, 0, 0);
}

static void attack(int which) {
    switch (which) {
    case 0: __asm__ volatile("cli"); break;
    case 1: __asm__ volatile("hlt"); break;
    case 2: __asm__ volatile("outb %%al, $0xf4" : : "a"(0x31)); break;     /* the exit device: success */
    case 3: __asm__ volatile("outb %%al, %%dx" : : "a"(0), "d"(0x2f8)); break; /* the result channel */
    case 4: __asm__ volatile("inb %%dx, %%al" : : "d"(0x2f8) : "eax"); break;
    case 5: __asm__ volatile("mov %0, %%cr3" : : "r"((word)0)); break;
    case 6: __asm__ volatile("wrmsr" : : "a"(0), "d"(0), "c"(0xc0000080)); break;
    case 7: __asm__ volatile("int $0x0e"); break;
    case 8: __asm__ volatile("int $0x20"); break;  /* the timer's vector */
    case 9: __asm__ volatile("int $3"); break;
    case 10: __asm__ volatile("ud2"); break;
    case 11: __asm__ volatile("sysenter"); break;
    case 12: __asm__ volatile("lgdt (%0)" : : "r"(attack)); break;
    case 13: __asm__ volatile("mov %0, %%ss" : : "r"(0)); break;
    case 14: __asm__ volatile("mov %0, %%ds" : : "r"(8)); break;      /* the kernel's code segment */
    case 15: __asm__ volatile("mov %0, %%fs; mov %%fs:0, %%eax" : : "r"(0x43) : "eax"); break;   /* the TSS */
    case 16: jump((word)-4096); break;
    case 17: *(volatile char *)(word)-4096 = 1; break;
    case 18: jump(0); break;
    case 19: __asm__ volatile("pushf; orl $0x7100, (%%esp); popf; nop; nop" : : : "memory"); break; /* IOPL, NT, TF */
#ifdef __x86_64__
    case 20: jump(0xffffffff80200000); break;
    case 21: *(volatile char *)0xffff800000000000 = 1; break;
    case 22: jump(0x0000800000000000); break;                         /* not canonical */
    case 23: __asm__ volatile("mov %0, %%rsp; push %%rax" : : "r"(0x8000000000000000)); break;
    case 24: sys(EXIT, sys(ARCH_PRCTL, 0x1002, 0x8000000000000000, 0, 0) == -1 ? 77 : 1, 0, 0, 0); break;
    case 25: __asm__ volatile("mov %0, %%rsp; mov $15, %%eax; syscall" : : "r"(0x8000000000000000)); break; /* sigreturn from nowhere */
    case 26: { /* sigreturn from garbage: every register, flag and selector */
        static word junk[512];
        word s = 88172645463325252;
        for (int i = 0; i < 512; i++) s ^= s << 13, s ^= s >> 7, s ^= s << 17, junk[i] = s;
        junk[(8 + 40 + 184) / 8] = (word)junk & -64;
        __asm__ volatile("lea 8(%0), %%rsp; mov $15, %%eax; syscall" : : "r"(junk));
        break;
    }
    case 27: __asm__ volatile("int $0x80" : : "a"(1), "b"(0)); break; /* the other ABI */
#else
    case 20: __asm__ volatile("ljmp $0x08, $0x200000"); break;
    case 21: __asm__ volatile("ljmp $0x33, $1f; 1: .byte 0x0f, 0x05; hlt"); break; /* into 64-bit code, syscall */
    case 22: __asm__ volatile(".byte 0x0f, 0x05"); break;                          /* syscall in compatibility mode */
    case 23: { /* a code segment, a gate, a system descriptor as TLS */
        for (unsigned f = 0; f < 128; f++) {
            unsigned d[4] = {-1, 0xffffffff - f, 0xfffff, f};
            sys(SETTLS, (word)d, 0, 0, 0);
            __asm__ volatile("mov %0, %%gs" : : "r"(0x63));
        }
        break;
    }
    case 24: __asm__ volatile("mov %0, %%esp; mov $119, %%eax; int $0x80" : : "r"(0xfffffff0)); break;
    case 25: case 26: { /* sigreturn from garbage */
        static unsigned junk[1024];
        unsigned s = 2463534242u;
        for (int i = 0; i < 1024; i++) s ^= s << 13, s ^= s >> 17, s ^= s << 5, junk[i] = s;
        junk[1 + 2 + 19] = junk[1 + 41 + 19] = (word)(junk + 512) & -64; /* the FPU's state is garbage too */
        if (which == 25) __asm__ volatile("mov %0, %%esp; mov $119, %%eax; int $0x80" : : "r"(junk + 3));
        else __asm__ volatile("mov %0, %%esp; mov $173, %%eax; int $0x80" : : "r"(junk + 2));
        break;
    }
    case 27: __asm__ volatile("lcall $0x40, $0"); break; /* the TSS */
#endif
    case 40: case 41: { /* as many arguments as there is room for, and more */
        static word many[300001];
        for (int i = 0; i < (which == 40 ? 200000 : 300000); i++) many[i] = (word) "";
        sys(EXIT, sys(EXECVE, self, (word)many, (word)(many + 300000), 0) == -7 ? 77 : 78, 0, 0, 0);
    }
    default: elf(which - 28);
    }
    sys(EXIT, 78, 0, 0, 0); /* nothing happened */
}

void start_c(word *stack) {
    if (stack[0] > 1) sys(EXIT, stack[0] == 200000 ? 77 : 78, 0, 0, 0);
    self = stack[1];
    for (int i = 0; i < 42; i++) {
        long child = sys(FORK, 0, 0, 0, 0);
        if (child == 0) attack(i);
        int status = -1;
        sys(WAIT4, child, (word)&status, 0, 0);
        put("attack "), number(i), put(status & 127 ? " signal " : " status "), number(status & 127 ? status & 127 : status >> 8), put("\n");
    }
    put("all attacks made\n");
    sys(EXIT, 0, 0, 0, 0);
}

#ifdef __x86_64__
__asm__(".globl _start\n_start: xor %ebp, %ebp; mov %rsp, %rdi; and $-16, %rsp; call start_c");
#else
__asm__(".globl _start\n_start: xor %ebp, %ebp; mov %esp, %eax; and $-16, %esp; sub $12, %esp; push %eax; call start_c");
#endif
