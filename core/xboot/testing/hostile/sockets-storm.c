/* Wins: another's memory, a right that a descriptor did not give, or a kernel that ends, by calls on sockets
   Verdict: ok
   Timeout: 180

   Every call on sockets with every odd pointer, length, flag and descriptor; messages whose control lengths wrap; descriptors sent that give no right, that are the
   sending socket itself, hundreds in circles; queues filled to the end. Bytes arrive as they were sent, once and in order; a right does not grow on its way. */

#include "attack.h"

enum { SOCKETCALL = 102, SOCKET = 359, SOCKETPAIR = 360, GETSOCKOPT = 365, SENDTO = 369, SENDMSG = 370, RECVFROM = 371, RECVMSG = 372, SHUTDOWN = 373, WAITNOT = 0x40 };

static u32 control[256], header[7], piece[2];
static u8 bytes[60000];

static int message(int call, int fd, u32 room, u32 flags)
{
	piece[0] = (u32)bytes;
	piece[1] = 1;
	header[0] = header[1] = header[6] = 0;
	header[2] = (u32)piece;
	header[3] = 1;
	header[4] = (u32)control;
	header[5] = room;
	return sys(call, fd, header, WAITNOT | flags);
}

static int send(int to, const int *fds, u32 count)
{
	u32 i;

	control[0] = 12 + 4 * count;
	control[1] = control[2] = 1;
	for (i = 0; i < count; i++)
		control[3 + i] = (u32)fds[i];
	return message(SENDMSG, to, control[0], 0x4000);
}

static int odd_calls(void)
{
	static const u32 odd[] = { 0, 1, 2, 7, 108, 110, 4095, 65536, 0x7ffffff0, 0x7fffffff, 0x80000000, 0xfffff000, 0xffffffff };
	u32 number, i, k, count = sizeof odd / sizeof *odd, seed = 1, a[6];
	int s[2];

	for (number = 359; number <= 373; number++)
		for (i = 0; i < 100; i++) {
			for (k = 0; k < 6; k++) {
				seed = seed * 1103515245 + 12345;
				a[k] = seed >> 28 & 1 ? odd[(seed >> 16) % count] : seed >> 28 & 2 ? (u32)header : (u32)bytes + (seed >> 16) % 100;
			}
			if (sys(SOCKETPAIR, 1, i % 3 == 0 ? 1 : i % 3 == 1 ? 2 : 5, 0, s) == 0) {
				sys(FCNTL, s[0], 4, 04000);
				sys(FCNTL, s[1], 4, 04000);
			}
			a[0] = (u32)(i & 8 && number > 360 ? (u32)s[0] : a[0] & ~2048u);
			if (number <= 360)
				a[1] |= 04000; /* none that a call could wait for */
			header[i % 7] = a[2];
			sys((int)number, a[0], a[1], a[2], a[3] | (number >= 369 && number != 370 && number != 372 ? WAITNOT : 0), a[4], a[5]);
			if (number == 370 || number == 372)
				sys((int)number, s[1], (u32)header, WAITNOT);
			sys(SOCKETCALL, number - 358, odd[i % count]);
			for (k = 3; k < 12; k++)
				sys(CLOSE, k);
		}
	return 0;
}

static int rights(void)
{
	static char name[] = "rights";
	int file = sys(OPEN, name, O_RDWR | O_CREAT, 0644), s[2], i, fd;
	static const int flags[] = { 0, 1, O_PATH };

	for (i = 0; i < 3; i++) {
		sys(SOCKETPAIR, 1, 2, 0, s);
		fd = sys(OPEN, name, flags[i]);
		must(send(s[0], &fd, 1) == 1, "a descriptor cannot be sent");
		sys(CLOSE, fd);
		must(message(RECVMSG, s[1], 400, 0) == 1, "a message does not come");
		fd = (int)control[3];
		must(i == 0 || sys(READ, fd, bytes, 1) == -EBADF, "a descriptor reads that could not");
		must(i == 1 || sys(WRITE, fd, bytes, 1) == -EBADF, "a descriptor writes that could not");
	}
	return file < 0 || losses;
}

static int circles(void)
{
	int s[2], i;

	for (i = 0; i < 600; i++) {
		if (sys(SOCKETPAIR, 1, i % 2 ? 1 : 2, 0, s))
			return 1;
		send(s[0], s, 2);
		send(s[1], s, 2);
		send(s[1], s, 1);
		if (i % 3)
			message(RECVMSG, s[i % 2], i % 5 * 4, 0x40000000);
		for (; s[0] > 0; s[0] = 0) {
			sys(CLOSE, s[0]);
			sys(CLOSE, s[1]);
		}
		if (i % 50 == 0)
			for (s[1] = 3; s[1] < 60; s[1]++)
				sys(CLOSE, s[1]);
	}
	return 0;
}

/* What goes in comes out: lengths that lie across pages and messages, while the other end reads other lengths. */
static int stream(void)
{
	u32 sent = 0, come = 0, i, seed = 7;
	int s[2], n;

	sys(SOCKETPAIR, 1, 1, 0, s);
	while (come < 300000) {
		seed = seed * 1103515245 + 12345;
		for (i = 0; i < 9000; i++)
			bytes[i] = (u8)((sent + i) * 2654435761u >> 24);
		n = sys(SENDTO, s[0], bytes, (seed >> 8) % 9000, WAITNOT, 0, 0);
		if (n > 0)
			sent += (u32)n;
		n = sys(RECVFROM, s[1], bytes, (seed >> 4) % 9000, WAITNOT, 0, 0);
		for (i = 0; n > 0 && i < (u32)n; i++)
			if (bytes[i] != (u8)((come + i) * 2654435761u >> 24)) {
				must(0, "a stream gives other bytes than were sent");
				return 1;
			}
		if (n > 0)
			come += (u32)n;
	}
	return 0;
}

/* Queues that nobody reads, as many as there may be. */
static int fills(void)
{
	int s[2], i, n;

	for (i = 0; i < 100 && sys(SOCKETPAIR, 1, i & 1 ? 1 : 2, 0, s) == 0; i++)
		while ((n = sys(SENDTO, s[0], bytes, i % 7 ? 1000 : 60000, WAITNOT, 0, 0)) > 0)
			;
	return 0;
}

int attack(char **arguments, char **environment)
{
	int s[2];

	sys(CHDIR, "/tmp");
	if (FAILED(sys(SOCKETPAIR, 1, 1, 0, s)))
		return 0; /* a kernel without sockets */
	sys(CLOSE, s[0]);
	sys(CLOSE, s[1]);
	must(in_child(rights) == 0, "rights");
	must(in_child(stream) == 0, "a stream");
	must((in_child(circles) & 0xff) == 0, "circles");
	must((in_child(fills) & 0xff) == 0, "filling");
	must((in_child(odd_calls) & 0xff) == 0, "odd calls");
	return 0;
}
