/* Wins: what another process had in memory is read from pages that are used again
   Verdict: ok
   Timeout: 120

   A process fills memory of every kind with one byte and gives it back; then memory of every kind is looked through. It must be zeros. */

#include "attack.h"

#define SIZE (4u << 20)

static u8 bss[1 << 20];

static int fills(void)
{
	u8 *memory = (u8 *)sys(MMAP2, 0, SIZE, 3, 0x22, -1, 0), *end = (u8 *)sys(BRK, 0);
	int ends[2], file, i;

	fill(memory, 0xa5, SIZE);
	fill(bss, 0xa5, sizeof bss);
	if ((u8 *)sys(BRK, end + 500000) == end + 500000)
		fill(end, 0xa5, 500000);
	for (i = 0; i < 8; i++) {
		sys(PIPE2, ends, 04000);
		sys(WRITE, ends[1], memory, 65536);
	}
	file = sys(OPEN, "f", O_RDWR | O_CREAT | O_TRUNC, 0644);
	sys(WRITE, file, memory, SIZE);
	sys(UNLINK, "f");
	sys(MUNMAP, memory, SIZE / 2);
	return 0;
}

static void clean(const u8 *memory, u32 size, const char *what)
{
	must(count_bytes(memory, 0xa5, size) < 64, what);
}

static int looks(void)
{
	u8 *memory = (u8 *)sys(MMAP2, 0, SIZE, 3, 0x22, -1, 0), *end = (u8 *)sys(BRK, 0);
	u8 stack[100000];
	int file;

	clean(memory, SIZE, "in fresh memory");
	clean(bss, sizeof bss, "in a program's own zeros");
	clean(stack, sizeof stack, "on a fresh stack");
	if ((u8 *)sys(BRK, end + 500000) == end + 500000) {
		clean(end, 500000, "in a heap that grew");
		fill(end, 0xa5, 500000);
		sys(BRK, end);
		sys(BRK, end + 500000);
		clean(end, 500000, "in a heap that shrank and grew");
	}
	file = sys(OPEN, "g", O_RDWR | O_CREAT | O_TRUNC, 0644);
	sys(FTRUNCATE, file, SIZE);
	sys(READ, file, memory, SIZE);
	clean(memory, SIZE, "in a file's hole");
	sys(PWRITE64, file, "x", 1, SIZE / 2 + 1, 0);
	sys(PREAD64, file, memory, SIZE, 0, 0);
	clean(memory, SIZE, "beside what was written into a hole");
	return losses != 0;
}

int attack(char **arguments, char **environment)
{
	int i;

	sys(CHDIR, "/tmp");
	for (i = 0; i < 3; i++) {
		must(in_child(fills) == 0, "memory cannot be filled");
		must(in_child(looks) == 0, "memory of another process shows");
	}
	return 0;
}
