/* Verdict: ok
   Then: $program | cmp - $first && echo ok > $out

   Names that sockets get which did not ask for one: each step begins anew with them, so that what a builder writes down is the same whatever ran before it. (Linux
   itself draws them by lot.) Printed are the names of two. */

#include "../hostile/attack.h"

enum { SOCKET = 359, BIND = 361, GETSOCKNAME = 367 };

int attack(char **arguments, char **environment)
{
	static struct { unsigned short family; char path[108]; } name;
	int i, s;
	u32 size;

	(void)arguments, (void)environment;
	for (i = 0; i < 2; i++) {
		s = sys(SOCKET, 1, 1, 0);
		name.family = 1;
		size = sizeof name;
		if (sys(BIND, s, &name, 2) || sys(GETSOCKNAME, s, &name, &size) || size != 8)
			return 1;
		sys(WRITE, 1, name.path + 1, 5);
		sys(WRITE, 1, "\n", 1);
	}
	return 0;
}
