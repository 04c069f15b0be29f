/* CVE: CVE-2021-33909
   Wins: memory beside a buffer, by the name of a folder that is longer than any buffer
   Verdict: ok
   Output: ok
   Timeout: 120

   The builder works in a folder whose name has 60,000 bytes, and asks for it in every way. What is asked for may fail; memory behind the buffer stays as it is. */

#include "../attack.h"

enum { GETCWD = 183, DEPTH = 300, LONG = 200 };

int attack(char **arguments, char **environment)
{
	static char name[LONG + 1], buffer[3 * PAGE];
	static const char *const files[] = { "/proc/self/maps", "/proc/self/mounts", "/proc/self/mountinfo", "/proc/self/cmdline", "/proc/self/stat", "/proc/self/environ" };
	int i, fd, n;

	fill(name, 'd', LONG);
	for (i = 0; i < DEPTH; i++) {
		if (sys(MKDIR, name, 0777) || sys(CHDIR, name))
			break;
	}
	must(i > 10, "(nothing: the attack could not begin)");
	fill(buffer, 0x5a, sizeof buffer);
	n = sys(GETCWD, buffer, PAGE);
	must(n <= (int)PAGE && count_bytes(buffer + PAGE, 0x5a, 2 * PAGE) == 2 * PAGE, "getcwd writes behind the buffer");
	fill(buffer, 0x5a, sizeof buffer);
	n = sys(READLINK, "/proc/self/cwd", buffer, PAGE);
	must(n <= (int)PAGE && count_bytes(buffer + PAGE, 0x5a, 2 * PAGE) == 2 * PAGE, "readlink writes behind the buffer");
	for (i = 0; i < 6; i++) {
		fd = sys(OPEN, files[i], 0, 0);
		if (FAILED(fd))
			continue;
		fill(buffer, 0x5a, sizeof buffer);
		while ((n = sys(READ, fd, buffer, PAGE)) > 0)
			;
		must(count_bytes(buffer + PAGE, 0x5a, 2 * PAGE) == 2 * PAGE, files[i]);
		sys(CLOSE, fd);
	}
	return 0;
}
