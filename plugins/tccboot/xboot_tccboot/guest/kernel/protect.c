/* protect.c: the kernel's half of every space, and what it is protected from: users, and itself. */

#include "kernel.h"

/* Pages of their own, which cannot be written: the two directories of the upper half, the table of the kernel's own 2 MiB, the root. entry.S fills in the first. */
#ifdef MACHINE_WIDE
struct entry kernel_tables[KERNEL_DIRECTORIES + 3][ENTRIES] __attribute__((aligned(4096))); /* and a list of directories before the root */
struct machine_space *const kernel_space = (struct machine_space *)kernel_tables[KERNEL_DIRECTORIES + 2];
#else
struct entry kernel_tables[KERNEL_DIRECTORIES + 2][ENTRIES] __attribute__((aligned(4096)));
struct machine_space *const kernel_space = (struct machine_space *)kernel_tables[KERNEL_DIRECTORIES + 1];
#endif
#define OWN_TABLE kernel_tables[KERNEL_DIRECTORIES]

unsigned no_execute;
int kernel_has_smap;

/* May the kernel read and write a user's pages? It never needs to: it has its own view of all memory. See machine_run. */
void kernel_reaches_users(int may)
{
	unsigned long control;

	asm volatile("mov %%cr4, %0" : "=r"(control));
	control = may ? control & ~(1u << 21) : control | 1u << 21;
	asm volatile("mov %0, %%cr4" : : "r"(control));
}

static void cpuid(unsigned leaf, unsigned *a, unsigned *b, unsigned *d)
{
	unsigned c;

	asm volatile("cpuid" : "=a"(*a), "=b"(*b), "=c"(c), "=d"(*d) : "a"(leaf), "c"(0));
}

/* SMEP, SMAP: the kernel never runs, reads or writes a user's pages; if it does, it is wrong, and faults. No-execute: nobody runs what is no code. Each where the
   processor has it. */
void protect_from_users(void)
{
	unsigned most, a, b = 0, d;
	unsigned long control;

	cpuid(0, &most, &b, &d);
	b = 0;
	if (most >= 7)
		cpuid(7, &a, &b, &d);
	asm volatile("mov %%cr4, %0" : "=r"(control));
	asm volatile("mov %0, %%cr4" : : "r"(control | (b & 1 << 7 ? 1 << 20 : 0)));
	kernel_has_smap = b >> 20 & 1;
	if (kernel_has_smap)
		kernel_reaches_users(0);
	cpuid(0x80000000u, &most, &b, &d);
	if (most < 0x80000001u || most >> 16 != 0x8000)
		return;
	cpuid(0x80000001u, &a, &b, &d);
	if (!(d >> 20 & 1))
		return;
	asm volatile("rdmsr" : "=a"(a), "=d"(d) : "c"(0xc0000080u));
	asm volatile("wrmsr" : : "a"(a | 1 << 11), "d"(d), "c"(0xc0000080u)); /* EFER.NXE */
	no_execute = 0x80000000u;
}

#ifdef MACHINE_WIDE
#define KERNEL_DIRECTORY(i) TABLE(kernel_space->root[FIRST_LIST])[i]
#else
#define KERNEL_DIRECTORY(i) kernel_space->root[2 + (i)]
#endif

/* Looks through all that is mapped in the kernel's half, as the processor reads it: nothing in it is a user's; code is never written; and what can be written is never
   code. Panics. */
static void check_tables(void)
{
	struct entry *directory, *table;
	unsigned i, j, n, code;

	for (i = 0; i < KERNEL_DIRECTORIES * ENTRIES; i++) {
		directory = TABLE(KERNEL_DIRECTORY(i / ENTRIES)) + i % ENTRIES;
		if (!directory->value)
			continue;
		n = directory->value & P_LARGE ? 1 : ENTRIES;
		table = n == 1 ? directory : TABLE(*directory);
		for (j = 0; j < n; j++) {
			code = n > 1 && !i && j >= 256 && j * PAGE_SIZE < TO_PHYSICAL(_etext);
			if (table[j].value & P_USER || (code && table[j].value & P_WRITE) || (table[j].value && !code && (table[j].high & 0x80000000u) != no_execute))
				machine_panic("defect: memory of the kernel that is a user's, or can be written and run");
		}
	}
#ifdef MACHINE_WIDE
	for (i = 0; i < ENTRIES; i++)
		if (kernel_space->root[i].value && i != FIRST_LIST)
#else
	if (kernel_space->root[0].value || kernel_space->root[1].value)
#endif
		machine_panic("defect: the kernel's own space has a user's half");
}

/* The kernel's first 2 MiB by single pages. Code, the interrupt table and these tables can be read and not written, not even by the kernel (CR0.WP); all but code cannot
   be run; the pages around its stack, and what is not the kernel's, are not there at all. */
void protect_kernel(const void *unwritten)
{
	unsigned page, i, end = TO_PHYSICAL(_end), stack = TO_PHYSICAL(kernel_stack), tables = TO_PHYSICAL(kernel_tables);

	if (end > ENTRIES * PAGE_SIZE)
		machine_panic("the kernel is larger than its place");
	for (i = 256; i < ENTRIES; i++) { /* from 1 MiB on */
		page = i * PAGE_SIZE;
		if (page >= end || page - stack < STACK_GUARD || page == stack + STACK_GUARD + STACK_SIZE)
			continue;
		OWN_TABLE[i].value = page | P_PRESENT;
		if (page < TO_PHYSICAL(_etext))
			continue;
		OWN_TABLE[i].high = no_execute;
		if (page != TO_PHYSICAL(unwritten) && page - tables >= sizeof kernel_tables)
			OWN_TABLE[i].value |= P_WRITE;
	}
#ifdef SCREEN_CELLS
	OWN_TABLE[SCREEN / PAGE_SIZE].value = SCREEN | P_PRESENT | P_WRITE;
	OWN_TABLE[SCREEN / PAGE_SIZE].high = no_execute;
#endif
	for (i = 1; i < KERNEL_DIRECTORIES * ENTRIES; i++)
		if (i < POOL_START >> 21)
			kernel_tables[0][i].value = 0;
		else if (kernel_tables[0][i].value)
			kernel_tables[0][i].high |= no_execute;
	kernel_tables[0][0].value = TO_PHYSICAL(OWN_TABLE) | P_PRESENT | P_WRITE;
	asm volatile("mov %0, %%cr3" : : "r"((unsigned long)TO_PHYSICAL(kernel_space))); /* from here on they cannot be written themselves */
	check_tables();
}
