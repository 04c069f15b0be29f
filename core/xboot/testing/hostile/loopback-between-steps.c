/* Wins: a word from one step to the next, by sockets of the loopback that outlive their step, or a port that tells what another step did
   Verdict: ok
   Then: $program again && cat $first > /dev/null && echo ok > $out
   Timeout: 120

   The first step leaves processes that listen, with connections that nobody accepted and bytes that nobody read, others that wait for datagrams, and datagrams under way;
   descriptors of its output are sent along, where none travel. The second finds nobody at these ports, may have each of them, and gets the ports that a first step
   gets. A kernel without a loopback has nothing to show. */

#include "attack.h"

enum { SOCKET = 359, BIND = 361, CONNECT = 362, LISTEN = 363, GETSOCKNAME = 367, SENDTO = 369, SENDMSG = 370, RECVMSG = 372, REFUSED = -111, PORTS = 20, FIRST = 7000, STREAM = 1, DATAGRAM = 2 };

static struct { unsigned short family, port; u32 host[6]; } name;

static int at_port(int call, int fd, int port)
{
	fill(&name, 0, sizeof name);
	name.family = 2;
	name.port = (unsigned short)(port >> 8 | port << 8);
	name.host[0] = 0x0100007f;
	return sys(call, fd, &name, 16);
}

static int own_port(int fd)
{
	int size = sizeof name;

	return sys(GETSOCKNAME, fd, &name, &size) < 0 ? -1 : (u8)name.port << 8 | name.port >> 8;
}

/* A message with a byte and a descriptor: -1 of none. */
static int with_descriptor(int call, int socket, int fd)
{
	static u32 control[4];
	u32 header[7], piece[2];
	static char byte;
	int result;

	fill(header, 0, sizeof header);
	piece[0] = (u32)&byte;
	piece[1] = 1;
	header[2] = (u32)piece;
	header[3] = 1;
	header[4] = (u32)control;
	header[5] = control[0] = 16;
	control[1] = control[2] = 1;
	control[3] = (u32)fd;
	result = sys(call, socket, header, 0);
	return result == 1 && call == RECVMSG && header[5] ? -1 : result;
}

static void leaves(int file)
{
	int l, c, d, i;

	for (i = 0; i < PORTS; i++) {
		l = sys(SOCKET, 2, STREAM, 0);
		must(at_port(BIND, l, FIRST + i) == 0 && sys(LISTEN, l, 100) == 0, "a port is taken");
		c = sys(SOCKET, 2, STREAM, 0);
		must(at_port(CONNECT, c, FIRST + i) == 0, "nobody is where somebody listens");
		sys(WRITE, c, "unread", 6);
		with_descriptor(SENDMSG, c, file);
		d = sys(SOCKET, 2, DATAGRAM, 0);
		must(at_port(BIND, d, FIRST + i) == 0, "a port is taken");
		must(at_port(CONNECT, d, FIRST + i) == 0, "a port cannot be reached");
		sys(WRITE, d, "unread", 6);
		with_descriptor(SENDMSG, d, file);
		sys(READ, d, &name, 6);
		must(with_descriptor(RECVMSG, d, 0) == 1, "a descriptor travelled where none may");
	}
}

static void looks(void)
{
	int s, i, port;

	for (i = 0; i < PORTS; i++) {
		s = sys(SOCKET, 2, STREAM, 0);
		must(at_port(CONNECT, s, FIRST + i) == REFUSED, "a listener outlives its step");
		sys(CLOSE, s);
		s = sys(SOCKET, 2, STREAM, 0);
		must(at_port(BIND, s, FIRST + i) == 0 && sys(LISTEN, s, 1) == 0, "a port is taken by a step that is over");
		s = sys(SOCKET, 2, DATAGRAM, 0);
		must(at_port(BIND, s, FIRST + i) == 0, "a port is taken by a step that is over");
	}
	s = sys(SOCKET, 2, STREAM, 0);
	at_port(BIND, s, 0);
	port = own_port(s);
	must(port >= 32768 && port < 61000, "a port of no use");
}

int attack(char **arguments, char **environment)
{
	int file, i, done[2];

	i = sys(SOCKET, 2, STREAM, 0);
	if (FAILED(i))
		return 0;
	sys(CLOSE, i);
	if (arguments[1]) {
		looks();
		return 0;
	}
	for (i = 0; environment[i]; i++)
		if (environment[i][0] == 'o' && environment[i][1] == 'u' && environment[i][2] == 't' && environment[i][3] == '=')
			break;
	file = sys(OPEN, environment[i] + 4, O_RDWR);
	sys(PIPE, done);
	for (i = 0; i < 3; i++)
		if (!sys(FORK)) {
			if (!i) {
				leaves(file);
				sys(WRITE, done[1], &losses, 4);
			}
			for (;;)
				sys(POLL, 0, 0, 100000);
		}
	sys(READ, done[0], &losses, 4);
	return losses != 0;
}
