/* Wins: the processor's privileges, or the kernel's stack, on the way back from a call or a signal of 64-bit code
   System: x86_64-linux
   Verdict: ok

   Calls are made with every flag set that a program can set, with a stack that is none, from the last bytes before memory ends; signal frames that the builder wrote
   ask for addresses that are none (a return by sysret to such a one faults as the kernel), for the kernel's, and for flags and segments of others. */

#include "attack64.h"

static u64 frame[120]; /* return address, then ucontext: flags, link, stack, the registers from 6 on, the mask at 38 */
static u64 at, flag, stack, segments;

void privileged_code(void);
asm(".globl privileged_code\nprivileged_code:\n\tcli\n\tmov $60, %eax\n\tmov $42, %edi\n\tsyscall\n\thlt\n");

static int returns(void)
{
	u32 i;

	for (i = 0; i < 120; i++)
		frame[i] = 0;
	frame[21] = stack;
	frame[22] = at;
	frame[23] = flag;
	frame[24] = segments;
	asm volatile("mov %0, %%rsp\n\tmov $15, %%eax\n\tsyscall\n\thlt" : : "r"(frame + 1) : "memory");
	return 42;
}

/* A call with these flags: the processor must come back with the kernel's own in between, and the program's after. */
static int calls_with_flags(void)
{
	u64 back = 0;

	asm volatile("push %1\n\tpopfq\n\tmov $39, %%eax\n\tsyscall\n\tpushfq\n\tpop %0" : "=r"(back) : "r"(flag) : "rax", "rcx", "r11", "memory");
	return (back & 0x3000) != 0; /* the level of ports */
}

static int calls_without_stack(void)
{
	asm volatile("mov %0, %%rsp\n\tmov $39, %%eax\n\tsyscall\n\tmov $60, %%eax\n\txor %%edi, %%edi\n\tsyscall\n\thlt" : : "r"(at) : "memory");
	return 42;
}

/* A call from the last bytes before memory ends: the way back leads to the first address that is no user's. */
static int calls_at_the_end(void)
{
	u8 *page = (u8 *)at;

	if ((u64)sys(MMAP, page, PAGE, 7l, 0x32l, -1l, 0l) != at)
		return 0;
	page[PAGE - 2] = 0x0f;
	page[PAGE - 1] = 0x05;
	asm volatile("mov $39, %%eax\n\tjmp *%0" : : "r"(page + PAGE - 2) : "memory");
	return 42;
}

int attack(void)
{
	static const u64 flags[] = { 0x3202, 0x4202, 0x10202, 0x20202, 0x40202, 0x80202, 0x100202, 0x200202, 0x246, 0x602, 0x302, 0xffffffff, 0x3f7fd7 };
	static const u64 ends[] = { 0x7efff000, 0x7fffffffe000, 0x7ffffffff000, 0x7dfff000, 0xfffff000 };
	u32 i, k;
	int end;

	for (i = 0; i < FOREIGN; i++) {
		at = foreign[i];
		flag = 0x202;
		segments = 0x002b000000000033;
		stack = (u64)(frame + 100);
		must((in_child(returns) & 127) != 0, "a program goes on at an address that is none");
		at = (u64)privileged_code;
		stack = foreign[i];
		must((in_child(returns) & 127) != 0, "a frame with a stack that is none gave privileges");
		at = foreign[i];
		end = in_child(calls_without_stack);
		must(end == 0 || (end & 127), "a call without a stack");
	}
	for (i = 0; i < sizeof flags / sizeof *flags; i++)
		for (k = 0; k < 0x50; k += 8) {
			at = (u64)privileged_code;
			flag = flags[i];
			stack = (u64)(frame + 100);
			segments = (u64)(k | 3 * (k / 8 & 1)) << 48 | (k | 3 * (i & 1));
			must((in_child(returns) & 127) != 0, "a frame gave privileges");
		}
	for (i = 0; i < sizeof flags / sizeof *flags; i++) {
		flag = flags[i];
		end = in_child(calls_with_flags);
		must(end == 0 || (end & 127), "a call came back with the right to use ports");
	}
	for (i = 0; i < sizeof ends / sizeof *ends; i++) {
		at = ends[i];
		end = in_child(calls_at_the_end);
		must(end == 0 || (end & 127), "a call went on behind the end of memory");
	}
	return 0;
}
