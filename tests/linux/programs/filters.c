/* Wins: nothing; it says what a filter of system calls computes, and which filters are refused
   Verdict: ok */
#include "../../../core/xboot/testing/hostile/attack.h"

enum { PRCTL = 172, SOCKET = 359, SETSOCKOPT = 366, PERF_EVENT_OPEN = 336, NO_NEW_PRIVS = 38, SECCOMP = 22, SIGSYS = 31 };

struct instruction { unsigned short code; u8 yes, no; u32 value; };
struct filter { unsigned short length; struct instruction *program; };

/* Codes of classic BPF. */
enum {
	LD_WORD = 0x20, LD_HALF = 0x28, LD_IND = 0x40, LD_LEN = 0x80, LD = 0x00, LDX = 0x01, LDX_LEN = 0x81, LD_MEM = 0x60, LDX_MEM = 0x61, ST = 0x02, STX = 0x03,
	ADD = 0x04, SUB = 0x14, MUL = 0x24, DIV = 0x34, OR = 0x44, AND = 0x54, LSH = 0x64, RSH = 0x74, NEG = 0x84, MOD = 0x94, XOR = 0xa4, X = 0x08,
	JA = 0x05, JEQ = 0x15, JGT = 0x25, JGE = 0x35, JSET = 0x45, RET = 0x06, RET_A = 0x16, TAX = 0x07, TXA = 0x87
};
#define ALLOW 0x7fff0000u
#define ERROR 0x00050000u
#define ALL   0xffffffffu

static struct instruction program[5000];
static u32 length;

static void put(u32 code, u32 yes, u32 no, u32 value)
{
	struct instruction *at = &program[length++];

	at->code = (unsigned short)code;
	at->yes = (u8)yes;
	at->no = (u8)no;
	at->value = value;
}

#define OP(code, value) put(code, 0, 0, value)

static struct filter filter = {0, program};

static int install(void)
{
	filter.length = (unsigned short)length;
	sys(PRCTL, NO_NEW_PRIVS, 1, 0, 0, 0);
	return sys(PRCTL, SECCOMP, 2, &filter, 0, 0);
}

/* getpid then answers what the program left in A, negative. */
static u32 expected;

static int compute(void)
{
	return install() == 0 && sys(GETPID) == -(int)expected ? 0 : 1;
}

static void begin_program(void)
{
	length = 0;
	OP(LD_WORD, 0);
	put(JEQ, 1, 0, GETPID);
	OP(RET, ALLOW);
	OP(LD, 0);
}

static void gives(u32 result, const char *what)
{
	OP(AND, 0xfff);
	OP(OR, ERROR);
	OP(RET_A, 0);
	expected = result & 0xfff;
	must(in_child(compute) == 0, what);
	begin_program();
}

static int is_refused(void)
{
	return install() == -EINVAL ? 0 : 1;
}

static void refused(const char *what)
{
	must(in_child(is_refused) == 0, what);
	length = 0;
}

/* What each operation makes of a and b, the second given in the program and in X. */
static void operation(u32 code, u32 a, u32 b, u32 result, const char *what)
{
	OP(LD, a);
	OP(code, b);
	OP(RSH, 8);
	gives(result >> 8, what);
	OP(LDX, b);
	OP(LD, a);
	OP(code | X, 0);
	gives(result, what);
}

/* A jump, taken or not, against a number and against X: it adds 1 when it is taken, and 2 when not. */
static void jump(u32 code, u32 a, u32 b, int taken, const char *what)
{
	int by_x;

	for (by_x = 0; by_x < 2; by_x++) {
		OP(LDX, b);
		OP(LD, a);
		put(code | (by_x ? X : 0), 0, 2, by_x ? 0 : b);
		OP(LD, 1);
		OP(JA, 1);
		OP(LD, 2);
		gives(taken ? 1 : 2, what);
	}
}

static void computes(void)
{
	begin_program();
	operation(ADD, 0xfffffff0, 0x123, 0x113, "add");
	operation(SUB, 0x10, 0x11, ALL, "subtract");
	operation(MUL, 0x10001, 0x10003, 0x40003, "multiply");
	operation(DIV, 0xfffffffe, 3, 0x55555554, "divide");
	operation(OR, 0xf0f0, 0x0ff0, 0xfff0, "or");
	operation(AND, 0xf0f0, 0x0ff0, 0x00f0, "and");
	operation(XOR, 0xf0f0, 0x0ff0, 0xff00, "exclusive or");
	operation(LSH, 0x80000001, 4, 0x10, "shift left");
	operation(RSH, 0x80000010, 4, 0x08000001, "shift right");
	OP(LD, 3);
	OP(NEG, 0);
	gives(ALL - 2, "negate");
	OP(LDX, 33);
	OP(LD, 3);
	OP(LSH | X, 0);
	gives(6, "a shift by X takes five bits of it");
	OP(LDX, 35);
	OP(LD, 0x80);
	OP(RSH | X, 0);
	gives(0x10, "and to the right");
	jump(JEQ, 5, 5, 1, "equal");
	jump(JEQ, 5, 6, 0, "not equal");
	jump(JGT, ALL, 1, 1, "greater, without a sign");
	jump(JGT, 7, 7, 0, "not greater than itself");
	jump(JGE, 7, 7, 1, "greater or equal");
	jump(JGE, 1, ALL, 0, "not greater or equal, without a sign");
	jump(JSET, 6, 4, 1, "a common bit");
	jump(JSET, 6, 9, 0, "no common bit");
	OP(LD, 0x321);
	OP(ST, 0);
	OP(LDX, 0x456);
	OP(STX, 15);
	OP(LD, 0);
	OP(LDX, 0);
	OP(LD_MEM, 15);
	OP(LDX_MEM, 0);
	OP(ADD | X, 0);
	gives(0x777, "memory");
	OP(LD, 0x12);
	OP(TAX, 0);
	OP(LD, 0);
	OP(TXA, 0);
	gives(0x12, "between A and X");
	OP(LD_LEN, 0);
	OP(LDX_LEN, 0);
	OP(ADD | X, 0);
	gives(128, "the length of what is looked at");
	OP(LD_WORD, 4);
	gives(3, "the architecture");
	while (length < 4093)
		OP(ADD, 1);
	gives(4089, "the longest program");
}

/* The program is run at getpid alone, which does not come back. */
static int divide(void)
{
	if (install())
		return 1;
	sys(GETPID);
	return 2;
}

static void refuses(void)
{
	length = 0;
	refused("no instruction");
	while (length < 4096)
		OP(LD, 1);
	OP(RET, ALLOW);
	refused("one instruction too many");
	OP(LD, 1);
	refused("an end that is no return");
	OP(JA, 0);
	refused("a jump to behind the end");
	OP(JA, 1);
	OP(RET, ALLOW);
	refused("and further");
	OP(JA, ALL);
	OP(RET, ALLOW);
	refused("a jump back");
	put(JEQ, 1, 0, 0);
	OP(RET, ALLOW);
	refused("a jump out of it when equal");
	put(JEQ | X, 0, 1, 0);
	OP(RET, ALLOW);
	refused("and when not");
	OP(ST, 16);
	OP(RET, ALLOW);
	refused("a word outside of memory");
	OP(STX, ALL);
	OP(RET, ALLOW);
	refused("and far outside");
	OP(LD_MEM, 0);
	OP(RET, ALLOW);
	refused("a word that was never written");
	put(JEQ, 1, 0, 0);
	OP(ST, 3);
	OP(LDX_MEM, 3);
	OP(RET, ALLOW);
	refused("a word that was written on one way alone");
	OP(LD_MEM, 16);
	OP(RET, ALLOW);
	refused("a read outside of memory");
	OP(DIV, 0);
	OP(RET, ALLOW);
	refused("a division by the number 0");
	OP(LSH, 32);
	OP(RET, ALLOW);
	refused("a shift by 32");
	OP(RSH, ALL);
	OP(RET, ALLOW);
	refused("and by more");
	OP(MOD, 3);
	OP(RET, ALLOW);
	refused("a remainder");
	OP(LD_HALF, 0);
	OP(RET, ALLOW);
	refused("half a word of the call");
	OP(LD_WORD, 2);
	OP(RET, ALLOW);
	refused("a word that begins amid another");
	OP(LD_WORD, 64);
	OP(RET, ALLOW);
	refused("a word behind the call");
	OP(LD_WORD, 0xfffff000);
	OP(RET, ALLOW);
	refused("what there is of a packet");
	OP(LD_IND, 0);
	OP(RET, ALLOW);
	refused("a place in X");
	OP(0x21, 0);
	OP(RET, ALLOW);
	refused("the kernel's own code for a load");
	OP(0xf4, 0);
	OP(RET, ALLOW);
	refused("an operation that there is not");
	OP(0xffff, 0);
	OP(RET, ALLOW);
	refused("a code that there is not");
	OP(0x0106, ALLOW);
	refused("a return with more bits");
}

int attack(char **arguments, char **environment)
{
	computes();
	OP(LDX, 0);
	OP(DIV | X, 0);
	OP(RET, ALLOW);
	must((in_child(divide) & 0x7f) == SIGSYS, "a division by 0 in X ends the thread");
	refuses();
	if (arguments[1]) {
		OP(RET, ALLOW);
		must(sys(SETSOCKOPT, sys(SOCKET, 1, 1, 0), 1, 26, &filter, 8) == -92, "a filter of packets: ENOPROTOOPT");
		must(sys(PERF_EVENT_OPEN, 0, 0, -1, -1, 0) == -38, "perf_event_open: ENOSYS");
	}
	return 0;
}
