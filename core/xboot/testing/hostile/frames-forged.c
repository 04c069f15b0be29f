/* Wins: the processor's privileges, by a signal frame that the builder wrote
   Verdict: ok

   Return from signals that never came, with frames that ask for other segments, flags and addresses of the kernel. Whatever comes of it, the program may then do no
   more than before: its next privileged instruction must end it. */

#include "attack.h"

static u32 frame[256];
static u32 selectors[] = { 0, 3, 8, 0x10, 0x17, 0x1b, 0x1f, 0x20, 0x28, 0x2b, 0x33, 0x3b, 0x43, 0x4b, 0x73, 0x7b, 0xfff0, 0xffff, 0x12340010 };
static u32 flags[] = { 0x202, 0x3202, 0x4202, 0x24202, 0x20202, 0x200202, 0x3f7fd7, 0xffffffff, 0x100, 0x40202 };
static u32 place, value, flag, kind;

void privileged_code(void);
asm(".globl privileged_code\nprivileged_code:\n\tcli\n\tmov $1, %eax\n\tmov $42, %ebx\n\tint $0x80\n\thlt\n");

static int one(void)
{
	u32 *context = kind ? frame + 40 : frame + 1, i, ours[3];

	asm volatile("mov %%cs, %0\n\tmov %%ss, %1\n\tmov %%ds, %2" : "=r"(ours[0]), "=r"(ours[1]), "=r"(ours[2]));
	for (i = 0; i < 256; i++)
		frame[i] = 0;
	/* gs fs es ds edi esi ebp esp ebx edx ecx eax trap error eip cs eflags esp ss */
	context[2] = context[3] = ours[2] & 0xffff;
	context[7] = context[17] = (u32)&frame[250];
	context[14] = (u32)privileged_code;
	context[15] = ours[0] & 0xffff;
	context[16] = flag;
	context[18] = ours[1] & 0xffff;
	if (place < 19)
		context[place] = value;
	if (kind) /* rt: the context lies in a ucontext, behind the information; its place is found by trying */
		asm volatile("mov %0, %%esp\n\tmov $173, %%eax\n\tint $0x80\n\thlt" : : "r"(frame + 40 - 5 - 32 - 3 + 0) : "memory");
	else
		asm volatile("mov %0, %%esp\n\tmov $119, %%eax\n\tint $0x80\n\thlt" : : "r"(frame + 1) : "memory");
	return 42;
}

int attack(char **arguments, char **environment)
{
	static const u32 places[] = { 0, 1, 2, 3, 15, 18, 99 };
	u32 p, v, f;
	int end;

	for (kind = 0; kind < 2; kind++)
		for (p = 0; p < sizeof places / sizeof *places; p++)
			for (v = 0; v < (places[p] == 99 ? 1 : sizeof selectors / sizeof *selectors); v++)
				for (f = 0; f < (places[p] == 99 ? sizeof flags / sizeof *flags : 1); f++) {
					place = places[p];
					value = selectors[v];
					flag = flags[f];
					end = in_child(one);
					must((end & 127) != 0, "a frame gave privileges, or was not the end of them");
				}
	for (v = 0; v < 6; v++) { /* where the program goes on: addresses of the kernel */
		static const u32 addresses[] = { 0x80100000, 0xc0000000, 0xfffff000, 0x7f900000, 0, 0xffffffff };

		kind = 0;
		place = 14;
		value = addresses[v];
		flag = 0x3202;
		must((in_child(one) & 127) != 0, "a program goes on in the kernel's memory");
	}
	return 0;
}
