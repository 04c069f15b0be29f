/* Wins: a descriptor that gives more than it gave, or queues that hold each other for ever, by sockets that travel through themselves
   Verdict: ok
   Timeout: 180

   Three processes pass the sockets that they speak through around, each through itself and through the others, take some, drop some, and die in the middle. Pipes that
   travelled keep their ends: one that can only be read is never written. In the end as many descriptors may travel as at the beginning. */

#include "attack.h"

enum { SOCKETPAIR = 360, SENDMSG = 370, RECVMSG = 372, WAITNOT = 0x40, NOSIGNAL = 0x4000, YIELD = 158, ROUNDS = 60 };

static u32 control[64], header[7], piece[2];
static u8 byte;

static int message(int call, int fd, u32 room)
{
	piece[0] = (u32)&byte;
	piece[1] = 1;
	header[0] = header[1] = header[6] = 0;
	header[2] = (u32)piece;
	header[3] = 1;
	header[4] = (u32)control;
	header[5] = room;
	return sys(call, fd, header, WAITNOT | NOSIGNAL);
}

static int send(int to, const int *fds, u32 count)
{
	u32 i;

	control[0] = 12 + 4 * count;
	control[1] = control[2] = 1;
	for (i = 0; i < count; i++)
		control[3 + i] = (u32)fds[i];
	return message(SENDMSG, to, control[0]);
}

static void player(int number, int s[3][2], int *reading)
{
	int i, k, in = s[number][0], out = s[(number + 1) % 3][1], all[4];

	all[0] = in;
	all[1] = out;
	all[2] = *reading;
	all[3] = s[number][1];
	for (i = 0; i < 40; i++) {
		send(out, all, 1 + (u32)(i + number) % 4);
		send(s[number][1], all, 2); /* to oneself */
		if (message(RECVMSG, in, (u32)(i % 5) * 8 + 12) > 0 && control[0] > 12 && control[0] <= 64)
			for (k = 3; k < (int)control[0] / 4; k++) {
				must(sys(FCNTL, control[k], 3) < 0 || (sys(FCNTL, control[k], 3) & 3) != 0 || FAILED(sys(WRITE, control[k], "y", 1)), "an end for reading is written");
				if ((i + k) % 3)
					sys(CLOSE, control[k]);
			}
		if (i % 4 == 0)
			sys(YIELD);
		if (i == 25 + number * 4)
			sys(EXIT, losses != 0);
	}
}

static int round_of(void)
{
	int s[3][2], ends[2], i, end, all = 0;

	for (i = 0; i < 3; i++)
		sys(SOCKETPAIR, 1, i == 1 ? 2 : i == 2 ? 5 : 1, 0, s[i]);
	sys(PIPE2, ends, 04000);
	for (i = 0; i < 3; i++)
		if (!sys(FORK)) {
			player(i, s, &ends[0]);
			sys(EXIT, losses != 0);
		}
	for (i = 0; i < 3; i++) {
		sys(CLOSE, s[i][0]);
		sys(CLOSE, s[i][1]);
	}
	while (sys(WAITPID, -1, &end, 0) > 0)
		all |= end;
	return all != 0;
}

static int how_many(void)
{
	int s[2], file = sys(OPEN, "/dev/null", O_RDWR), n = 0;

	sys(SOCKETPAIR, 1, 1, 0, s);
	while (n < 200 && send(s[0], &file, 1) == 1)
		n++;
	return n;
}

int attack(char **arguments, char **environment)
{
	int i, before, s[2];

	if (FAILED(sys(SOCKETPAIR, 1, 1, 0, s)))
		return 0; /* a kernel without sockets */
	before = in_child(how_many);
	for (i = 0; i < ROUNDS; i++)
		must(in_child(round_of) == 0, "a round");
	must(in_child(how_many) == before, "fewer descriptors may travel than before");
	return 0;
}
