/* Wins: a fault that the kernel takes on a stack of the builder's choice, or on one of its own that is in use
   System: x86_64-linux
   Verdict: ok

   Each kind of trap is made with a stack pointer that is none, the kernel's, odd, or at the end of a page: the processor must have changed stacks before it writes a byte.
   Loading ss holds the next debug trap back: it then comes with the first instruction of what follows, which may be the kernel's. Signals are sent to who stands on
   such a stack, or named it for its handlers. A child either lives or is told a signal; the kernel goes on. No iret
   or far return takes such a stack here: QEMU before 9.1 reads it as the kernel would, and its guard then ends the machine (docs/threat-model.md). */

#include "attack64.h"

enum { KILL = 62, TRAPS = 13 };

static u64 at, way;
static u64 page[1024] __attribute__((aligned(4096)));

static int traps(void)
{
	static u64 kept;

	asm volatile("mov %%rsp, (%0)\n\tmov %1, %%rsp" : : "r"(&kept), "r"(at) : "memory");
	if (way == 0)
		asm volatile("ud2");
	else if (way == 1)
		asm volatile("int3");
	else if (way == 2)
		asm volatile("xor %%ecx, %%ecx\n\tdiv %%ecx" : : : "rax", "rcx", "rdx");
	else if (way == 3)
		asm volatile("int $0x80");
	else if (way == 4)
		asm volatile("int $4");
	else if (way == 5)
		asm volatile("int $1");
	else if (way == 6)
		asm volatile("int $8");
	else if (way == 7)
		asm volatile("int $2");
	else if (way == 8)
		asm volatile("hlt");
	else if (way == 9)
		asm volatile("push %rax");
	else if (way == 10)
		asm volatile("mov (%rsp), %rax");
	else if (way == 11)
		asm volatile("mov %ss, %eax\n\tmov %eax, %ss\n\tint3");
	else
		asm volatile("mov %ss, %eax\n\tmov %eax, %ss\n\tmov $39, %eax\n\tsyscall");
	asm volatile("mov %0, %%rsp\n\tmov $60, %%eax\n\txor %%edi, %%edi\n\tsyscall" : : "r"(page + 1000) : "memory");
	return 0;
}

/* With a trap behind each instruction: the one that was held back must not be taken as the kernel's. */
static int steps(void)
{
	if (way == 0)
		asm volatile("mov %ss, %ecx\n\tpush $0x302\n\tpopfq\n\tmov %ecx, %ss\n\tmov $39, %eax\n\tsyscall");
	else if (way == 1)
		asm volatile("mov %ss, %ecx\n\tpush $0x302\n\tpopfq\n\tmov %ecx, %ss\n\tint $0x80");
	else if (way == 2)
		asm volatile("mov %ss, %ecx\n\tpush $0x302\n\tpopfq\n\tmov %ecx, %ss\n\tint3");
	else if (way == 3)
		asm volatile("mov $39, %eax\n\tpush $0x302\n\tpopfq\n\tsyscall");
	else if (way == 4)
		asm volatile("push $0x302\n\tpopfq\n\tud2");
	else
		asm volatile("push $0x302\n\tpopfq\n\t.byte 0xf1"); /* icebp */
	return 0;
}

static void handler(int number)
{
	(void)number;
}

void comes_back(void);
asm(".globl comes_back\ncomes_back:\n\tmov $15, %eax\n\tsyscall\n");

static int is_told(void)
{
	u64 action[4] = { (u64)handler, 0x04000000 | (way ? 0x08000000 : 0), (u64)comes_back, 0 }, stack[3] = { at, 0, 8192 };

	sys(RT_SIGACTION, 10l, action, 0l, 8l);
	if (way == 1)
		sys(SIGALTSTACK, stack, 0l);
	else
		asm volatile("mov %0, %%rsp" : : "r"(at) : "memory");
	asm volatile("mov $39, %%eax\n\tsyscall\n\tmov %%eax, %%edi\n\tmov $10, %%esi\n\tmov $62, %%eax\n\tsyscall\n\tmov $60, %%eax\n\txor %%edi, %%edi\n\tsyscall" : : : "rax", "rdi", "rsi", "rcx", "r11", "memory");
	return 0;
}

static void each(void)
{
	int end;

	for (way = 0; way < TRAPS; way++) {
		end = in_child(traps);
		must(end == 0 || (end & 127), "a trap on a stack of the builder's choice");
	}
	for (way = 0; way < 2; way++) {
		end = in_child(is_told);
		must(end == 0 || (end & 127), "a signal on a stack of the builder's choice");
	}
}

int attack(void)
{
	u32 i;
	int end;

	for (i = 0; i < FOREIGN; i++) {
		at = foreign[i];
		each();
		at = foreign[i] - 8;
		each();
	}
	for (i = 0; i < 24; i++) {
		at = (u64)page + i;
		each();
	}
	for (way = 0; way < 6; way++) {
		end = in_child(steps);
		must(end == 0 || (end & 127), "a trap that was held back");
	}
	must(sys(GETPID) > 0, "no more calls");
	return 0;
}
