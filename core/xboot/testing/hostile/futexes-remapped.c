/* Wins: a kernel that follows a word of memory which is no more, or wakes whom it should not
   Verdict: ok
   Timeout: 120

   Threads and processes wait for words whose pages are unmapped, replaced by a file's, by shared memory, moved away and cut off; others wake and requeue storms of
   them from and to such words. Who waits with a time comes back; who waits for a shared word is woken through another's mapping of it; memory is as it was written. */

#include "thread.h"

enum { FUTEX = 240, WAIT = 0, WAKE = 1, REQUEUE = 3, CMP_REQUEUE = 4, YIELD = 158, THREADS = 12, ROUNDS = 30 };

#define PLACE 0x20000000u
#define SHARED ((volatile u32 *)0x21000000)
#define OTHER ((volatile u32 *)0x22000000)

static char stacks[THREADS][8192];
static volatile int ids[THREADS], back;
static struct {
	int seconds, nanoseconds;
} a_moment = { 0, 30000000 };

static int waits(int i)
{
	sys(FUTEX, PLACE + 4 * (u32)(i % 3), WAIT, 0, &a_moment, 0, 0);
	return 0;
}

static void replace(u32 how, int file)
{
	switch (how % 6) {
	case 0:
		sys(MUNMAP, PLACE, PAGE);
		break;
	case 1:
		sys(MMAP2, PLACE, PAGE, 3, 0x11, file, 0);
		break;
	case 2:
		sys(MREMAP, PLACE, PAGE, PAGE, 3, PLACE + 0x100000);
		break;
	case 3:
		sys(MMAP2, PLACE, PAGE, 3, 0x31, -1, 0);
		break;
	case 4:
		sys(MPROTECT, PLACE, PAGE, 0);
		break;
	default:
		sys(MMAP2, PLACE, PAGE, 3, 0x11, file, 0);
		sys(FTRUNCATE, file, 0);
		sys(FTRUNCATE, file, PAGE);
	}
}

static int storms(void)
{
	static const int counts[] = { 0, 1, 3, 1000, 0x7fffffff, -1 };
	int file, i, k, round;

	sys(CHDIR, "/tmp");
	file = sys(OPEN, "words", O_RDWR | O_CREAT, 0600);
	sys(FTRUNCATE, file, PAGE);
	for (round = 0; round < ROUNDS; round++) {
		sys(MMAP2, PLACE, PAGE, 3, round & 1 ? 0x32 : 0x31, -1, 0);
		for (i = 0; i < THREADS; i++)
			thread_clone(0x350f00, stacks[i] + 8192, (int *)&ids[i], (int *)&ids[i], waits, i);
		sys(YIELD);
		for (k = 0; k < 6; k++) {
			sys(FUTEX, PLACE, REQUEUE, k & 1, counts[k], PLACE + 4, 0);
			sys(FUTEX, PLACE + 4, CMP_REQUEUE, counts[k], counts[5 - k], PLACE + 8, 0);
			sys(FUTEX, PLACE + 8, REQUEUE, 0, counts[k], k & 1 ? 0x80100000 : PLACE, 0);
			if (k == 2)
				replace((u32)round, file);
			sys(FUTEX, PLACE, WAKE, 1, 0, 0, 0);
		}
		for (i = 0; i < THREADS; i++)
			while (ids[i])
				sys(FUTEX, &ids[i], WAIT, ids[i], &a_moment, 0, 0);
		sys(MUNMAP, PLACE, PAGE);
		sys(MUNMAP, PLACE + 0x100000, PAGE);
	}
	return 0;
}

/* A child waits at one address, and is woken at another: of the same page, as its parent shows it. */
static int through_another(void)
{
	int pid, end = -1, tries;

	SHARED[0] = SHARED[1] = 0;
	pid = sys(FORK);
	if (!pid) {
		sys(MREMAP, SHARED, PAGE, PAGE, 3, OTHER);
		while (!OTHER[0])
			sys(FUTEX, OTHER, WAIT, 0, 0, 0, 0);
		OTHER[1] = 1;
		sys(EXIT, 0);
	}
	for (tries = 0; tries < 20; tries++)
		sys(YIELD);
	SHARED[0] = 1;
	sys(FUTEX, SHARED, WAKE, 1, 0, 0, 0);
	sys(WAITPID, pid, &end, 0);
	return end == 0 && SHARED[1] == 1 ? 0 : 1;
}

int attack(char **arguments, char **environment)
{
	sys(MMAP2, SHARED, PAGE, 3, 0x31, -1, 0);
	must(in_child(storms) == 0, "threads that wait with a time do not come back");
	must(in_child(through_another) == 0, "who waits for a shared word is not woken");
	return 0;
}
