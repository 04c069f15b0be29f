/* Wins: bytes that are in no file, by a file that is sent, spliced or copied into itself
   Verdict: ok
   Timeout: 120

   Files are sent to themselves with every overlap, to pipes and back, past their end and from offsets beyond all; a file may hold what it held, moved, and zeros. */

#include "attack.h"

int attack(char **arguments, char **environment)
{
	static const u32 offsets[] = { 0, 1, PAGE - 1, PAGE, PAGE + 7, 3 * PAGE, 0x7fffffff, 0x80000000, 0xffffffff };
	static u8 data[8 * PAGE];
	u32 i, k, position[2];
	int file, other, ends[2], n;

	sys(CHDIR, "/tmp");
	sys(PIPE2, ends, 04000);
	for (i = 0; i < sizeof offsets / sizeof *offsets; i++)
		for (k = 0; k < sizeof offsets / sizeof *offsets; k++) {
			file = sys(OPEN, "f", O_RDWR | O_CREAT | O_TRUNC, 0644);
			fill(data, 'S', sizeof data);
			sys(WRITE, file, data, 3 * PAGE);
			other = sys(OPEN, "f", O_RDWR);
			sys(LSEEK, other, offsets[k] & 0x7fff, 0);
			position[0] = offsets[i];
			position[1] = i > 6 ? 0x7fffffff : 0;
			n = sys(SENDFILE, other, file, 0, offsets[k]);
			n = sys(239, other, file, position, 2 * PAGE);
			must(FAILED(n) || n <= (int)(2 * PAGE), "more is sent than was asked");
			sys(SENDFILE, ends[1], file, position, PAGE);
			while (sys(READ, ends[0], data, sizeof data) > 0)
				;
			sys(313, file, position, ends[1], 0, 2 * PAGE, 2);  /* splice */
			sys(313, ends[0], 0, file, position, 2 * PAGE, 2);
			sys(377, file, position, other, 0, 2 * PAGE, 0);    /* copy_file_range */
			while (sys(READ, ends[0], data, sizeof data) > 0)
				;
			if (sys(LSEEK, file, 0, 2) < 0x100000) {
				sys(LSEEK, file, 0, 0);
				while ((n = sys(READ, file, data, sizeof data)) > 0)
					must(count_bytes(data, 'S', (u32)n) + count_bytes(data, 0, (u32)n) == (u32)n, "a file holds bytes that nobody wrote");
			}
			sys(CLOSE, file);
			sys(CLOSE, other);
		}
	return 0;
}
