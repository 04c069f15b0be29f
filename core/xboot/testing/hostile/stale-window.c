/* Wins: a page that another process owns is written to through a file that has given it back
   Verdict: ok

   A child writes single bytes to a file, so that a kernel with a fast path for them remembers where the next byte goes, and spends its share of the processor on harmless calls. The parent
   shortens the file (or unmaps, reopens or replaces it) and takes the freed memory for itself. Then the child writes on: not a byte may change in the parent. Static, freestanding: any C compiler
   for i386, -nostdlib. */

typedef unsigned char u8;

int sys(int number, ...);

asm(".text\n.globl sys\nsys:\n\tpush %ebx\n\tpush %esi\n\tpush %edi\n\tpush %ebp\n\tmov 20(%esp), %eax\n\tmov 24(%esp), %ebx\n\tmov 28(%esp), %ecx\n\tmov 32(%esp), %edx\n"
    "\tmov 36(%esp), %esi\n\tmov 40(%esp), %edi\n\tmov 44(%esp), %ebp\n\tint $0x80\n\tpop %ebp\n\tpop %edi\n\tpop %esi\n\tpop %ebx\n\tret\n"
    ".globl _start\n_start:\n\tcall attack\n");

enum { EXIT = 1, FORK = 2, READ = 3, WRITE = 4, OPEN = 5, CLOSE = 6, WAITPID = 7, UNLINK = 10, GETPID = 20, RENAME = 38, BRK = 45, TRUNCATE = 92, YIELD = 158, MMAP2 = 192 };
enum { PAGES = 64, WAYS = 4 };

static int wrong;

static void give_back(int way)
{
	if (way == 0)
		sys(TRUNCATE, "F", 0);
	else if (way == 1)
		sys(CLOSE, sys(OPEN, "F", 01001, 0));
	else if (way == 2)
		sys(UNLINK, "F");
	else
		sys(RENAME, "G", "F");
}

static void try(int way)
{
	u8 *m = (u8 *)0x30000000;
	int i, f, g, pid, status;

	f = sys(OPEN, "F", 01102, 0644);
	sys(CLOSE, sys(OPEN, "G", 01102, 0644));
	sys(MMAP2, m, PAGES * 4096, 3, 0x32, -1, 0);
	pid = sys(FORK);
	if (!pid) {
		sys(CLOSE, f);
		g = sys(OPEN, "F", 2, 0);
		for (i = 0; i < 3; i++)
			sys(WRITE, g, "a", 1);
		for (i = 0; i < 4000; i++) {
			sys(GETPID);
			sys(BRK, 0);
		}
		for (i = 0; i < 64; i++)
			sys(WRITE, g, "X", 1);
		for (i = 0; i < 64; i++)
			sys(READ, g, "Y", 1); /* a constant: EFAULT, or nothing */
		sys(EXIT, 0);
	}
	sys(CLOSE, f);
	for (i = 0; i < 1000; i++)
		sys(YIELD);
	give_back(way);
	for (i = 0; i < PAGES; i++)
		m[i * 4096] = 1;
	sys(WAITPID, pid, &status, 0);
	for (i = 0; i < PAGES * 4096; i++)
		if (m[i] != !(i & 4095))
			wrong = 1;
}

void attack(void)
{
	int way;

	for (way = 0; way < WAYS; way++)
		try(way);
	sys(EXIT, wrong);
}
