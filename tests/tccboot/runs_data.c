/* A first process for tests: it runs code where data lies, each in a child, and says how each ended: 7, what the code answers, or the signal. For guests only. */

#include "attack.h"

#define CODE { 0xb8, 7, 0, 0, 0, 0xc3 } /* mov $7, %eax; ret */
#define SIGACTION 67
#define PERSONALITY 136

static u8 data[] = CODE;
static u8 *place;

static int run(void)
{
	return ((int (*)(void))place)();
}

static int on_stack(void)
{
	u8 code[] = CODE;

	place = code;
	return run();
}

static int changed;

static void handler(int number)
{
	changed = number;
}

/* A handler without a restorer comes back by code in its frame. */
static int comes_back(void)
{
	u32 action[4] = { (u32)handler, 0, 0, 0 };

	sys(SIGACTION, 10, action, 0);
	sys(KILL, sys(GETPID), 10);
	return changed == 10 ? 7 : 1;
}

static int comes_back_with_info(void)
{
	u32 action[5] = { (u32)handler, 4, 0, 0, 0 };

	sys(RT_SIGACTION, 10, action, 0, 8);
	sys(KILL, sys(GETPID), 10);
	return changed == 10 ? 7 : 1;
}

static void tell(const char *what, int (*how)(void), u8 *where)
{
	int end;

	place = where;
	end = in_child(how);
	say_number(what, end & 127 ? end & 127 : end >> 8);
}

static u8 *mapped(u32 protection, u32 flags)
{
	u8 *at = (u8 *)sys(MMAP2, 0, PAGE, 3, flags, -1, 0);
	u32 i;

	for (i = 0; i < sizeof data; i++)
		at[i] = data[i];
	if (protection != 3)
		sys(MPROTECT, at, PAGE, protection);
	return at;
}

int attack(char **arguments, char **environment)
{
	u8 *heap = (u8 *)sys(BRK, 0), *both = mapped(7, 0x22);
	u32 i;

	sys(BRK, heap + PAGE);
	for (i = 0; i < sizeof data; i++)
		heap[i] = data[i];
	tell("data", run, data);
	tell("heap", run, heap);
	tell("stack", on_stack, 0);
	tell("mapped", run, mapped(3, 0x22));
	tell("shared", run, mapped(3, 0x21));
	tell("read-only", run, mapped(1, 0x22));
	tell("never-touched", run, (u8 *)sys(MMAP2, 0, PAGE, 3, 0x22, -1, 0));
	tell("may-run", run, mapped(5, 0x22));
	tell("may-run-shared", run, mapped(5, 0x21));
	tell("may-all", run, both);
	sys(MPROTECT, both, PAGE, 3);
	tell("no-more", run, both);
	tell("handler", comes_back, 0);
	tell("handler-info", comes_back_with_info, 0);
	sys(PERSONALITY, 0);
	tell("mapped-new", run, mapped(3, 0x22));
	sys(MPROTECT, (u32)&heap & ~(PAGE - 1), PAGE, 0x1000007); /* as glibc asks for a stack that can be run */
	tell("stack-again", on_stack, 0);
	return 0;
}
