/* CVE: CVE-2004-0077
   Wins: memory of another process, or of the kernel, by an address and a size whose sum wraps around
   Verdict: ok
   Timeout: 120

   A parent fills its memory with one word. Children ask for every mapping, unmapping, move and protection at every edge of the address space, by every size that
   makes a sum wrap, and write wherever they then may. Not one word of the parent's may change, and its own calls must still be answered. */

#include "attack.h"

#define WORDS (8u << 18) /* 8 MiB */
#define TOP 0x7d000000u

static const u32 addresses[] = {
	0, 1, PAGE, 0x08048000, 0x10000000, TOP - PAGE, TOP, TOP + PAGE, 0x7e000000, 0x7efff000, 0x7f000000, 0x7f001000, 0x7f800000, 0x7f900000, 0x7ffff000, 0x80000000,
	0x80100000, 0xa0000000, 0xbffff000, 0xc0000000, 0xff000000, 0xfffff000, 0xffffffff,
};
static const u32 sizes[] = {
	0, 1, PAGE, PAGE + 1, 0x3000, 0x7e000000, 0x7efff000, 0x7f000000, 0x7f001000, 0x7fffffff, 0x80000000, 0x80001000, 0x83000000, 0x83001000, 0x83002000, 0xbffff000,
	0xc0000000, 0xf0000000, 0xffffe000, 0xfffff000, 0xfffff001, 0xffffffff,
};
#define COUNT(a) (sizeof(a) / sizeof *(a))

static u32 start_at, call;

/* One address, all sizes, one call. */
static int one_address(void)
{
	u32 i, a = addresses[start_at];

	sys(MMAP2, TOP - 0x2000, PAGE, 3, 0x32, -1, 0);
	sys(MMAP2, TOP, PAGE, 1, 0x32, -1, 0);
	for (i = 0; i < COUNT(sizes); i++)
		switch (call) {
		case 0:
			sys(MREMAP, a, PAGE, sizes[i], 0, 0);
			sys(MREMAP, a, PAGE, sizes[i], 1, 0);
			sys(MREMAP, a, sizes[i], PAGE, 1, 0);
			sys(MREMAP, a, sizes[i], sizes[COUNT(sizes) - 1 - i], 1, 0);
			sys(MREMAP, TOP, PAGE, sizes[i], 3, a);
			break;
		case 1:
			sys(MPROTECT, a, sizes[i], 1);
			sys(MPROTECT, a, sizes[i], 3);
			break;
		case 2:
			if (sizes[i] > 0x10000000 && a + sizes[i] > a)
				break; /* large and no wrap: that much may just be there */
			sys(MMAP2, a, sizes[i], 3, 0x32, -1, 0);
			sys(MMAP2, a, sizes[i], 3, 0x22, -1, 0);
			sys(MMAP2, a, sizes[i], 3, 0x31, -1, 0);
			sys(MMAP2, a, sizes[i], 3, 0x100032, -1, 0);
			break;
		case 3:
			sys(MADVISE, a, sizes[i], 4);
			sys(MSYNC, a, sizes[i], 4);
			break;
		case 4:
			sys(BRK, a + sizes[i]);
			break;
		default:
			sys(MUNMAP, a, sizes[i]);
		}
	*(volatile u32 *)(TOP - 0x2000) = 1; /* may be gone by now: that is the child's own affair */
	sys(MPROTECT, TOP - 0x2000, PAGE, 1);
	sys(MUNMAP, TOP - 0x2000, PAGE);
	return 0;
}

/* The very sizes that a kernel once took: the page grew over all that was behind it, and the rights of all that were lost. */
static int as_found(void)
{
	int answer;

	sys(MMAP2, TOP - 0x2000, PAGE, 3, 0x32, -1, 0);
	sys(MMAP2, TOP, PAGE, 1, 0x32, -1, 0);
	answer = sys(MREMAP, TOP, PAGE, 0x83001000, 0, 0);
	return !FAILED(answer) || sys(MPROTECT, TOP - 0x2000, PAGE, 1) || sys(MUNMAP, TOP - 0x2000, PAGE);
}

int attack(char **arguments, char **environment)
{
	u32 *memory = (u32 *)sys(MMAP2, 0x10000000, WORDS * 4, 3, 0x32, -1, 0), i, n;

	if (FAILED(memory))
		return 3;
	for (i = 0; i < WORDS; i++)
		memory[i] = 0x12345678;
	must(in_child(as_found) == 0, "a size that wraps is taken");
	for (call = 0; call < 6; call++)
		for (start_at = 0; start_at < COUNT(addresses); start_at++)
			in_child(one_address);
	for (i = n = 0; i < WORDS; i++)
		n += memory[i] != 0x12345678;
	must(n == 0, "the parent's memory has changed");
	must(sys(GETPID) > 0, "no more calls");
	return 0;
}
