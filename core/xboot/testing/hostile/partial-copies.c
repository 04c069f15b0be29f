/* Wins: bytes that no call said it had written are in a file, or in memory
   Verdict: ok

   Every way to write ends in memory that is not there. What the call says is what must be in the file, and what lies behind must be zeros. */

#include "attack.h"

int attack(char **arguments, char **environment)
{
	static u8 read_back[4 * PAGE];
	u8 *memory = (u8 *)sys(MMAP2, 0, 4 * PAGE, 3, 0x22, -1, 0);
	u32 start, length, vector[4];
	int file, n, way;

	sys(CHDIR, "/tmp");
	sys(MUNMAP, memory + PAGE, PAGE);
	fill(memory, 'Z', PAGE);
	for (way = 0; way < 4; way++)
		for (start = 0; start < 3 * PAGE; start += 1000)
			for (length = 1; length < 2 * PAGE; length += 997) {
				file = sys(OPEN, "f", O_RDWR | O_CREAT | O_TRUNC | (way == 3 ? 02000 : 0), 0644);
				sys(FTRUNCATE, file, way == 3 ? 0 : start);
				sys(LSEEK, file, way == 3 ? 0 : start, 0);
				vector[0] = (u32)memory;
				vector[1] = 5;
				vector[2] = (u32)memory + PAGE - 32;
				vector[3] = length;
				if (way == 0 || way == 3)
					n = sys(WRITE, file, memory + PAGE - 32, length);
				else if (way == 1)
					n = sys(PWRITE64, file, memory + PAGE - 32, length, start, 0);
				else
					n = sys(WRITEV, file, vector, 2);
				must(n == -EFAULT || (n >= 0 && n <= 37), "a call says that it wrote what is not there");
				if (n < 0)
					n = 0;
				sys(FTRUNCATE, file, 4 * PAGE);
				must(sys(PREAD64, file, read_back, sizeof read_back, 0, 0) == sizeof read_back, "the file cannot be read");
				must(count_bytes(read_back, 'Z', sizeof read_back) == (u32)n && count_bytes(read_back, 0, sizeof read_back) == sizeof read_back - (u32)n,
				     "bytes that were not written are in the file");
				sys(CLOSE, file);
			}
	return 0;
}
