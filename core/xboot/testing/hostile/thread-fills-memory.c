/* Wins: the kernel loses itself when memory runs out under a thread that is not its process's first
   Verdict: fails step 1 .* failed: 
   Memory: 256
   Timeout: 120

   The builder's child has a thread, which takes all memory: the step ends from within that thread, whose process is gone before it. */

#include "thread.h"

static char stack[4096];

static int takes_all(int pages)
{
	u8 *memory[16];
	u32 i, k;

	for (i = 0; i < 16; i++)
		memory[i] = (u8 *)sys(MMAP2, 0, pages * PAGE, 3, 0x22, -1, 0);
	for (i = 0; i < 16; i++)
		for (k = 0; !FAILED(memory[i]) && k < (u32)pages; k++)
			memory[i][k * PAGE] = 1;
	sys(252, 1); /* exit_group */
	return 0;
}

int attack(char **arguments, char **environment)
{
	static int id;
	int status = 0;

	if (!sys(FORK)) {
		thread_clone(0x350f00, stack + sizeof stack, &id, &id, takes_all, 16384);
		for (;;)
			sys(POLL, 0, 0, -1);
	}
	sys(WAITPID, -1, &status, 0);
	return 1; /* where only that child is ended */
}
