/* microbench.c: the micro-benchmark program: static, freestanding, for i386 and x86_64; the same binary on every backend.

   Prints one line for each measure: name, number, unit. Time comes from CLOCK_MONOTONIC of the kernel that it runs on. "microbench exit" is its own child for
   the measure of exec: it ends at once. An argument that is a path of another program (busybox, with "true" after it) measures the exec of that program too.
   Compiles with gcc and TCC of either system: -nostdlib -static -ffreestanding. */

typedef unsigned int u32;
typedef unsigned long long u64;

typedef unsigned long word; /* what a register holds */

#ifdef __x86_64__
long call(long number, ...);
#define sys(...) sys_of(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define sys_of(number, a, b, c, d, e, f, ...) call(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

asm(".text\n.globl call\ncall:\n\tmov %rdi, %rax\n\tmov %rsi, %rdi\n\tmov %rdx, %rsi\n\tmov %rcx, %rdx\n\tmov %r8, %r10\n\tmov %r9, %r8\n\tmov 8(%rsp), %r9\n\tsyscall\n\tret\n"
    ".globl _start\n_start:\n\tmov %rsp, %rdi\n\tcall start_c\n");

enum { EXIT = 60, FORK = 57, READ = 0, WRITE = 1, OPEN = 2, CLOSE = 3, WAIT4 = 61, UNLINK = 87, EXECVE = 59, LSEEK = 8, PIPE = 22, BRK = 12, GETPPID = 110, MMAP = 9, MUNMAP = 11,
       STAT = 4, CLOCK_GETTIME = 228 };
#else
int sys(int number, ...);

asm(".text\n.globl sys\nsys:\n\tpush %ebx\n\tpush %esi\n\tpush %edi\n\tpush %ebp\n\tmov 20(%esp), %eax\n\tmov 24(%esp), %ebx\n\tmov 28(%esp), %ecx\n\tmov 32(%esp), %edx\n"
    "\tmov 36(%esp), %esi\n\tmov 40(%esp), %edi\n\tmov 44(%esp), %ebp\n\tint $0x80\n\tpop %ebp\n\tpop %edi\n\tpop %esi\n\tpop %ebx\n\tret\n"
    ".globl _start\n_start:\n\tmov %esp, %eax\n\tpush %eax\n\tcall start_c\n");

enum { EXIT = 1, FORK = 2, READ = 3, WRITE = 4, OPEN = 5, CLOSE = 6, WAIT4 = 114, UNLINK = 10, EXECVE = 11, LSEEK = 19, PIPE = 42, BRK = 45, GETPPID = 64, MMAP = 192, MUNMAP = 91,
       STAT = 195, CLOCK_GETTIME = 265 };
#endif

static char buffer[65536];

static u32 length(const char *s)
{
	u32 n = 0;
	while (s[n])
		n++;
	return n;
}

static void put(const char *s)
{
	sys(WRITE, 1, s, length(s));
}

static void put_number(u32 n)
{
	char digits[12];
	u32 i = 11;

	digits[i] = 0;
	do {
		digits[--i] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	put(digits + i);
}

static word started[2];

static void start(void)
{
	sys(CLOCK_GETTIME, 1, started);
}

/* Microseconds since start(), at least 1. Differences up to an hour. */
static u32 elapsed(void)
{
	word now[2];
	u32 us;

	sys(CLOCK_GETTIME, 1, now);
	us = (u32)((now[0] - started[0]) * 1000000u + now[1] / 1000 - started[1] / 1000);
	return us ? us : 1;
}

/* 32-bit arithmetic alone, so that no run-time library is needed: n * 1000 must fit. */
static void rate(const char *name, u32 n, const char *unit)
{
	u32 ms = elapsed() / 1000;

	put(name);
	put(" ");
	put_number(n * 1000u / (ms ? ms : 1));
	put(unit);
}

static void each(const char *name, u32 n)
{
	u32 us = elapsed() / n;

	put(name);
	put(" ");
	put_number(us);
	put(" us each\n");
}

static void calls(void)
{
	u32 i, fd;
	char c;

	start();
	for (i = 0; i < 300000; i++)
		sys(GETPPID);
	rate("null call", 300000, " /s\n");
	fd = (u32)sys(OPEN, "bench", 0102, 0600);
	start();
	for (i = 0; i < 200000; i++)
		sys(WRITE, fd, "x", 1);
	rate("one-byte write", 200000, " /s\n");
	sys(LSEEK, fd, 0, 0);
	start();
	for (i = 0; i < 200000; i++)
		sys(READ, fd, &c, 1);
	rate("one-byte read", 200000, " /s\n");
	start();
	for (i = 0; i < 100000; i++)
		sys(STAT, "bench", buffer);
	rate("stat", 100000, " /s\n");
	start();
	for (i = 0; i < 50000; i++)
		sys(CLOSE, sys(OPEN, "bench", 0));
	rate("open and close", 50000, " /s\n");
	sys(CLOSE, fd);
	sys(UNLINK, "bench");
}

static void bulk(void)
{
	u32 i, n, fd = (u32)sys(OPEN, "bench", 0102, 0600);
	int p[2], pid;

	start();
	for (i = 0; i < 512; i++)
		sys(WRITE, fd, buffer, sizeof buffer);
	rate("file write", 32, " MiB/s\n");
	sys(LSEEK, fd, 0, 0);
	start();
	for (i = 0; i < 512; i++)
		sys(READ, fd, buffer, sizeof buffer);
	rate("file read", 32, " MiB/s\n");
	sys(CLOSE, fd);
	sys(UNLINK, "bench");
	sys(PIPE, p);
	start();
	pid = sys(FORK);
	if (!pid) {
		for (i = 0; i < 256; i++)
			sys(WRITE, p[1], buffer, sizeof buffer);
		sys(EXIT, 0);
	}
	sys(CLOSE, p[1]);
	for (n = 0; (i = (u32)sys(READ, p[0], buffer, sizeof buffer)) > 0; n += i)
		;
	rate("pipe", n >> 20, " MiB/s\n");
	sys(WAIT4, pid, 0, 0, 0);
	sys(CLOSE, p[0]);
}

static void memory(void)
{
	char *p;
	word brk = (word)sys(BRK, 0);
	u32 i;

	start();
	for (i = 0; i < 100000; i++)
		sys(BRK, brk + i * 16);
	rate("brk by 16 bytes", 100000, " /s\n");
	start();
	p = (char *)sys(MMAP, 0, 32 << 20, 3, 0x22, -1, 0);
	for (i = 0; i < 32u << 20; i += 4096)
		p[i] = 1;
	rate("page touch", 8192, " /s\n");
	sys(MUNMAP, p, 32 << 20);
}

static void processes(char *self, char **other)
{
	char *argv[3];
	u32 i;
	int pid;

	start();
	for (i = 0; i < 300; i++) {
		pid = sys(FORK);
		if (!pid)
			sys(EXIT, 0);
		sys(WAIT4, pid, 0, 0, 0);
	}
	each("fork and wait", 300);
	argv[0] = self;
	argv[1] = "exit";
	argv[2] = 0;
	start();
	for (i = 0; i < 300; i++) {
		pid = sys(FORK);
		if (!pid) {
			sys(EXECVE, self, argv, argv + 2);
			sys(EXIT, 1);
		}
		sys(WAIT4, pid, 0, 0, 0);
	}
	each("fork, exec and wait", 300);
	if (!other[0])
		return;
	start();
	for (i = 0; i < 200; i++) {
		pid = sys(FORK);
		if (!pid) {
			sys(EXECVE, other[0], other, argv + 2);
			sys(EXIT, 1);
		}
		sys(WAIT4, pid, 0, 0, 0);
	}
	each("fork, exec of the other program and wait", 200);
}

void start_c(word *stack)
{
	char **argv = (char **)(stack + 1);

	if (stack[0] == 2 && argv[1][0] == 'e' && length(argv[1]) == 4)
		sys(EXIT, 0);
	calls();
	bulk();
	memory();
	processes(argv[0], argv + 1);
	sys(EXIT, 0);
}
