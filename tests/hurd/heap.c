/* heap.c: the end of the heap, asked for after every step of a long walk, with a clock's signals in between. Prints what was found wrong, then how many
   steps and signals there were. The gate answers brk within a page by itself: it must never say anything else than the server would.

   static i386, TCC: -nostdlib. */

typedef unsigned u32;

int sys(u32 n, ...);
void walk(void);
void restore(void);

asm(".text\n.globl sys\nsys:\n\tpush %ebx\n\tpush %esi\n\tpush %edi\n\tpush %ebp\n\tmov 20(%esp), %eax\n\tmov 24(%esp), %ebx\n\tmov 28(%esp), %ecx\n\tmov 32(%esp), %edx\n"
    "\tmov 36(%esp), %esi\n\tmov 40(%esp), %edi\n\tmov 44(%esp), %ebp\n\tint $0x80\n\tpop %ebp\n\tpop %edi\n\tpop %esi\n\tpop %ebx\n\tret\n"
    ".globl restore\nrestore:\n\tpop %eax\n\tmov $119, %eax\n\tint $0x80\n"
    ".globl _start\n_start:\n\tcall walk\n");

static u32 signals, wrong, seed = 1;

static void print(const char *name, u32 n)
{
	char line[80];
	int i = 80, length = 0;

	line[--i] = '\n';
	do {
		line[--i] = '0' + n % 10;
		n /= 10;
	} while (n);
	line[--i] = ' ';
	while (name[length])
		length++;
	while (length)
		line[--i] = name[--length];
	sys(4, 1, line + i, 80 - i);
}

static void expect(const char *what, u32 is, u32 should)
{
	if (is != should && wrong++ < 10) {
		print(what, is);
		print("  expected", should);
	}
}

static u32 brk(u32 to)
{
	return (u32)sys(45, to);
}

static void on_alarm(int number)
{
	expect("signal", number, 14);
	signals++;
}

static u32 any(u32 below)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % below;
}

void walk(void)
{
	struct { void *handler; u32 mask, flags; void *restorer; } action = {on_alarm, 0, 0x14000000, restore}; /* SA_RESTART, SA_RESTORER */
	struct { u32 every[2], first[2]; } timer = {{0, 1000}, {0, 1000}};
	u32 start = brk(0), end = start, i, wanted, status;

	expect("sigaction", sys(67, 14, &action, 0), 0);
	expect("setitimer", sys(104, 0, &timer, 0), 0);
	for (i = 0; i < 60000; i++) {
		wanted = end;
		switch (any(8)) {
		case 0: wanted = end + any(20000); break;             /* pages up */
		case 1: wanted = start + any(end - start + 1); break; /* down */
		case 2: expect("beyond all memory", brk(0x7e000000 + any(4096)), end); break;
		case 3: expect("below the heap", brk(start - 1 - any(100)), end); break;
		case 4: expect("a large number", brk(0xfffff000 + any(4096)), end); break;
		default: wanted = end + any(64);
		}
		if (wanted > start + (4 << 20))
			wanted = start + any(4 << 20);
		if (wanted != end)
			expect("moved", brk(wanted), wanted);
		end = wanted;
		expect("asked", brk(0), end);
		if (end > start) {
			*(volatile unsigned char *)(end - 1) = (unsigned char)i;
			expect("memory", *(volatile unsigned char *)(end - 1), (unsigned char)i);
		}
		if (i % 3000 == 0) { /* a child has the same heap, and one of its own */
			int child = sys(2);

			if (!child) {
				expect("child", brk(0), end);
				expect("child moved", brk(end + 5), end + 5);
				expect("child moved far", brk(end + 9000), end + 9000);
				expect("child refused", brk(0xffffffff), end + 9000);
				expect("child asked", brk(0), end + 9000);
				sys(1, wrong != 0);
			}
			while (sys(7, child, &status, 0) != child) /* or EINTR */
				;
			expect("status of a child", status, 0);
			expect("after a child", brk(0), end);
		}
	}
	print("steps", i);
	print("wrong", wrong);
	print("signals", signals);
	sys(1, 0);
}
