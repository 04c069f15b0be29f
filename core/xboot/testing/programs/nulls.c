/* nulls.c: calls that do nothing: static, freestanding, i386. "nulls N" asks for its parent's number 100,000 times, N times. */

int sys(int number, ...);

asm(".text\n.globl sys\nsys:\n\tpush %ebx\n\tmov 8(%esp), %eax\n\txor %ebx, %ebx\n\tint $0x80\n\tpop %ebx\n\tret\n"
    ".globl _start\n_start:\n\tmov %esp, %eax\n\tpush %eax\n\tcall start_c\n");

enum { EXIT = 1, GETPPID = 64, CALLS = 100000 };

void start_c(int *stack)
{
	const char *digits = (const char *)stack[2];
	int times = 0, i;

	while (*digits)
		times = times * 10 + *digits++ - '0';
	while (times--)
		for (i = 0; i < CALLS; i++)
			sys(GETPPID);
	sys(EXIT);
}
