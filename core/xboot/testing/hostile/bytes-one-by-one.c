/* Wins: single bytes that a kernel moves on a fast path go to another place, past a right, or get lost or doubled
   Verdict: ok
   Timeout: 240

   Files are read and written a byte at a time, so that a kernel with a fast path for that takes it, and then everything is done beside it that it must not miss: the
   same file through other descriptors and processes, positions that are shared, rights that are gone, addresses that are none, files that are cut, signals, ends of
   all kinds, turns that are taken away in the midst of it, calls whose answer changes while they are repeated. */

#include "thread.h"

#define SIZE 20000
#define MANY 30000
#define O_WRONLY 1
#define O_APPEND 02000
#define GETPPID 64
#define YIELD 158
#define MEMFD_CREATE 356

void handled(void); /* a handler's way back */
asm(".globl handled\nhandled:\n\tpop %eax\n\tmov $119, %eax\n\tint $0x80\n");

static u8 seen[PAGE * 32];
static volatile u32 rung;

static u8 byte_at(u32 i)
{
	return (u8)(i * 7 + (i >> 8));
}

/* The next bytes of a file, one at a time, from this place on: how many are as they were written. */
static u32 reads(int file, u32 from, u32 n)
{
	u32 good = 0;
	u8 byte;

	for (; n; n--, from++)
		good += sys(READ, file, &byte, 1) == 1 && byte == byte_at(from);
	return good;
}

static u32 writes(int file, u32 from, u32 n)
{
	u32 good = 0;
	u8 byte;

	for (; n; n--, from++) {
		byte = byte_at(from);
		good += sys(WRITE, file, &byte, 1) == 1;
	}
	return good;
}

static int size(int file)
{
	static u32 status[32];

	sys(FSTAT64, file, status);
	return (int)status[11];
}

static int fresh(const char *name, u32 length)
{
	int file = sys(OPEN, name, O_RDWR | O_CREAT | O_TRUNC, 0644);

	must(writes(file, 0, length) == length && size(file) == (int)length, "a file cannot be written");
	sys(LSEEK, file, 0, 0);
	must(reads(file, 0, length) == length && sys(READ, file, seen, 1) == 0, "a file reads otherwise than it was written");
	sys(LSEEK, file, 0, 0);
	return file;
}

static int wait_for(int pid)
{
	int end = -1;

	sys(WAITPID, pid, &end, 0);
	return end;
}

/* One position, held by two descriptors and by two processes. */
static void positions(void)
{
	int file = fresh("f", SIZE), other = sys(DUP, file), pid;
	u32 at = 0, i;

	for (i = 0; i < 40; i++, at += 60)
		must(reads(file, at, 50) == 50 && reads(other, at + 50, 10) == 10, "a descriptor's twin reads elsewhere");
	pid = sys(FORK);
	if (!pid)
		sys(EXIT, reads(file, at, 77) != 77);
	must(!wait_for(pid) && sys(LSEEK, file, 0, 1) == (int)at + 77 && reads(file, at + 77, 100) == 100, "a child's position is not its parent's");
	sys(CLOSE, other);
	sys(CLOSE, file);
}

/* One file, seen through two descriptors: what is written is there at once. */
static void coherence(void)
{
	int writer = fresh("f", 0), reader = sys(OPEN, "f", 0), append = sys(OPEN, "f", O_WRONLY | O_APPEND);
	u8 byte = 0, *map;
	u32 i, round;

	for (round = 0; round < 2; round++) { /* over what was there before */
		fill(seen, 'o', 2000);
		must(sys(PWRITE64, writer, seen, 2000, round * 4000, 0) == 2000, "a file takes nothing");
		sys(LSEEK, writer, round * 4000, 0);
		sys(LSEEK, reader, round * 4000, 0);
		for (i = 0; i < 2000; i++)
			must(writes(writer, i, 1) == 1 && reads(reader, i, 1) == 1, "what is read is older than what was written");
	}
	sys(FTRUNCATE, writer, 0);
	sys(LSEEK, writer, 0, 0);
	sys(LSEEK, reader, 0, 0);
	for (i = 0; i < 3000; i++) {
		must(writes(writer, i, 1) == 1, "a file takes no byte");
		if (i % 3 == 0)
			must(sys(PREAD64, reader, &byte, 1, i, 0) == 1 && byte == byte_at(i), "a byte that was written is not seen");
		must(reads(reader, i, 1) == 1, "the next byte is not the one that was written");
	}
	must(sys(READ, reader, &byte, 1) == 0, "bytes behind the end are read");
	for (i = 0; i < 200; i++) {
		sys(WRITE, append, "a", 1);
		sys(WRITE, append, "b", 1);
		sys(WRITE, writer, "c", 1);
	}
	must(size(writer) == 3400 && sys(PREAD64, reader, seen, 400, 3000, 0) == 400, "what is appended overwrites, or is overwritten");
	must(count_bytes(seen, 'c', 200) == 200 && count_bytes(seen, 'b', 400) == 100, "a writer does not stay where it was");
	map = (u8 *)sys(MMAP2, 0, PAGE, 1, 2, reader, 0);
	must(map[100] == byte_at(100) && map[2999] == byte_at(2999), "a mapping shows less than was written");
	sys(MUNMAP, map, PAGE);
	sys(CLOSE, writer);
	sys(CLOSE, reader);
	sys(CLOSE, append);
}

/* A descriptor's number, with other rights than before. */
static void rights(void)
{
	int file = fresh("f", 500), again, sealed;
	u8 byte = 0;

	must(writes(file, 0, 100) == 100, "a file takes no bytes");
	sys(CLOSE, file);
	again = sys(OPEN, "f", 0);
	must(again == file && sys(WRITE, again, "X", 1) == -EBADF && sys(WRITE, again, "X", 1) == -EBADF, "a file that is open for reading is written");
	must(reads(again, 0, 50) == 50 && sys(WRITE, again, "X", 1) == -EBADF, "a file that is open for reading is written while it is read");
	sys(CLOSE, again);
	must(sys(READ, again, &byte, 1) == -EBADF, "a file that is closed is read");
	again = sys(OPEN, "f", O_WRONLY);
	must(writes(again, 0, 50) == 50 && sys(READ, again, &byte, 1) == -EBADF, "a file that is open for writing is read");
	sys(DUP2, sys(OPEN, "/dev/null", O_RDWR), again);
	must(sys(WRITE, again, "X", 1) == 1 && sys(WRITE, again, "X", 1) == 1 && sys(READ, again, &byte, 1) == 0, "a number leads to what it led to before");
	sys(CLOSE, again);
	again = sys(OPEN, "f", 0);
	must(reads(again, 0, 500) == 500, "bytes went where they must not");
	sys(CLOSE, again);
	sealed = sys(MEMFD_CREATE, "m", 2);
	if (sealed < 0)
		return;
	must(writes(sealed, 0, 100) == 100 && sys(FCNTL, sealed, 1033, 8) == 0, "a memory file cannot be sealed");
	must(FAILED(sys(WRITE, sealed, "X", 1)) && FAILED(sys(WRITE, sealed, "X", 1)), "a sealed file is written");
	sys(CLOSE, sealed);
}

/* A limit on files that comes while bytes are written. */
static int limited(void)
{
	u32 ignored[5] = { 1, 0, 0, 0, 0 }, limit[2] = { 600, 600 };
	int file = fresh("f", 0);
	u32 before = writes(file, 0, 300);

	sys(RT_SIGACTION, 25, ignored, 0, 8); /* SIGXFSZ */
	sys(75, 1, limit); /* setrlimit, RLIMIT_FSIZE */
	return before != 300 || writes(file, 300, 500) != 300 || size(file) != 600;
}

/* Addresses that are none, among those that are; and pages that come, or are copied, only when they are touched. */
static void addresses(void)
{
	static const u32 bad[] = { 0, 0x10, 0x7f000000, 0x7f800000, 0x7f807020, 0x7f808000, 0x7f900000, 0xc0000000, 0xffffffff };
	int file = fresh("f", SIZE);
	u8 *lazy = (u8 *)sys(MMAP2, 0, 64 * PAGE, 3, 0x22, -1, 0), *of_file = (u8 *)sys(MMAP2, 0, PAGE, 3, 2, file, 0);
	u8 *shared = (u8 *)sys(MMAP2, 0, PAGE, 3, 0x21, -1, 0);
	u32 i, at = 0;

	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		must(reads(file, at, 30) == 30, "a position was lost");
		at += 30;
		must(sys(READ, file, bad[i], 1) == -EFAULT, "a byte is read to an address that is none");
		must(reads(file, at, 1) == 1, "a byte that was not read is gone");
		at++;
	}
	for (i = 0; i < 64; i++, at++)
		must(sys(READ, file, lazy + i * PAGE + i, 1) == 1 && lazy[i * PAGE + i] == byte_at(at), "a page that is not there yet takes no byte");
	must(sys(READ, file, of_file + 5, 1) == 1 && of_file[5] == byte_at(at) && of_file[6] == byte_at(6), "a page of a file is not copied");
	if (!FAILED(shared))
		must(sys(READ, file, shared, 1) == 1 && shared[0] == byte_at(at + 1), "a shared page takes no byte");
	sys(LSEEK, file, 0, 0);
	must(reads(file, 0, SIZE) == SIZE, "what was read to a private page was written to its file");
	sys(LSEEK, file, 0, 0);
	for (i = 0, at = 0; i < sizeof bad / sizeof *bad; i++) {
		must(writes(file, at, 30) == 30 && sys(WRITE, file, bad[i], 1) == -EFAULT, "a byte is written from an address that is none");
		at += 30;
	}
	must(sys(LSEEK, file, 0, 1) == (int)at, "a byte that is none was written");
	sys(MUNMAP, lazy, 64 * PAGE);
	sys(MUNMAP, of_file, PAGE);
	sys(CLOSE, file);
}

/* Each time the other process has cut the file, it says so; then one byte more is written, at the old place. */
static void cuts(void)
{
	int file = fresh("f", 0), to[2], from[2], pid, round;
	char word;

	sys(PIPE, to);
	sys(PIPE, from);
	pid = sys(FORK);
	if (!pid) {
		for (round = 0; round < 20; round++) {
			writes(file, (u32)round * 101, 101);
			sys(WRITE, to[1], "w", 1);
			sys(READ, from[0], &word, 1);
		}
		sys(EXIT, 0);
	}
	for (round = 0; round < 20; round++) {
		sys(READ, to[0], &word, 1);
		must(size(file) == (round + 1) * 101, "bytes that were written are not there");
		sys(FTRUNCATE, file, round & 1 ? 0 : 10);
		must(size(file) == (round & 1 ? 0 : 10), "a file that was cut is not");
		sys(WRITE, from[1], "g", 1);
	}
	must(!wait_for(pid), "a writer ends badly");
	sys(LSEEK, file, 0, 0);
	sys(CLOSE, file);
}

/* A process that ends in any way has written what it has written. */
static int ends(int way, int file)
{
	writes(file, 0, 300);
	if (way == 1)
		*(volatile int *)0 = 0;
	if (way == 2)
		sys(KILL, sys(GETPID), 9);
	if (way == 3)
		for (;;)
			;
	return 0;
}

static void endings(void)
{
	int way, file, pid;

	for (way = 0; way < 4; way++) {
		file = fresh("f", 0);
		pid = sys(FORK);
		if (!pid)
			sys(EXIT, ends(way, file));
		if (way == 3) { /* it never ends by itself: what it wrote is there once it has had its turn */
			while (size(file) < 300)
				sys(YIELD);
			sys(KILL, pid, 9);
		}
		wait_for(pid);
		must(size(file) == 300 && sys(LSEEK, file, 0, 1) == 300, "what a process wrote went with it");
		sys(LSEEK, file, 0, 0);
		must(reads(file, 0, 300) == 300, "what a process wrote is something else");
		sys(CLOSE, file);
	}
}

static void ring(int number)
{
	struct {
		u32 interval[2], value[2];
	} timer = { { 0, 0 }, { 0, 3000 } };

	(void)number;
	if (++rung < 4)
		sys(104, 0, &timer, 0); /* setitimer */
}

/* Signals come in between, until there were enough of them: no byte is lost, none comes twice. */
static void signals(void)
{
	u32 action[5] = { (u32)ring, 0x04000000, (u32)handled, 0, 0 }, at = 0, good = 0;
	int in = fresh("f", SIZE), out = fresh("g", 0);
	u8 byte;

	must(sys(RT_SIGACTION, 14, action, 0, 8) == 0, "no handler");
	rung = 0;
	ring(0);
	while (rung < 4 || at % SIZE) {
		if (at % SIZE == 0) {
			sys(LSEEK, in, 0, 0);
			sys(LSEEK, out, 0, 0);
		}
		if (sys(READ, in, &byte, 1) == 1 && byte == byte_at(at % SIZE) && sys(WRITE, out, &byte, 1) == 1)
			good++;
		at++;
	}
	must(good == at && size(out) == SIZE, "a signal costs a byte");
	sys(LSEEK, out, 0, 0);
	must(reads(out, 0, SIZE) == SIZE, "a signal changes a byte");
	sys(CLOSE, in);
	sys(CLOSE, out);
}

/* Processes and threads that write to one position and read from one, and take each other's turns. */
static int out, in, started;

static int shares(int mark)
{
	u32 i, sum = 0;
	u8 byte = (u8)mark, got;

	for (i = 0; i < MANY; i++) {
		sys(WRITE, out, &byte, 1);
		sum += sys(READ, in, &got, 1) == 1;
	}
	return sum != MANY;
}

static void counts(const char *what)
{
	u32 marks[3] = { 0, 0, 0 }, i, n, all = 0;

	sys(LSEEK, out, 0, 0);
	while ((n = (u32)sys(READ, out, seen, sizeof seen)) > 0 && !FAILED(n))
		for (i = 0, all += n; i < n; i++)
			if (seen[i] - 'a' < 3u)
				marks[seen[i] - 'a']++;
	must(all == 3 * MANY && marks[0] == MANY && marks[1] == MANY && marks[2] == MANY, what);
	must(sys(LSEEK, in, 0, 1) == 3 * MANY, what);
}

static void sharing(void)
{
	static u8 stacks[2][PAGE];
	volatile int *done = (int *)sys(MMAP2, 0, PAGE, 3, 0x22, -1, 0);
	int i, pids[2];

	out = fresh("f", 0);
	in = fresh("g", 0);
	sys(WRITE, in, seen, 3 * MANY);
	sys(LSEEK, in, 0, 0);
	for (i = 0; i < 2; i++) {
		pids[i] = sys(FORK);
		if (!pids[i])
			sys(EXIT, shares('a' + i));
	}
	must(!shares('c'), "a position that three processes share gives too little");
	for (i = 0; i < 2; i++)
		must(!wait_for(pids[i]), "a position that processes share gives too little");
	counts("bytes of processes that share a position are lost or doubled");
	sys(LSEEK, in, 0, 0);
	sys(FTRUNCATE, out, 0);
	sys(LSEEK, out, 0, 0);
	done[0] = done[1] = 1;
	for (i = 0; i < 2; i++) /* memory, files, handlers; its number is cleared when it has ended */
		started += thread_clone(0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x200000, stacks[i] + PAGE, 0, (int *)&done[i], shares, 'a' + i) > 0;
	if (started != 2)
		return; /* a kernel without threads */
	must(!shares('c'), "a position that three threads share gives too little");
	while (done[0] || done[1])
		sys(YIELD);
	counts("bytes of threads that share a position are lost or doubled");
}

/* An answer that is the same each time, until it is not. */
static void answers(void)
{
	int to[2], pid, child, mine = sys(GETPID), i;
	char word = 0;

	for (i = 0; i < 10; i++)
		must(sys(GETPID) == mine, "a process changes its number");
	pid = sys(FORK);
	if (!pid) {
		must(sys(GETPID) != mine && sys(GETPPID) == mine && sys(GETPPID) == mine, "a child has its parent's answers");
		sys(EXIT, losses);
	}
	must(!wait_for(pid) && sys(GETPID) == mine, "a parent has its child's answers");
	sys(PIPE, to);
	pid = sys(FORK);
	if (!pid) {
		mine = sys(GETPID);
		child = sys(FORK);
		if (!child) {
			while (sys(GETPPID) == mine) /* without any other call */
				;
			sys(WRITE, to[1], "o", 1);
			sys(EXIT, 0);
		}
		sys(YIELD);
		sys(EXIT, 0);
	}
	wait_for(pid);
	must(sys(READ, to[0], &word, 1) == 1 && word == 'o', "an orphan never learns of it");
	must(sys(24) == sys(24) && sys(199) == sys(24) && sys(0x1ff) == -38 && sys(0x1ff) == -38, "an answer is another call's");
}

int attack(char **arguments, char **environment)
{
	sys(CHDIR, "/tmp");
	positions();
	coherence();
	rights();
	must(in_child(limited) == 0, "a limit on files does not hold for single bytes");
	addresses();
	cuts();
	endings();
	signals();
	answers();
	sharing();
	return 0;
}
