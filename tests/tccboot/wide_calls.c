/* What x86_64 programs ask with structures that i386 has in another layout; wide_calls.txt is what Linux answers. For guests only. */

#include "attack64.h"

typedef long long s64;
enum { STAT = 4, LSTAT = 6, POLL = 7, LSEEK = 8, RT_SIGPROCMASK = 14, IOCTL = 16, PWRITE64 = 18, SELECT = 23, DUP = 32, GETITIMER = 36, SETITIMER = 38, SENDFILE = 40, SENDTO = 44,
	RECVFROM = 45, CLONE = 56, KILL = 62, FCNTL = 72, TRUNCATE = 76, FTRUNCATE = 77, GETDENTS = 78, GETCWD = 79, MKDIR = 83, UNLINK = 87, SYMLINK = 88, READLINK = 89,
	GETRLIMIT = 97, GETRUSAGE = 98, SYSINFO = 99, TIMES = 100, STATFS = 137, UTIME = 132, RT_SIGTIMEDWAIT = 128, RT_SIGQUEUEINFO = 129, RT_SIGSUSPEND = 130, SETRLIMIT = 160,
	TIME = 201, SCHED_GETAFFINITY = 204, GETDENTS64 = 217, TIMER_CREATE = 222, TIMER_SETTIME = 223, CLOCK_GETTIME = 228, CLOCK_NANOSLEEP = 230, EPOLL_WAIT = 232, EPOLL_CTL = 233,
	UTIMES = 235, WAITID = 247, NEWFSTATAT = 262, PSELECT6 = 270, PPOLL = 271, UTIMENSAT = 280, FALLOCATE = 285, TIMERFD_SETTIME = 286, TIMERFD_GETTIME = 287, ACCEPT4 = 288,
	EPOLL_CREATE1 = 291, PREADV = 295, PWRITEV = 296, PRLIMIT64 = 302, MEMFD = 319, PREADV2 = 327, PWRITEV2 = 328, STATX = 332, TIMERFD_CREATE = 283, SETSOCKOPT = 54, GETSOCKOPT = 55,
	SHMGET = 29, SHMAT = 30, SHMCTL = 31, SEMGET = 64, SEMOP = 65, SEMCTL = 66, SHMDT = 67 };

static void number(s64 n)
{
	char d[24];
	int i = 24;
	u64 v = n < 0 ? -(u64)n : (u64)n;

	do
		d[--i] = '0' + v % 10;
	while (v /= 10);
	if (n < 0)
		d[--i] = '-';
	sys(WRITE, 1, d + i, 24 - i);
}

static void put(const char *t)
{
	u32 n = 0;

	while (t[n])
		n++;
	sys(WRITE, 1, t, n);
}

static void told(const char *what, s64 n)
{
	put(what);
	put(" ");
	number(n);
	put("\n");
}

static void clear(void *at, u64 n)
{
	u8 *b = at;

	while (n--)
		*b++ = 0;
}

static u64 page[2048] __attribute__((aligned(4096)));
static volatile u64 seen[16];

void restorer(void);
asm(".globl restorer\nrestorer:\n\tmov $15, %eax\n\tsyscall\n");

static void handler(int n, u32 *info, u64 *context)
{
	seen[0] = n;
	seen[1] = info[2];       /* si_code */
	seen[2] = info[4];       /* pid */
	seen[3] = info[5];       /* uid */
	seen[4] = *(u64 *)(info + 6); /* value */
	seen[5] = context[2];    /* stack of sigaltstack */
	seen[6] = context[4];
	seen[7] = (u64)&n;
	seen[8] = context[22] != 0; /* rip */
	seen[9] = ((u64)context & 7);
}

static void on(int n, u64 flags)
{
	u64 action[4] = { (u64)handler, flags | 0x04000004, (u64)restorer, 0 }, old[4];

	told("sigaction", sys(RT_SIGACTION, (long)n, action, old, 8l));
	told("was", (s64)old[0]);
	sys(RT_SIGACTION, (long)n, 0l, old, 8l);
	told("is ours", old[0] == (u64)handler && old[2] == (u64)restorer);
}

static void files(void)
{
	u64 s[18];
	long fd = sys(OPEN, "f", 0102l, 0640l);
	u64 vector[4] = { (u64)"hello ", 6, (u64)"world", 5 }, back[4];
	char text[32];
	u64 times[4] = { 1000, 5, 2000, 7 };

	told("open", fd);
	told("writev", sys(WRITEV, fd, vector, 2l));
	told("lseek", sys(LSEEK, fd, 0x180000000l, 0l));
	told("lseek end", sys(LSEEK, fd, -3l, 2l));
	told("lseek before", sys(LSEEK, fd, -300l, 1l));
	told("pread", sys(PREAD64, fd, text, 5l, 6l));
	text[5] = 0;
	put(text);
	told(" pread far", sys(PREAD64, fd, text, 5l, 0x200000000l));
	told("pread negative", sys(PREAD64, fd, text, 5l, -1l));
	back[0] = (u64)text; back[1] = 3; back[2] = (u64)(text + 3); back[3] = 20;
	told("preadv", sys(PREADV, fd, back, 2l, 2l, 0l));
	told("preadv2", sys(PREADV2, fd, back, 2l, 4l, 0l, 0l));
	told("preadv2 there", sys(PREADV2, fd, back, 2l, -1l, -1l, 0l));
	told("preadv2 flags", sys(PREADV2, fd, back, 2l, 4l, 0l, 0x100l));
	back[1] = 1ul << 63;
	told("readv negative", sys(READV, fd, back, 2l));
	told("utimensat", sys(UTIMENSAT, -100l, "f", times, 0l));
	told("stat", sys(STAT, "f", s));
	told("mode", s[3] & 0xffffffff);
	told("uid", s[3] >> 32);
	told("gid", s[4]);
	told("links", s[2]);
	told("size", s[6]);
	told("block", s[7]);
	told("atime", s[9]);
	told("atime ns", s[10]);
	told("mtime", s[11]);
	told("mtime ns", s[12]);
	times[1] = 6; times[3] = 8;
	told("utimes", sys(UTIMES, "f", times));
	sys(NEWFSTATAT, -100l, "f", s, 0l);
	told("mtime ns", s[12]);
	times[0] = 11; times[1] = 12;
	told("utime", sys(UTIME, "f", times));
	sys(FSTAT, fd, s);
	told("mtime", s[11]);
	told("ftruncate", sys(FTRUNCATE, fd, 0x10001l));
	told("truncate", sys(TRUNCATE, "f", 5l));
	told("fallocate", sys(FALLOCATE, fd, 0l, 4096l, 4096l));
	sys(FSTAT, fd, s);
	told("size", s[6]);
	told("mkdir", sys(MKDIR, "d", 0755l));
	told("mkdir", sys(MKDIR, "d/name", 0755l));
	fd = sys(OPEN, "d", 0200000l, 0l);
	told("getdents64", sys(GETDENTS64, fd, page, 4096l));
	sys(LSEEK, fd, 0l, 0l);
	told("getdents", sys(GETDENTS, fd, page, 4096l));
	{
		u8 *b = (u8 *)page;
		u32 at = 0, n, found = 0;

		for (n = 0; n < 3; n++) {
			u32 length = b[at + 16] | b[at + 17] << 8;

			found += b[at + 18] == 'n' && b[at + length - 1] == 4 ? length : 0;
			at += length;
		}
		told("record", found);
	}
	clear(page, 256);
	told("statfs", sys(STATFS, "f", page));
	told("name limit", page[8]);
	told("statx", sys(STATX, -100l, "f", 0l, 0x7ffl, page));
	told("mmap offset", sys(MMAP, 0l, 4096l, 1l, 2l, fd, 1l));
	fd = sys(OPEN, "f", 2l, 0l);
	told("mmap", sys(MMAP, 0l, 4096l, 1l, 2l, fd, 4096l) > 0);
	told("mmap far", sys(MMAP, 0l, 4096l, 1l, 2l, fd, -4096l) < 0);
	told("mmap huge", sys(MMAP, 0l, 1l << 47, 1l, 0x22l, -1l, 0l));
	told("sendfile", sys(SENDFILE, fd, fd, 0l, 0l));
}

static void locks(void)
{
	long fd = sys(OPEN, "f", 2l, 0l);
	struct { short type, whence; int pad; s64 start, length; int pid, pad2; } l = { 1, 0, 0, 5, 10, 0, 0 };
	int end;

	told("setlk", sys(FCNTL, fd, 6l, &l));
	if (!sys(FORK)) {
		l.start = 0; l.length = 0;
		told("getlk", sys(FCNTL, fd, 5l, &l));
		told("type", l.type);
		told("start", l.start);
		told("length", l.length);
		sys(EXIT, 0l);
	}
	sys(WAIT4, -1l, &end, 0l, 0l);
	told("dupfd", sys(FCNTL, fd, 0l, 0x500000010l) - 16);
}

static void signals(void)
{
	u64 stack[3] = { (u64)page, 0, sizeof page }, old[3], set = 1ul << 9, info[16];
	u32 *i32 = (u32 *)info, wait[32];
	u64 time[2] = { 0, 1000000 };

	on(10, 0x08000000);
	told("sigaltstack", sys(SIGALTSTACK, stack, old));
	told("flags", old[1] & 0xffffffff);
	told("kill", sys(KILL, sys(GETPID), 10l));
	told("signal", seen[0]);
	told("code", seen[1]);
	told("pid", seen[2] == (u64)sys(GETPID));
	told("stack is ours", seen[5] == (u64)page && seen[6] == sizeof page);
	told("runs there", seen[7] > (u64)page && seen[7] < (u64)page + sizeof page);
	told("rip", seen[8]);
	told("aligned", seen[9]);
	clear(info, sizeof info);
	i32[2] = (u32)-1;
	i32[4] = 77; i32[5] = 88;
	info[3] = 0x12345678;
	told("sigqueue", sys(RT_SIGQUEUEINFO, sys(GETPID), 10l, info));
	told("code", (int)seen[1]);
	told("pid", seen[2]);
	told("value", seen[4] & 0xffffffff);
	sys(RT_SIGPROCMASK, 0l, &set, 0l, 8l);
	told("sigqueue", sys(RT_SIGQUEUEINFO, sys(GETPID), 10l, info));
	told("sigtimedwait", sys(RT_SIGTIMEDWAIT, &set, wait, time, 8l));
	told("pid", wait[4]);
	told("value", wait[6]);
	told("sigtimedwait", sys(RT_SIGTIMEDWAIT, &set, wait, time, 8l));
	told("waitid", 0);
	if (!sys(FORK))
		sys(EXIT, 3l);
	told("waitid", sys(WAITID, 0l, 0l, wait, 4l, page));
	told("code", wait[2]);
	told("uid", wait[5]);
	told("status", wait[6]);
}

static void times(void)
{
	u64 t[4], left[2], set = 0;
	s64 limit[2];
	u32 sigevent[16];
	int id;
	long fd;

	told("time", sys(TIME, t) == (long)t[0]);
	told("gettimeofday", sys(GETTIMEOFDAY, t, 0l));
	told("usec", t[1] < 1000000);
	told("clock_gettime", sys(CLOCK_GETTIME, 1l, t));
	told("nsec", t[1] < 1000000000);
	t[0] = 0; t[1] = 1000;
	told("nanosleep", sys(NANOSLEEP, t, left));
	t[1] = 1000000000;
	told("nanosleep", sys(NANOSLEEP, t, left));
	t[0] = -1; t[1] = 0;
	told("nanosleep", sys(NANOSLEEP, t, left));
	t[0] = 5; t[1] = 6; t[2] = 1000; t[3] = 0;
	told("setitimer", sys(SETITIMER, 0l, t, 0l));
	told("getitimer", sys(GETITIMER, 0l, t));
	told("interval", t[0]);
	told("interval", t[1]);
	told("left", t[2] >= 990 && t[2] <= 1000);
	clear(t, sizeof t);
	sys(SETITIMER, 0l, t, 0l);
	told("getrlimit", sys(GETRLIMIT, 4l, limit));
	told("getrlimit", sys(GETRLIMIT, 9l, limit));
	told("infinite", limit[0] == -1 && limit[1] == -1);
	told("getrusage", sys(GETRUSAGE, 0l, page));
	told("sysinfo", sys(SYSINFO, page));
	told("unit", ((u32 *)page)[26] != 0);
	told("affinity", sys(SCHED_GETAFFINITY, 0l, 8l, page));
	clear(sigevent, sizeof sigevent);
	sigevent[2] = 10; sigevent[3] = 1;
	told("timer_create", sys(TIMER_CREATE, 1l, sigevent, &id));
	fd = sys(TIMERFD_CREATE, 1l, 0l);
	t[0] = 0; t[1] = 0; t[2] = 1000; t[3] = 0;
	told("timerfd", sys(TIMERFD_SETTIME, fd, 0l, t, 0l));
	told("timerfd", sys(TIMERFD_GETTIME, fd, t));
	told("left", t[2] >= 990 && t[2] <= 1000);
	left[0] = 0; left[1] = 1000000;
	told("futex", sys(FUTEX, page, 0l, (long)(u32)page[0], left, 0l, 0l));
	told("robust", sys(SET_ROBUST_LIST, page, 24l));
	told("robust", sys(SET_ROBUST_LIST, page, 12l));
}

static void ready(void)
{
	int p[2], fd;
	u64 in[16], t[2] = { 0, 1000 }, mask[2] = { 0, 8 }, none = 0;
	struct { int fd; short events, revents; } item;
	struct { u32 events; u64 data; } __attribute__((packed)) e = { 1, 0x1122334455667788 }, got;

	sys(PIPE, p);
	clear(in, sizeof in);
	in[p[0] / 64] = 1ul << p[0] % 64;
	told("select", sys(SELECT, (long)p[0] + 1, in, 0l, 0l, t));
	told("set", in[p[0] / 64]);
	sys(WRITE, (long)p[1], "x", 1l);
	in[p[0] / 64] = 1ul << p[0] % 64;
	mask[0] = (u64)&none;
	told("pselect", sys(PSELECT6, (long)p[0] + 1, in, 0l, 0l, t, mask));
	told("set", in[p[0] / 64] == 1ul << p[0] % 64);
	item.fd = p[0]; item.events = 1;
	told("ppoll", sys(PPOLL, &item, 1l, t, &none, 8l));
	told("poll", sys(POLL, &item, 1l, 0l));
	fd = (int)sys(EPOLL_CREATE1, 0l);
	told("epoll_ctl", sys(EPOLL_CTL, (long)fd, 1l, (long)p[0], &e));
	told("epoll_wait", sys(EPOLL_WAIT, (long)fd, &got, 1l, 100l));
	told("data", got.data == e.data);
}

static void messages(void)
{
	int s[2], passed, value = 1;
	u32 room = 16;
	char text[32];
	u64 piece[2] = { (u64)"abc", 3 }, control[4], t[2] = { 0, 20000 };
	struct { u64 name; u32 name_length, pad; u64 pieces, count, control, length; u32 flags, pad2; } m;

	told("socketpair", sys(SOCKETPAIR, 1l, 1l, 0l, s));
	clear(&m, sizeof m);
	control[0] = 20; control[1] = 1ul << 32 | 1; control[2] = 1;
	m.pieces = (u64)piece; m.count = 1; m.control = (u64)control; m.length = 24;
	told("sendmsg", sys(SENDMSG, (long)s[0], &m, 0l));
	piece[0] = (u64)text; piece[1] = sizeof text;
	clear(control, sizeof control);
	m.length = sizeof control;
	told("recvmsg", sys(RECVMSG, (long)s[1], &m, 0l));
	told("control", m.length);
	told("head", control[0]);
	told("kind", control[1] == (1ul << 32 | 1));
	told("flags", m.flags);
	passed = (int)control[2];
	told("passed", passed > 2);
	told("option", sys(SETSOCKOPT, (long)s[1], 1l, 20l, t, 16l));
	told("option", sys(GETSOCKOPT, (long)s[1], 1l, 20l, t, &room));
	told("room", room);
	told("usec", t[1]);
	told("recvfrom", sys(RECVFROM, (long)s[1], text, 5l, 0l, 0l, 0l));
	told("passcred", sys(SETSOCKOPT, (long)s[1], 1l, 16l, &value, 4l));
	piece[0] = (u64)"abc"; piece[1] = 3; m.control = 0; m.length = 0;
	told("sendmsg", sys(SENDMSG, (long)s[0], &m, 0l));
	piece[0] = (u64)text; piece[1] = sizeof text; m.control = (u64)control; m.length = sizeof control;
	told("recvmsg", sys(RECVMSG, (long)s[1], &m, 0l));
	told("control", m.length);
	told("head", control[0]);
	told("who", (u32)control[2] == (u32)sys(GETPID));
}

static void shared(void)
{
	long id = sys(SHMGET, 0l, 8192l, 0600l), at;
	struct { unsigned short number; short by, flags; } by = { 0, 1, 0 };

	at = sys(SHMAT, id, 0l, 0l);
	told("shmat", at > 0);
	*(u64 *)at = 5;
	told("shmdt", sys(SHMDT, at));
	told("shmctl", sys(SHMCTL, id, 0l, 0l));
	id = sys(SEMGET, 0l, 1l, 0600l);
	told("semctl", sys(SEMCTL, id, 0l, 16l, 0x700000003));
	told("semop", sys(SEMOP, id, &by, 1l));
	told("semctl", sys(SEMCTL, id, 0l, 12l, 0l));
	told("semctl", sys(SEMCTL, id, 0l, 0l, 0l));
}

/* Words that are no addresses: flags that a C library made of a negative int, a value of which an int was set, a distance below 0, sizes beyond 32 bits. */
static int die_with_a_lock(void)
{
	u64 *shared = *(u64 **)page;

	shared[0] = (u64)shared + 64;       /* one entry, which leads back to the head; the lock lies 32 bytes before it */
	shared[1] = (u64)-32l;
	shared[2] = 0;
	shared[8] = (u64)shared;
	*(u32 *)(shared + 4) = (u32)sys(GETPID);
	return (int)sys(SET_ROBUST_LIST, shared, 24l);
}

static void words(void)
{
	u64 action[4] = { (u64)handler, 0xffffffff84000004, (u64)restorer, 0 }, old[4], sigevent[8], t[4] = { 0, 0, 0, 1 }, none = 0;
	long fd = sys(MEMFD, "m", 0l);
	int id;

	sys(RT_SIGACTION, 10l, action, 0l, 8l);
	sys(RT_SIGACTION, 10l, 0l, old, 8l);
	told("flags", (s64)old[1]);
	clear(sigevent, sizeof sigevent);
	sigevent[0] = 0xdeadbeef00000005;
	sigevent[1] = 10;
	told("timer_create", sys(TIMER_CREATE, 1l, sigevent, &id));
	seen[0] = 0;
	sys(RT_SIGPROCMASK, 2l, &none, 0l, 8l);
	sys(TIMER_SETTIME, (long)id, 0l, t, 0l);
	while (!seen[0])
		sys(GETPID);
	told("value", (u32)seen[4]);
	*(u64 *)page = (u64)sys(MMAP, 0l, 4096l, 3l, 0x21l, -1l, 0l);
	told("with a lock", in_child(die_with_a_lock));
	told("its owner died", *(u32 *)(*(u64 **)page + 4) == 0x40000000);
	t[1] = 1ul << 32;
	told("nanosleep", sys(NANOSLEEP, t, 0l));
	told("a large file", sys(FTRUNCATE, fd, 3l << 30));
	told("written", sys(PWRITE64, fd, "x", 1l, (3l << 30) - 1));
}

int attack(void)
{
	u64 base;

	files();
	locks();
	signals();
	times();
	ready();
	messages();
	shared();
	words();
	told("set fs", sys(ARCH_PRCTL, 0x1002l, page));
	told("get fs", sys(ARCH_PRCTL, 0x1003l, &base));
	told("base", base == (u64)page);
	told("other", sys(ARCH_PRCTL, 0x9999l, 0l));
	return 0;
}
