/* Wins: lines on the console that somebody else seems to have typed, or a terminal that outlives its step
   Verdict: ok

   Every way to a terminal: the master of a new pair, its other end, the console's names; characters pushed into one (TIOCSTI), the console taken, its output turned to
   another (TIOCCONS), its keys and screen asked for. Each is refused, or what it gives is the builder's own: nothing is ever read that was pushed in. */

#include "attack.h"

enum { TIOCSTI = 0x5412, TIOCCONS = 0x541d, TIOCSCTTY = 0x540e, TCGETS = 0x5401, TIOCGWINSZ = 0x5413, TIOCSETD = 0x5423, KDSETMODE = 0x4b3a, VT_ACTIVATE = 0x5606, TIOCLINUX = 0x541c, SETSID = 66, MKNOD = 14 };

static const char *const names[] = { "/dev/tty", "/dev/console", "/dev/tty0", "/dev/tty1", "/dev/ttyS0", "/dev/ttyS1", "/dev/pts/0", "/dev/ptmx", "/dev/pts/ptmx", "/dev/vcs", "/dev/hvc0" };

static void commands(int fd)
{
	static const u32 all[] = { TIOCCONS, TIOCSCTTY, TIOCSETD, KDSETMODE, VT_ACTIVATE, TIOCLINUX, 0x80045430, 0x40045431, 0x5437, 0x5470 };
	static char letter[] = "(";
	u32 i, word[64];

	for (i = 0; letter[0] && i < 3; i++)
		must(FAILED(sys(IOCTL, fd, TIOCSTI, letter)), "a character can be pushed into a terminal");
	for (i = 0; i < sizeof all / sizeof *all; i++) {
		fill(word, 0, sizeof word);
		word[0] = i;
		sys(IOCTL, fd, all[i], word);
	}
	must(FAILED(sys(IOCTL, fd, TIOCSTI, (u32)letter)), "a terminal that was taken lets characters be pushed into it");
}

static int tries(void)
{
	static char node[] = "/tmp/device-0";
	u32 i;
	int fd;

	sys(SETSID);
	for (i = 0; i < sizeof names / sizeof *names; i++) {
		fd = sys(OPEN, names[i], O_RDWR | 04000);
		if (FAILED(fd))
			continue;
		if (i < 6)
			must(0, "a terminal of the machine can be opened");
		sys(CLOSE, fd);
	}
	for (i = 0; i < 3; i++)
		commands((int)i);
	for (i = 0; i < 8; i++) { /* the devices themselves: console, serial ports, terminals, memory, ports */
		static const u32 devices[] = { 0x501, 0x440, 0x441, 0x400, 0x500, 0x502, 0x101, 0x104 };

		node[12] = (char)('0' + i);
		must(FAILED(sys(MKNOD, node, 020666, devices[i])), "a device can be made");
		must(FAILED(sys(OPEN, node, O_RDWR)), "a device can be opened");
	}
	return losses != 0;
}

int attack(char **arguments, char **environment)
{
	must(in_child(tries) == 0, "terminals");
	return 0;
}
