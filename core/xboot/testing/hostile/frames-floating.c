/* Wins: a fault in the kernel, by floating point state that a signal's frame brings; or one that ends the machine
   Verdict: ok
   Timeout: 120

   Handlers change the frame that they return through: the floating point area with every bit set, odd control words and sizes, pointers to it that lead to the kernel, to the end
   of memory, and to what is gone; they return on stacks that end in the middle of a frame. Each is the program's own affair. */

#include "attack.h"

enum { SIGACTION = 67, SIGALTSTACK = 186, YIELD = 158 };

static u32 kind, seen;

static void handler(int number, u32 *info, u32 *context)
{
	/* ucontext: flags, link, stack, then the registers: floating is behind ss */
	u32 **floating = (u32 **)&context[5 + 19], *area, i;

	seen++;
	area = *floating;
	switch (kind) {
	case 0:
		break;
	case 1:
		for (i = 0; area && i < 108 / 4; i++)
			area[i] = 0xffffffff;
		break;
	case 2:
		for (i = 0; area && i < 512 / 4; i++)
			area[i] = 0xffffffff;
		break;
	case 3:
		if (area)
			area[28 + 6] = 0xffffffff; /* MXCSR, where the newer state follows the older */
		break;
	case 4:
		if (area)
			area[6] = 0xffff;
		break;
	case 5:
		*floating = (u32 *)0x80100000;
		break;
	case 6:
		*floating = (u32 *)0xfffffff0;
		break;
	case 7:
		*floating = (u32 *)((u32)area + 4);
		break;
	case 8:
		*floating = (u32 *)0x7efffff0;
		break;
	case 9:
		context[5 + 16] = 0xffffffff; /* flags */
		break;
	default:
		context[0] = context[1] = 0xffffffff;
		fill(info, 0xff, 128);
	}
	(void)number;
}

static int returns(void)
{
	u32 action[5] = { (u32)handler, 4, 0, 0, 0 }, i;
	float one = 1;

	sys(RT_SIGACTION, 10, action, 0, 8);
	for (i = 0; i < 20; i++) {
		sys(KILL, sys(GETPID), 10);
		one = one + one;
		asm volatile("fninit\n\tfld1\n\tfstp %%st(0)" : : : "memory");
		sys(YIELD);
	}
	return seen ? 0 : 1;
}

/* A stack whose end lies within what the kernel would push, or take. */
static int at_an_edge(void)
{
	u32 action[5] = { (u32)handler, 4 | 0x08000000, 0, 0, 0 }, stack[3] = { 0x20000000 + kind * 64, 0, 4096 };

	sys(MMAP2, 0x20000000, PAGE, 3, 0x32, -1, 0);
	sys(SIGALTSTACK, stack, 0);
	sys(RT_SIGACTION, 10, action, 0, 8);
	sys(KILL, sys(GETPID), 10);
	sys(MUNMAP, 0x20000000, PAGE);
	sys(KILL, sys(GETPID), 10);
	return 0;
}

int attack(char **arguments, char **environment)
{
	u32 i;

	for (kind = 0; kind < 11; kind++) {
		int end = in_child(returns);

		must(end == 0 || end & 127, "a changed frame is not returned through");
	}
	for (kind = 0; kind < 64; kind++)
		must((in_child(at_an_edge) & 0x7f) != 9, "a frame at a stack's end");
	for (i = 0; i < 3; i++)
		must(sys(GETPID) > 0, "no more calls");
	return 0;
}
