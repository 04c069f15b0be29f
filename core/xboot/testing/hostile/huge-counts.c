/* Wins: memory beside a buffer, by a count that is taken for another
   Verdict: ok
   Timeout: 120

   Reads, writes and listings with counts at and around every power of two that a kernel may confuse; canaries stand around each buffer, and nothing behind the end of
   the memory may be read. */

#include "attack.h"

static const u32 counts[] = { 0, 1, PAGE - 1, PAGE, PAGE + 1, 0xffff, 0x10000, 0x7ffff000, 0x7fffffff, 0x80000000, 0x80000001, 0xffff0000, 0xfffff000, 0xfffffffe, 0xffffffff };

int attack(char **arguments, char **environment)
{
	u8 *memory = (u8 *)sys(MMAP2, 0, 6 * PAGE, 3, 0x22, -1, 0), *buffer = memory + PAGE;
	int file, zero = sys(OPEN, "/dev/zero", 0), null = sys(OPEN, "/dev/null", 1), folder, ends[2], n;
	u32 i, k, vector[6];

	sys(CHDIR, "/tmp");
	sys(MUNMAP, memory + 4 * PAGE, 2 * PAGE); /* three pages, and nothing behind them */
	sys(PIPE2, ends, 04000);
	folder = sys(OPEN, "/", 0);
	for (i = 0; i < sizeof counts / sizeof *counts; i++) {
		file = sys(OPEN, "f", O_RDWR | O_CREAT | O_TRUNC, 0644);
		fill(memory, 'C', 4 * PAGE);
		n = sys(WRITE, file, buffer, counts[i]);
		must(n <= (int)(3 * PAGE) && sys(LSEEK, file, 0, 2) == (n < 0 ? 0 : n), "a write takes more than there is");
		sys(FTRUNCATE, file, 5 * PAGE);
		n = sys(PREAD64, file, buffer, counts[i], 0, 0);
		must(n <= (int)(3 * PAGE), "a read gives more than there is room");
		must(count_bytes(memory, 'C', PAGE) == PAGE, "what stands before a buffer is changed by a file");
		n = sys(READ, zero, buffer, counts[i]);
		must(n <= (int)(3 * PAGE) && count_bytes(memory, 'C', PAGE) == PAGE, "what stands before a buffer is changed by a device");
		sys(WRITE, null, buffer, counts[i]);
		n = sys(WRITE, ends[1], buffer, counts[i]);
		must(n <= (int)(3 * PAGE), "a pipe takes more than there is");
		while ((n = sys(READ, ends[0], buffer, counts[i] | 1)) > 0)
			must(n <= (int)(3 * PAGE), "a pipe gives more than there is room");
		sys(LSEEK, folder, 0, 0);
		n = sys(GETDENTS64, folder, buffer, counts[i]);
		must(n <= (int)(3 * PAGE) && count_bytes(memory, 'C', PAGE) == PAGE, "a listing writes beside its buffer");
		for (k = 0; k < sizeof counts / sizeof *counts; k++) {
			vector[0] = (u32)buffer;
			vector[1] = counts[i];
			vector[2] = (u32)buffer + PAGE;
			vector[3] = counts[k];
			n = sys(WRITEV, null, vector, 2);
			n = sys(READV, zero, vector, 2);
			must(count_bytes(memory, 'C', PAGE) == PAGE, "vectors write beside their buffers");
			n = sys(SENDFILE, file, file, 0, counts[k]);
			must(n <= (int)(5 * PAGE), "a file sends more than it has");
			sys(FTRUNCATE, file, 5 * PAGE);
		}
		must(FAILED(sys(READV, zero, vector, counts[i] | 0x400)) || counts[i] == 0, "more vectors than there are");
		sys(CLOSE, file);
	}
	return 0;
}
