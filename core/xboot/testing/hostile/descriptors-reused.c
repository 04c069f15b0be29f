/* Wins: a descriptor reaches what another one was, by its number being given anew while somebody waits on it
   Verdict: ok

   Processes wait for a pipe; its descriptor is closed, replaced and given anew in every other process that has it. Offsets, flags and close-on-exec belong to whom
   they belong, and a number that is closed is nothing. */

#include "attack.h"

static int ends[2], file;

static int waits(void)
{
	char byte = 0;

	sys(CLOSE, ends[1]);
	return sys(READ, ends[0], &byte, 1) != 1 || byte != 'x';
}

static int replaces(void)
{
	int i, fd;

	for (i = 0; i < 200; i++) {
		fd = sys(OPEN, i & 1 ? "/dev/null" : "/dev/zero", O_RDWR);
		sys(DUP2, fd, ends[0]);
		sys(CLOSE, fd);
		sys(CLOSE, ends[0]);
		must(sys(READ, ends[0], &fd, 1) == -EBADF, "a closed descriptor is read");
	}
	return losses != 0;
}

static int moves(void)
{
	return sys(LSEEK, file, 100, 0) != 100 || sys(CLOSE, file);
}

int attack(char **arguments, char **environment)
{
	static const int odd[] = { -1, -2, 255, 256, 1023, 1024, 65536, 0x7fffffff, (int)0x80000000u, 0x10000003, 0x40000000 };
	char byte;
	int pid[8], i, k, end;

	sys(CHDIR, "/tmp");
	sys(PIPE, ends);
	for (i = 0; i < 8; i++) {
		pid[i] = sys(FORK);
		if (!pid[i])
			sys(EXIT, waits());
	}
	must(in_child(replaces) == 0, "replacing");
	sys(WRITE, ends[1], "xxxxxxxx", 8);
	for (i = 0; i < 8; i++) {
		sys(WAITPID, pid[i], &end, 0);
		must(end == 0, "who waits reads another's bytes");
	}
	file = sys(OPEN, "f", O_RDWR | O_CREAT, 0644);
	must(in_child(moves) == 0 && sys(LSEEK, file, 0, 1) == 100, "a description's offset is not shared");
	for (i = 0; i < (int)(sizeof odd / sizeof *odd); i++) {
		if (odd[i] == 255 || odd[i] == 256 || odd[i] == 1023)
			continue; /* how many there may be differs */
		for (k = 0; k < 2; k++)
			must(FAILED(sys(k ? WRITE : READ, odd[i], &byte, 1)) && FAILED(sys(CLOSE, odd[i])) && FAILED(sys(DUP2, 1, odd[i])) && FAILED(sys(DUP3, 1, odd[i], 0)) &&
			     FAILED(sys(FCNTL, odd[i], 1)) && FAILED(sys(FCNTL, 1, 0, odd[i])) && FAILED(sys(FCHDIR, odd[i])), "a number that is no descriptor is taken for one");
	}
	return 0;
}
