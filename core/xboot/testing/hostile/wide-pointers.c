/* Wins: the kernel's memory, read or written through a call of 64-bit code
   System: x86_64-linux
   Verdict: ok

   Every address that is none or the kernel's is given to calls that read or write memory, alone, as a piece of several, inside structures; and sizes that wrap. Each must
   be refused, and nothing may be moved. */

#include "attack64.h"

static char text[64];
static u64 where;

static void refused(long result, const char *what)
{
	must(result < 0 && result >= -4095, what);
}

static void each(int in, int out)
{
	u64 pieces[4] = { (u64)text, 1, where, 8 }, message[7] = { 0, 0, where, 1, 0, 0, 0 };
	long moved;

	refused(sys(WRITE, (long)out, where, 8l), "write takes what is no memory of the program's");
	refused(sys(FSTAT, (long)in, where), "fstat");
	refused(sys(OPEN, where, 0l, 0l), "a path is read from what is no memory");
	refused(sys(PIPE, where), "pipe");
	refused(sys(UNAME, where), "uname");
	refused(sys(RT_SIGACTION, 10l, where, 0l, 8l), "sigaction reads");
	refused(sys(RT_SIGACTION, 10l, 0l, where, 8l), "sigaction writes");
	refused(sys(SIGALTSTACK, 0l, where), "sigaltstack");
	refused(sys(NANOSLEEP, where, 0l), "nanosleep");
	refused(sys(FUTEX, where, 1l, 1l, 0l, 0l, 0l) > 0 ? 0 : sys(FUTEX, where, 0l, 0l, 0l, 0l, 0l), "futex");
	refused(sys(EXECVE, where, 0l, 0l), "execve");
	refused(sys(EXECVE, "/none", where, 0l), "execve's arguments");
	refused(sys(SENDMSG, (long)out, message, 0l), "sendmsg");
	moved = sys(WRITEV, (long)out, pieces, 2l);
	must(moved <= 1, "writev takes what is no memory of the program's");
	if (moved == 1)
		sys(READ, (long)in, text, 1l);
	refused(sys(ARCH_PRCTL, 0x1003l, where), "arch_prctl writes");
	sys(WRITE, (long)out, "12345678", 8l);
	refused(sys(READ, (long)in, where, 8l), "read writes to what is no memory of the program's");
	must(sys(READ, (long)in, text, 8l) == 8, "what was not read stays");
}

int attack(void)
{
	int ends[2];
	u32 i;

	if (sys(PIPE, ends))
		return 1;
	for (i = 0; i < FOREIGN; i++) {
		where = foreign[i];
		if (where < 0x100000000 && where != 0xfffff000)
			continue; /* may be memory, elsewhere than here */
		each(ends[0], ends[1]);
	}
	refused(sys(MMAP, 0l, 0xfffffffffffff001, 3l, 0x22l, -1l, 0l), "a mapping whose size wraps");
	refused(sys(MMAP, 0x7ffffffff000, 0x800000000000, 3l, 0x32l, -1l, 0l), "a mapping beyond all memory");
	refused(sys(MMAP, 0xffff800000000000, PAGE, 3l, 0x32l, -1l, 0l), "a mapping in the kernel's half");
	refused(sys(MPROTECT, 0xffff800000000000, PAGE, 7l), "rights to the kernel's half");
	refused(sys(MPROTECT, 0x1000l, 0xfffffffffffff000, 7l), "rights to everything");
	refused(sys(MUNMAP, 0xffff800000000000, PAGE), "the kernel's half unmapped");
	refused(sys(MUNMAP, 0x1000l, 0xffffffffffffe000), "everything unmapped");
	return 0;
}
