/* Verdict: ok
   Memory: 640

   Address space is not memory: GNU Mes asks for a heap of 1.2 GB and touches a fifth of it. The same here, then a mapping beside it, in a guest that has half
   as much. Ends with status 1, 2 or 3: the heap, the mapping, or what was written is not there. Static, freestanding, i386. */

int sys(int number, ...);

asm(".text\n.globl sys\nsys:\n\tpush %ebx\n\tpush %esi\n\tpush %edi\n\tpush %ebp\n\tmov 20(%esp), %eax\n\tmov 24(%esp), %ebx\n\tmov 28(%esp), %ecx\n\tmov 32(%esp), %edx\n"
    "\tmov 36(%esp), %esi\n\tmov 40(%esp), %edi\n\tmov 44(%esp), %ebp\n\tint $0x80\n\tpop %ebp\n\tpop %edi\n\tpop %esi\n\tpop %ebx\n\tret\n"
    ".globl _start\n_start:\n\tcall reserve\n");

enum { EXIT = 1, BRK = 45, MMAP2 = 192, READ_WRITE = 3, PRIVATE_ANONYMOUS = 0x22, PAGE = 4096 };
#define HEAP 1200000000u
#define TOUCHED 250000000u
#define MAPPED 0x20000000u

void reserve(void)
{
	unsigned start = sys(BRK, 0), at, mapped;

	if ((unsigned)sys(BRK, start + HEAP) != start + HEAP)
		sys(EXIT, 1);
	for (at = start; at < start + TOUCHED; at += PAGE)
		*(volatile unsigned *)(at & ~3u) = at;
	mapped = sys(MMAP2, 0, MAPPED, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0);
	if (mapped > 0xfffff000u)
		sys(EXIT, 2);
	*(volatile char *)(mapped + MAPPED - 1) = 1;
	for (at = start; at < start + TOUCHED; at += PAGE)
		if (*(volatile unsigned *)(at & ~3u) != at)
			sys(EXIT, 3);
	sys(EXIT, 0);
}
