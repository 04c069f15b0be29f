/* CVE: CVE-2014-3153, CVE-2021-3347, CVE-2018-6927
   Wins: the kernel's list of those who wait leads to memory that is the builder's
   Verdict: ok
   Output: ok
   Timeout: 120

   Locks that are handed on are requeued to themselves, twice, to words that were cleared meanwhile, with counts below zero. Whatever is answered, waiting and waking
   must go on as before. */

#include "../thread.h"

enum { FUTEX = 240, WAIT = 0, WAKE = 1, REQUEUE = 3, CMP_REQUEUE = 4, LOCK_PI = 6, UNLOCK_PI = 7, TRYLOCK_PI = 8, WAIT_REQUEUE_PI = 11, CMP_REQUEUE_PI = 12, YIELD = 158 };

static char stacks[4][8192];
static volatile int ids[4], one, two, word, woken;
static int past[2];
static struct {
	int seconds, nanoseconds;
} a_moment = { 0, 20000000 };

static int waits(int i)
{
	(void)i;
	sys(FUTEX, &one, WAIT_REQUEUE_PI, 0, past, &two, 0);
	sys(FUTEX, &one, WAIT, 0, &a_moment, 0, 0);
	sys(FUTEX, &two, LOCK_PI, 0, past, 0, 0);
	sys(FUTEX, &two, UNLOCK_PI, 0, 0, 0, 0);
	return 0;
}

static int waits_for_word(int i)
{
	(void)i;
	while (!word)
		sys(FUTEX, &word, WAIT, 0, 0, 0, 0);
	woken = 1;
	return 0;
}

int attack(char **arguments, char **environment)
{
	static const int counts[] = { 0, 1, -1, 0x7fffffff, (int)0x80000000 };
	int round, i, k;

	for (round = 0; round < 10; round++) {
		one = two = 0;
		for (i = 0; i < 3; i++)
			thread_clone(0x350f00, stacks[i] + 8192, (int *)&ids[i], (int *)&ids[i], waits, i);
		sys(YIELD);
		sys(FUTEX, &two, LOCK_PI, 0, past, 0, 0);
		for (i = 0; i < 5; i++)
			for (k = 0; k < 5; k++) {
				sys(FUTEX, &one, CMP_REQUEUE_PI, counts[i], counts[k], &two, one);
				two = 0; /* which only the kernel should do */
				sys(FUTEX, &two, CMP_REQUEUE_PI, counts[i], counts[k], &two, two);
				sys(FUTEX, &one, REQUEUE, counts[i], counts[k], &one, 0);
				sys(FUTEX, &one, CMP_REQUEUE, counts[i], counts[k], &two, one);
				sys(FUTEX, &two, UNLOCK_PI, 0, 0, 0, 0);
			}
		sys(FUTEX, &one, WAKE, 1000, 0, 0, 0);
		sys(FUTEX, &two, WAKE, 1000, 0, 0, 0);
		for (i = 0; i < 3; i++)
			while (ids[i])
				sys(FUTEX, &ids[i], WAIT, ids[i], &a_moment, 0, 0);
	}
	thread_clone(0x350f00, stacks[3] + 8192, (int *)&ids[3], (int *)&ids[3], waits_for_word, 3);
	sys(YIELD);
	word = 1;
	sys(FUTEX, &word, WAKE, 1, 0, 0, 0);
	while (ids[3])
		sys(FUTEX, &ids[3], WAIT, ids[3], &a_moment, 0, 0);
	must(woken, "a thread that was woken does not go on");
	return 0;
}
