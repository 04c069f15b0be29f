/* Wins: a path that the kernel walks further, or longer, than it has room for; a way out of the builder's root
   Verdict: ok

   Chains and loops of links, links that grow at every step, names and paths at the limits, and as many ".." as fit. */

#include "attack.h"

static char path[5000], name[300];

/* "l12" */
static const char *numbered(int n)
{
	name[0] = 'l';
	name[1] = (char)('0' + n / 10);
	name[2] = (char)('0' + n % 10);
	name[3] = 0;
	return name;
}

int attack(char **arguments, char **environment)
{
	char target[4];
	u32 root[24], up[24], i;
	int n, found = 0;

	sys(CHDIR, "/tmp");
	sys(CLOSE, sys(OPEN, "l00", O_RDWR | O_CREAT, 0644));
	for (n = 1; n < 60; n++) {
		numbered(n - 1);
		for (i = 0; i < 4; i++)
			target[i] = name[i];
		must(sys(SYMLINK, target, numbered(n)) == 0, "a link cannot be made");
		if (sys(OPEN, numbered(n), 0) >= 0)
			found = n;
	}
	must(found == 40, "not 40 links are followed");
	sys(SYMLINK, "a", "b");
	sys(SYMLINK, "b", "a");
	must(sys(OPEN, "a", 0) == -ELOOP && sys(OPEN, "a/x", O_RDWR | O_CREAT, 0644) == -ELOOP && sys(CHDIR, "b/") == -ELOOP, "a loop of links ends");
	sys(SYMLINK, "grow/grow/./././././././././grow", "grow");
	must(FAILED(sys(OPEN, "grow", 0)) && FAILED(sys(OPEN, "grow/grow/grow/x", 0)), "a link that grows ends");
	for (i = 0; i < 4090; i++)
		path[i] = i & 1 ? '/' : '.';
	path[4090] = 0;
	must(sys(SYMLINK, path, "dots") == 0, "a long target is refused");
	sys(SYMLINK, "dots/dots/dots", "three");
	sys(STAT64, "three", up);
	sys(STAT64, "dots/dots/three/dots/l00", up);
	for (i = 0; i < 4998; i++)
		path[i] = 'x';
	path[4998] = 0;
	must(FAILED(sys(OPEN, path, O_RDWR | O_CREAT, 0644)) && FAILED(sys(SYMLINK, path, "long")) && FAILED(sys(MKDIR, path, 0755)), "a path beyond the limit is taken");
	path[4095] = 0;
	must(FAILED(sys(OPEN, path, O_RDWR | O_CREAT, 0644)), "a name of 4095 bytes is taken");
	path[256] = 0;
	must(FAILED(sys(OPEN, path, O_RDWR | O_CREAT, 0644)) && FAILED(sys(RENAME, "l00", path)), "a name of 256 bytes is taken");
	path[255] = 0;
	must(sys(OPEN, path, O_RDWR | O_CREAT, 0644) >= 0, "a name of 255 bytes is refused");
	for (i = 0; i < 3999; i++)
		path[i] = i % 3 == 2 ? '/' : '.';
	path[3999] = 0;
	sys(STAT64, "/", root);
	must(sys(STAT64, path, up) == 0 && up[3] == root[3], "a path leads out of the root");
	sys(SYMLINK, path, "out");
	must(sys(STAT64, "out/../../..", up) == 0 && up[3] == root[3], "a link leads out of the root");
	must(sys(61, "/tmp") < 0, "a builder may change its root");
	return 0;
}
