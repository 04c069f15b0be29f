/* CVE: CVE-2017-5123, CVE-2010-4258, CVE-2013-6282
   Wins: the kernel writes, on the builder's word, where only the kernel may
   Verdict: ok
   Output: ok

   Addresses of the kernel as the place for a child's end, for the word that is cleared when a thread is gone, as the list of locks that a thread held. */

#include "../thread.h"

enum { WAITID = 284, SET_TID_ADDRESS = 258, SET_ROBUST_LIST = 311 };

static const u32 places[] = { 0xc0000000, 0xc0100000, 0xc0200000, 0xe0000000, 0xfffff000, 0xfffffffc, 0xffffffff };
static u32 place, head[3];
static char stack[8192];

static int nothing(void)
{
	return 0;
}

static int ends_with_word(void)
{
	sys(SET_TID_ADDRESS, place);
	return 0;
}

static int ends_with_list(void)
{
	head[0] = place;
	head[1] = 0x100;
	head[2] = place;
	sys(SET_ROBUST_LIST, head, 12);
	sys(SET_ROBUST_LIST, place, 12);
	return 0;
}

static int ends_at_once(int unused)
{
	return unused;
}

static int thread_with_word(void)
{
	return FAILED(thread_clone(0x350f00, stack + 8192, (int *)place, (int *)place, ends_at_once, 0)) ? 0 : 0;
}

int attack(char **arguments, char **environment)
{
	u32 i;
	int pid, end;

	for (i = 0; i < sizeof places / sizeof *places; i++) {
		place = places[i];
		in_child(ends_with_word);
		in_child(ends_with_list);
		in_child(thread_with_word);
		pid = sys(FORK);
		if (!pid)
			sys(EXIT, nothing());
		must(FAILED(sys(WAITID, 1, pid, place, 4, 0)), "the end of a child is written to the kernel's memory");
		sys(WAITPID, pid, &end, 0);
	}
	return 0;
}
