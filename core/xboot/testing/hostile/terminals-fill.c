/* Wins: memory of the kernel's own, by terminals that are full, or a kernel that ends with them
   Verdict: ok
   Then: $program again && cat $first > /dev/null && echo ok > $out
   Timeout: 120

   Processes open pairs until they are refused, and type and print into each until that is; then all is given back, as many times as it takes to see that it is; some are
   left for the end of the step. The second step opens as many. */

#include "attack.h"

enum { TIOCGPTPEER = 0x5441, NO_CONTROL = 0400, NONBLOCK = 04000 };

#define TIOCSPTLCK 0x40045431u

static int opens(int most, int *fds)
{
	static char line[1000];
	int n, zero = 0, k;

	fill(line, 'a', sizeof line);
	line[500] = '\n';
	for (n = 0; n + 1 < most; n += 2) {
		fds[n] = sys(OPEN, "/dev/ptmx", O_RDWR | NO_CONTROL | NONBLOCK);
		if (FAILED(fds[n]))
			break;
		sys(IOCTL, fds[n], TIOCSPTLCK, &zero);
		fds[n + 1] = sys(IOCTL, fds[n], TIOCGPTPEER, O_RDWR | NO_CONTROL | NONBLOCK);
		if (FAILED(fds[n + 1])) {
			sys(CLOSE, fds[n]);
			break;
		}
		for (k = 0; k < 40; k++) {
			sys(WRITE, fds[n], line, sizeof line);
			sys(WRITE, fds[n + 1], line, sizeof line);
		}
	}
	return n;
}

int attack(char **arguments, char **environment)
{
	static int fds[2000];
	int i, k, first = 0, n, ready[2];
	char byte;

	for (i = 0; i < 3; i++) {
		n = opens(200, fds);
		first = i ? first : n;
		must(n == first && n, "terminals that were closed are not given back");
		for (k = 0; k < n; k++)
			sys(CLOSE, fds[k]);
	}
	sys(PIPE, ready);
	for (i = 0; i < 4; i++)
		if (!sys(FORK)) {
			opens(2000, fds);
			sys(WRITE, ready[1], "r", 1);
			for (;;)
				sys(POLL, 0, 0, 100000);
		}
	for (i = 0; i < 4; i++)
		sys(READ, ready[0], &byte, 1);
	return 0;
}
