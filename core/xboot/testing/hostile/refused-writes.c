/* Wins: memory that nobody holds and nobody gets back, so that later steps have none
   Verdict: ok
   Memory: 256
   Timeout: 120

   Writes behind the end of a file, of bytes that cannot be read: nothing is written, so nothing may be kept, not even the page that was made for them. Room that
   is asked for behind the end. And named pipes that are opened for a reader who is not there. */

#include "attack.h"

#define MKNOD 14

int attack(char **arguments, char **environment)
{
	u8 *memory = (u8 *)sys(MMAP2, 0, 1024 * PAGE, 3, 0x22, -1, 0);
	int file, i, n = -EFAULT;

	sys(CHDIR, "/tmp");
	file = sys(OPEN, "f", O_RDWR | O_CREAT, 0644);
	for (i = 0; i < 80000 && n == -EFAULT; i++) /* 312 MiB of pages */
		n = sys(PWRITE64, file, 16, 1, i * PAGE, 0);
	must(n == -EFAULT, "a write of nothing takes memory");
	must(!sys(LSEEK, file, 0, 2), "a write of nothing makes a file longer");
	sys(CLOSE, file);
	sys(UNLINK, "f");
	for (i = 0; i < 10; i++) { /* room behind the end of a file that goes */
		file = sys(OPEN, "f", O_RDWR | O_CREAT, 0644);
		sys(FALLOCATE, file, 1, 0, 0, 32 << 20, 0);
		sys(CLOSE, file);
		sys(UNLINK, "f");
	}
	for (i = 0; i < 2000; i++) {
		sys(MKNOD, "p", 0010600, 0);
		must(FAILED(sys(OPEN, "p", 04001)), "a pipe without a reader opens for writing");
		sys(UNLINK, "p");
	}
	fill(memory, 'm', 1024 * PAGE);
	file = sys(OPEN, "f", O_RDWR | O_CREAT, 0644);
	must(sys(WRITE, file, memory, 1024 * PAGE) == (int)(1024 * PAGE), "no memory is left");
	return 0;
}
