/* Wins: bytes of a file through a descriptor that was closed while a call waited on it, or a kernel that goes on with a description that is no more
   Verdict: ok
   Timeout: 120

   Threads wait to read, to write and for what is ready, on numbers that another thread closes, gives to other files and closes again, thousands of times. What is read
   comes from what has that number, or had it when the call began: never the secret, which no number of theirs ever had for reading. */

#include "thread.h"

enum { POLLING = 4, YIELD = 158, FIRST = 60, COUNT = 6, ROUNDS = 600 };

static char stacks[POLLING][8192];
static volatile int ids[POLLING], over;

static int uses(int i)
{
	u8 bytes[64];
	u32 pieces[4] = { (u32)bytes, 32, (u32)bytes + 32, 32 };
	struct { int fd; short wanted, ready; } polled[COUNT];
	int n, k, fd;

	while (!over) {
		for (k = 0; k < COUNT; k++) {
			fd = FIRST + (i + k) % COUNT;
			fill(bytes, 0, sizeof bytes);
			n = (k + i) % 4 == 0 ? sys(READV, fd, pieces, 2) : (k + i) % 4 == 1 ? sys(READ, fd, bytes, sizeof bytes) : (k + i) % 4 == 2 ? sys(WRITE, fd, "public", 6) : 0;
			if ((k + i) % 4 < 2 && n > 0 && bytes[0] == 'S')
				must(0, "the secret is read");
			polled[k].fd = fd;
			polled[k].wanted = 5;
		}
		sys(POLL, polled, COUNT, 0);
		sys(YIELD);
	}
	return 0;
}

static void give(int from, int to)
{
	sys(DUP2, from, to);
	sys(CLOSE, from);
}

static int races(void)
{
	u32 ignored[5] = { 1, 0, 0, 0, 0 };
	int i, k, ends[2], secret;

	sys(RT_SIGACTION, 13, ignored, 0, 8); /* SIGPIPE */
	sys(CHDIR, "/tmp");
	secret = sys(OPEN, "secret", O_RDWR | O_CREAT, 0600);
	sys(WRITE, secret, "SECRET", 6);
	sys(CLOSE, secret);
	for (i = 0; i < POLLING; i++)
		thread_clone(0x350f00, stacks[i] + 8192, (int *)&ids[i], (int *)&ids[i], uses, i);
	for (i = 0; i < ROUNDS; i++) {
		sys(PIPE2, ends, 04000);
		sys(WRITE, ends[1], "public", 6);
		k = FIRST + i % (COUNT - 1);
		give(ends[0], k);
		give(ends[1], k + 1);
		sys(YIELD);
		give(sys(OPEN, "secret", 1), k); /* to be written to alone */
		if (i % 3 == 0)
			give(sys(OPEN, "/dev/null", O_RDWR), k + 1);
		if (i % 5 == 0)
			sys(YIELD);
		for (k = 0; k < COUNT; k++)
			if ((i >> k & 1) == 0)
				sys(CLOSE, FIRST + k);
	}
	over = 1;
	for (i = 0; i < POLLING; i++)
		while (ids[i])
			sys(YIELD);
	return losses != 0;
}

/* A reader that sleeps while its descriptor goes, and its number becomes another file's. */
static int sleeps(void)
{
	static int ends[2];
	int pid, n = 0, end = 0;
	u8 byte = 0;

	sys(PIPE, ends);
	pid = sys(FORK);
	if (!pid) {
		sys(CLOSE, ends[1]);
		n = sys(READ, ends[0], &byte, 1);
		sys(EXIT, n == 1 && byte == 'x' ? 0 : 1);
	}
	sys(CLOSE, ends[0]);
	sys(YIELD);
	sys(WRITE, ends[1], "x", 1);
	sys(WAITPID, pid, &end, 0);
	return end;
}

int attack(char **arguments, char **environment)
{
	must(in_child(sleeps) == 0, "a reader does not get what was written for it");
	must(in_child(races) == 0, "races");
	return 0;
}
