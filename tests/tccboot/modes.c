/* Ends with 0 if each way from 64-bit code into 32-bit code, or to the calls of 32-bit code, ended the program that took it. For guests only. */

#include "attack64.h"

static int way;
static struct { u64 at; unsigned short segment; } __attribute__((packed)) target;

void lands(void);
asm(".globl lands\nlands:\n\tmov $1, %eax\n\tmov $7, %ebx\n\tint $0x80\n\tmov $60, %eax\n\tmov $7, %edi\n\tsyscall\n\thlt\n");

static int goes(void)
{
	target.at = (u64)lands;
	target.segment = way == 0 ? 0x1b : 0x23;
	if (way < 2)
		asm volatile(".byte 0xff, 0x28" : : "a"(&target)); /* ljmp *(%rax) */
	else if (way == 2)
		asm volatile("mov $20, %%eax\n\tint $0x80" : : : "rax");
	else
		asm volatile("mov %%ss, %%rcx\n\tmov %%rsp, %%rdx\n\tpush %%rcx\n\tpush %%rdx\n\tpush $0x202\n\tpush $0x1b\n\tpush %0\n\t.byte 0x48, 0xcf" : : "r"((u64)lands) : "rcx", "rdx", "memory");
	return 9;
}

int attack(void)
{
	for (way = 0; way < 4; way++)
		must((in_child(goes) & 127) != 0, "code of the other width runs");
	return 0;
}
