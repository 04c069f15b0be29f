/* Wins: threads outlive the builder, or the kernel loses itself when they are made, woken, replaced and ended while others run
   Verdict: ok
   Then: echo ok > $out
   Timeout: 120

   Rounds of processes whose threads make threads, end, wait for words that others wake, hold locks in robust lists that lead nowhere, exec while others run,
   and are killed by each other. In the end many wait for ever, in processes of their own, and the builder goes. */

#include "thread.h"

#define FUTEX 240
#define GETTID 224
#define TGKILL 270
#define SCHED_YIELD 158
#define SET_ROBUST_LIST 311
#define THREADS 24
#define ROUNDS 40

static char stacks[THREADS][4096];
static volatile int ids[THREADS], word;
static char **own_arguments, **own_environment;

static int make(int i, int (*run)(int))
{
	return thread_clone(0x350f00, stacks[i] + 4096, (int *)&ids[i], (int *)&ids[i], run, i);
}

static int life(int i)
{
	static u32 head[3];
	char *arguments[3];
	int n;

	switch ((i * 7 + word) % 8) {
	case 0: /* waits until it is ended */
		for (;;)
			sys(FUTEX, &word, 0, word, 0);
	case 1: /* wakes, moves and is gone */
		sys(FUTEX, &word, 1, 1000);
		sys(FUTEX, &word, 3, 1, 1000, &ids[i], 0);
		return 0;
	case 2: /* a robust list that never ends, and words that are nobody's */
		head[0] = (u32)&head[0] ^ 4;
		head[1] = 0x7ffffff0;
		head[2] = (u32)&word;
		sys(SET_ROBUST_LIST, (i & 1) ? (void *)head : (void *)0x7efffff8, 12);
		return 0;
	case 3: /* signals to all, itself too */
		for (n = 0; n < THREADS; n++)
			sys(TGKILL, sys(GETPID), ids[n], n == 5 ? 9 : n == 6 ? 19 : 0);
		return 0;
	case 4: /* one more in the place of one that may still run */
		make((i + 1) % THREADS, life);
		sys(SCHED_YIELD);
		return 0;
	case 5: /* the whole process becomes another */
		arguments[0] = own_arguments[0];
		arguments[1] = "over";
		arguments[2] = 0;
		sys(EXECVE, arguments[0], arguments, own_environment);
		return 0;
	case 6: /* a child that shares all, or nothing */
		if (i & 1)
			sys(FORK);
		return 0;
	default: /* its stack goes while it stands on it */
		sys(MUNMAP, (u32)stacks[i] & ~4095u, 4096);
		return 0;
	}
}

static int waits_for_ever(int i)
{
	(void)i;
	for (;;)
		sys(FUTEX, &word, 0, word, 0);
}

int attack(char **arguments, char **environment)
{
	int round, i, status;

	if (arguments[1])
		return 0; /* what "over" runs */
	own_arguments = arguments;
	own_environment = environment;
	for (round = 0; round < ROUNDS; round++) {
		word = round;
		if (!sys(FORK)) {
			sys(ALARM, 1); /* whatever else: it ends */
			for (i = 0; i < THREADS; i++)
				make(i, life);
			for (i = 0; i < 50; i++)
				sys(SCHED_YIELD);
			sys(round & 1 ? 252 : 1, 0);
		}
		if (round % 4 == 3)
			while (sys(WAITPID, -1, &status, 1) > 0)
				;
	}
	for (round = 0; round < 4; round++)
		if (!sys(FORK)) {
			for (i = 0; i < THREADS; i++)
				make(i, waits_for_ever);
			waits_for_ever(0);
		}
	return 0;
}
