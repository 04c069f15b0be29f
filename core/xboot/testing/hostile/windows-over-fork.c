/* Wins: a process sees or changes memory of another, through a mapping that both once had
   Verdict: ok
   Timeout: 120

   Private memory must part at a fork, whichever side writes first, whoever ends first, also where parent and child had it from one file; shared memory must stay one.
   A vforked child, an exec and an end must take nothing along and leave nothing behind. */

#include "attack.h"

#define PRIVATE ((volatile u32 *)0x20000000)
#define OF_FILE ((volatile u32 *)0x21000000)
#define SHARED ((volatile u32 *)0x22000000)
#define WORDS 1024u /* of a page */
#define PAGES 16u

static int shared;

static int child_writes(void)
{
	u32 i;

	for (i = 0; i < PAGES; i++) {
		if (PRIVATE[i * WORDS] != 100 + i || OF_FILE[i * WORDS] != 0x41414141)
			return 1;
		PRIVATE[i * WORDS] = 200 + i;
		OF_FILE[i * WORDS] = 300 + i;
		if (shared)
			SHARED[i * WORDS] = 400 + i;
	}
	return 0;
}

static int child_keeps(void)
{
	u32 before = PRIVATE[0], i;

	for (i = 0; i < 200; i++)
		sys(158); /* sched_yield: the parent writes meanwhile */
	return PRIVATE[0] != before || OF_FILE[0] != 0x41414141;
}

static int grandchild(void)
{
	return in_child(child_writes);
}

int attack(char **arguments, char **environment)
{
	static u8 page[PAGE];
	u32 i;
	int file, pid, end = 0;

	sys(CHDIR, "/tmp");
	file = sys(OPEN, "f", O_RDWR | O_CREAT | O_TRUNC, 0644);
	fill(page, 'A', PAGE);
	for (i = 0; i < PAGES; i++)
		sys(WRITE, file, page, PAGE);
	must(sys(MMAP2, PRIVATE, PAGES * PAGE, 3, 0x32, -1, 0) == (int)PRIVATE && sys(MMAP2, OF_FILE, PAGES * PAGE, 3, 0x12, file, 0) == (int)OF_FILE, "no memory");
	shared = sys(MMAP2, SHARED, PAGES * PAGE, 3, 0x31, -1, 0) == (int)SHARED;
	for (i = 0; i < PAGES; i++)
		PRIVATE[i * WORDS] = 100 + i;
	must(in_child(child_writes) == 0, "a child does not see what was there before");
	for (i = 0; i < PAGES; i++) {
		must(PRIVATE[i * WORDS] == 100 + i && OF_FILE[i * WORDS] == 0x41414141, "a child changes its parent's private memory");
		must(!shared || SHARED[i * WORDS] == 400 + i, "shared memory is not shared");
	}
	must(in_child(grandchild) == 0, "a grandchild does not see what was there before");
	for (i = 0; i < PAGES; i++)
		must(PRIVATE[i * WORDS] == 100 + i, "a grandchild changes its grandparent's private memory");
	pid = sys(FORK);
	if (!pid)
		sys(EXIT, child_keeps());
	for (i = 0; i < 100; i++) {
		PRIVATE[0] = 1000 + i;
		OF_FILE[0] = 1000 + i;
		sys(158);
	}
	sys(WAITPID, pid, &end, 0);
	must(end == 0, "a parent changes its child's private memory");
	must(sys(PREAD64, file, page, 4, 0, 0) == 4 && page[0] == 'A', "a private mapping writes to its file");
	return 0;
}
