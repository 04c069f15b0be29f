/* Wins: pages that are in two places of a program, or none that is counted, by moving memory in odd ways
   Verdict: ok
   Timeout: 120

   Memory is moved with sizes of nothing, over itself, over its neighbours, over the stack and the program, beyond the end of the file that it shows, kept where it was
   (DONTUNMAP), a thousand times into a thousand parts. What a page held is there where it went, and nowhere else; files keep their length; a parent loses nothing. */

#include "attack.h"

#define PLACE 0x20000000u
#define OTHER 0x30000000u
#define WORD(at, page) (((volatile u32 *)(at))[(page) * 1024])

static int edges(void)
{
	u32 i, at;
	int r;

	sys(MMAP2, PLACE, 16 * PAGE, 3, 0x32, -1, 0);
	for (i = 0; i < 16; i++)
		WORD(PLACE, i) = 100 + i;
	must(FAILED(sys(MREMAP, PLACE, 0, 4 * PAGE, 1, 0)), "private memory is doubled by a size of nothing");
	must(FAILED(sys(MREMAP, PLACE, 4 * PAGE, 4 * PAGE, 3, PLACE + 2 * PAGE)), "memory is moved over itself");
	must(FAILED(sys(MREMAP, PLACE + 2 * PAGE, 4 * PAGE, 4 * PAGE, 3, PLACE)), "memory is moved over itself, downwards");
	must(FAILED(sys(MREMAP, PLACE + 1, PAGE, PAGE, 1, 0)) && FAILED(sys(MREMAP, PLACE, PAGE, PAGE, 3, OTHER + 1)), "half pages are moved");
	must(FAILED(sys(MREMAP, PLACE, PAGE, PAGE, 2, OTHER)) && FAILED(sys(MREMAP, PLACE, PAGE, PAGE, 8, OTHER)), "flags that are none");
	must(FAILED(sys(MREMAP, PLACE, 20 * PAGE, PAGE, 1, 0)) || WORD(PLACE, 0) == 100, "more than there is");
	for (i = 0; i < 16; i++) /* what was refused changed nothing; but the last may have cut it off */
		must(i && !WORD(PLACE, 0) ? 1 : WORD(PLACE, 0) == 100, "a refused move took a word");
	sys(MUNMAP, PLACE, 16 * PAGE);
	sys(MMAP2, PLACE, 16 * PAGE, 3, 0x32, -1, 0);
	for (i = 0; i < 16; i++)
		WORD(PLACE, i) = 100 + i;
	for (i = 0; i < 16; i += 2) /* every other one, to where they lie in turn */
		must(sys(MREMAP, PLACE + i * PAGE, PAGE, PAGE, 3, OTHER + (16 - i) * PAGE) == (int)(OTHER + (16 - i) * PAGE), "a page is not moved");
	for (i = 0; i < 16; i += 2)
		must(WORD(OTHER, 16 - i) == 100 + i && WORD(PLACE, i + 1) == 101 + i, "a page is not where it went");
	for (i = 0; i < 16; i += 2)
		must(FAILED(sys(MPROTECT, PLACE + i * PAGE, PAGE, 3)), "a page is still where it was");
	r = sys(MREMAP, OTHER + 2 * PAGE, PAGE, PAGE, 5, 0); /* MAYMOVE | DONTUNMAP */
	if (!FAILED(r)) {
		must(WORD(r, 0) == 114 && WORD(OTHER, 2) == 0, "a page that was kept is in both places");
		sys(MUNMAP, r, PAGE);
	}
	at = OTHER + 4 * PAGE;
	for (i = 0; i < 300; i++) { /* grows and shrinks, with and without room */
		r = sys(MREMAP, at, PAGE, (1 + i % 7) * PAGE, 1, 0);
		must(!FAILED(r) && WORD(r, 0) == 112, "a page that grows loses what it held");
		if (i % 7)
			must(WORD(r, i % 7) == 0, "what is new is not of zeros");
		WORD(r, i % 7) = i % 7 ? 5 : 112;
		must(sys(MREMAP, r, (1 + i % 7) * PAGE, PAGE, 0, 0) == r, "a page does not shrink");
		at = (u32)r;
	}
	return losses;
}

static int of_file(void)
{
	int file, r;
	u32 i;

	sys(CHDIR, "/tmp");
	file = sys(OPEN, "f", O_RDWR | O_CREAT | O_TRUNC, 0600);
	for (i = 0; i < 4; i++)
		sys(PWRITE64, file, &i, 4, i * PAGE, 0);
	sys(FTRUNCATE, file, 3 * PAGE + 4);
	sys(MMAP2, PLACE, 2 * PAGE, 3, 0x11, file, 0);
	r = sys(MREMAP, PLACE, 2 * PAGE, 8 * PAGE, 1, 0);
	must(FAILED(r) || (WORD(r, 3) == 3 && WORD(r, 1) == 1), "a view that grows shows other pages");
	if (!FAILED(r)) {
		WORD(r, 2) = 77;
		must(sys(PREAD64, file, &i, 4, 2 * PAGE, 0) == 4 && i == 77, "a view that was moved is no view");
		must(sys(LSEEK, file, 0, 2) == (int)(3 * PAGE + 4), "a file grew by a view");
		r = sys(MREMAP, r, 0, 2 * PAGE, 1, 0); /* a second view, where that is granted */
		must(FAILED(r) || WORD(r, 1) == 1, "a doubled view shows other pages");
		WORD(FAILED(r) ? 0 : (u32)r, 9) = 1; /* behind the end: this ends the child */
	}
	return losses;
}

static int over_all(void)
{
	u32 i;

	sys(MMAP2, PLACE, 8 * PAGE, 3, 0x32, -1, 0);
	for (i = 0x08000000; i < 0x08060000; i += PAGE) /* over the program: it ends, if it is hit */
		sys(MREMAP, PLACE, PAGE, 2 * PAGE, 3, i);
	return 0;
}

int attack(char **arguments, char **environment)
{
	u32 *own = (u32 *)sys(MMAP2, 0x40000000, 512 * PAGE, 3, 0x32, -1, 0), i, n = 0;
	int end;

	for (i = 0; i < 512 * 1024; i++)
		own[i] = 0x600d600d;
	must(in_child(edges) == 0, "edges");
	end = in_child(of_file);
	must((end & 127) != 0 || end == 0, "a file's views");
	in_child(over_all);
	for (i = 0; i < 512 * 1024; i++)
		n += own[i] != 0x600d600d;
	must(!n, "the parent's memory has changed");
	return 0;
}
