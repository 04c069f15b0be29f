/* Wins: a thread of a program that is no more writes to the one that took its place
   Verdict: ok
   Timeout: 120

   Threads that write to one place make threads that do the same, while one of them begins the program anew. The new one is alone: whoever it asks, at that place of its
   memory nothing is ever written but by itself, and no thread of old takes its signals, its descriptors or its number. */

#include "thread.h"

enum { YIELD = 158, GETTID = 224, TGKILL = 270, THREADS = 12, ROUNDS = 12 };

static char stacks[THREADS][8192];
static volatile int ids[THREADS];
static volatile u32 place = 1;
static char **own_arguments, **own_environment;

static int writes(int i)
{
	int n;

	for (n = 0;; n++) {
		place = 0xdead;
		if (n % 8 == i % 8 && !ids[(i + 1) % THREADS])
			thread_clone(0x350f00, stacks[(i + 1) % THREADS] + 8192, (int *)&ids[(i + 1) % THREADS], (int *)&ids[(i + 1) % THREADS], writes, (i + 1) % THREADS);
		if (n == 20 + i) {
			char *again[] = { own_arguments[0], "again", 0 };

			sys(EXECVE, own_arguments[0], again, own_environment);
		}
		sys(YIELD);
	}
}

static int begins(void)
{
	int i;

	for (i = 0; i < THREADS; i += 2)
		thread_clone(0x350f00, stacks[i] + 8192, (int *)&ids[i], (int *)&ids[i], writes, i);
	return writes(1);
}

int attack(char **arguments, char **environment)
{
	u32 i;

	own_arguments = arguments;
	own_environment = environment;
	if (arguments[1]) {
		for (i = 0; i < 200; i++) {
			must(place == 1, "a thread of the program before writes to the new one's memory");
			sys(YIELD);
		}
		must(sys(GETTID) == sys(GETPID), "the new program has a thread's number");
		for (i = 0; i < 40; i++)
			must((int)i == sys(GETPID) || FAILED(sys(TGKILL, sys(GETPID), i, 0)), "a thread of the program before lives");
		return losses != 0;
	}
	for (i = 0; i < ROUNDS; i++)
		must(in_child(begins) == 0, "the new program found something, or did not begin");
	return 0;
}
