/* Wins: a word from one step to the next, by memory that is shared when its step ends
   Verdict: ok
   Then: $program again && cat $first > /dev/null && echo ok > $out
   Timeout: 120

   The first step's processes share memory: without a name, of a file, of a file that was removed, of a memory file; they hold it, write to it and wait to be ended, and the
   output is mapped by them too. The second step finds none of that: its new memory is of zeros, its new files are empty, and the output stays as it is. */

#include "attack.h"

enum { MEMFD_CREATE = 356, YIELD = 158, PAGES = 2000 };

#define SECRET 0x5ec0e75eu

static void shares(u32 at, int file, u32 flags)
{
	volatile u32 *page = (volatile u32 *)at;
	u32 i;

	if (file >= 0)
		sys(FTRUNCATE, file, 64 * PAGE);
	if (FAILED(sys(MMAP2, at, 64 * PAGE, 3, flags | 0x10, file, 0)))
		return;
	for (i = 0; i < 64 * 1024; i++)
		page[i] = SECRET;
}

static void holds(int output)
{
	volatile u32 *of_output = (volatile u32 *)0x26000000;
	int file;

	shares(0x20000000, -1, 0x21);
	shares(0x21000000, sys(OPEN, "/tmp/shared", O_RDWR | O_CREAT, 0666), 1);
	file = sys(OPEN, "/tmp/removed", O_RDWR | O_CREAT, 0666);
	shares(0x22000000, file, 1);
	sys(UNLINK, "/tmp/removed");
	shares(0x23000000, sys(MEMFD_CREATE, "name", 0), 1);
	shares(0x24000000, sys(OPEN, "/dev/shm/x", O_RDWR | O_CREAT, 0666), 1);
	sys(MMAP2, of_output, PAGE, 3, 0x11, output, 0);
	for (;;)
		sys(POLL, 0, 0, 100000);
}

static int looks(void)
{
	volatile u32 *memory = (volatile u32 *)sys(MMAP2, 0x20000000, PAGES * PAGE, 3, 0x32, -1, 0), *shared;
	static const char *const gone[] = { "/tmp/shared", "/tmp/removed", "/dev/shm/x" };
	static u32 words[1024];
	u32 i, n = 0;
	int file;

	for (i = 0; i < PAGES * 1024; i += 64)
		n += memory[i] != 0;
	must(!n, "new memory is not of zeros");
	for (i = 0; i < 3; i++)
		must(FAILED(sys(OPEN, gone[i], 0)), "a file of a step that is over is there");
	file = sys(OPEN, "/tmp/new", O_RDWR | O_CREAT, 0600);
	sys(FTRUNCATE, file, 100 * PAGE);
	for (i = n = 0; i < 100; i++) {
		sys(READ, file, words, PAGE);
		n += words[i] != 0;
	}
	must(!n, "a new file is not of zeros");
	shared = (volatile u32 *)sys(MMAP2, 0x30000000, 100 * PAGE, 3, 0x31, -1, 0);
	for (i = 0; !FAILED(shared) && i < 100; i++)
		n += shared[i * 1024 + i] != 0;
	must(!n, "new shared memory is not of zeros");
	return losses != 0;
}

int attack(char **arguments, char **environment)
{
	int i, output;

	if (arguments[1])
		return looks();
	for (i = 0; environment[i]; i++)
		if (environment[i][0] == 'o' && environment[i][1] == 'u' && environment[i][2] == 't' && environment[i][3] == '=')
			break;
	output = sys(OPEN, environment[i] + 4, O_RDWR);
	for (i = 0; i < 3; i++)
		if (!sys(FORK))
			holds(output);
	for (i = 0; i < 50; i++)
		sys(YIELD);
	return 0;
}
