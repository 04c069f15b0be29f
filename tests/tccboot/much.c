/* Ends with 0 if 1.5 GiB of memory hold what was written to them, page by page, before and after a child has written to its copy of some. For guests only. */

#include "attack64.h"

#define PAGES (1536ul << 8)

static u64 *at;

static int holds(u64 more)
{
	u64 i;

	for (i = 0; i < PAGES; i++)
		if (at[i * 512] != i + 1 + (i % 64 ? 0 : more))
			return 0;
	return 1;
}

static int copies(void)
{
	u64 i;

	for (i = 0; i < PAGES; i += 64)
		at[i * 512] += 1000000;
	return holds(1000000) ? 0 : 1;
}

int attack(void)
{
	u64 i;

	at = (u64 *)sys(MMAP, 0l, PAGES * PAGE, 3l, 0x22l, -1l, 0l);
	must((u64)at < 0x100000000, "no such memory");
	if ((u64)at >= 0x100000000)
		return 1;
	for (i = 0; i < PAGES; i++)
		at[i * 512] = i + 1;
	must(holds(0), "a page has lost what was written");
	must(in_child(copies) == 0, "a copy is wrong");
	must(holds(0), "a child has changed what is its parent's");
	return 0;
}
