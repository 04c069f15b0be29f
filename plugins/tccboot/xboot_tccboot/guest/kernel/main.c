/* main.c: sets the processor up, finds memory and the payload, and hands over to the personality. */

#include "kernel.h"

struct multiboot {
	unsigned flags, memory_low, memory_high, boot_device, command_line, modules_count, modules, symbols[4], map_length, map;
};

struct piece { /* of memory; size counts what follows it */
	unsigned size;
	unsigned long long start, length;
	unsigned kind; /* 1: to be used */
} __attribute__((packed));

struct module {
	unsigned start, end, text, reserved;
};

unsigned multiboot_information; /* physical address; stored by entry.S */

#ifndef MACHINE_WIDE /* else: descriptors.c */
struct descriptor {
	unsigned short limit;
	unsigned base;
} __attribute__((packed));

unsigned kernel_tss[26];                 /* [1] esp0 and [2] ss0 are all that is used */
unsigned long long kernel_idt[512] __attribute__((aligned(4096))); /* 256 gates; a page of its own, which cannot be written */
static unsigned lost_tss[26];            /* the task of a fault that cannot be told otherwise */
static unsigned char lost_stack[4096];

unsigned long long kernel_gdt[10] = {
	0, 0x00cf9a000000ffffull, 0x00cf92000000ffffull, 0x00cffa000000ffffull, 0x00cff2000000ffffull, 0, 0, 0, 0, 0,
};

extern char trap_0[], trap_1[], trap_2[], trap_3[], trap_4[], trap_5[], trap_6[], trap_7[], trap_8[], trap_9[], trap_10[], trap_11[], trap_12[], trap_13[],
	trap_14[], trap_15[], trap_16[], trap_17[], trap_18[], trap_19[], trap_32[], trap_35[], trap_39[], trap_47[], trap_255[], trap_call[], trap_double[];

static char *const exceptions[20] = {
	trap_0, trap_1, trap_2, trap_3, trap_4, trap_5, trap_6, trap_7, trap_8, trap_9, trap_10, trap_11, trap_12, trap_13, trap_14, trap_15, trap_16, trap_17,
	trap_18, trap_19,
};

static void gate(unsigned vector, char *to, unsigned privilege)
{
	unsigned at = (unsigned)to;

	kernel_idt[vector] = (unsigned long long)((at & 0xffff0000u) | 0x8e00 | privilege << 13) << 32 | 0x80000 | (at & 0xffff);
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
	kernel_idt[8] = 0x8500ull << 32 | 9 << 19; /* a task gate */
	lost_tss[7] = TO_PHYSICAL(kernel_space);
	lost_tss[8] = (unsigned)trap_double;
	lost_tss[9] = 2; /* no flag */
	lost_tss[14] = (unsigned)lost_stack + sizeof lost_stack;
	lost_tss[18] = lost_tss[20] = lost_tss[21] = 0x10;
	lost_tss[19] = 8;
	lost_tss[25] = 104 << 16;
	gdt_at.limit = sizeof kernel_gdt - 1;
	gdt_at.base = (unsigned)kernel_gdt;
	idt_at.limit = 256 * sizeof *kernel_idt - 1;
	idt_at.base = (unsigned)kernel_idt;
	load_tables(&gdt_at, &idt_at);
}
#endif

/* A fault inside the kernel: a defect. Called by entry.S. */
void kernel_broken(unsigned long cr2, unsigned vector, unsigned error, unsigned long eip)
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

/* "memory=MIB" on the command line: what the kernel may use below 4 GiB, when the machine has more (the export window lies above); and with it "high=MIB", from there on. */
static unsigned memory_option(const char *line, const char *key)
{
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

/* The end of memory that begins at 4 GiB; or just that: there is none. */
static unsigned long high_memory(struct multiboot *information)
{
#ifdef MACHINE_WIDE
	struct piece *piece = TO_VIRTUAL(information->map), *end = TO_VIRTUAL(information->map + information->map_length);

	for (; information->flags & 1 << 6 && piece < end; piece = (struct piece *)((char *)piece + piece->size + 4))
		if (piece->kind == 1 && piece->start == HIGH_START)
			return piece->length > HIGH_LIMIT - HIGH_START ? HIGH_LIMIT : (HIGH_START + piece->length) & ~(unsigned long)PAGE_MASK;
#endif
	return HIGH_START;
}

void kernel_main(void)
{
	const char *line;
	unsigned long high;
	struct multiboot *information = TO_VIRTUAL(multiboot_information);
	struct module *module;
	unsigned top, wanted, start, end;

	kernel_space->root[0].value = 0; /* the first steps' identity map */
	asm volatile("mov %0, %%cr3" : : "r"((unsigned long)TO_PHYSICAL(kernel_space)));
#ifdef MACHINE_WIDE
	descriptors_setup();
#else
	tables_setup();
#endif
	device_setup();
	protect_from_users();
	if (!(information->flags & 1))
		machine_panic("the loader does not say how much memory there is");
	if (!(information->flags & 8) || information->modules_count != 1)
		machine_panic("expected exactly one module: the payload");
	top = information->memory_high >= (MEMORY_LIMIT >> 10) - 1024 ? MEMORY_LIMIT : (information->memory_high + 1024) << 10;
	line = information->flags & 4 ? TO_VIRTUAL(information->command_line) : "";
	wanted = memory_option(line, "memory=");
	high = high_memory(information);
	if (wanted && high - HIGH_START > (unsigned long)memory_option(line, "high=") << 20)
		high = HIGH_START + ((unsigned long)memory_option(line, "high=") << 20);
	if (wanted && wanted < top >> 20)
		top = wanted << 20;
	top &= ~PAGE_MASK;
	module = TO_VIRTUAL(information->modules);
	start = module->start;
	end = module->end;
	frames_setup(top, high > HIGH_START ? high : 0, start, end);
	protect_kernel(kernel_idt);
	personality_start(TO_VIRTUAL(start), end - start);
	frames_release(start, end);
	personality_run();
}
