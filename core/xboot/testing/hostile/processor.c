/* Wins: the processor's privileges, the kernel's memory, the machine's end as a success; or a crash of the machine
   Verdict: ok
   Timeout: 120
   Breaks: v86

   What a hostile i386 program may try against the kernel itself. Each attack is made by a child; printed is its name, and how the child ended (wait's
   status). All backends end them the same way, and the program ends with 1 if one ended otherwise. Never run it natively: the last part makes every call
   with hostile arguments. Static, freestanding: any C compiler for i386, -nostdlib. */

typedef unsigned u32;

int sys(int number, ...);

asm(".text\n.globl sys\nsys:\n\tpush %ebx\n\tpush %esi\n\tpush %edi\n\tpush %ebp\n\tmov 20(%esp), %eax\n\tmov 24(%esp), %ebx\n\tmov 28(%esp), %ecx\n\tmov 32(%esp), %edx\n"
    "\tmov 36(%esp), %esi\n\tmov 40(%esp), %edi\n\tmov 44(%esp), %ebp\n\tint $0x80\n\tpop %ebp\n\tpop %edi\n\tpop %esi\n\tpop %ebx\n\tret\n"
    ".globl _start\n_start:\n\tcall attack\n");

#define GETPID "mov $20, %%eax\n\tint $0x80\n\t"
#define FAULT 11 /* SIGSEGV */
#define TRAP 5
#define FLOAT 8
#define LIVED_ON (77 << 8) /* harmless: the program may do this to itself */
#define TRY(name, expected, code)          \
	do {                               \
		int pid = sys(2), end = 0; \
		if (!pid) {                \
			code;              \
			sys(1, 77);        \
		}                          \
		sys(7, pid, &end, 0);      \
		report(name, end);         \
		if (end != (expected))     \
			other = 1;         \
	} while (0)

static int other;

static u32 length(const char *s)
{
	u32 n = 0;
	while (s[n])
		n++;
	return n;
}

static void report(const char *name, u32 n)
{
	char digits[14];
	int i = 12;

	digits[13] = 0;
	digits[12] = '\n';
	do {
		digits[--i] = '0' + n % 10;
		n /= 10;
	} while (n);
	digits[--i] = ' ';
	sys(4, 1, name, length(name));
	sys(4, 1, digits + i, 13 - i);
}

/* Calls that end, stop, or wait, or make processes: left out. */
static const short unfit[] = { 1, 2, 6, 7, 9, 11, 27, 29, 37, 66, 72, 104, 114, 119, 120, 142, 162, 168, 173, 179, 190, 238, 252, 267, 270, 407 };

static void every_call(void)
{
	static const u32 bad[] = { 0, 1, 0x1000, 0x80100000, 0x7effffff, 0x7f000000, 0xfffff000, 0xffffffff, 0x08047fff };
	u32 i, k, number, survived = 0;
	int end;

	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		for (number = 0; number < 460; number++) {
			for (k = 0; k < sizeof unfit / sizeof *unfit && unfit[k] != number; k++)
				;
			if (k < sizeof unfit / sizeof *unfit)
				continue;
			end = sys(2);
			if (!end) {
				u32 b = bad[i], soon[4] = {0, 0, 0, 20000};

				sys(104, 0, soon, 0); /* what waits is ended by SIGALRM */

				sys(436, 0, ~0u, 0); /* close_range */
				sys(5, "/dev/null", 2);
				sys(number, b, b, b, b, b, b);
				sys(number, 0, b, 4096, b, b, b);
				sys(number, b, 3, 3, 0x22, -1, 0);
				sys(1, 0);
			}
			sys(7, end, 0, 0);
			survived++;
		}
	report("calls made with bad pointers", survived);
}

void attack(void)
{
	u32 tls[4], word = 0x360;
	int i;
	static char area[1024];

	TRY("ds null, then a call", LIVED_ON, asm volatile("xor %%eax, %%eax\n\tmov %%eax, %%ds\n\t" GETPID : : : "eax"));
	TRY("es null, then a call", LIVED_ON, asm volatile("xor %%eax, %%eax\n\tmov %%eax, %%es\n\t" GETPID : : : "eax"));
	TRY("ds null, then a fault", FAULT, asm volatile("xor %%eax, %%eax\n\tmov %%eax, %%ds\n\tmov (%%eax), %%eax" : : : "eax"));
	TRY("kernel selector", FAULT, asm volatile("mov $0x10, %%eax\n\tmov %%eax, %%ds" : : : "eax"));
	TRY("far jump, ring 0 selector", FAULT, asm volatile("ljmp $8, $0x80100000"));
	TRY("far jump, ring 3 in selector", FAULT, asm volatile("ljmp $0x0b, $0x80100000"));
	TRY("int 14", FAULT, asm volatile("int $14"));
	TRY("int 32", FAULT, asm volatile("int $32"));
	TRY("int 8", FAULT, asm volatile("int $8"));
	TRY("int 255", FAULT, asm volatile("int $255"));
	TRY("breakpoint", TRAP, asm volatile("int $3"));
	TRY("all flags, then a call", TRAP, asm volatile("push $0x7fffff\n\tpopf\n\t" GETPID "nop" : : : "eax"));
	TRY("nested task flag", LIVED_ON, asm volatile("push $0x4002\n\tpopf\n\t" GETPID "nop" : : : "eax"));
	TRY("direction flag", LIVED_ON, asm volatile("push $0x402\n\tpopf\n\t" GETPID "nop" : : : "eax"));
	TRY("iret to ring 0", FAULT, asm volatile("push $0x10\n\tpush $0x1000\n\tpush $0x202\n\tpush $8\n\tpush $0x80100000\n\tiret"));
	TRY("sysenter", FAULT, asm volatile(".byte 0x0f, 0x34"));
	TRY("interrupts off", FAULT, asm volatile("cli"));
	TRY("new descriptor table", FAULT, asm volatile(".byte 0x0f, 0x01, 0x15, 0, 0, 0, 0"));
	TRY("page directory", FAULT, asm volatile(".byte 0x0f, 0x20, 0xd8"));
	TRY("machine register", FAULT, asm volatile(".byte 0x0f, 0x30"));
	TRY("stack pointer 0, then a fault", FAULT, asm volatile("xor %%esp, %%esp\n\tpush %%eax" : : : "eax"));
	TRY("stack pointer in the kernel", FAULT, asm volatile("mov $0x80200000, %%esp\n\tpush %%eax" : : : "eax"));
	TRY("endless recursion", FAULT, asm volatile("1: push %%eax\n\tjmp 1b" : : : "eax"));
	TRY("jump into the kernel", FAULT, asm volatile("mov $0x80100000, %%eax\n\tjmp *%%eax" : : : "eax"));
	TRY("end the machine", FAULT, asm volatile("mov $0x31, %%eax\n\tout %%al, $0xf4" : : : "eax"));
	TRY("write to the result channel", FAULT, asm volatile("mov $0x2f8, %%edx\n\tmov $'(', %%eax\n\tout %%al, %%dx" : : : "eax", "edx"));
	TRY("read a port", FAULT, asm volatile("mov $0x2f8, %%edx\n\tin %%dx, %%al" : : : "eax", "edx"));
	TRY("ports by call", LIVED_ON, if (sys(101, 0xf4, 1, 1) != 0 || sys(110, 3) != 0) sys(1, 77); asm volatile("mov $0x31, %%eax\n\tout %%al, $0xf4" : : : "eax"));
	TRY("halt", FAULT, asm volatile("hlt"));
	TRY("read the kernel", FAULT, word = *(volatile u32 *)0x80100000);
	TRY("write the kernel", FAULT, *(volatile u32 *)0x80100000 = 1);
	TRY("sigreturn from nowhere", FAULT, asm volatile("mov $119, %%eax\n\tint $0x80" : : : "eax"));
	TRY("rt_sigreturn from nowhere", FAULT, asm volatile("mov $173, %%eax\n\tint $0x80" : : : "eax"));
	tls[0] = ~0u;
	tls[1] = 0x80100000;
	tls[2] = 0xfffff;
	tls[3] = 0x51;
	TRY("segment over the kernel", FAULT, sys(243, tls); asm volatile("mov %0, %%gs\n\tmovl %%gs:0, %%eax" : : "r"(tls[0] * 8 + 3) : "eax"));
	for (i = 0; i < 1024; i++)
		area[i] = -1;
	TRY("unmasked floating exception", FLOAT, asm volatile("fldcw %0\n\tfld1\n\tfldz\n\tfdivrp\n\tfwait" : : "m"(word)));
	every_call();
	sys(1, other);
}
