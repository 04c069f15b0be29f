/* Wins: a page that was given back, read or written through a call or /proc/self/mem that found it before it went
   Verdict: ok
   Timeout: 120

   One thread maps, fills, protects and unmaps a page without end; others read and write it through every way that leads to a program's memory by its address: read,
   write, vectors, /proc/self/mem, process_vm_readv and _writev. A page that comes new is always of zeros, and a neighbour's word never changes. */

#include "thread.h"

enum { PROCESS_VM_READV = 347, PROCESS_VM_WRITEV = 348, YIELD = 158, WRITERS = 3, ROUNDS = 2000 };

#define PLACE 0x20000000u
#define NEIGHBOUR ((volatile u32 *)0x20002000)

static char stacks[WRITERS][8192];
static volatile int ids[WRITERS], over;
static int memory = -1, zeros, pipe_ends[2];

static int reaches(int i)
{
	static u8 ours[WRITERS][PAGE];
	u32 near[2] = { (u32)ours[i], 64 }, far[2] = { PLACE + 100, 64 }, pieces[4] = { PLACE + 4000, 200, (u32)ours[i], 8 };
	int self = sys(GETPID);

	while (!over) {
		sys(PREAD64, memory, ours[i], 64, PLACE, 0);
		fill(ours[i], 0x77, 64);
		sys(PWRITE64, memory, ours[i], 64, PLACE, 0);
		sys(PROCESS_VM_READV, self, near, 1, far, 1, 0);
		sys(PROCESS_VM_WRITEV, self, near, 1, far, 1, 0);
		sys(READ, zeros, PLACE + 64, 100);
		sys(READV, zeros, pieces, 2);
		sys(WRITE, pipe_ends[1], PLACE, 16);
		sys(READ, pipe_ends[0], PLACE + 8, 16);
		sys(YIELD);
	}
	return 0;
}

static int races(void)
{
	volatile u32 *page = (volatile u32 *)PLACE;
	u32 i, dirty = 0;

	memory = sys(OPEN, "/proc/self/mem", O_RDWR);
	zeros = sys(OPEN, "/dev/zero", 0);
	sys(PIPE2, pipe_ends, 04000);
	sys(MMAP2, NEIGHBOUR, PAGE, 3, 0x32, -1, 0);
	NEIGHBOUR[0] = 0x12345678;
	for (i = 0; i < WRITERS; i++)
		thread_clone(0x350f00, stacks[i] + 8192, (int *)&ids[i], (int *)&ids[i], reaches, (int)i);
	for (i = 0; i < ROUNDS; i++) {
		if (FAILED(sys(MMAP2, PLACE, PAGE, 3, 0x32, -1, 0)))
			break;
		dirty += page[900] != 0; /* nobody writes here but this thread */
		page[900] = 0x55555555;
		if (i % 3 == 0)
			sys(MPROTECT, PLACE, PAGE, i % 2);
		if (i % 4 == 0)
			sys(MREMAP, PLACE, PAGE, PAGE, 3, PLACE + 0x10000);
		if (i % 7 == 0)
			sys(YIELD);
		sys(MUNMAP, PLACE, PAGE);
		sys(MUNMAP, PLACE + 0x10000, PAGE);
	}
	over = 1;
	for (i = 0; i < WRITERS; i++)
		while (ids[i])
			sys(YIELD);
	must(!dirty, "a new page is not of zeros");
	must(NEIGHBOUR[0] == 0x12345678, "a neighbour's word has changed");
	return losses != 0;
}

int attack(char **arguments, char **environment)
{
	volatile u32 *own = (volatile u32 *)sys(MMAP2, 0x30000000, 256 * PAGE, 3, 0x32, -1, 0);
	u32 i, n = 0;

	for (i = 0; i < 256; i++)
		own[i * 1024] = i + 1;
	must(in_child(races) == 0, "races");
	for (i = 0; i < 256; i++)
		n += own[i * 1024] != i + 1;
	must(!n, "the parent's memory has changed");
	return 0;
}
