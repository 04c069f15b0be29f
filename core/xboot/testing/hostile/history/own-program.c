/* CVE: CVE-2019-5736, CVE-2024-21626, CVE-2016-9962
   Wins: the executor's program is written to, or its folder entered, by what a builder inherits
   Verdict: ok
   Output: ok

   No descriptor but the first three is there; the programs of this process and of the first one cannot be opened for writing; what is behind the root is the root. */

#include "../attack.h"

int attack(char **arguments, char **environment)
{
	static const char *const programs[] = { "/proc/self/exe", "/proc/1/exe", "/init", "/proc/1/root/init", "/proc/self/root/init", "/xboot/script", "/proc/1/cwd/init" };
	static char up[] = "/proc/self/fd/0/../../../../../init", beyond[] = "../../../../../../../../../../xboot/script";
	u32 i;

	for (i = 3; i < 256; i++)
		must(sys(FCNTL, i, 1, 0) == -EBADF, "a descriptor is left open for the builder");
	for (i = 0; i < sizeof programs / sizeof *programs; i++) {
		must(FAILED(sys(OPEN, programs[i], O_RDWR, 0)), programs[i]);
		must(FAILED(sys(OPEN, programs[i], O_TRUNC | 1, 0)), programs[i]);
		must(FAILED(sys(TRUNCATE, programs[i], 0)), programs[i]);
	}
	for (i = '0'; i < '3'; i++) {
		up[14] = (char)i;
		must(FAILED(sys(OPEN, up, 0, 0)), up);
	}
	must(FAILED(sys(OPEN, beyond, 0, 0)), beyond);
	must(FAILED(sys(OPEN, "/proc/self/cwd/../../xboot/script", 0, 0)), "the script");
	return 0;
}
