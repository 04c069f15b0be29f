/* Wins: an address of the kernel's, or of another process, from what a segment register still holds
   Verdict: ok
   Timeout: 60

   A selector of nothing has no base: what a program reads through it must fault at an address that tells nothing. Each try is a child that is told by a signal where it
   faulted. An own segment works beside it, and is gone after the selector is cleared. */

#include "thread.h"

static void caught(int signal, int *info, void *context)
{
	sys(EXIT, info[3] ? 3 : 2); /* si_addr */
}

/* rt_sigaction's: handler, flags (SA_SIGINFO), restorer, mask */
static void catch(void)
{
	u32 action[5] = { (u32)caught, 4, 0, 0, 0 };

	sys(RT_SIGACTION, 11, action, 0, 8);
}

static int through_fs(void)
{
	u32 value;

	catch();
	asm volatile("xor %%eax, %%eax\n\tmov %%eax, %%fs\n\tmov %%fs:0, %0" : "=r"(value) : : "eax");
	return 1; /* it could be read */
}

static int through_gs(void)
{
	u32 value;

	catch();
	asm volatile("xor %%eax, %%eax\n\tmov %%eax, %%gs\n\tmov %%gs:0, %0" : "=r"(value) : : "eax");
	return 1;
}

/* As they are when a program starts, and after a call. */
static int untouched(void)
{
	u32 value;

	catch();
	sys(GETPID);
	asm volatile("mov %%fs:0, %0" : "=r"(value));
	return 1;
}

static int untouched_gs(void)
{
	u32 value;

	catch();
	sys(GETPID);
	asm volatile("mov %%gs:0, %0" : "=r"(value));
	return 1;
}

static u32 there[4] = { 0x5a5a };

static int after_own(void)
{
	u32 descriptor[4] = { ~0u, (u32)there, 0xfffff, 0x51 }, value;

	catch();
	if (sys(SET_THREAD_AREA, descriptor))
		return 4;
	asm volatile("mov %1, %%fs\n\tmov %%fs:0, %0" : "=r"(value) : "r"(descriptor[0] * 8 + 3));
	if (value != 0x5a5a)
		return 5;
	sys(GETPID);
	asm volatile("mov %%fs:0, %0" : "=r"(value));
	if (value != 0x5a5a)
		return 6;
	return through_fs();
}

int attack(char **arguments, char **environment)
{
	static int (*const tries[])(void) = { untouched, untouched_gs, through_fs, through_gs, after_own, untouched, untouched_gs };
	u32 i;

	for (i = 0; i < sizeof tries / sizeof *tries; i++) {
		int end = in_child(tries[i]);

		say_number("a selector of nothing:", end);
		must(end == 2 << 8, "an address that tells something");
	}
	return 0;
}
