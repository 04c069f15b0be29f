/* main.c: sets the processor up, finds memory and the payload, and hands over to the personality. */

#include "kernel.h"

struct multiboot {
	unsigned flags, memory_low, memory_high, boot_device, command_line, modules_count, modules;
};

struct module {
	unsigned start, end, text, reserved;
};

struct descriptor {
	unsigned short limit;
	unsigned base;
} __attribute__((packed));

struct multiboot *multiboot_information; /* physical; stored by entry.S */
unsigned kernel_tss[26];                 /* [1] esp0 and [2] ss0 are all that is used */
static unsigned long long idt[512] __attribute__((aligned(4096))); /* 256 gates; a page of its own, which cannot be written */
static unsigned kernel_table[1024] __attribute__((aligned(4096)));
static unsigned lost_tss[26];            /* the task of a fault that cannot be told otherwise */
static unsigned char lost_stack[4096];
int kernel_has_smap;

unsigned long long kernel_gdt[10] = {
	0, 0x00cf9a000000ffffull, 0x00cf92000000ffffull, 0x00cffa000000ffffull, 0x00cff2000000ffffull, 0, 0, 0, 0, 0,
};

extern char trap_0[], trap_1[], trap_2[], trap_3[], trap_4[], trap_5[], trap_6[], trap_7[], trap_8[], trap_9[], trap_10[], trap_11[], trap_12[], trap_13[],
	trap_14[], trap_15[], trap_16[], trap_17[], trap_18[], trap_19[], trap_32[], trap_35[], trap_39[], trap_47[], trap_255[], trap_call[], trap_double[], _etext[], _end[];

static char *const exceptions[20] = {
	trap_0, trap_1, trap_2, trap_3, trap_4, trap_5, trap_6, trap_7, trap_8, trap_9, trap_10, trap_11, trap_12, trap_13, trap_14, trap_15, trap_16, trap_17,
	trap_18, trap_19,
};

static void gate(unsigned vector, char *to, unsigned privilege)
{
	unsigned at = (unsigned)to;

	idt[vector] = (unsigned long long)((at & 0xffff0000u) | 0x8e00 | privilege << 13) << 32 | 0x80000 | (at & 0xffff);
}

/* The descriptor of a task state. */
static unsigned long long task(const unsigned *state)
{
	unsigned base = (unsigned)state;

	return (unsigned long long)((base & 0xff000000u) | 0x8900 | (base >> 16 & 0xff)) << 32 | base << 16 | 103;
}

static void tables_setup(void)
{
	struct descriptor gdt_at, idt_at;
	unsigned i;

	for (i = 0; i < 256; i++)
		gate(i, trap_255, 0);
	for (i = 0; i < 20; i++)
		gate(i, exceptions[i], i == 3 || i == 4 ? 3 : 0);
	gate(32, trap_32, 0);
	gate(35, trap_35, 0);
	gate(39, trap_39, 0);
	gate(47, trap_47, 0);
	gate(128, trap_call, 3);
	kernel_tss[2] = 0x10;
	kernel_tss[25] = 104 << 16; /* no I/O permission map: no port for user code */
	kernel_gdt[5] = task(kernel_tss);
	kernel_gdt[9] = task(lost_tss);
	idt[8] = 0x8500ull << 32 | 9 << 19; /* a task gate */
	lost_tss[7] = TO_PHYSICAL(kernel_directory);
	lost_tss[8] = (unsigned)trap_double;
	lost_tss[9] = 2; /* no flag */
	lost_tss[14] = (unsigned)lost_stack + sizeof lost_stack;
	lost_tss[18] = lost_tss[20] = lost_tss[21] = 0x10;
	lost_tss[19] = 8;
	lost_tss[25] = 104 << 16;
	gdt_at.limit = sizeof kernel_gdt - 1;
	gdt_at.base = (unsigned)kernel_gdt;
	idt_at.limit = 256 * sizeof *idt - 1;
	idt_at.base = (unsigned)idt;
	load_tables(&gdt_at, &idt_at);
}

/* A fault inside the kernel: a defect. Called by entry.S. */
void kernel_broken(unsigned cr2, unsigned vector, unsigned error, unsigned eip)
{
	say("kernel fault: vector ");
	say_hex(vector);
	say(" error ");
	say_hex(error);
	say(" at ");
	say_hex(eip);
	say(" address ");
	say_hex(cr2);
	say("\n");
	machine_panic("defect in the kernel");
}

/* A fault that the processor could not tell on the kernel's stack. Called by entry.S. */
void kernel_lost(void)
{
	machine_panic("defect in the kernel: its stack is full, or a fault came while another was told");
}

/* "memory=MIB" on the command line: what the kernel may use, when the machine has more (the export window lies above). */
static unsigned memory_option(const char *line)
{
	static const char key[] = "memory=";
	unsigned value = 0, i;

	for (; *line; line++) {
		for (i = 0; key[i] && line[i] == key[i]; i++)
			;
		if (key[i])
			continue;
		for (line += i; *line >= '0' && *line <= '9' && value < 100000; line++)
			value = value * 10 + *line - '0';
		return value;
	}
	return 0;
}

/* May the kernel read and write a user's pages? It never needs to: it has its own view of all memory. See machine_run. */
void kernel_reaches_users(int may)
{
	unsigned control;

	asm volatile("mov %%cr4, %0" : "=r"(control));
	control = may ? control & ~(1u << 21) : control | 1u << 21;
	asm volatile("mov %0, %%cr4" : : "r"(control));
}

/* SMEP, SMAP: the kernel never runs, reads or writes a user's pages; if it does, it is wrong, and faults. */
static void protect_from_users(void)
{
	unsigned a = 0, b, c, d, wanted = 0, control;

	asm volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(a));
	if (a < 7)
		return;
	a = 7;
	c = 0;
	asm volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(a), "c"(c));
	wanted = b & 1 << 7 ? 1 << 20 : 0;
	asm volatile("mov %%cr4, %0" : "=r"(control));
	asm volatile("mov %0, %%cr4" : : "r"(control | wanted));
	kernel_has_smap = b >> 20 & 1;
	if (kernel_has_smap)
		kernel_reaches_users(0);
}

/* The kernel's first 4 MiB by single pages. Code, the interrupt table and these tables can be read and not written, not even by the kernel (CR0.WP); the pages around its
   stack, page 0, and what is not the kernel's are not there at all. Not done: no-execute, which 32-bit tables do not have. */
static void protect_kernel(void)
{
	unsigned page, i, end = TO_PHYSICAL(_end), stack = TO_PHYSICAL(kernel_stack);

	for (i = 1; i < 1024; i++) {
		page = i * PAGE_SIZE;
		if (page >= end || page == stack || page == stack + PAGE_SIZE + STACK_SIZE)
			continue;
		kernel_table[i] = page | P_PRESENT;
		if (page >= TO_PHYSICAL(_etext) && page != TO_PHYSICAL(idt) && page != TO_PHYSICAL(kernel_table) && page != TO_PHYSICAL(kernel_directory))
			kernel_table[i] |= P_WRITE;
	}
	kernel_directory[512] = TO_PHYSICAL(kernel_table) | P_PRESENT | P_WRITE;
	kernel_directory[513] = kernel_directory[514] = 0; /* to 12 MiB */
	asm volatile("mov %0, %%cr3" : : "r"(TO_PHYSICAL(kernel_directory)));
}

void kernel_main(void)
{
	struct multiboot *information = TO_VIRTUAL((unsigned)multiboot_information);
	struct module *module;
	unsigned top, wanted, start, end, i;

	for (i = 0; i < 512; i++)
		kernel_directory[i] = 0; /* the first steps' identity map */
	asm volatile("mov %0, %%cr3" : : "r"(TO_PHYSICAL(kernel_directory)));
	tables_setup();
	device_setup();
	protect_from_users();
	if (TO_PHYSICAL(_end) > 1024 * PAGE_SIZE)
		machine_panic("the kernel is larger than its place");
	if (!(information->flags & 1))
		machine_panic("the loader does not say how much memory there is");
	if (!(information->flags & 8) || information->modules_count != 1)
		machine_panic("expected exactly one module: the payload");
	top = information->memory_high >= (MEMORY_LIMIT >> 10) - 1024 ? MEMORY_LIMIT : (information->memory_high + 1024) << 10;
	wanted = information->flags & 4 ? memory_option(TO_VIRTUAL(information->command_line)) : 0;
	if (wanted && wanted < top >> 20)
		top = wanted << 20;
	top &= ~PAGE_MASK;
	module = TO_VIRTUAL(information->modules);
	start = module->start;
	end = module->end;
	frames_setup(top, start, end);
	protect_kernel();
	personality_start(TO_VIRTUAL(start), end - start);
	frames_release(start, end);
	personality_run();
}
