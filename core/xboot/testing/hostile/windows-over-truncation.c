/* Wins: memory that a file has lost is still read or written through a mapping: another's, by then
   Verdict: ok
   Timeout: 120

   Mappings of a file, shared and private, touched and untouched, outlive what they show: the file is truncated, emptied, removed, grown again, by the same process
   and by another. What lies behind the end must be SIGBUS or EFAULT, what comes after must be zeros, and no byte of the time before may show. */

#include "attack.h"

#define AT ((volatile u8 *)0x20000000)
#define PAGES 8u

static int file, mode, ends[2];

static int read_behind(void)
{
	return AT[4 * PAGE]; /* dies */
}

static int write_behind(void)
{
	AT[4 * PAGE] = 1; /* dies */
	return 0;
}

static int cut_elsewhere(void)
{
	return sys(FTRUNCATE, file, PAGE) != 0;
}

static void once(int shared, int writable, int touched, int elsewhere, int removed)
{
	static u8 data[PAGES * PAGE];
	u32 i, sum = 0;

	file = sys(OPEN, "window", O_RDWR | O_CREAT | O_TRUNC, 0644);
	fill(data, 'S', sizeof data);
	must(sys(WRITE, file, data, sizeof data) == (int)sizeof data, "the file cannot be written");
	if (sys(MMAP2, AT, PAGES * PAGE, writable ? 3 : 1, (shared ? 1 : 2) | 0x10, file, 0) != (int)AT)
		return; /* a kernel that does not serve it has nothing to lose here */
	for (i = 0; touched && i < PAGES; i++) {
		sum += AT[i * PAGE];
		if (writable)
			AT[i * PAGE + 1] = 'T';
	}
	if (removed)
		sys(UNLINK, "window");
	if (elsewhere)
		must(in_child(cut_elsewhere) == 0, "the other process cannot cut the file");
	else
		must(sys(FTRUNCATE, file, PAGE) == 0, "the file cannot be cut");
	must(sys(WRITE, ends[1], AT + 4 * PAGE, 1) == -EFAULT, "the kernel reads behind the end of a file");
	must(in_child(read_behind) == 7, "a program reads behind the end of a file");
	if (writable)
		must(in_child(write_behind) == 7, "a program writes behind the end of a file");
	must(sys(FTRUNCATE, file, PAGES * PAGE) == 0, "the file cannot grow");
	must(count_bytes((void *)(AT + PAGE), 0, (PAGES - 1) * PAGE) == (PAGES - 1) * PAGE, "bytes of the time before show in a mapping");
	must(sys(PREAD64, file, data, sizeof data, 0, 0) == (int)sizeof data && count_bytes(data + PAGE, 0, (PAGES - 1) * PAGE) == (PAGES - 1) * PAGE,
	     "bytes of the time before show in the file");
	sys(MUNMAP, AT, PAGES * PAGE);
	sys(UNLINK, "window");
	sys(CLOSE, file);
}

int attack(char **arguments, char **environment)
{
	sys(CHDIR, "/tmp");
	sys(PIPE, ends);
	for (mode = 0; mode < 32; mode++)
		once(mode & 1, mode & 2, mode & 4, mode & 8, mode & 16);
	return 0;
}
