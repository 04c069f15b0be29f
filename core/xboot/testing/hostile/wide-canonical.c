/* Wins: the kernel's memory, by an instruction whose operand has no canonical address, or the kernel's; or an end of the machine by a fault of a rare kind
   System: x86_64-linux
   Verdict: ok

   A reference through an address that is not canonical is another fault than one that is not mapped, and through the stack's registers still another. Each way of an
   instruction to memory, and each way to go on somewhere, is tried with each address that is none or the kernel's: a child must be told a signal. State with bits that
   there are not (MXCSR, fxrstor) is the builder's own fault as well. */

#include "attack64.h"

#define WAYS 22
#define VSYSCALL 0xffffffffff600000 /* on Linux code lies there that is everybody's */

enum { YIELD = 24 };

static u64 at, way;
static u8 area[512 + 64] __attribute__((aligned(64)));

static int goes(void)
{
	switch (way) {
	case 0: asm volatile("mov (%0), %%rax" : : "r"(at) : "rax"); break;
	case 1: asm volatile("mov %%rax, (%0)" : : "r"(at) : "memory"); break;
	case 2: asm volatile("mov %0, %%rbp\n\tmov (%%rbp), %%rax" : : "r"(at) : "rax"); break; /* by the stack's segment */
	case 3: asm volatile("mov %0, %%rsp\n\tpop %%rax" : : "r"(at) : "rax"); break;
	case 4: asm volatile("mov %0, %%rsp\n\tcall *%%rax" : : "r"(at), "a"(area)); break;
	case 5: asm volatile("jmp *%0" : : "r"(at)); break;
	case 6: asm volatile("call *%0" : : "r"(at)); break;
	case 7: asm volatile("push %0\n\tret" : : "r"(at)); break;
	case 8: asm volatile("mov %%ss, %%ecx\n\tmov %%rsp, %%rdx\n\tpush %%rcx\n\tpush %%rdx\n\tpush $0x202\n\tmov %%cs, %%ecx\n\tpush %%rcx\n\tpush %0\n\t.byte 0x48, 0xcf" : : "a"(at) : "rcx", "rdx"); break;
	case 9: asm volatile("mov %%cs, %%ecx\n\tpush %%rcx\n\tpush %0\n\t.byte 0x48, 0xcb" : : "a"(at) : "rcx"); break; /* lretq */
	case 10: asm volatile("fxsave (%0)" : : "r"(at & ~15ul) : "memory"); break;
	case 11: asm volatile("fxrstor (%0)" : : "r"(at & ~15ul)); break;
	case 12: asm volatile("mov %0, %%rsi\n\tmov %1, %%rdi\n\tmov $8, %%ecx\n\trep movsb" : : "a"(at), "d"(area) : "rsi", "rdi", "rcx", "memory"); break;
	case 13: asm volatile("mov %0, %%rdi\n\tmov $8, %%ecx\n\trep stosb" : : "d"(at) : "rdi", "rcx", "memory"); break;
	case 14: asm volatile(".byte 0xf0, 0x48, 0x0f, 0xc7, 0x0f" : : "D"(at & ~15ul) : "rax", "rdx", "memory"); break; /* lock cmpxchg16b (%rdi) */
	case 15: asm volatile(".byte 0x0f, 0x01, 0x00" : : "a"(at) : "memory"); break; /* sgdt (%rax) */
	case 16: asm volatile(".byte 0x0f, 0x01, 0x08" : : "a"(at) : "memory"); break; /* sidt (%rax) */
	case 17: asm volatile("movups (%0), %%xmm0" : : "r"(at)); break;
	case 18: asm volatile(".byte 0x0f, 0xc3, 0x08" : : "a"(at) : "memory"); break; /* movnti %ecx, (%rax) */
	case 19: asm volatile("mov %0, %%rsp\n\tenter $16, $3" : : "r"(at) : "memory"); break;
	case 20: asm volatile(".byte 0x0f, 0x01, 0x10" : : "a"(area)); break; /* lgdt (%rax) */
	default: asm volatile(".byte 0x0f, 0x00, 0xd8" : : "a"(0x48)); break; /* ltr %ax */
	}
	return 42;
}

/* Hints touch nothing: whoever gives one lives. */
static int hints(void)
{
	asm volatile(".byte 0x0f, 0x18, 0x08" : : "a"(at)); /* prefetcht0 (%rax) */
	return 0;
}

static u32 bit;

static int control(void)
{
	u32 value = 0x1f80 | 1u << bit;

	asm volatile(".byte 0x0f, 0xae, 0x10" : : "a"(&value)); /* ldmxcsr (%rax) */
	sys(YIELD);
	return 7;
}

static int restores(void)
{
	u32 i;

	for (i = 0; i < 512; i++)
		area[i] = 0xff;
	asm volatile("fxrstor (%0)" : : "r"(area));
	sys(YIELD);
	return 7;
}

/* A processor refuses, an emulator may not look: but the kernel, which then saves and restores that state, goes on. */
static void lives(int end, const char *what)
{
	must(end == 7 << 8 || (end & 127) != 0, what);
}

int attack(void)
{
	u32 i;

	for (i = 0; i < FOREIGN; i++) {
		at = foreign[i];
		for (way = 0; way < WAYS; way++)
			if (at != VSYSCALL || way < 5 || way > 9)
				must((in_child(goes) & 127) != 0, "an address that is none, or the kernel's");
		must(in_child(hints) == 0, "a hint ends who gives it");
	}
	for (bit = 16; bit < 32; bit++)
		lives(in_child(control), "a control word with bits that there are not");
	lives(in_child(restores), "a state with bits that there are not");
	must(sys(GETPID) > 0, "no more calls");
	return 0;
}
