/* Wins: a kernel that walks in a circle, or a watch that outlives what it watched
   Verdict: ok
   Timeout: 120

   Sets of descriptors that watch each other, in circles and as deep as they may be; each closed before, between and after the others, by two processes; sets that
   watch what is closed under another number. Whatever is refused: waiting returns, what is ready is told, what is closed is not. */

#include "attack.h"

enum { EPOLL_CREATE1 = 329, EPOLL_CTL = 255, EPOLL_WAIT = 256, ADD = 1, DELETE = 2, MODIFY = 3, DEEP = 40 };

static struct { u32 events, low, high; } event, told[64];

static int watch(int set, int fd, int operation)
{
	event.events = 1;
	event.low = (u32)fd;
	event.high = 0x5a5a5a5a;
	return sys(EPOLL_CTL, set, operation, fd, &event);
}

static int circles(void)
{
	int set[DEEP], ends[2], i, k, round;

	for (round = 0; round < 40; round++) {
		for (i = 0; i < DEEP; i++)
			set[i] = sys(EPOLL_CREATE1, 0);
		sys(PIPE, ends);
		watch(set[0], ends[0], ADD);
		for (i = 1; i < DEEP; i++)
			watch(set[i], set[i - 1], ADD);
		must(FAILED(watch(set[0], set[0], ADD)), "a set watches itself");
		for (i = 1; i < 4; i++)
			must(FAILED(watch(set[0], set[i], ADD)), "sets watch each other");
		sys(WRITE, ends[1], "x", 1);
		for (i = 0; i < DEEP; i++)
			sys(EPOLL_WAIT, set[i], told, 64, 0);
		must(sys(EPOLL_WAIT, set[0], told, 64, 0) >= 1, "what is ready is not told");
		if (round % 4 == 1)
			if (!sys(FORK)) {
				sys(CLOSE, set[0]);
				sys(EPOLL_WAIT, set[1], told, 64, 0);
				sys(EXIT, 0);
			}
		for (i = 0; i < DEEP; i++) {
			k = round % 3 == 0 ? i : round % 3 == 1 ? DEEP - 1 - i : (i * 7 + round) % DEEP;
			sys(CLOSE, set[k]);
			if (i == DEEP / 2)
				sys(CLOSE, ends[0]);
			sys(EPOLL_WAIT, set[DEEP - 1], told, 64, 0);
		}
		for (i = 3; i < 60; i++)
			sys(CLOSE, i);
	}
	return losses != 0;
}

/* What is watched is closed, or lives on under another number. */
static int numbers(void)
{
	int set = sys(EPOLL_CREATE1, 0), ends[2], kept, n, i, round;

	for (round = 0; round < 300; round++) {
		sys(PIPE, ends);
		if (FAILED(watch(set, ends[0], ADD)))
			return 9;
		kept = round % 2 ? sys(DUP, ends[0]) : -1;
		sys(WRITE, ends[1], "x", 1);
		sys(CLOSE, ends[0]);
		n = sys(EPOLL_WAIT, set, told, 64, 0);
		must(n <= 1 && (kept >= 0 || n == 0), "what is closed is told");
		for (i = 0; i < n; i++)
			must(told[i].high == 0x5a5a5a5a, "a watch has other words than it was given");
		must(FAILED(watch(set, ends[0], DELETE)), "a watch of a closed number can be taken away");
		sys(CLOSE, kept);
		must(sys(EPOLL_WAIT, set, told, 64, 0) == 0, "a watch outlives what it watched");
		sys(CLOSE, ends[1]);
	}
	return losses != 0;
}

int attack(char **arguments, char **environment)
{
	int set = sys(EPOLL_CREATE1, 0), end;

	if (FAILED(set))
		return 0; /* a kernel without them */
	sys(CLOSE, set);
	must(in_child(circles) == 0, "circles");
	end = in_child(numbers);
	must(end == 0 || end == 9 << 8, "numbers");
	return 0;
}
