/* touch.c: touches pages: static, freestanding, i386. "touch N" maps 64 MiB of zeros, writes a word to each of its pages and gives them back, N times. */

int sys(int number, ...);

asm(".text\n.globl sys\nsys:\n\tpush %ebx\n\tpush %esi\n\tpush %edi\n\tpush %ebp\n\tmov 20(%esp), %eax\n\tmov 24(%esp), %ebx\n\tmov 28(%esp), %ecx\n\tmov 32(%esp), %edx\n"
    "\tmov 36(%esp), %esi\n\tmov 40(%esp), %edi\n\tmov 44(%esp), %ebp\n\tint $0x80\n\tpop %ebp\n\tpop %edi\n\tpop %esi\n\tpop %ebx\n\tret\n"
    ".globl _start\n_start:\n\tmov %esp, %eax\n\tpush %eax\n\tcall start_c\n");

enum { EXIT = 1, MUNMAP = 91, MMAP2 = 192, PAGE = 4096, BYTES = 64 << 20 };

void start_c(int *stack)
{
	const char *digits = (const char *)stack[2];
	int times = 0, i;
	char *pages;

	while (*digits)
		times = times * 10 + *digits++ - '0';
	while (times--) {
		pages = (char *)sys(MMAP2, 0, BYTES, 3, 0x22, -1, 0); /* read and write; private, anonymous */
		if ((unsigned)pages > 0xfffff000u)
			sys(EXIT, 1);
		for (i = 0; i < BYTES; i += PAGE)
			*(volatile int *)(pages + i) = i;
		sys(MUNMAP, pages, BYTES);
	}
	sys(EXIT, 0);
}
