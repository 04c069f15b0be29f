/* Wins: a segment that is freed while it is being attached: removed, with one place that shows it, and attached anew at that very place (SHM_REMAP), what goes from there
   is the last that held it
   Verdict: ok
   Timeout: 120

   Linux counts who attaches before it takes the place: the words are still there. A kernel that frees the segment maps what it no longer owns. */

#include "attack.h"

enum { SHMGET = 395, SHMCTL = 396, SHMAT = 397, SHMDT = 398, CREATE = 01600, REMAP = 040000, NOT_SERVED = -38 };

#define PLACE 0x30000000u

static void over(u32 size, u32 at, int cut)
{
	int id = sys(SHMGET, 0, size, CREATE);
	volatile u32 *words = (volatile u32 *)at;

	must((u32)sys(SHMAT, id, PLACE, 0) == PLACE, "it is not attached");
	((volatile u32 *)PLACE)[0] = ((volatile u32 *)PLACE)[1024] = 0x600d;
	must(sys(SHMCTL, id, 0, 0) == 0, "it is not removed");
	if (cut)
		sys(MUNMAP, PLACE + PAGE, size - PAGE);
	must((u32)sys(SHMAT, id, at, REMAP) == at, "not in its place");
	must(words[0] == 0x600d && words[1024] == 0x600d, "another memory");
	must(sys(SHMDT, at) == 0, "it is not there");
	sys(MUNMAP, PLACE, 4 * PAGE);
	must(sys(SHMAT, id, 0, 0) == -EINVAL, "it outlives all who had it");
}

int attack(char **arguments, char **environment)
{
	int i;

	(void)arguments;
	(void)environment;
	if (sys(SHMGET, 1, 0, 0) == NOT_SERVED)
		return 0;
	for (i = 0; i < 64; i++) {
		over(2 * PAGE, PLACE, 0);
		over(2 * PAGE, PLACE, 1);
		over(4 * PAGE, PLACE - PAGE, 1);
		over(4 * PAGE, PLACE + PAGE, 0);
	}
	return 0;
}
