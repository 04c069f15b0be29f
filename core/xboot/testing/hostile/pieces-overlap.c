/* Wins: a copy that goes beyond what its pieces hold, or counts bytes that it did not copy
   Verdict: ok
   Timeout: 120

   Reads and writes in pieces: a thousand, too many, of lengths whose sum is too large or negative, that overlap each other, the vector itself and the ends of memory,
   from files, pipes and devices. What is answered is what was copied, whatever lies behind is as it was, and no piece is filled after one that could not be. */

#include "attack.h"

enum { PREADV = 333, PWRITEV = 334 };

static struct { u32 at, length; } v[1100];
static u8 area[3 * PAGE];

static u32 changed(u32 from, u32 to)
{
	u32 i, n = 0;

	for (i = from; i < to; i++)
		n += area[i] != 0xee;
	return n;
}

static int files(void)
{
	int file, n;
	u32 i;

	sys(CHDIR, "/tmp");
	file = sys(OPEN, "f", O_RDWR | O_CREAT | O_TRUNC, 0600);
	for (i = 0; i < 3 * PAGE; i++)
		area[i] = (u8)(i % 251);
	sys(WRITE, file, area, 3 * PAGE);

	for (i = 0; i < 1100; i++) { /* more than there may be */
		v[i].at = (u32)area + i;
		v[i].length = 1;
	}
	fill(area, 0xee, sizeof area);
	must(sys(PREADV, file, v, 1025, 0, 0) == -EINVAL && !changed(0, sizeof area), "more pieces than there may be");
	must(sys(PREADV, file, v, -1, 0, 0) == -EINVAL, "a number of pieces below zero");
	must(sys(PREADV, file, v, 1024, 0, 0) == 1024 && area[1023] == 1023 % 251 && !changed(1024, sizeof area), "1024 pieces");

	fill(area, 0xee, sizeof area); /* lengths whose sum is none */
	v[0].at = (u32)area;
	v[0].length = 8;
	v[1].at = (u32)area + 8;
	v[1].length = 0xffffffff;
	must(sys(PREADV, file, v, 2, 0, 0) == -EINVAL && !changed(0, sizeof area), "a length below zero");

	v[0].length = 0x7fffffff; /* long, but the file is not; and memory ends */
	v[1].length = 0x7fffffff;
	n = sys(PREADV, file, v, 2, 0, 0);
	must(FAILED(n) || n <= (int)(3 * PAGE), "more was read than there is");

	fill(area, 0xee, sizeof area); /* the second cannot be filled: the third is not either */
	v[0].length = 16;
	v[1].at = 0x80100000;
	v[1].length = 16;
	v[2].at = (u32)area + 100;
	v[2].length = 16;
	n = sys(PREADV, file, v, 3, 0, 0);
	must((n == 16 || FAILED(n)) && !changed(16, sizeof area), "a piece behind one that could not be filled");

	v[0].at = (u32)area + 4; /* each over the one before: in their order */
	v[0].length = 8;
	v[1].at = (u32)area;
	v[1].length = 8;
	must(sys(PREADV, file, v, 2, 1, 0) == 16 && area[0] == 9 && area[4] == 13 && area[8] == 5, "pieces that overlap");

	v[0].at = (u32)v; /* over the vector itself */
	v[0].length = 16;
	v[1].at = (u32)area;
	v[1].length = 4;
	n = sys(PREADV, file, v, 2, 0, 0);
	must(n == 20 || n == 16 || n == -EFAULT, "a vector that is read over");
	must(sys(PREADV, file, v, 1, 0, 0x80000000) < 0, "a place before the file's begin");
	return losses != 0;
}

static int pipes(void)
{
	int ends[2], i, n, sum = 0;
	u8 byte;

	sys(PIPE2, ends, 04000);
	fill(area, 7, sizeof area);
	for (i = 0; i < 30; i++) {
		v[0].at = (u32)area;
		v[0].length = (u32)i * 13;
		v[1].at = i % 4 == 3 ? 0x80100000 : (u32)area + 5;
		v[1].length = (u32)i * 7;
		v[2].at = (u32)area + PAGE;
		v[2].length = i % 5 == 4 ? 0x70000000 : 3;
		n = sys(WRITEV, ends[1], v, 3);
		if (n > 0)
			sum += n;
	}
	while (sys(READ, ends[0], &byte, 1) == 1) {
		must(byte == 7 || byte == 0xee || byte == 0, "a byte that nobody wrote");
		sum--;
	}
	must(sum == 0, "other bytes come out than were said to go in");
	return losses != 0;
}

int attack(char **arguments, char **environment)
{
	must(in_child(files) == 0, "files");
	must(in_child(pipes) == 0, "pipes");
	return 0;
}
