/* mach_attacks.c: what a builder can try with Mach itself, behind the server's back. Each attack is made by a child; printed is its wait status, or what it found.

   static i386, TCC: -nostdlib. The gate's addresses and names are those of plugins/hurd/xboot_hurd/guest/gate.h. */

typedef unsigned u32;

#define GATE 0x7f800000u
#define REQUEST 0x21
#define ANSWER 0x22
#define CALL_ID 0x78626f

int sys(u32 n, ...);
int mach_msg(void *message, u32 option, u32 send, u32 room, u32 from, u32 timeout, u32 notify);
int mach_trap(int number, u32 a, u32 b, u32 c, u32 d); /* a, b, c, d on the stack, as Mach takes them */
void attack(void);

asm(".text\n.globl sys\nsys:\n\tpush %ebx\n\tpush %esi\n\tpush %edi\n\tpush %ebp\n\tmov 20(%esp), %eax\n\tmov 24(%esp), %ebx\n\tmov 28(%esp), %ecx\n\tmov 32(%esp), %edx\n"
    "\tmov 36(%esp), %esi\n\tmov 40(%esp), %edi\n\tmov 44(%esp), %ebp\n\tint $0x80\n\tpop %ebp\n\tpop %edi\n\tpop %esi\n\tpop %ebx\n\tret\n"
    ".globl mach_msg\nmach_msg:\n\tmov $-25, %eax\n\tlcall $7, $0\n\tret\n"
    ".globl mach_trap\nmach_trap:\n\tpop %edx\n\tpop %eax\n\tpush %edx\n\tlcall $7, $0\n\tpop %edx\n\tpush %eax\n\tpush %edx\n\tret\n"
    ".globl _start\n_start:\n\tcall attack\n");

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

	digits[12] = '\n';
	do {
		digits[--i] = '0' + n % 10;
		n /= 10;
	} while (n);
	digits[--i] = ' ';
	sys(4, 1, name, length(name));
	sys(4, 1, digits + i, 13 - i);
}

struct message {
	u32 bits, size, remote, local, sequence, id;
	u32 body[60];
} m;

static void prepare(u32 bits, u32 id)
{
	m.bits = bits;
	m.remote = REQUEST;
	m.local = 0;
	m.id = id;
}

static int end;

/* In a child, which is killed when it does not end in time. */
#define TRY(name, what)                                            \
	do {                                                       \
		int pid = sys(2);                                  \
		if (!pid) {                                        \
			what;                                      \
			sys(1, 77);                                \
		}                                                  \
		u32 half[2] = { 0, 500000000 };                    \
		sys(162, half, 0);                                 \
		sys(37, pid, 9);                                   \
		end = -1;                                          \
		sys(7, pid, &end, 0);                              \
		report(name, end);                                 \
	} while (0)

static void many_rights(void)
{
	u32 i;

	prepare(19 | 0x80000000u, CALL_ID); /* complex: send rights, which would pile up in the server */
	for (i = 0; i < 8; i++) {
		m.body[2 * i] = 0x10012000u | 19;
		m.body[2 * i + 1] = REQUEST;
	}
	for (i = 0; i < 100; i++)
		mach_msg(&m, 1 | 0x10, 24 + 64, 0, 0, 0, 0);
}

static void much_memory(void)
{
	u32 i;

	prepare(19 | 0x80000000u, CALL_ID);
	m.body[0] = 0x20000000u; /* long form, not in line */
	m.body[1] = 9 | 8 << 16;
	m.body[2] = 0x100000;
	m.body[3] = 0x08048000;
	m.body[2] = 4096;
	for (i = 0; i < 100; i++)
		mach_msg(&m, 1 | 0x10, 24 + 16, 0, 0, 0, 0);
}

static void own_receive_right(void)
{
	prepare(19 | 0x80000000u, CALL_ID);
	m.body[0] = 0x10012000u | 16; /* gives away where its answers come in */
	m.body[1] = ANSWER;
	mach_msg(&m, 1, 24 + 8, 0, 0, 0, 0);
}

static void false_exception(void)
{
	prepare(19 | 0x80000000u, 2400);
	m.body[0] = 0x10012000u | 19;
	m.body[1] = REQUEST;
	m.body[2] = 0x10012000u | 19;
	m.body[3] = REQUEST;
	m.body[4] = m.body[6] = m.body[8] = 0x10012002u;
	m.body[5] = 2;
	m.body[7] = 13;
	m.body[9] = 0x402;
	mach_msg(&m, 1, 24 + 40, 0, 0, 0, 0);
	for (;;)
		;
}

static void answers_to_the_server(void)
{
	prepare(19 | 20 << 8, CALL_ID);
	m.local = ANSWER; /* a reply right, where the gate gives none */
	mach_msg(&m, 1, 24 + 64, 0, 0, 0, 0);
}

static void without_waiting(void)
{
	u32 i;

	for (i = 0; i < 20; i++) { /* write(1, "forged", ...), again and again, none of them waited for */
		prepare(19, CALL_ID);
		m.body[0] = 1;
		m.body[1] = (u32)"x";
		m.body[2] = 0;
		m.body[6] = 20;
		m.body[7] = 0x1000;
		mach_msg(&m, 1 | 0x10, 24 + 64, 0, 0, 0, 0);
	}
}

/* What the gate may do by itself: from the second single byte on there is a window. */
#define G_WRITE_FD (*(volatile u32 *)(GATE + 0x7008))
#define G_WRITE_AT (*(volatile u32 *)(GATE + 0x700c))
#define G_WRITE_END (*(volatile u32 *)(GATE + 0x7010))
#define G_READ_AT (*(volatile u32 *)(GATE + 0x7018))
#define G_READ_END (*(volatile u32 *)(GATE + 0x701c))

static int written, locked; /* a file, and another one that is only read */

static void bytes(u32 n)
{
	for (; n; n--)
		sys(4, written, "X", 1);
}

static void read_bytes(u32 n)
{
	char byte;

	for (sys(19, written, 0, 0); n; n--)
		sys(3, written, &byte, 1);
}

static void claims(u32 moved, u32 size)
{
	prepare(19, CALL_ID);
	m.body[6] = 20;
	m.body[15] = moved;
	mach_msg(&m, 1, size, 0, 0, 0, 0);
	for (;;)
		;
}

/* What a file holds, one letter each. */
static int holds(int file, const char *what)
{
	char found[64];
	int n = sys(180, file, found, sizeof found, 0, 0), i;

	for (i = 0; i < n && found[i] == what[0]; i++)
		;
	return i == n && n == what[1] - '0';
}

static int mach_names(void)
{
	u32 name, found = 0;

	for (name = 1; name < 20000; name++) {
		prepare(19, CALL_ID);
		m.remote = name;
		if (name != REQUEST && mach_msg(&m, 1 | 0x10, 24, 0, 0, 0, 0) != 0x10000003)
			found++;
	}
	return found;
}

static void traps(void)
{
	int number, others = 0;

	for (number = -1; number > -131; number--)
		if (number != -25 && mach_trap(number, 0, 0, 0, 0) != -38)
			others++;
	report("Mach's own calls that answer", others);
}

void attack(void)
{
	traps();
	report("ports to send to", mach_names());
	TRY("rights for the server", many_rights());
	TRY("memory for the server", much_memory());
	TRY("the right to its own answers", own_receive_right());
	TRY("a false exception", false_exception());
	TRY("a reply right", answers_to_the_server());
	TRY("calls that wait for no answer", without_waiting());
	TRY("waiting for ever", mach_msg(&m, 2, 0, sizeof m, ANSWER, 0, 0));
	TRY("a short message", (prepare(19, CALL_ID), mach_msg(&m, 1, 24, 0, 0, 0, 0)));
	TRY("a wrong number", (prepare(19, 1), mach_msg(&m, 1, 24 + 64, 0, 0, 0, 0)));
	TRY("arguments of the gate, spoilt", (*(u32 *)(GATE + 0x6014) = 0x77, sys(20)));
	TRY("a large room in the gate", (*(u32 *)(GATE + 0x6010) = 0xfffffff0u, sys(20)));
	TRY("message elsewhere", (*(u32 *)(GATE + 0x6004) = 0xc1000000u, sys(20)));
	TRY("the gate's code", *(volatile u32 *)0x7f900000 = 0);
	TRY("the gate's middle", ((void (*)(void))0x7f900000)());
	written = sys(5, "written", 0102, 0644);
	locked = sys(5, "locked", 0102, 0644);
	sys(4, locked, "LLLLL", 5);
	sys(6, locked);
	locked = sys(5, "locked", 0, 0);
	TRY("more counted than moved", (bytes(3), G_WRITE_AT += 2, sys(20)));
	report("what it claims is what it could have written", sys(19, written, 0, 2) == 5);
	TRY("a window made larger", (sys(93, written, 0), sys(19, written, 0, 0), bytes(3), G_WRITE_END += 2000, bytes(500), sys(20)));
	report("nothing of a false claim is written", holds(written, "X2"));
	TRY("a window that ends before it begins", (bytes(3), G_WRITE_AT -= 4, sys(20)));
	TRY("more read than was there", (bytes(60), read_bytes(3), G_READ_END += 100, G_READ_AT += 90, sys(20)));
	TRY("a claim without a window", claims(5 << 16, 24 + 64));
	TRY("a reading without a window", claims(5, 24 + 64));
	TRY("a claim that its message does not hold", (bytes(3), claims(50 << 16, 24 + 64)));
	TRY("another file's number in the gate", (bytes(3), G_WRITE_FD = locked, sys(4, locked, "X", 1), sys(20)));
	report("a file that is only read is as it was", holds(locked, "L5"));
	report("still here", sys(20) > 0);
	sys(1, 0);
}
