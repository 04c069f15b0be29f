/* Wins: two processes run in one memory, as only one is meant to
   Verdict: ok

   A vforked child makes children of its own, waits for them, is stopped by nothing: its parent must not go on before it has ended, whatever wakes whom. */

#include "attack.h"

static volatile int stage;

static int sleeps(void)
{
	return 0;
}

int attack(char **arguments, char **environment)
{
	int pid, i, k, end;

	for (i = 0; i < 50; i++) {
		stage = 1;
		asm volatile("mov $190, %%eax\n\tint $0x80" : "=a"(pid) : : "memory"); /* no function may return here before the child has ended */
		if (!pid) {
			for (k = 0; k < 3; k++) {
				in_child(sleeps);
				sys(158);
			}
			stage = 2;
			sys(EXIT, 0);
		}
		must(stage == 2, "a parent goes on before its vforked child has ended");
		sys(WAITPID, pid, &end, 0);
	}
	return 0;
}
