/* descriptors.c: the tables that tell the processor in long mode what code there is, where traps lead, and on which stack. */

#include "kernel.h"

struct descriptor {
	unsigned short limit;
	unsigned long base;
} __attribute__((packed));

#define STACKS 4 /* of traps that may come when the stack is not the kernel's own, or is full: one each, from its end down */
#define STACK_BYTES 4096u

unsigned kernel_tss[26];               /* [1] the stack of every other trap from user code, set by entry.S; [9] and on: the STACKS */
unsigned long kernel_rsp, user_rsp;    /* entry.S */
unsigned long long kernel_idt[512] __attribute__((aligned(4096))); /* 256 gates; a page of its own, which cannot be written */
static unsigned char stacks[STACKS][STACK_BYTES] __attribute__((aligned(16)));

/* Kernel code and data, user code of 32 bits, data, code of 64 bits; 6 to 8: a thread's own; the task, which takes two. */
unsigned long long kernel_gdt[11] = {
	0, 0x00af9a000000ffffull, 0x00cf92000000ffffull, 0x00cffa000000ffffull, 0x00cff2000000ffffull, 0x00affa000000ffffull, 0, 0, 0, 0, 0,
};
unsigned long long code_narrow = 0x00cffa000000ffffull, code_wide = 0x00affa000000ffffull;

extern char trap_0[], trap_1[], trap_2[], trap_3[], trap_4[], trap_5[], trap_6[], trap_7[], trap_9[], trap_10[], trap_11[], trap_12[], trap_13[], trap_14[],
	trap_15[], trap_16[], trap_17[], trap_18[], trap_19[], trap_32[], trap_35[], trap_39[], trap_47[], trap_128[], trap_255[], trap_double[], trap_syscall[],
	trap_narrow[];

static char *const exceptions[20] = {
	trap_0, trap_1, trap_2, trap_3, trap_4, trap_5, trap_6, trap_7, trap_double, trap_9, trap_10, trap_11, trap_12, trap_13, trap_14, trap_15, trap_16, trap_17,
	trap_18, trap_19,
};

static void gate(unsigned vector, char *to, unsigned privilege, unsigned stack)
{
	unsigned long at = (unsigned long)to;

	kernel_idt[2 * vector] = (unsigned long long)((at & 0xffff0000u) | 0x8e00 | privilege << 13 | stack) << 32 | 0x80000 | (at & 0xffff);
	kernel_idt[2 * vector + 1] = at >> 32;
}

static void write_register(unsigned number, unsigned long value)
{
	asm volatile("wrmsr" : : "a"((unsigned)value), "d"((unsigned)(value >> 32)), "c"(number));
}

void bases_load(struct machine_thread *thread)
{
	write_register(0xc0000100u, thread->registers.fs_base);
	write_register(0xc0000101u, thread->registers.gs_base);
}

void descriptors_setup(void)
{
	struct descriptor gdt_at, idt_at;
	unsigned long at = (unsigned long)kernel_tss;
	unsigned i, low, high;

	for (i = 0; i < 256; i++)
		gate(i, trap_255, 0, 0);
	for (i = 0; i < 20; i++)
		gate(i, exceptions[i], i == 3 || i == 4 ? 3 : 0, 0);
	/* A debug trap can come with the first instruction of a system call, the others at any time. */
	gate(1, trap_1, 0, 1);
	gate(2, trap_2, 0, 2);
	gate(8, trap_double, 0, 3);
	gate(18, trap_18, 0, 4);
	gate(32, trap_32, 0, 0);
	gate(35, trap_35, 0, 0);
	gate(39, trap_39, 0, 0);
	gate(47, trap_47, 0, 0);
	gate(128, trap_128, 3, 0);
	for (i = 0; i < STACKS; i++)
		*(unsigned long *)(kernel_tss + 9 + 2 * i) = (unsigned long)stacks[i] + STACK_BYTES;
	kernel_tss[25] = 104 << 16; /* no I/O permission map: no port for user code */
	kernel_gdt[9] = (unsigned long long)((at & 0xff000000u) | 0x8900 | (at >> 16 & 0xff)) << 32 | (at & 0xffff) << 16 | 103;
	kernel_gdt[10] = at >> 32;
	gdt_at.limit = sizeof kernel_gdt - 1;
	gdt_at.base = (unsigned long)kernel_gdt;
	idt_at.limit = sizeof kernel_idt - 1;
	idt_at.base = (unsigned long)kernel_idt;
	load_tables(&gdt_at, &idt_at);
	/* syscall: kernel code at 8, which then has all flags clear. sysenter stays off: its segment is none. */
	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0xc0000080u));
	write_register(0xc0000080u, (unsigned long)high << 32 | low | 1);
	write_register(0xc0000081u, 8ul << 32);
	write_register(0xc0000082u, (unsigned long)trap_syscall);
	write_register(0xc0000083u, (unsigned long)trap_narrow);
	write_register(0xc0000084u, 0x3f7fd5u);
	write_register(0x174u, 0);
}
