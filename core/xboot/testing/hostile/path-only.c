/* Wins: a file that may not be read, or written, is
   Verdict: ok

   O_PATH names a file without any right to it. Every call that reads, writes, moves, locks, maps or changes is tried with such a descriptor. */

#include "attack.h"

int attack(char **arguments, char **environment)
{
	static char buffer[64];
	int file, out, fd, vector[2], position[2] = { 0, 0 };

	sys(CHDIR, "/tmp");
	file = sys(OPEN, "secret", O_RDWR | O_CREAT | O_TRUNC, 0600);
	sys(WRITE, file, "secret", 6);
	sys(CLOSE, file);
	sys(CHMOD, "secret", 0);
	must(FAILED(sys(OPEN, "secret", 0)), "a file of mode 0 can be opened");
	fd = sys(OPEN, "secret", O_PATH);
	out = sys(OPEN, "out", O_RDWR | O_CREAT | O_TRUNC, 0644);
	vector[0] = (int)buffer;
	vector[1] = 6;
	must(FAILED(sys(READ, fd, buffer, 6)) && FAILED(sys(PREAD64, fd, buffer, 6, 0, 0)) && FAILED(sys(READV, fd, vector, 1)), "it is read");
	must(FAILED(sys(WRITE, fd, buffer, 6)) && FAILED(sys(PWRITE64, fd, buffer, 6, 0, 0)) && FAILED(sys(WRITEV, fd, vector, 1)), "it is written");
	must(FAILED(sys(SENDFILE, out, fd, 0, 6)) && FAILED(sys(SENDFILE, out, fd, position, 6)) && FAILED(sys(SENDFILE, fd, out, 0, 6)), "it is sent");
	must(FAILED(sys(377, fd, 0, out, 0, 6, 0)) && FAILED(sys(313, fd, 0, out, 0, 6, 0)), "it is copied, or spliced");
	must(FAILED(sys(LSEEK, fd, 0, 2)) && FAILED(sys(FSYNC, fd)), "it is moved, or synced");
	must(FAILED(sys(GETDENTS64, fd, buffer, 64)) && FAILED(sys(FCNTL, fd, 4, 04000)), "it is listed, or its flags are set");
	must(FAILED(sys(MMAP2, 0, PAGE, 1, 2, fd, 0)) && FAILED(sys(MMAP2, 0, PAGE, 1, 1, fd, 0)), "it is mapped");
	must(FAILED(sys(OPEN, descriptor_path(fd), 0)) && FAILED(sys(OPEN, descriptor_path(fd), O_RDWR)), "it is opened by /proc/self/fd");
	must(FAILED(sys(EXECVE, descriptor_path(fd), 0, 0)), "it is run");
	must(sys(FCNTL, fd, 1) >= 0 && sys(FCNTL, fd, 3) >= 0 && sys(DUP, fd) >= 0, "what it may do is refused");
	must(sys(LSEEK, out, 0, 2) == 0, "something came out");
	return 0;
}
