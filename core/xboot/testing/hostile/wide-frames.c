/* Wins: a fault in the kernel, by the floating point state that a signal's frame of 64-bit code brings; or one that ends the machine
   System: x86_64-linux
   Verdict: ok
   Timeout: 120

   Handlers change the frame that they return through: the floating point area with every bit set, its control words, the marks of a longer state behind it, its pointer led
   to the kernel, beside itself, to an address that is none; flags and segments of all bits; and frames lie where memory ends. Each is the program's own affair. */

#include "attack64.h"

enum { KILL = 62, YIELD = 24, KINDS = 14 };

static u64 kind;
static volatile u32 seen;

void comes_back(void);
asm(".globl comes_back\ncomes_back:\n\tmov $15, %eax\n\tsyscall\n");

static void handler(int number, u32 *info, u64 *context) /* ucontext: flags, link, stack (3), registers from 5 on: flags 22, segments 23, floating 28 */
{
	u32 *area = (u32 *)context[28], i;

	seen++;
	switch (kind) {
	case 0:
		break;
	case 1:
		for (i = 0; area && i < 512 / 4; i++)
			area[i] = 0xffffffff;
		break;
	case 2:
		if (area)
			area[6] = 0xffffffff; /* MXCSR */
		break;
	case 3:
		if (area)
			area[7] = 0; /* its mask */
		break;
	case 4: /* what says that a longer state follows, and how long it is */
		if (area) {
			area[464 / 4] = 0x46505853;
			area[464 / 4 + 1] = 0xfffffff0;
			area[464 / 4 + 2] = area[464 / 4 + 3] = 0xffffffff;
			area[464 / 4 + 4] = 0xfffffff0;
		}
		break;
	case 5:
		context[28] = 0xffff800000100000;
		break;
	case 6:
		context[28] = 0x800000000000;
		break;
	case 7:
		context[28] += 4;
		break;
	case 8:
		context[28] = 0x7ffffffff000 - 16;
		break;
	case 9:
		context[22] = 0xffffffffffffffff;
		break;
	case 10:
		context[23] = 0xffffffffffffffff;
		break;
	case 11:
		context[21] = 0x8000000000000000; /* where it goes on */
		break;
	case 12:
		context[20] = 0xffff800000200000; /* its stack */
		break;
	default:
		context[0] = context[1] = context[2] = context[3] = context[4] = 0xffffffffffffffff;
		for (i = 0; i < 32; i++)
			info[i] = 0xffffffff;
	}
	(void)number;
}

static int returns(void)
{
	u64 action[4] = { (u64)handler, 0x04000004, (u64)comes_back, 0 };
	u32 i;

	sys(RT_SIGACTION, 10l, action, 0l, 8l);
	for (i = 0; i < 20; i++) {
		sys(KILL, sys(GETPID), 10l);
		asm volatile("fninit\n\tfld1\n\tfstp %%st(0)\n\t.byte 0x0f, 0x10, 0xc8" : : : "memory");
		sys(YIELD);
	}
	return seen ? 0 : 1;
}

/* A stack whose end lies within what the kernel would push, or take. */
static int at_an_edge(void)
{
	u64 action[4] = { (u64)handler, 0x0c000004, (u64)comes_back, 0 }, stack[3] = { 0x20000000 + kind * 64, 0, 4096 };

	sys(MMAP, 0x20000000l, PAGE, 3l, 0x32l, -1l, 0l);
	sys(SIGALTSTACK, stack, 0l);
	sys(RT_SIGACTION, 10l, action, 0l, 8l);
	sys(KILL, sys(GETPID), 10l);
	sys(MUNMAP, 0x20000000l, PAGE);
	sys(KILL, sys(GETPID), 10l);
	return 0;
}

int attack(void)
{
	int end;

	for (kind = 0; kind < KINDS; kind++) {
		end = in_child(returns);
		must(end == 0 || end & 127, "a changed frame is not returned through");
	}
	for (kind = 0; kind < 64; kind++)
		must((in_child(at_an_edge) & 0x7f) != 9, "a frame at a stack's end");
	must(sys(GETPID) > 0, "no more calls");
	return 0;
}
