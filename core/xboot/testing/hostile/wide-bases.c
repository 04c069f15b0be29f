/* Wins: the kernel's memory, through a base of fs or gs, or by a selector; or another's registers
   System: x86_64-linux
   Verdict: ok

   Bases are asked for at every address that is none or the kernel's; instructions that set them are tried; each selector that there can be is jumped to, loaded and
   looked at. What registers of floating point hold at the start, and after others ran, must be nothing of anybody else. */

#include "attack64.h"

static u64 base;
static u32 selector, way;
static struct { u64 at; unsigned short segment; } __attribute__((packed)) target;

static int through_fs(void)
{
	u64 value = 0;

	sys(ARCH_PRCTL, 0x1002l, base);
	asm volatile("mov %%fs:0, %0" : "=r"(value));
	return 1;
}

static int through_gs(void)
{
	u64 value = 0;

	sys(ARCH_PRCTL, 0x1001l, base);
	asm volatile("mov %%gs:0, %0" : "=r"(value));
	return 1;
}

static int sets(void) /* wrgsbase, and then a look at what lies there */
{
	asm volatile("mov %0, %%rax\n\t.byte 0xf3, 0x48, 0x0f, 0xae, 0xd8\n\tmov %%gs:0, %%rax" : : "r"(base) : "rax");
	return 1;
}

void lands(void);
asm(".globl lands\nlands:\n\tmov %cs, %edi\n\tand $3, %edi\n\txor $3, %edi\n\tshl $1, %edi\n\tmov $60, %eax\n\tsyscall\n\thlt\n"); /* 0: in ring 3 */

static int goes(void)
{
	u64 to = selector, there = (u64)lands, ours = 0;

	target.at = (u64)lands; /* below 4 GiB: what is read of it by a jump with 32 bits is the selector's upper half, or zeros */
	target.segment = (unsigned short)selector;
	if (way == 0)
		asm volatile(".byte 0x48, 0xff, 0x28" : : "a"(&target)); /* rex.w ljmp *(%rax) */
	else if (way == 1)
		asm volatile("mov %%ss, %0\n\tmov %%rsp, %%rcx\n\tpush %0\n\tpush %%rcx\n\tpush $0x202\n\tpush %1\n\tpush %2\n\t.byte 0x48, 0xcf" : "=&r"(ours) : "r"(to), "r"(there) : "rcx", "memory");
	else
		asm volatile("mov %0, %%gs\n\tmov %%gs:0, %%rax" : : "r"(selector) : "rax");
	return way == 2;
}

static u32 known(u32 s)
{
	u32 rights = 0;

	asm volatile("lar %1, %0\n\tje 1f\n\txor %0, %0\n1:" : "=r"(rights) : "r"(s));
	return rights;
}

static int privileged(void)
{
	switch (way) {
	case 0: asm volatile("cli"); break;
	case 1: asm volatile("in $0x60, %%al" : : : "rax"); break;
	case 2: asm volatile("mov %%cr3, %%rax" : : : "rax"); break;
	case 3: asm volatile("xor %%ecx, %%ecx\n\trdmsr" : : : "rax", "rcx", "rdx"); break;
	case 4: asm volatile(".byte 0x0f, 0x01, 0xf8"); break;                   /* swapgs */
	case 5: asm volatile("xor %%ecx, %%ecx\n\t.byte 0x48, 0x0f, 0x07" : : : "rcx"); break; /* sysret */
	case 6: asm volatile("hlt"); break;
	case 7: asm volatile("mov $0x10, %%eax\n\tmov %%eax, %%ss" : : : "rax"); break;
	case 8: asm volatile(".byte 0x0f, 0x34"); break;                         /* sysenter */
	default: asm volatile("mov %%rax, %%cr8" : : : "rax");
	}
	return 1;
}

static u8 area[512 + 16];

static int floating_is_clear(void)
{
	u8 *a = (u8 *)(((u64)area + 15) & ~15ul);
	u32 i;

	asm volatile("fxsave (%0)" : : "r"(a) : "memory");
	for (i = 160; i < 416; i++)
		if (a[i])
			return 0;
	return 1;
}

int attack(void)
{
	u32 i;

	must(floating_is_clear(), "registers of floating point hold what others left");
	for (i = 0; i < FOREIGN; i++) {
		base = foreign[i];
		must((in_child(through_fs) & 127) != 0, "memory of the kernel is read through fs");
		must((in_child(through_gs) & 127) != 0, "memory of the kernel is read through gs");
		must((in_child(sets) & 127) != 0, "memory of the kernel is read through gs, set by an instruction");
	}
	for (way = 0; way < 10; way++)
		must((in_child(privileged) & 127) != 0, "an instruction of the kernel's");
	for (selector = 0; selector < 0x100; selector++) {
		if (!(known(selector) >> 8))
			continue;
		for (way = 0; way < 3; way++) {
			int end = in_child(goes);

			must((end & 127) != 0 || end == 0, "a selector leads to another ring, or to the kernel's memory");
		}
	}
	return 0;
}
