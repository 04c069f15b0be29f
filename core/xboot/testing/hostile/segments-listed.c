/* Wins: the processor's privileges, through a descriptor of the program's own: a gate, a system segment, code of ring 0
   Verdict: ok
   Timeout: 180
   Breaks: v86

   A table of one's own (modify_ldt) is asked for with every kind of entry; thread-local segments with every bit that there is. Then the processor is asked for every
   selector that there can be (lar), and each that it knows is called, jumped to, returned to and loaded: the program is never anything but in ring 3. */

#include "attack.h"

enum { MODIFY_LDT = 123, GET_THREAD_AREA = 244, ARCH_PRCTL = 384 };

static u32 selector, way;
static u32 target[2];

void lands(void);
asm(".globl lands\nlands:\n\tmov %cs, %ebx\n\tand $3, %ebx\n\txor $3, %ebx\n\tshl $1, %ebx\n\tmov $1, %eax\n\tint $0x80\n\thlt\n"); /* 0: in ring 3 */

static int goes(void)
{
	target[0] = (u32)lands;
	target[1] = selector;
	switch (way) {
	case 0:
		asm volatile("ljmp *%0" : : "m"(target[0]));
		break;
	case 1:
		asm volatile("lcall *%0" : : "m"(target[0]));
		break;
	case 2:
		asm volatile("push %0\n\tpush %1\n\tlret" : : "r"(selector), "r"(lands));
		break;
	default:
		asm volatile("push $0x202\n\tpush %0\n\tpush %1\n\tiret" : : "r"(selector), "r"(lands));
	}
	return 0;
}

static int loads(void)
{
	u32 value = 0;

	asm volatile("mov %0, %%fs" : : "r"(selector));
	sys(GETPID);
	asm volatile("mov %%fs:(%1), %0" : "=r"(value) : "r"(way ? 0x80100000 : 0xc0100000));
	return 1;
}

/* What the processor says of a selector; 0: it has no such one, or none for this program. */
static u32 known(u32 s)
{
	u32 rights = 0;

	asm volatile("lar %1, %0\n\tje 1f\n\txor %0, %0\n1:" : "=r"(rights) : "r"(s));
	return rights;
}

static void entries(void)
{
	u32 e[4], kind, i, two[2];

	for (kind = 0; kind < 256; kind++) {
		e[0] = kind % 8;
		e[1] = kind & 1 ? 0x80100000 : 0;
		e[2] = 0xfffff;
		e[3] = kind;
		sys(MODIFY_LDT, 1, e, 16);
		sys(MODIFY_LDT, 0x11, e, 16);
		e[0] = ~0u;
		sys(SET_THREAD_AREA, e);
	}
	for (i = 0; i < 8; i++) { /* as the processor has them: a call gate to the kernel */
		two[0] = 0x00080000 | ((u32)lands & 0xffff);
		two[1] = ((u32)lands & 0xffff0000) | 0xec00;
		sys(MODIFY_LDT, 0, two, 8);
		sys(MODIFY_LDT, 2, two, 8);
		sys(MODIFY_LDT, 1, two, 8);
	}
	for (i = 0; i < 0x3000; i += 0x1001)
		sys(ARCH_PRCTL, 0x1001 + i % 4, 0x80100000);
}

#define BELOW ((u32 *)0x1000)

/* A processor that was given no table of local descriptors has one at address 0, after a reset. */
static void none_of_ours(void)
{
	u32 i;

	if (sys(MMAP2, BELOW, 15 * PAGE, 3, 0x32, -1, 0) != (int)BELOW)
		return;
	for (i = 0; i < 15 * PAGE / 8; i++) { /* data and code of ring 3, code of ring 0, gates to it */
		BELOW[2 * i] = i % 4 == 3 ? 0x00080000 | ((u32)lands & 0xffff) : 0x0000ffff;
		BELOW[2 * i + 1] = i % 4 == 0 ? 0x00cff200 : i % 4 == 1 ? 0x00cffa00 : i % 4 == 2 ? 0x00cf9e00 : ((u32)lands & 0xffff0000) | 0xec00;
	}
	for (i = 0x1000; i < 0x10000; i += 8)
		must(!known(i | 7), "the processor takes a descriptor from the program's own memory");
}

static int all(void)
{
	u32 s, found = 0;

	entries();
	none_of_ours();
	if (losses)
		return losses != 0;
	for (s = 0; s < 0x10000; s++) {
		if ((s & 3) == 1 || (s & 3) == 2 || !(known(s) >> 8))
			continue;
		found++;
		selector = s;
		for (way = 0; way < 4; way++) {
			int end = way == 1 && !(known(s) & 0x1000) ? 0 : in_child(goes); /* not through a gate of the kernel's own */

			must((end & 127) != 0 || end == 0, "a selector leads to another ring");
		}
		for (way = 0; way < 2; way++)
			must(in_child(loads) != 1 << 8 || way, "memory of the kernel is read through a selector");
	}
	say_number("selectors", (int)found);
	return losses != 0;
}

int attack(char **arguments, char **environment)
{
	must(in_child(all) == 0, "selectors");
	return 0;
}
