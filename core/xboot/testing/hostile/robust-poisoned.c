/* Wins: the kernel writes to a place that a dying thread chose, by the list of locks that it holds
   Verdict: ok
   Timeout: 120

   Threads end with lists that loop, that lead through the kernel, through memory that is gone, that is for reading only or another process's too, whose offset wraps
   around, and with locks that others hold. Only a word that holds the dying one's number, where it may write, may change. */

#include "thread.h"

enum { SET_ROBUST_LIST = 311, GETTID = 224, YIELD = 158 };

#define SHARED ((volatile u32 *)0x20000000)
#define GONE 0x21000000u
#define READ_ONLY ((volatile u32 *)0x22000000)

static u32 list[64];
static u32 kind;

static int dies(void)
{
	u32 own = (u32)sys(GETTID), i;

	for (i = 0; i < 64; i++)
		list[i] = (u32)&list[(i + 2) % 64 & ~1u]; /* entries of two words: a circle that misses its head */
	list[0] = (u32)&list[2];
	list[1] = 4;
	list[2] = 0;
	switch (kind) {
	case 0:
		break;
	case 1: /* into the kernel */
		list[0] = 0x80100000;
		break;
	case 2:
		list[0] = 0xc0000000 | 1;
		list[2] = 0xfffffffc;
		break;
	case 3: /* a sum that wraps to a word of the shared page that is another's */
		list[0] = (u32)&list[4];
		list[1] = (u32)SHARED - (u32)&list[4];
		break;
	case 4: /* what is gone */
		list[0] = GONE;
		list[2] = GONE + 8;
		break;
	case 5: /* read only, with the right number in it */
		list[0] = (u32)&list[4];
		list[1] = (u32)READ_ONLY - (u32)&list[4];
		sys(MPROTECT, READ_ONLY, PAGE, 3);
		READ_ONLY[0] = own;
		sys(MPROTECT, READ_ONLY, PAGE, 1);
		break;
	case 6: /* not aligned, over the end of a page */
		list[0] = (u32)SHARED + PAGE - 2;
		break;
	default: /* its own lock, in the shared page, once: this one is marked */
		list[0] = (u32)&list[4];
		list[1] = (u32)&SHARED[3] - (u32)&list[4];
		list[4] = (u32)list;
		SHARED[3] = own | 0x80000000u;
	}
	sys(SET_ROBUST_LIST, list, 12);
	return 0;
}

int attack(char **arguments, char **environment)
{
	u32 i;

	sys(MMAP2, SHARED, PAGE, 3, 0x31, -1, 0);
	sys(MMAP2, READ_ONLY, PAGE, 3, 0x31, -1, 0);
	for (kind = 0; kind < 8; kind++) {
		for (i = 0; i < 1024; i++)
			SHARED[i] = 0x3fff0000 + i; /* nobody's number */
		must(in_child(dies) == 0, "a child with such a list does not end");
		for (i = 0; i < 1024; i++)
			must(SHARED[i] == 0x3fff0000 + i || (kind == 7 && i == 3), "a word that is not the dying one's has changed");
		if (kind == 5)
			must(!(READ_ONLY[0] & 0x40000000), "a word for reading only has changed");
	}
	must(SHARED[3] & 0x40000000, "a lock of one who died is not marked");
	return 0;
}
