/* CVE: CVE-2017-1000364, CVE-2017-1000365, CVE-2018-14634, CVE-2021-4034
   Wins: a stack grows into other memory, or arguments into what lies beside them
   Verdict: ok
   Output: ok
   Timeout: 120

   A stack without a limit of its own grows towards memory that is shared with the parent: it must end by a signal, and not one byte may have changed. Programs begin
   with no arguments at all, and with more than there is room for. */

#include "../attack.h"

enum { SETRLIMIT = 75, LENGTH = 64 * 4096, MANY = 3000 };

static u8 *map;

static void grows(volatile u8 *at)
{
	for (;; at -= PAGE)
		*at = 0xee;
}

static int runs_out(void)
{
	u32 limit[2] = { 64u << 20, 64u << 20 };
	u8 here;

	sys(SETRLIMIT, 3, limit);
	grows(&here);
	return 0;
}

int attack(char **arguments, char **environment)
{
	static char large[100000], *many[MANY + 1], *none[1];
	u8 here;
	int i, end, pid;

	if (!arguments[0] || !arguments[0][0])
		return 55;
	if (arguments[1] && arguments[1][0] == 'a')
		return 56;
	map = (u8 *)sys(MMAP2, ((u32)&here & ~(PAGE - 1)) - (16u << 20), LENGTH, 3, 0x21, -1, 0);
	must(!FAILED(map), "(nothing: the attack could not begin)");
	fill(map, 0x5a, LENGTH);
	end = in_child(runs_out);
	must((end & 0x7f) != 0, "a stack has no end");
	must(count_bytes(map, 0x5a, LENGTH) == LENGTH, "a stack grew into other memory");

	pid = sys(FORK);
	if (!pid) {
		sys(EXECVE, arguments[0], none, environment);
		sys(EXIT, 55);
	}
	sys(WAITPID, pid, &end, 0);
	must(end == 55 << 8, "a program without arguments takes its environment for them");
	fill(large, 'a', sizeof large - 1);
	for (i = 0; i < MANY; i++)
		many[i] = large;
	many[0] = arguments[0];
	pid = sys(FORK);
	if (!pid)
		sys(EXIT, FAILED(sys(EXECVE, arguments[0], many, many)) ? 57 : 58);
	sys(WAITPID, pid, &end, 0);
	must(end == 57 << 8 || end == 56 << 8 || end == 9 || end == 11, "more arguments than there is room for");
	return 0;
}
