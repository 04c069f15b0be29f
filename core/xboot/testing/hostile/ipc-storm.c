/* Wins: a kernel that loses count of System V's segments and semaphores: more than there may be, freed while somebody has them, changed halfway
   Verdict: ok
   Timeout: 240

   Segments and sets until there are no more, all removed, and as many again; segments that are removed, cut, moved and detached in every order while children hold
   them; sets that go while processes wait for them, are killed, and undo what they did. At the end all is as at the begin. A kernel without them has nothing to show. */

#include "attack.h"

enum { SHMGET = 395, SHMCTL = 396, SHMAT = 397, SHMDT = 398, SEMGET = 393, SEMCTL = 394, SEMTIMEDOP = 420, GETVAL = 12, GETNCNT = 14, CREATE = 01600, UNDO = 010000, NO_ROOM = -28, NO_MORE_SUCH = -43, MOST = 5000, NOT_SERVED = -38 };

static int ids[MOST];

static int change(int id, int number, int by, int flags)
{
	struct { unsigned short number; short change, flags; } one;

	one.number = (unsigned short)number;
	one.change = (short)by;
	one.flags = (short)flags;
	return sys(SEMTIMEDOP, id, &one, 1, 0);
}

/* As many as there may be, and none of them any more. How many. */
static int all_of(int get, int control)
{
	int n, i;

	for (n = 0; n < MOST; n++) {
		ids[n] = get == SHMGET ? sys(SHMGET, 0, PAGE, CREATE) : sys(SEMGET, 0, 1, CREATE);
		if (ids[n] < 0)
			break;
	}
	must(n == MOST || ids[n] == NO_ROOM || ids[n] == -ENOMEM, "an end without an error");
	for (i = n; i--;)
		must((control == SHMCTL ? sys(SHMCTL, ids[i], 0, 0) : sys(SEMCTL, ids[i], 0, 0, 0)) == 0, "one of them is not there");
	return n;
}

/* Every way to lose a segment, while a child that knows nothing of it holds it. */
static void holders(int way)
{
	int id = sys(SHMGET, 0, 8 * PAGE, CREATE), pid, end, hold[2], c;
	u32 *words = (u32 *)sys(SHMAT, id, 0, 0), *other = (u32 *)sys(SHMAT, id, 0, 0);

	words[0] = words[5 * 1024] = 0x600d;
	sys(PIPE, hold);
	pid = sys(FORK);
	if (!pid) {
		sys(CLOSE, hold[1]);
		sys(READ, hold[0], &c, 1);
		sys(EXIT, words[0] == 0x600d && other[5 * 1024] == 0x600d ? 7 : 1);
	}
	sys(SHMCTL, id, 0, 0);
	if (way & 1)
		sys(MUNMAP, words + 1024, 2 * PAGE);
	if (way & 2)
		sys(MREMAP, other, 8 * PAGE, 16 * PAGE, 1);
	if (way & 4)
		sys(MPROTECT, words + 3 * 1024, PAGE, 0);
	if (way & 8)
		sys(SHMDT, words);
	if (way & 16)
		sys(MMAP2, other, 8 * PAGE, 3, 0x32, -1, 0);
	sys(SHMCTL, id, 0, 0);
	sys(CLOSE, hold[1]);
	sys(WAITPID, pid, &end, 0);
	must(end == 7 << 8, "a segment that somebody holds has changed");
	sys(CLOSE, hold[0]);
	sys(SHMDT, words);
	sys(MUNMAP, words, 8 * PAGE);
	sys(SHMDT, other);
	sys(MUNMAP, other, 8 * PAGE);
}

/* Processes wait for a set, some are killed, and it goes; what the dead had taken is back. */
static void waiters(int round)
{
	int id = sys(SEMGET, 0, 2, CREATE), pids[16], i, end;

	change(id, 0, 100, 0);
	for (i = 0; i < 16; i++) {
		pids[i] = sys(FORK);
		if (pids[i])
			continue;
		change(id, 0, -5, UNDO);
		sys(EXIT, change(id, 1, -1, UNDO) == NO_MORE_SUCH ? 7 : 1);
	}
	while (sys(SEMCTL, id, 1, GETNCNT, 0) != 16)
		sys(POLL, 0, 0, 1);
	must(sys(SEMCTL, id, 0, GETVAL, 0) == 20, "changes are lost");
	for (i = 0; i < 8; i++) {
		sys(KILL, pids[(i + round) & 15], 9);
		sys(WAITPID, pids[(i + round) & 15], &end, 0);
	}
	must(sys(SEMCTL, id, 0, GETVAL, 0) == 60, "the dead have not given back what they took");
	must(sys(SEMCTL, id, 1, GETNCNT, 0) == 8, "the dead wait");
	must(sys(SEMCTL, id, 0, 0, 0) == 0, "it does not go");
	for (; i < 16; i++) {
		sys(WAITPID, pids[(i + round) & 15], &end, 0);
		must(end == 7 << 8, "one who waits does not hear of it");
	}
}

int attack(char **arguments, char **environment)
{
	int first, i;

	(void)arguments;
	(void)environment;
	if (sys(SHMGET, 1, 0, 0) == NOT_SERVED)
		return 0;
	first = all_of(SHMGET, SHMCTL);
	must(first >= 1000 && all_of(SHMGET, SHMCTL) == first, "segments are lost");
	first = all_of(SEMGET, SEMCTL);
	must(first >= 1000 && all_of(SEMGET, SEMCTL) == first, "sets are lost");
	for (i = 0; i < 32; i++)
		holders(i);
	for (i = 0; i < 16; i++)
		waiters(i);
	return 0;
}
