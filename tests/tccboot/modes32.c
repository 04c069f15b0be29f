/* The other way round: 32-bit code that goes into 64-bit code, or calls as that does. For guests only. */

#include "attack.h"

static int way;
static struct { u32 at; unsigned short segment; } __attribute__((packed)) target;

void lands(void);
asm(".globl lands\nlands:\n\tmov $1, %eax\n\tmov $7, %ebx\n\tint $0x80\n\thlt\n");

static int goes(void)
{
	target.at = (u32)lands;
	target.segment = way == 0 ? 0x2b : way == 1 ? 0x33 : 0x0b;
	if (way < 3)
		asm volatile(".byte 0xff, 0x28" : : "a"(&target)); /* ljmp *(%eax) */
	else if (way == 3)
		asm volatile(".byte 0x0f, 0x05"); /* syscall */
	else if (way == 4)
		asm volatile(".byte 0x0f, 0x34"); /* sysenter */
	else
		asm volatile("xor %%ecx, %%ecx\n\t.byte 0x0f, 0x07" : : : "ecx"); /* sysret */
	return 9;
}

int attack(char **arguments, char **environment)
{
	for (way = 0; way < 6; way++)
		must((in_child(goes) & 127) != 0, "code of the other width runs");
	return 0;
}
