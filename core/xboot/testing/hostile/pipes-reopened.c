/* Wins: a pipe is freed while an end of it is open, or its bytes reach another
   Verdict: ok

   Ends of pipes are opened again through /proc/self/fd, in every mode, and closed in every order; other pipes come and go meanwhile. Each end must count. */

#include "attack.h"

static int fds[5];

static void again(u32 order)
{
	char byte = 0;
	int other[2], i, n;

	must(sys(PIPE, fds) == 0, "no pipe");
	fds[2] = sys(OPEN, descriptor_path(fds[0]), 0, 0);
	fds[3] = sys(OPEN, descriptor_path(fds[1]), 1, 0);
	fds[4] = sys(OPEN, descriptor_path(fds[0]), 2, 0);
	must(fds[2] >= 0 && fds[3] >= 0 && fds[4] >= 0, "an end of a pipe cannot be opened again");
	for (n = 5; n > 0; n--) {
		must(sys(WRITE, fds[4], "p", 1) == 1 && sys(READ, fds[4], &byte, 1) == 1 && byte == 'p', "an open end has lost its pipe");
		i = (int)(order % (u32)n);
		order /= (u32)n;
		if (fds[i] == fds[4] && n > 1)
			i = (i + 1) % n ? 0 : 1; /* the one that is used stays to the last */
		if (fds[i] != fds[4] || n == 1)
			sys(CLOSE, fds[i]);
		if (n > 1 && fds[i] != fds[4])
			for (; i < 4; i++)
				fds[i] = i + 1 < 4 ? fds[i + 1] : fds[i];
		if (sys(PIPE, other) == 0) { /* takes what was freed too early */
			sys(WRITE, other[1], "qqqqqqqq", 8);
			sys(CLOSE, other[0]);
			sys(CLOSE, other[1]);
		}
	}
	for (i = 3; i < 20; i++)
		sys(CLOSE, i);
}

int attack(char **arguments, char **environment)
{
	char byte;
	int ends[2], other[2];
	u32 i, status[2][24];

	for (i = 0; i < 120; i++)
		again(i);
	sys(PIPE, ends);
	sys(PIPE, other);
	sys(FSTAT64, ends[0], status[0]);
	sys(FSTAT64, other[0], status[1]);
	must(status[0][3] != status[1][3], "two pipes have one number: they pass for the same file");
	sys(FSTAT64, ends[1], status[1]);
	must(status[0][3] == status[1][3], "the ends of a pipe have two numbers");
	sys(CLOSE, ends[1]);
	must(sys(READ, ends[0], &byte, 1) == 0, "a pipe without a writer does not end");
	return 0;
}
