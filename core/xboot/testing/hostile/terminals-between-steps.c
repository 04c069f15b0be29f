/* Wins: a word from one step to the next, by a terminal that outlives its step: what was typed into it, its settings, its name, or the session that it controls
   Verdict: ok
   Then: $program again && cat $first > /dev/null && echo ok > $out
   Timeout: 120

   The first step leaves what it can: pairs of which each end is held by a process that goes on, input that nobody reads, a full output, a session with a terminal and
   one that is stopped by it, descriptors of both ends that travel in sockets, names of terminals in links. The second looks for all of that. */

#include "attack.h"

enum { SETSID = 66, SETPGID = 57, SOCKETPAIR = 360, SENDMSG = 370, TIOCSCTTY = 0x540e, TCGETS = 0x5401, TIOCGPTPEER = 0x5441, NO_CONTROL = 0400, NONBLOCK = 04000, NO_DEVICE = -6 };

#define TIOCGPTN 0x80045430u
#define TIOCSPTLCK 0x40045431u

static int pair(int *slave)
{
	int zero = 0, master = sys(OPEN, "/dev/ptmx", O_RDWR | NO_CONTROL | NONBLOCK);

	sys(IOCTL, master, TIOCSPTLCK, &zero);
	*slave = sys(IOCTL, master, TIOCGPTPEER, O_RDWR | NO_CONTROL | NONBLOCK);
	return master;
}

static void send(int to, int fd)
{
	u32 control[4], header[7], piece[2];

	fill(header, 0, sizeof header);
	piece[0] = (u32)"x";
	piece[1] = 1;
	header[2] = (u32)piece;
	header[3] = 1;
	header[4] = (u32)control;
	header[5] = control[0] = 16;
	control[1] = control[2] = 1;
	control[3] = (u32)fd;
	sys(SENDMSG, to, header, 0);
}

static void leaves(int which)
{
	static char line[64] = "secret\nhalf a secret";
	int slave, master = pair(&slave), s[2], i;

	must(master >= 0 && slave >= 0, "no terminal to leave");
	sys(WRITE, master, line, length_of(line));
	if (which == 0) {
		sys(SETSID);
		sys(IOCTL, slave, TIOCSCTTY, 0);
		if (!sys(FORK)) {
			sys(SETPGID, 0, 0);
			sys(READ, slave, line, sizeof line); /* in the background: stopped */
		}
	} else if (which == 1) {
		sys(CLOSE, slave);
	} else if (which == 2) {
		sys(CLOSE, master);
	} else if (which == 3) {
		for (i = 0; i < 1000; i++)
			sys(WRITE, slave, line, sizeof line);
	} else if (!FAILED(sys(SOCKETPAIR, 1, 1, 0, s))) {
		send(s[0], master);
		send(s[0], slave);
		send(s[0], s[0]);
		send(s[0], s[1]);
		sys(CLOSE, s[0]);
		sys(CLOSE, s[1]);
		sys(CLOSE, master);
		sys(CLOSE, slave);
	}
}

int attack(char **arguments, char **environment)
{
	static char name[] = "/dev/pts/0", bytes[4096];
	int master, slave, i, number = -1, ready[2];
	u32 stat[24];

	if (!arguments[1]) {
		sys(PIPE, ready);
		sys(SYMLINK, "/dev/pts/0", "/tmp/terminal");
		for (i = 0; i < 5; i++)
			if (!sys(FORK)) {
				leaves(i);
				sys(WRITE, ready[1], "r", 1);
				for (;;)
					sys(POLL, 0, 0, 100000);
			}
		for (i = 0; i < 5; i++)
			sys(READ, ready[0], bytes, 1);
		return 0;
	}
	must(sys(OPEN, "/dev/tty", O_RDWR) == NO_DEVICE, "a terminal of a step that is over can be opened");
	for (i = 0; i < 10; i++) {
		name[9] = (char)('0' + i);
		must(sys(LSTAT64, name, stat) == -ENOENT, "a name of a terminal outlives its step");
		must(FAILED(sys(OPEN, name, O_RDWR)), "a terminal of a step that is over can be opened");
	}
	must(sys(LSTAT64, "/tmp/terminal", stat) == -ENOENT, "a link outlives its step");
	master = pair(&slave);
	must(sys(IOCTL, master, TIOCGPTN, &number) == 0 && number == 0, "a number is taken by a step that is over");
	must(sys(READ, slave, bytes, sizeof bytes) == -EAGAIN, "what was typed in a step that is over can be read");
	must(sys(READ, master, bytes, sizeof bytes) == -EAGAIN, "what was printed in a step that is over can be read");
	return 0;
}
