/* Wins: the kernel's memory, through a segment that lies over it
   Verdict: ok

   Segments for thread-local storage with every base and limit, loaded into fs and gs, read and written through; entries that are not the program's; kinds that are no data. */

#include "attack.h"

static u32 base, limit, flags, offset, writes;

static int through(void)
{
	u32 descriptor[4] = { ~0u, base, limit, flags }, value = 0;

	if (sys(SET_THREAD_AREA, descriptor))
		return 9;
	asm volatile("mov %0, %%gs" : : "r"(descriptor[0] * 8 + 3));
	if (writes)
		asm volatile("movl $0x41414141, %%gs:(%0)" : : "r"(offset) : "memory");
	else
		asm volatile("movl %%gs:(%1), %0" : "=r"(value) : "r"(offset));
	return 1; /* something was there */
}

int attack(char **arguments, char **environment)
{
	static const u32 bases[] = { 0, 0x80000000, 0x80100000, 0xa0000000, 0xc0000000, 0xc0100000, 0xff000000, 0xfffff000, 0x7ffff000 };
	static const u32 offsets[] = { 0, 0x100000, 0x40000000, 0x80000000, 0x80100000, 0xc0000000, 0xfffff000 };
	static const u32 kinds[] = { 0x51, 0x01, 0x41, 0x11, 0x05, 0x53, 0x59, 0xffffffff };
	static const u32 entries[] = { 0, 1, 2, 3, 4, 5, 9, 10, 11, 15, 16, 100, 8191, 0x7fffffff, 0x80000000, 0xfffffffe };
	u32 i, k, f, descriptor[4];
	int end;

	for (f = 0; f < sizeof kinds / sizeof *kinds; f++)
		for (i = 0; i < sizeof bases / sizeof *bases; i++)
			for (k = 0; k < sizeof offsets / sizeof *offsets; k++) {
				base = bases[i];
				offset = offsets[k];
				limit = 0xfffff;
				flags = kinds[f];
				if (base + offset < 0x80000000u || base + offset >= 0xfffffffcu)
					continue; /* the program's own half, on every kernel */
				if (base + offset >= 0xbf000000u && base + offset < 0xc0000000u)
					continue; /* where some kernels have a program's stack */
				for (writes = 0; writes < 2; writes++) {
					end = in_child(through);
					must((end & 127) != 0 || end == 9 << 8 || base + offset < 0xc0000000u, "memory of the kernel is reached through a segment");
				}
			}
	for (i = 0; i < sizeof entries / sizeof *entries; i++) {
		descriptor[0] = entries[i];
		descriptor[1] = 0;
		descriptor[2] = 0xfffff;
		descriptor[3] = 0x51;
		if (entries[i] < 6 || entries[i] > 14)
			must(FAILED(sys(SET_THREAD_AREA, descriptor)), "a descriptor that is not the program's is set");
	}
	return 0;
}
