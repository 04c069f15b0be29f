/* attack64.h: what the hostile programs for x86_64 begin with, as attack.h is for i386. For guests only: never run one on a machine that you use. */

typedef unsigned char u8;
typedef unsigned u32;
typedef unsigned long u64;

long sys(long number, ...);
int attack(void);

asm(".text\n.globl sys\nsys:\n\tmov %rdi, %rax\n\tmov %rsi, %rdi\n\tmov %rdx, %rsi\n\tmov %rcx, %rdx\n\tmov %r8, %r10\n\tmov %r9, %r8\n\tmov 8(%rsp), %r9\n\tsyscall\n\tret\n"
    ".globl _start\n_start:\n\tcall begin\n");

enum {
	READ = 0, WRITE = 1, OPEN = 2, FSTAT = 5, MMAP = 9, MPROTECT = 10, MUNMAP = 11, RT_SIGACTION = 13, RT_SIGRETURN = 15, PREAD64 = 17, READV = 19, WRITEV = 20, PIPE = 22,
	NANOSLEEP = 35, GETPID = 39, SENDMSG = 46, RECVMSG = 47, SOCKETPAIR = 53, FORK = 57, EXECVE = 59, EXIT = 60, WAIT4 = 61, UNAME = 63, GETTIMEOFDAY = 96, SIGALTSTACK = 131,
	ARCH_PRCTL = 158, FUTEX = 202, SET_ROBUST_LIST = 273
};

#define PAGE 4096ul
#define EFAULT 14
#define EPERM 1

static void say(const char *text)
{
	u32 n = 0;

	while (text[n])
		n++;
	sys(WRITE, 2, text, n);
}

static int losses;

/* What must hold, or the builder has won something: it then ends with 1. */
static void must(int holds, const char *what)
{
	if (holds)
		return;
	say("WON: ");
	say(what);
	say("\n");
	losses++;
}

/* A child that runs this and ends with its result; how it ended, as wait has it: result << 8, or a signal. */
static int in_child(int (*run)(void))
{
	int pid = (int)sys(FORK), end = -1;

	if (!pid)
		sys(EXIT, (long)run());
	if (pid > 0)
		sys(WAIT4, (long)pid, &end, 0l, 0l);
	return end;
}

/* Addresses that are none, or the kernel's, on one kernel or another. */
static const u64 foreign[] = {
	0x7ffffffff000, 0x800000000000, 0x8000000000000000, 0xffff7fffffffffff, 0xffff800000000000, 0xffff800000100000, 0xffff800000200000, 0xffffffff80000000,
	0xffffffff81000000, 0xffffffffff600000, 0xfffffffffffff000, 0xfffffffffffffff8, 0x100000000, 0x7f000000, 0x80100000, 0xfffff000,
};
#define FOREIGN (sizeof foreign / sizeof *foreign)

void begin(void)
{
	int result = attack();

	sys(EXIT, (long)(result ? result : losses != 0));
}
