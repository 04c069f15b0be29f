/* Wins: a word from one step to the next, or a change of its values, by System V's segments and semaphores, which outlive the processes that made them
   Verdict: ok
   Then: $program again && cat $first > /dev/null && echo ok > $out
   Timeout: 120

   The first step leaves segments with and without a key, attached, removed, and full of a word; sets of semaphores with values, with what is to be undone, and with
   processes that wait for them. The second step finds no key and no number of these, its new segments are of zeros and its semaphores zero, and nobody changes them. A
   kernel without them has nothing to show. */

#include "attack.h"

enum { SHMGET = 395, SHMCTL = 396, SHMAT = 397, SEMGET = 393, SEMCTL = 394, SEMTIMEDOP = 420, GETVAL = 12, GETNCNT = 14, SETVAL = 16, CREATE = 01600, UNDO = 010000, KEYS = 20, NOT_SERVED = -38 };

#define SECRET 0x5ec0e75eu

static int change(int id, int number, int by, int flags)
{
	struct { unsigned short number; short change, flags; } one;

	one.number = (unsigned short)number;
	one.change = (short)by;
	one.flags = (short)flags;
	return sys(SEMTIMEDOP, id, &one, 1, 0);
}

static void leaves(void)
{
	int i, k, id;
	u32 *words;

	for (i = 0; i < 2 * KEYS; i++) {
		id = sys(SHMGET, i < KEYS ? i + 1 : 0, 16 * PAGE, CREATE);
		words = (u32 *)sys(SHMAT, id, 0, 0);
		must(!FAILED(words), "a segment is attached");
		for (k = 0; k < 16 * 1024; k++)
			words[k] = SECRET;
		if (i & 1)
			sys(SHMCTL, id, 0, 0);
	}
	for (i = 0; i < KEYS; i++) {
		id = sys(SEMGET, i + 1, 3, CREATE);
		must(sys(SEMCTL, id, 0, SETVAL, 77) == 0, "a semaphore is set");
		change(id, 1, 5, UNDO);
		if (i & 1 || sys(FORK))
			continue;
		change(id, 0, -78, UNDO); /* for ever */
		sys(EXIT, 0);
	}
	for (i = 0; i < KEYS; i += 2)
		while (sys(SEMCTL, sys(SEMGET, i + 1, 0, 0), 0, GETNCNT, 0) != 1)
			sys(POLL, 0, 0, 1);
}

static void looks(void)
{
	u32 *words, n = 0;
	int i, k, id;

	for (i = 0; i < KEYS; i++) {
		must(sys(SHMGET, i + 1, 0, 0) == -ENOENT, "a key of a segment outlives its step");
		must(sys(SEMGET, i + 1, 0, 0) == -ENOENT, "a key of semaphores outlives its step");
	}
	for (i = 0; i < 100; i++) {
		must(sys(SHMAT, i, 0, 0) == -EINVAL, "a segment outlives its step");
		must(sys(SEMCTL, i, 0, GETVAL, 0) == -EINVAL, "semaphores outlive their step");
	}
	for (i = 0; i < KEYS; i++) {
		words = (u32 *)sys(SHMAT, sys(SHMGET, i + 1, 16 * PAGE, CREATE), 0, 0);
		must(!FAILED(words), "no segment is to be had");
		for (k = 0; !FAILED(words) && k < 16 * 1024; k++)
			n += words[k] != 0;
		id = sys(SEMGET, i + 1, 3, CREATE);
		for (k = 0; k < 3; k++)
			n += sys(SEMCTL, id, k, GETVAL, 0) != 0;
		n += sys(SEMCTL, id, 0, GETNCNT, 0) != 0;
	}
	must(!n, "something new is not of zeros, or somebody waits for it");
}

int attack(char **arguments, char **environment)
{
	(void)environment;
	if (sys(SHMGET, 1, 0, 0) == NOT_SERVED)
		return 0;
	if (arguments[1])
		looks();
	else
		leaves();
	return 0;
}
