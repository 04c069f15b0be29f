/* Wins: nothing; it says which sockets there are
   Verdict: ok */
#include "../../../core/xboot/testing/hostile/attack.h"

enum { SOCKETCALL_SOCKET = 359, SOCKETPAIR = 360, BIND = 361, CONNECT = 362, LISTEN = 363, ACCEPT4 = 364 };

struct inet { unsigned short family, port; u32 address; char rest[8]; };

/* A byte from one end to the other. */
static void pass(const char *what, int from, int to)
{
	char byte = 0;

	must(sys(WRITE, from, "x", 1) == 1 && sys(READ, to, &byte, 1) == 1 && byte == 'x', what);
}

int attack(char **arguments, char **environment)
{
	static struct inet place = { 2, 0x3930, 0x0100007f, "" }; /* 127.0.0.1 */
	static struct { unsigned short family; char name[8]; } name = { 1, "named" };
	int pair[2], server, client;

	must(sys(SOCKETPAIR, 1, 1, 0, pair) == 0, "socketpair");
	pass("a byte through a pair", pair[0], pair[1]);
	server = sys(SOCKETCALL_SOCKET, 1, 1, 0);
	must(sys(BIND, server, &name, 8) == 0 && sys(LISTEN, server, 1) == 0, "a named socket");
	client = sys(SOCKETCALL_SOCKET, 1, 1, 0);
	must(sys(CONNECT, client, &name, 8) == 0, "connect to it");
	pass("a byte through it", client, sys(ACCEPT4, server, 0, 0, 0));
	if (!arguments[1])
		return 0;
	server = sys(SOCKETCALL_SOCKET, 2, 1, 0);
	must(sys(BIND, server, &place, 16) == 0 && sys(LISTEN, server, 1) == 0, "a socket of the loopback");
	client = sys(SOCKETCALL_SOCKET, 2, 1, 0);
	must(sys(CONNECT, client, &place, 16) == 0, "connect through the loopback");
	pass("a byte through the loopback", client, sys(ACCEPT4, server, 0, 0, 0));
	return 0;
}
