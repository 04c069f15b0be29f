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
static unsigned long long idt[256];

unsigned long long kernel_gdt[9] = {
	0, 0x00cf9a000000ffffull, 0x00cf92000000ffffull, 0x00cffa000000ffffull, 0x00cff2000000ffffull, 0, 0, 0, 0,
};

extern char trap_0[], trap_1[], trap_2[], trap_3[], trap_4[], trap_5[], trap_6[], trap_7[], trap_8[], trap_9[], trap_10[], trap_11[], trap_12[], trap_13[],
	trap_14[], trap_15[], trap_16[], trap_17[], trap_18[], trap_19[], trap_32[], trap_35[], trap_255[], trap_call[], _end[];

static char *const exceptions[20] = {
	trap_0, trap_1, trap_2, trap_3, trap_4, trap_5, trap_6, trap_7, trap_8, trap_9, trap_10, trap_11, trap_12, trap_13, trap_14, trap_15, trap_16, trap_17,
	trap_18, trap_19,
};

static void gate(unsigned vector, char *to, unsigned privilege)
{
	unsigned at = (unsigned)to;

	idt[vector] = (unsigned long long)((at & 0xffff0000u) | 0x8e00 | privilege << 13) << 32 | 0x80000 | (at & 0xffff);
}

static void tables_setup(void)
{
	struct descriptor gdt_at, idt_at;
	unsigned base = (unsigned)kernel_tss, i;

	for (i = 0; i < 256; i++)
		gate(i, trap_255, 0);
	for (i = 0; i < 20; i++)
		gate(i, exceptions[i], i == 3 || i == 4 ? 3 : 0);
	gate(32, trap_32, 0);
	gate(35, trap_35, 0);
	gate(128, trap_call, 3);
	kernel_tss[2] = 0x10;
	kernel_tss[25] = 104 << 16; /* no I/O permission map: no port for user code */
	kernel_gdt[5] = (unsigned long long)((base & 0xff000000u) | 0x8900 | (base >> 16 & 0xff)) << 32 | base << 16 | 103;
	gdt_at.limit = sizeof kernel_gdt - 1;
	gdt_at.base = (unsigned)kernel_gdt;
	idt_at.limit = sizeof idt - 1;
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

/* SMEP: the kernel never runs a user's pages; if it does, it is wrong, and faults. Not SMAP: QEMU reads a user's stack for the user's own iret as if the kernel did. */
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
	if (TO_PHYSICAL(_end) > POOL_START)
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
	personality_start(TO_VIRTUAL(start), end - start);
	frames_release(start, end);
	personality_run();
}
