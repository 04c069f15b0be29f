/* CVE: CVE-2012-0056, CVE-2019-13272, CVE-2014-4699, CVE-2003-0127
   Wins: another program's memory, by a descriptor or a tracer that was there before it began; the kernel's, by an offset; the processor's privileges, by registers
   Verdict: ok
   Output: ok

   A child's memory is opened as a file, then the child begins the program anew: what is written through the descriptor must not be there. Offsets of the kernel must
   be refused. A tracer that sets a child's segments and flags to the kernel's must not see a privileged instruction done. */

#include "../attack.h"

enum { PTRACE = 26, TRACEME = 0, PEEKUSER = 3, POKEUSER = 6, CONT = 7 };

static volatile u32 word = 0x1234;
static char memory_of[] = "/proc/00000/mem";

static void name(int pid)
{
	char *at = memory_of + 10;
	int digits = 0;

	do {
		at--;
		*at = (char)('0' + pid % 10);
		digits++;
	} while (pid /= 10);
	for (pid = 0; pid < digits; pid++) /* /proc/N/mem */
		memory_of[6 + pid] = at[pid];
	for (at = "/mem"; *at; at++)
		memory_of[6 + pid++] = *at;
	memory_of[6 + pid] = 0;
}

static int privileged(void)
{
	sys(PTRACE, TRACEME, 0, 0, 0);
	sys(KILL, sys(GETPID), 19);
	asm volatile("cli");
	return 42;
}

int attack(char **arguments, char **environment)
{
	static const u32 highs[] = { 0xffffffff, 0xffff8000, 0xffffffff, 0x80000000, 1 }, lows[] = { 0x80000000, 0, 0xfffff000, 0, 0 };
	static const u32 places[] = { 13, 16, 14 }, values[] = { 0x10, 0x18, 0x3202 }; /* xcs, xss, eflags with all of IOPL */
	char *again[] = { arguments[0], "again", 0 };
	int begun[2], written[2], pid, fd, end, evil = 0x666, i;
	u8 byte;

	if (arguments[1]) { /* the program that began anew: descriptors 8 and 9 are its pipes */
		sys(WRITE, 9, "x", 1);
		sys(READ, 8, &byte, 1);
		return word != 0x1234;
	}
	sys(PIPE, begun);
	sys(PIPE, written);
	pid = sys(FORK);
	if (!pid) {
		sys(READ, written[0], &byte, 1);
		sys(DUP2, written[0], 8);
		sys(DUP2, begun[1], 9);
		sys(CLOSE, written[1]);
		sys(EXECVE, arguments[0], again, environment);
		sys(EXIT, 3);
	}
	name(pid);
	fd = sys(OPEN, memory_of, O_RDWR, 0);
	sys(CLOSE, begun[1]);
	sys(WRITE, written[1], "x", 1);
	sys(READ, begun[0], &byte, 1);
	if (!FAILED(fd)) {
		sys(PWRITE64, fd, &evil, 4, &word, 0);
		for (i = 0; i < 5; i++)
			must(sys(PREAD64, fd, &evil, 4, lows[i], highs[i]) <= 0, "memory of the kernel can be read");
	}
	sys(WRITE, written[1], "x", 1);
	sys(WAITPID, pid, &end, 0);
	must(end == 0, "memory of a program is written that began after the descriptor was opened");

	pid = sys(FORK);
	if (!pid)
		sys(EXIT, privileged());
	sys(WAITPID, pid, &end, 2);
	for (i = 0; i < 3; i++)
		sys(PTRACE, POKEUSER, pid, places[i] * 4, values[i]);
	sys(PTRACE, CONT, pid, 0, 0);
	sys(KILL, pid, 18);
	for (i = 0; i < 8 && (end & 0xff) == 0x7f; i++) {
		sys(WAITPID, pid, &end, 2);
		if ((end & 0xff) == 0x7f) {
			int by = end >> 8 & 0xff;

			must(by != 0, "(nothing)");
			sys(PTRACE, CONT, pid, 0, by == 19 ? 0 : by);
		}
	}
	must((end & 0x7f) != 0 || end >> 8 != 42, "a privileged instruction was done");
	sys(KILL, pid, 9);
	return 0;
}
