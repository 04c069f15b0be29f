/* Wins: a step that finds its queue of signals full, or finds in it what an earlier one was sent
   Verdict: ok
   Then: $program again && cat $first > /dev/null && echo ok > $out

   Processes block real-time signals and send each other as many as there may be; some ignore them then, some end, some are killed with the step. The second step has
   an empty queue with all its room, and gets what it sends, in order. A kernel that does not queue them has nothing to show. */

#include "attack.h"

enum { PROCMASK = 175, QUEUE = 178, TIMEDWAIT = 177, ENOSYS = 38 };

static u32 info[32], set[2] = { 0, 0xffffffff }, no_time[2];

static int send(int to, u32 value)
{
	fill(info, 0, sizeof info);
	info[2] = (u32)-1;
	info[5] = value;
	return sys(QUEUE, to, 40, info);
}

int attack(char **arguments, char **environment)
{
	u32 ignored[5] = { 1, 0, 0, 0, 0 };
	int pid, i, k;

	sys(PROCMASK, 0, set, 0, 8);
	if (send(sys(GETPID), 0) == -ENOSYS)
		return 0;
	must(sys(TIMEDWAIT, set, info, no_time, 8) == 40 && info[5] == 0, "the first signal is not the one that was sent");
	if (arguments[1]) {
		for (i = 0; i < 500; i++)
			must(send(sys(GETPID), (u32)i) == 0, "the queue is full of what is over");
		for (i = 0; i < 500; i++)
			must(sys(TIMEDWAIT, set, info, no_time, 8) == 40 && info[5] == (u32)i, "signals come in another order than they were sent");
		must(sys(TIMEDWAIT, set, info, no_time, 8) == -EAGAIN, "a signal comes that nobody sent");
		return 0;
	}
	for (k = 0; k < 12; k++) {
		pid = sys(FORK);
		if (pid)
			continue;
		for (i = 0; i < 300 && send(sys(GETPID), 7) == 0; i++)
			;
		if (k % 3 == 0)
			sys(RT_SIGACTION, 40, ignored, 0, 8);
		if (k % 3 == 1)
			sys(EXIT, 0);
		for (;;)
			sys(POLL, 0, 0, 100000);
	}
	for (i = 0; i < 3000 && send(sys(GETPID), 9) == 0; i++)
		sys(POLL, 0, 0, i % 100 ? 0 : 1);
	return 0;
}
