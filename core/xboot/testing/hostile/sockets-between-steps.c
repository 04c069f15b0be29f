/* Wins: a word from one step to the next, or a descriptor that writes to an output after it was hashed, by sockets that outlive their step
   Verdict: ok
   Then: $program again && cat $first > /dev/null && echo ok > $out
   Timeout: 120

   The first step leaves what it can: processes that listen and hold messages, names with and without files, descriptors of its output that travel in circles of
   sockets which nobody holds. The second looks for all of that: a name leads nowhere, a folder is empty, as many descriptors may travel as ever. A kernel without
   sockets has nothing to show. */

#include "attack.h"

enum { SOCKETPAIR = 360, SOCKET = 359, BIND = 361, CONNECT = 362, LISTEN = 363, SENDMSG = 370, CONNECTION_REFUSED = -111 };

static struct { unsigned short family; char path[20]; } name;

static int named(int call, int fd, const char *text, int length)
{
	int i;

	name.family = 1;
	for (i = 0; i < length; i++)
		name.path[i] = text[i];
	return sys(call, fd, &name, 2 + length);
}

static int send(int to, const int *fds, int count)
{
	u32 control[8], header[7], piece[2], i;

	fill(header, 0, sizeof header);
	piece[0] = (u32)"x";
	piece[1] = 1;
	header[2] = (u32)piece;
	header[3] = 1;
	header[4] = (u32)control;
	header[5] = control[0] = 12 + 4 * (u32)count;
	control[1] = control[2] = 1;
	for (i = 0; i < (u32)count; i++)
		control[3 + i] = (u32)fds[i];
	return sys(SENDMSG, to, header, 0);
}

static void leaves(int file)
{
	int s[2], l, i, k;

	for (i = 0; i < 4; i++) {
		l = sys(SOCKET, 1, i & 1 ? 5 : 1, 0);
		must(named(BIND, l, i < 2 ? "\0door" : i == 2 ? "/tmp/door" : "/tmp/gate", i < 2 ? 5 : 9) == 0, "a name is taken");
		sys(LISTEN, l, 100);
		for (k = 0; k < 20; k++)
			named(CONNECT, sys(SOCKET, 1, i & 1 ? 5 : 1, 0), name.path, i < 2 ? 5 : 9);
	}
	for (i = 0; i < 40; i++) {
		if (FAILED(sys(SOCKETPAIR, 1, 1, 0, s)))
			break;
		send(s[0], &file, 1);
		send(s[0], s, 2);
		send(s[1], s, 2);
		sys(CLOSE, s[0]);
		sys(CLOSE, s[1]);
	}
}

int attack(char **arguments, char **environment)
{
	int s[2], file, i, flies;

	if (FAILED(sys(SOCKETPAIR, 1, 1, 0, s)))
		return 0;
	if (arguments[1]) {
		for (i = 1; i <= 5; i += 4) {
			must(named(CONNECT, sys(SOCKET, 1, i, 0), "\0door", 5) == CONNECTION_REFUSED, "a listener outlives its step");
			must(named(CONNECT, sys(SOCKET, 1, i, 0), "/tmp/door", 9) == -ENOENT, "a name outlives its step");
			must(named(BIND, sys(SOCKET, 1, i, 0), "\0door", 5) == 0, "a name is taken by a step that is over");
		}
		file = sys(OPEN, "/dev/null", O_RDWR);
		for (flies = 0; flies < 100 && send(s[0], &file, 1) == 1; flies++)
			;
		must(flies == 100, "descriptors of a step that is over still travel");
		return 0;
	}
	for (i = 0; environment[i]; i++)
		if (environment[i][0] == 'o' && environment[i][1] == 'u' && environment[i][2] == 't' && environment[i][3] == '=')
			break;
	file = sys(OPEN, environment[i] + 4, O_RDWR);
	must(!FAILED(file), "the output cannot be opened");
	for (i = 0; i < 3; i++)
		if (!sys(FORK)) {
			if (i == 0)
				leaves(file);
			for (;;)
				sys(POLL, 0, 0, 100000);
		}
	sys(POLL, 0, 0, 200);
	return 0;
}
