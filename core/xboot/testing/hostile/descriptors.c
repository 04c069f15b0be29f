/* Wins: the executor, or the kernel, has no descriptor left for the next step
   Verdict: ok
   Then: echo ok > $out

   A hundred processes hold as many descriptors as each may have, when the builder ends. Static, freestanding: any C compiler for i386, -nostdlib. */

int sys(int number, ...);

asm(".text\n.globl sys\nsys:\n\tpush %ebx\n\tmov 8(%esp), %eax\n\tmov 12(%esp), %ebx\n\tmov 16(%esp), %ecx\n\tmov 20(%esp), %edx\n\tint $0x80\n\tpop %ebx\n\tret\n"
    ".globl _start\n_start:\n\tcall hold\n");

enum { EXIT = 1, FORK = 2, OPEN = 5, PAUSE = 29, PIPE = 42, MOST = 100000 };

void hold(void)
{
	int i, k, ends[2];

	for (i = 0; i < 100; i++) {
		if (sys(FORK))
			continue;
		for (k = 0; k < MOST && sys(PIPE, ends) == 0; k++)
			;
		for (k = 0; k < MOST && sys(OPEN, "/dev/null", 2, 0) >= 0; k++)
			;
		for (;;)
			sys(PAUSE);
	}
	sys(EXIT, 0);
}
