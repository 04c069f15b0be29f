/* Wins: bytes that nobody wrote, or a kernel that goes round without end, by pipes and files that flow into each other
   Verdict: ok
   Timeout: 120

   Pipes in a ring are spliced and teed into each other, into themselves, into files that are read at the same time; files are sent and copied into themselves, over
   what they are read from. What goes round is what was put in: as many bytes, the same bytes. Nothing goes on for ever. */

#include "attack.h"

enum { SPLICE = 313, TEE = 315, VMSPLICE = 316, COPY_FILE_RANGE = 377, RING = 5, NOT_WAITING = 2 };

static int ring[RING][2];
static u8 bytes[70000];

static u32 all_in_ring(void)
{
	u32 i, n, sum = 0;

	for (i = 0; i < RING; i++) {
		n = 0;
		sys(IOCTL, ring[i][0], 0x541b, &n); /* FIONREAD */
		sum += n;
	}
	return sum;
}

static int circles(void)
{
	u32 i, k, seed = 1, put = 5000;
	int n, others = 0;

	for (i = 0; i < RING; i++)
		sys(PIPE2, ring[i], 04000);
	fill(bytes, 'r', put);
	sys(WRITE, ring[0][1], bytes, put);
	for (i = 0; i < 3000; i++) {
		seed = seed * 1103515245 + 12345;
		k = (seed >> 16) % RING;
		n = sys(SPLICE, ring[k][0], 0, ring[(k + 1 + (seed >> 24) % (RING - 1)) % RING][1], 0, (seed >> 8) % 3000, NOT_WAITING);
		must(n <= 3000, "more is spliced than was asked");
		must(FAILED(sys(SPLICE, ring[k][0], 0, ring[k][1], 0, 100, NOT_WAITING)), "a pipe is spliced into itself");
		must(FAILED(sys(TEE, ring[k][0], ring[k][1], 100, NOT_WAITING)), "a pipe is teed into itself");
	}
	must(all_in_ring() == put, "another number of bytes goes round than was put in");
	for (i = 0; i < RING; i++)
		while ((n = sys(READ, ring[i][0], bytes, 4000)) > 0) {
			others += n - (int)count_bytes(bytes, 'r', (u32)n);
			put -= (u32)n;
		}
	must(!others && !put, "other bytes come out than went in");
	return losses != 0;
}

static int files(void)
{
	int file, ends[2], n, i;
	u32 offset[2], size, before;

	sys(CHDIR, "/tmp");
	file = sys(OPEN, "f", O_RDWR | O_CREAT | O_TRUNC, 0600);
	fill(bytes, 'f', sizeof bytes);
	sys(WRITE, file, bytes, 10000);
	for (i = 0; i < 8; i++) { /* a file is sent to its own end: it ends where it ended when that began, or a step further */
		offset[0] = (u32)i * 1000;
		before = (u32)sys(LSEEK, file, 0, 2);
		n = sys(SENDFILE, file, file, offset, 5000);
		size = (u32)sys(LSEEK, file, 0, 2);
		must(FAILED(n) || (n <= 5000 && size <= before + 5000), "a file that is sent to itself grows too far");
	}
	offset[0] = 100;
	offset[1] = 0;
	must(FAILED(sys(COPY_FILE_RANGE, file, offset, file, offset, 500, 0)), "a file is copied over itself");
	sys(PIPE2, ends, 04000);
	for (i = 0; i < 200; i++) {
		sys(SPLICE, file, 0, ends[1], 0, 3000, NOT_WAITING);
		sys(LSEEK, file, i * 10, 0);
		n = sys(SPLICE, ends[0], 0, file, 0, 3000, NOT_WAITING);
		must(FAILED(n) || n <= 3000, "more is spliced than was asked");
	}
	size = (u32)sys(LSEEK, file, 0, 2);
	must(size < 200000, "a file grows without end");
	sys(LSEEK, file, 0, 0);
	for (before = 0; (n = sys(READ, file, bytes, sizeof bytes)) > 0; before += (u32)n)
		must((u32)n == count_bytes(bytes, 'f', (u32)n), "a byte that nobody wrote");
	must(before == size, "a file has another length than it says");
	return losses != 0;
}

int attack(char **arguments, char **environment)
{
	must(in_child(circles) == 0, "circles");
	must(in_child(files) == 0, "files");
	return 0;
}
