/* Wins: a node of the kernel's is freed while it is in use, by names that it is given through /proc/self/fd
   Verdict: ok

   Every kind of descriptor is linked, renamed, removed, replaced by its path in /proc/self/fd, again and again. What cannot have a name must get none, what can
   must count it, and every descriptor must still be what it was. */

#include "attack.h"

static const char *const kinds[] = { "pipe, reading", "pipe, writing", "device", "folder", "file", "file without a name", "path only" };
#define KINDS 7

int attack(char **arguments, char **environment)
{
	static char buffer[16];
	u32 before[24], after[24];
	int fds[KINDS], i, k;
	const char *path;

	sys(CHDIR, "/tmp");
	must(sys(PIPE, fds) == 0, "no pipe");
	fds[2] = sys(OPEN, "/dev/null", O_RDWR);
	fds[3] = sys(OPEN, "/tmp", 0);
	fds[4] = sys(OPEN, "file", O_RDWR | O_CREAT, 0644);
	fds[5] = sys(OPEN, "gone", O_RDWR | O_CREAT, 0644);
	fds[6] = sys(OPEN, "file", O_PATH);
	sys(UNLINK, "gone");
	sys(WRITE, fds[1], "12345678", 8);
	for (k = 0; k < KINDS; k++) {
		sys(FSTAT64, fds[k], before);
		for (i = 0; i < 30; i++) {
			path = descriptor_path(fds[k]);
			must(FAILED(sys(LINK, path, "x")), "a link of /proc gets a second name");
			sys(LINKAT, HERE, path, HERE, "x", 0x400);
			sys(LINKAT, fds[k], "", HERE, "y", 0x1000);
			must(FAILED(sys(RENAME, path, "z")) && FAILED(sys(RENAME, "file", path)), "a link of /proc is moved, or replaced");
			must(FAILED(sys(UNLINK, path)) && FAILED(sys(RMDIR, path)) && FAILED(sys(MKDIR, path, 0755)) && FAILED(sys(SYMLINK, "a", path)),
			     "a link of /proc is removed, or made");
			sys(RENAMEAT2, HERE, path, HERE, "file", 2);
			sys(UNLINK, "x");
			sys(UNLINK, "x");
			sys(UNLINK, "y");
			sys(CLOSE, sys(OPEN, path, 04000 /* O_NONBLOCK */, 0));
			sys(READLINK, path, buffer, sizeof buffer);
		}
		sys(FSTAT64, fds[k], after);
		for (i = 3; i < 8; i++) /* number, mode, links, owner */
			must(before[i] == after[i], kinds[k]);
	}
	must(sys(READ, fds[0], buffer, 8) == 8 && buffer[7] == '8', "the pipe has lost its bytes");
	must(sys(WRITE, fds[5], "x", 1) == 1 && sys(WRITE, fds[4], "x", 1) == 1, "the files cannot be written any more");
	return 0;
}
