/* Wins: an input is changed for the steps that come, through a mapping of it
   Verdict: ok
   Then: [ -x $bb/bin/busybox ] && $bb/bin/busybox true || exit 12; echo ok > $out

   The program's own file, which it may only read, is mapped in every way; every way to a right that the descriptor does not give is tried, and the kernel is asked to
   write there. */

#include "attack.h"

int attack(char **arguments, char **environment)
{
	static u8 before[64], after[64];
	const char *program = 0;
	int file, i, zero = sys(OPEN, "/dev/zero", 0);
	u32 kind;
	u8 *memory;

	for (i = 0; environment[i]; i++)
		if (environment[i][0] == 'p' && environment[i][7] == '=')
			program = environment[i] + 8;
	file = program ? sys(OPEN, program, 0) : -1;
	must(file >= 0 && sys(PREAD64, file, before, 64, 0, 0) == 64, "the program cannot be read");
	must(FAILED(sys(OPEN, program, 1)) && FAILED(sys(OPEN, program, O_RDWR)) && FAILED(sys(TRUNCATE, program, 0)) && FAILED(sys(OPEN, descriptor_path(file), O_RDWR)),
	     "an input can be opened for writing");
	for (kind = 1; kind < 4; kind++) {
		memory = (u8 *)sys(MMAP2, 0, PAGE, 3, kind, file, 0);
		if (kind != 2)
			must(FAILED(memory), "an input can be mapped to be written");
		memory = (u8 *)sys(MMAP2, 0, PAGE, 1, kind, file, 0);
		if (FAILED(memory))
			continue;
		i = sys(MPROTECT, memory, PAGE, 3);
		if (kind != 2)
			must(FAILED(i), "a mapping of an input gets the right to write");
		sys(READ, zero, memory, 64);
		if (!FAILED(i))
			fill(memory, 0, 64);
		memory = (u8 *)sys(MREMAP, memory, PAGE, 2 * PAGE, 1);
		sys(READ, zero, memory, 64);
		sys(MADVISE, memory, PAGE, 4);
		sys(MADVISE, memory, PAGE, 9);
		sys(MSYNC, memory, PAGE, 4);
	}
	must(FAILED(sys(FALLOCATE, file, 3, 0, 0, 64, 0)) && FAILED(sys(FTRUNCATE, file, 0)) && FAILED(sys(SENDFILE, file, zero, 0, 64)), "an input can be cut");
	must(sys(PREAD64, file, after, 64, 0, 0) == 64, "the program cannot be read again");
	for (i = 0; i < 64; i++)
		must(before[i] == after[i], "an input has changed");
	return 0;
}
