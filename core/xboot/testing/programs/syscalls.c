/* syscalls.c: the syscall conformance program.

   Static, freestanding, i386. Makes the system calls that builders make, with their error cases, and prints one line for each check: what was asked and what the
   kernel answered. Nothing in it judges: the same binary runs on Linux and on every other kernel, and the outputs are compared line by line. So a line holds
   only what every correct kernel must answer alike: error numbers and contents, never process numbers, dates, or addresses.

   Runs as the builder does (not root), in an empty working directory that it may write to. "syscalls exec" and "syscalls ARG" are its own children.
   Compiles with gcc -m32 and i386-tcc: -nostdlib -static -ffreestanding. */

typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned short u16;
typedef unsigned char u8;

int sys(int number, ...);

asm(".text\n.globl sys\nsys:\n\tpush %ebx\n\tpush %esi\n\tpush %edi\n\tpush %ebp\n\tmov 20(%esp), %eax\n\tmov 24(%esp), %ebx\n\tmov 28(%esp), %ecx\n\tmov 32(%esp), %edx\n"
    "\tmov 36(%esp), %esi\n\tmov 40(%esp), %edi\n\tmov 44(%esp), %ebp\n\tint $0x80\n\tpop %ebp\n\tpop %edi\n\tpop %esi\n\tpop %ebx\n\tret\n"
    ".globl _start\n_start:\n\tmov %esp, %eax\n\tpush %eax\n\tcall start_c\n"
    ".globl vfork_and_exit\nvfork_and_exit:\n\tpush %ebx\n\tmov $190, %eax\n\tint $0x80\n\ttest %eax, %eax\n\tjne parent\n\tmov $1, %eax\n\tmov $9, %ebx\n\tint $0x80\n"
    "parent:\tpop %ebx\n\tret\n"
    ".globl restore\nrestore:\n\tpop %eax\n\tmov $119, %eax\n\tint $0x80\n"
    ".globl restore_info\nrestore_info:\n\tmov $173, %eax\n\tint $0x80\n");

void restore(void);
void restore_info(void);
int vfork_and_exit(void); /* a vforked child must not return into its caller's frame */

enum {
	EXIT = 1, FORK = 2, READ = 3, WRITE = 4, OPEN = 5, CLOSE = 6, WAITPID = 7, CREAT = 8, LINK = 9, UNLINK = 10, EXECVE = 11, CHDIR = 12, TIME = 13, MKNOD = 14,
	CHMOD = 15, LSEEK = 19, GETPID = 20, MOUNT = 21, ALARM = 27, PAUSE = 29, ACCESS = 33, KILL = 37, RENAME = 38, MKDIR = 39, RMDIR = 40, DUP = 41, PIPE = 42,
	TIMES = 43, BRK = 45, SIGNAL = 48, IOCTL = 54, FCNTL = 55, SETPGID = 57, UMASK = 60, CHROOT = 61, DUP2 = 63, GETPPID = 64, GETPGRP = 65, SETSID = 66,
	SIGACTION = 67, SYMLINK = 83, READLINK = 85, OLD_MMAP = 90, MUNMAP = 91, TRUNCATE = 92, FTRUNCATE = 93, FCHMOD = 94, WAIT4 = 114, CLONE = 120, UNAME = 122,
	MPROTECT = 125, FCHDIR = 133, LLSEEK = 140, GETDENTS = 141, SELECT = 142, READV = 145, WRITEV = 146, NANOSLEEP = 162, MREMAP = 163, POLL = 168, PRCTL = 172,
	RT_SIGACTION = 174, RT_SIGPROCMASK = 175, RT_SIGPENDING = 176, RT_SIGSUSPEND = 179, PREAD = 180, PWRITE = 181, GETCWD = 183, SIGALTSTACK = 186, VFORK = 190,
	UGETRLIMIT = 191, MMAP2 = 192, TRUNCATE64 = 193, FTRUNCATE64 = 194, STAT64 = 195, LSTAT64 = 196, FSTAT64 = 197, LCHOWN = 198, GETUID = 199, GETGID = 200,
	GETEUID = 201, SETUID = 213, SETGID = 214, CHOWN = 212, GETDENTS64 = 220, FCNTL64 = 221, GETTID = 224, SENDFILE64 = 239, SET_THREAD_AREA = 243,
	EXIT_GROUP = 252, SET_TID_ADDRESS = 258, CLOCK_GETTIME = 265, TGKILL = 270, UTIMES = 271, OPENAT = 295, MKDIRAT = 296, FCHOWNAT = 298, FSTATAT64 = 300,
	UNLINKAT = 301, RENAMEAT = 302, LINKAT = 303, SYMLINKAT = 304, READLINKAT = 305, FCHMODAT = 306, FACCESSAT = 307, UTIMENSAT = 320, FALLOCATE = 324, DUP3 = 330,
	PIPE2 = 331, PRLIMIT64 = 340, RENAMEAT2 = 353, GETRANDOM = 355, STATX = 383
};

#define BAD ((void *)0x00000ff0)      /* nothing is mapped there */
#define KERNEL ((void *)0xfffff000u)  /* never a user's */
#define AT_FDCWD (-100)
#define O_RDONLY 0
#define O_WRONLY 1
#define O_RDWR 2
#define O_CREAT 0100
#define O_EXCL 0200
#define O_TRUNC 01000
#define O_APPEND 02000
#define O_NONBLOCK 04000
#define O_DIRECTORY 0200000
#define O_NOFOLLOW 0400000
#define O_CLOEXEC 02000000

/* ---- printing ---- */

static u32 length(const char *s)
{
	u32 n = 0;
	while (s[n])
		n++;
	return n;
}

static void *fill(void *to, int byte, u32 n)
{
	u8 *t = to;
	while (n--)
		*t++ = (u8)byte;
	return to;
}

void *memset(void *to, int byte, u32 n) /* compilers call it */
{
	return fill(to, byte, n);
}

void *memcpy(void *to, const void *from, u32 n)
{
	u8 *t = to;
	const u8 *f = from;
	while (n--)
		*t++ = *f++;
	return to;
}

static int same(const void *a, const void *b, u32 n)
{
	const u8 *x = a, *y = b;
	for (; n; n--, x++, y++)
		if (*x != *y)
			return 0;
	return 1;
}

static void put(const char *s)
{
	sys(WRITE, 1, s, length(s));
}

static void put_number(int value)
{
	char digits[12];
	u32 n = value < 0 ? 0u - (u32)value : (u32)value, i = 11;

	digits[i] = 0;
	do {
		digits[--i] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	if (value < 0)
		digits[--i] = '-';
	put(digits + i);
}

/* One line. The answer is printed as it is. */
static int say(const char *what, int answer)
{
	put(what);
	put(" = ");
	put_number(answer);
	put("\n");
	return answer;
}

static void section(const char *name)
{
	put("# ");
	put(name);
	put("\n");
}

/* For descriptors and other numbers that only need to be valid. */
static int sane(const char *what, int answer)
{
	say(what, answer < 0 ? answer : 0);
	return answer;
}

static int make(const char *path, const char *content, int mode)
{
	int fd = sys(OPEN, path, O_CREAT | O_TRUNC | O_RDWR, mode);
	sys(WRITE, fd, content, length(content));
	return fd;
}

static u32 stat_word(const char *path, u32 word) /* of stat64: 4 mode, 5 links, 6 uid, 7 gid, 11 size */
{
	u32 s[24];
	int error = sys(LSTAT64, path, s);
	return error < 0 ? (u32)error : s[word];
}

/* ---- the checks ---- */

static void files(void)
{
	static char buffer[10000];
	int fd, i;
	u64 at;

	section("files");
	say("open missing", sys(OPEN, "missing", O_RDONLY));
	say("open empty path", sys(OPEN, "", O_RDONLY));
	say("open bad pointer", sys(OPEN, BAD, O_RDONLY));
	say("open kernel pointer", sys(OPEN, KERNEL, O_RDONLY));
	fd = sane("creat", sys(CREAT, "a", 0666));
	say("mode under umask 022", (int)stat_word("a", 4));
	say("write", sys(WRITE, fd, "hello world\n", 12));
	say("write bad pointer", sys(WRITE, fd, BAD, 5));
	say("write kernel pointer", sys(WRITE, fd, KERNEL, 5));
	say("write nothing from nowhere", sys(WRITE, fd, BAD, 0));
	say("read what is write only", sys(READ, fd, buffer, 5));
	say("close", sys(CLOSE, fd));
	say("close again", sys(CLOSE, fd));
	say("close -1", sys(CLOSE, -1));
	say("read closed", sys(READ, fd, buffer, 5));
	say("open excl of what is there", sys(OPEN, "a", O_CREAT | O_EXCL | O_RDWR, 0644));
	say("open as directory", sys(OPEN, "a", O_DIRECTORY));
	say("open a/", sys(OPEN, "a/", O_RDONLY));
	say("open a/b", sys(OPEN, "a/b", O_RDONLY));
	say("open . for writing", sys(OPEN, ".", O_WRONLY));
	fd = sane("open read only", sys(OPEN, "a", O_RDONLY));
	say("write what is read only", sys(WRITE, fd, "x", 1));
	say("read", sys(READ, fd, buffer, sizeof buffer));
	say("content", same(buffer, "hello world\n", 12));
	say("read at the end", sys(READ, fd, buffer, 10));
	say("lseek set", sys(LSEEK, fd, 6, 0));
	say("read after", sys(READ, fd, buffer, 3));
	say("lseek cur", sys(LSEEK, fd, -2, 1));
	say("lseek end", sys(LSEEK, fd, -1, 2));
	say("lseek before start", sys(LSEEK, fd, -100, 2));
	say("lseek whence 9", sys(LSEEK, fd, 0, 9));
	say("lseek beyond the end", sys(LSEEK, fd, 1000, 0));
	say("read beyond the end", sys(READ, fd, buffer, 10));
	say("llseek", sys(LLSEEK, fd, 1, 5, &at, 0));
	say("llseek answer", at == 0x100000005ull);
	say("llseek bad pointer", sys(LLSEEK, fd, 0, 0, BAD, 0));
	sys(LSEEK, fd, 0, 0);
	say("read to bad pointer", sys(READ, fd, BAD, 5));
	say("offset after that", sys(LSEEK, fd, 0, 1));
	say("pread", sys(PREAD, fd, buffer, 5, 6, 0));
	say("pread content", same(buffer, "world", 5));
	say("pread moves nothing", sys(LSEEK, fd, 0, 1));
	say("pread negative offset", sys(PREAD, fd, buffer, 5, -1, -1));
	say("ftruncate read only", sys(FTRUNCATE, fd, 0));
	sys(CLOSE, fd);
	fd = sys(OPEN, "a", O_RDWR | O_APPEND);
	say("append", sys(WRITE, fd, "more", 4));
	say("offset after append", sys(LSEEK, fd, 0, 1));
	say("pwrite", sys(PWRITE, fd, "J", 1, 0, 0));
	say("ftruncate shorter", sys(FTRUNCATE, fd, 3));
	say("ftruncate longer", sys(FTRUNCATE, fd, 9000));
	say("read over the hole", sys(PREAD, fd, buffer, 9000, 0, 0));
	for (i = 3; i < 9000 && !buffer[i]; i++)
		;
	say("zeros up to", i);
	say("truncate", sys(TRUNCATE, "a", 5));
	say("size", (int)stat_word("a", 11));
	say("truncate missing", sys(TRUNCATE, "missing", 5));
	say("truncate directory", sys(TRUNCATE, ".", 5));
	say("truncate64 negative", sys(TRUNCATE64, "a", 0, 0x80000000));
	say("fallocate", sys(FALLOCATE, fd, 0, 0, 0, 6000, 0));
	say("size after", (int)stat_word("a", 11));
	sys(CLOSE, fd);
	fd = sys(OPEN, "a", O_TRUNC | O_WRONLY);
	say("size after O_TRUNC", (int)stat_word("a", 11));
	sys(LSEEK, fd, 5000, 0);
	say("write behind a hole", sys(WRITE, fd, "end", 3));
	say("size with a hole", (int)stat_word("a", 11));
	sys(CLOSE, fd);
	fd = sys(OPEN, "big", O_CREAT | O_RDWR, 0600);
	fill(buffer, 'x', sizeof buffer);
	for (i = 0; i < 100; i++)
		if (sys(WRITE, fd, buffer, sizeof buffer) != sizeof buffer)
			break;
	say("a megabyte in pieces", i);
	sys(LSEEK, fd, 123456, 0);
	say("read is not short", sys(READ, fd, buffer, sizeof buffer));
	say("sendfile64", sys(SENDFILE64, fd, fd, 0, 0));
	sys(CLOSE, fd);
	say("unlink open file's name", sys(UNLINK, "big"));
}

static void vectors(void)
{
	struct { const void *base; u32 size; } v[4];
	char a[4], b[8];
	int fd = make("v", "", 0644);

	section("vectors");
	v[0].base = "abc";
	v[0].size = 3;
	v[1].base = BAD;
	v[1].size = 0;
	v[2].base = "defgh";
	v[2].size = 5;
	say("writev", sys(WRITEV, fd, v, 3));
	v[1].size = 5;
	say("writev with a bad piece", sys(WRITEV, fd, v, 3));
	say("writev bad vector", sys(WRITEV, fd, BAD, 2));
	say("writev negative count", sys(WRITEV, fd, v, -1));
	say("writev 1025", sys(WRITEV, fd, v, 1025));
	sys(LSEEK, fd, 0, 0);
	v[0].base = a;
	v[0].size = 4;
	v[1].base = b;
	v[1].size = 8;
	say("readv", sys(READV, fd, v, 2));
	say("readv content", same(a, "abcd", 4) && same(b, "efgh", 4));
	say("readv none", sys(READV, fd, v, 0));
	sys(CLOSE, fd);
	sys(UNLINK, "v");
}

static void descriptors(void)
{
	int fd = make("d", "0123456789", 0644), other, i, n, p[2];
	char c;
	u32 three[3];

	section("descriptors");
	other = sane("dup", sys(DUP, fd));
	sys(LSEEK, fd, 4, 0);
	say("dup shares the offset", sys(LSEEK, other, 0, 1));
	say("dup bad", sys(DUP, 99));
	say("dup2", sys(DUP2, fd, 50));
	say("dup2 same", sys(DUP2, fd, fd) == fd);
	say("dup2 bad to itself", sys(DUP2, 99, 99));
	say("dup2 to -1", sys(DUP2, fd, -1));
	say("dup3 same", sys(DUP3, fd, fd, 0));
	say("dup3 bad flags", sys(DUP3, fd, 51, 1));
	say("dup3 cloexec", sys(DUP3, fd, 51, O_CLOEXEC));
	say("getfd 51", sys(FCNTL64, 51, 1));
	say("getfd 50", sys(FCNTL64, 50, 1));
	say("setfd 50", sys(FCNTL64, 50, 2, 1));
	say("getfd 50 again", sys(FCNTL64, 50, 1));
	say("dupfd from 60", sys(FCNTL64, fd, 0, 60));
	say("dupfd cloexec from 60", sys(FCNTL64, fd, 1030, 60));
	say("getfd 61", sys(FCNTL64, 61, 1));
	say("getfl access mode", sys(FCNTL64, fd, 3) & 3);
	say("setfl append", sys(FCNTL64, fd, 4, O_APPEND));
	say("getfl append", sys(FCNTL64, fd, 3) & O_APPEND);
	say("fcntl unknown", sys(FCNTL64, fd, 9999));
	say("fcntl closed", sys(FCNTL64, 99, 1));
	say("fcntl old number", sys(FCNTL, fd, 3) & 3);
	for (i = 50; i < 62; i++)
		sys(CLOSE, i);
	sys(CLOSE, other);
	say("lowest free comes first", sys(OPEN, "d", O_RDONLY) == other);
	sys(CLOSE, other);
	say("ioctl on a file", sys(IOCTL, fd, 0x5401, three));
	say("ioctl closed", sys(IOCTL, 99, 0x5401, three));
	for (n = 0; n < 100000; n++)
		if (sys(DUP, fd) < 0)
			break;
	say("descriptors run out", sys(DUP, fd));
	say("open then", sys(OPEN, "d", O_RDONLY));
	say("pipe then", sys(PIPE, p));
	for (i = fd + 1; i < fd + 2 + n; i++)
		sys(CLOSE, i);
	say("and come back", sys(READ, fd, &c, 0));
	sys(CLOSE, fd);
	sys(UNLINK, "d");
}

static void names(void)
{
	char text[5000];
	int fd, i;

	section("names");
	say("mkdir", sys(MKDIR, "dir", 0777));
	say("mkdir mode", (int)stat_word("dir", 4));
	say("mkdir again", sys(MKDIR, "dir", 0777));
	say("mkdir slash", sys(MKDIR, "dir2/", 0700));
	say("mkdir below missing", sys(MKDIR, "no/dir", 0777));
	say("mkdir empty", sys(MKDIR, "", 0777));
	say("mkdir bad pointer", sys(MKDIR, BAD, 0777));
	say("links of dir", (int)stat_word("dir", 5));
	say("mkdirat in dir", sys(MKDIRAT, AT_FDCWD, "dir/sub", 0755));
	say("links of dir with sub", (int)stat_word("dir", 5));
	say("rmdir not empty", sys(RMDIR, "dir"));
	say("rmdir .", sys(RMDIR, "dir2/."));
	say("rmdir ..", sys(RMDIR, "dir/sub/.."));
	say("rmdir a file", (sys(CLOSE, make("f", "data", 0644)), sys(RMDIR, "f")));
	say("unlink a directory", sys(UNLINK, "dir"));
	say("unlink missing", sys(UNLINK, "nothing"));
	say("unlink f/", sys(UNLINK, "f/"));
	say("unlinkat flags", sys(UNLINKAT, AT_FDCWD, "f", 0x10));
	say("link", sys(LINK, "f", "g"));
	say("links of f", (int)stat_word("f", 5));
	say("link onto what is there", sys(LINK, "f", "g"));
	say("link a directory", sys(LINK, "dir", "h"));
	say("link missing", sys(LINK, "nothing", "h"));
	say("symlink", sys(SYMLINK, "f", "s"));
	say("symlink empty target", sys(SYMLINK, "", "s2"));
	say("symlink onto what is there", sys(SYMLINK, "x", "s"));
	say("size of s", (int)stat_word("s", 11));
	say("mode of s", (int)stat_word("s", 4));
	say("readlink", sys(READLINK, "s", text, sizeof text));
	say("readlink cut", (sys(SYMLINK, "0123456789", "long"), sys(READLINK, "long", text, 4)));
	say("readlink a file", sys(READLINK, "f", text, 10));
	say("readlink no room", sys(READLINK, "s", text, 0));
	say("readlink bad pointer", sys(READLINK, "s", BAD, 10));
	say("open dangling", sys(OPEN, "long", O_RDONLY));
	say("open nofollow", sys(OPEN, "s", O_RDONLY | O_NOFOLLOW));
	fd = sane("open through link", sys(OPEN, "s", O_RDONLY));
	sys(CLOSE, fd);
	say("loop", (sys(SYMLINK, "loop", "loop"), sys(OPEN, "loop", O_RDONLY)));
	fd = sane("create through dangling link", sys(OPEN, "long", O_CREAT | O_WRONLY, 0644));
	sys(CLOSE, fd);
	say("unlink what it made", sys(UNLINK, "0123456789"));
	say("excl does not follow", sys(OPEN, "long", O_CREAT | O_EXCL | O_WRONLY, 0644));
	say("symlink to directory, slash", (sys(SYMLINK, "dir", "sd"), sys(READLINK, "sd/", text, 10)));
	say("rmdir through link", sys(RMDIR, "sd"));
	say("rename", sys(RENAME, "g", "g2"));
	say("rename missing", sys(RENAME, "g", "g3"));
	say("rename to itself", sys(RENAME, "g2", "g2"));
	say("rename onto its hard link", sys(RENAME, "g2", "f"));
	say("both still there", (int)stat_word("f", 5));
	say("rename file onto directory", sys(RENAME, "f", "dir"));
	say("rename directory onto file", sys(RENAME, "dir", "f"));
	say("rename into itself", sys(RENAME, "dir", "dir/sub/x"));
	say("rename onto not empty", sys(RENAME, "dir2", "dir"));
	say("rename directory", sys(RENAME, "dir2", "dir/two"));
	say("links of dir with two", (int)stat_word("dir", 5));
	say(".. of what moved", (sys(CHDIR, "dir/two"), sys(CHDIR, "../.."), sys(ACCESS, "f", 0)));
	say("rename onto empty directory", sys(RENAME, "dir/two", "dir/sub"));
	say("links of dir then", (int)stat_word("dir", 5));
	say("renameat2 noreplace", sys(RENAMEAT2, AT_FDCWD, "f", AT_FDCWD, "g2", 1));
	say("rename onto a file", (sys(CLOSE, make("n", "new", 0644)), sys(RENAME, "n", "f")));
	say("size then", (int)stat_word("f", 11));
	say("links of the other", (int)stat_word("g2", 5));
	fill(text, 'n', 300);
	text[255] = 0;
	say("name of 255", sys(MKDIR, text, 0755));
	sys(RMDIR, text);
	text[255] = 'n';
	text[256] = 0;
	say("name of 256", sys(MKDIR, text, 0755));
	for (i = 0; i < 4990; i += 2) {
		text[i] = '.';
		text[i + 1] = '/';
	}
	text[4080] = 0;
	say("long path", sys(OPEN, text, O_RDONLY | O_DIRECTORY) >= 0);
	text[4080] = '.';
	text[4099] = 0;
	say("too long path", sys(OPEN, text, O_RDONLY));
	say("name with control bytes", sys(MKDIR, "a\nb\001\377", 0755));
	say("and away", sys(RMDIR, "a\nb\001\377"));
	sys(UNLINK, "s");
	sys(UNLINK, "sd");
	sys(UNLINK, "long");
	sys(UNLINK, "loop");
	sys(UNLINK, "f");
	sys(UNLINK, "g2");
	sys(RMDIR, "dir/sub");
	say("rmdir dir", sys(RMDIR, "dir"));
}

static void at_names(void)
{
	char text[16];
	u32 s[24];
	int d;

	section("at");
	sys(MKDIR, "at", 0755);
	d = sys(OPEN, "at", O_RDONLY | O_DIRECTORY);
	say("openat creates", sys(CLOSE, sys(OPENAT, d, "f", O_CREAT | O_WRONLY, 0600)));
	say("linkat", sys(LINKAT, d, "f", d, "g", 0));
	say("linkat flags", sys(LINKAT, d, "f", d, "h", 0x10));
	say("symlinkat", sys(SYMLINKAT, "f", d, "s"));
	say("linkat of a link", sys(LINKAT, d, "s", d, "s2", 0));
	say("readlinkat", sys(READLINKAT, d, "s2", text, 16));
	say("linkat follows", sys(LINKAT, d, "s", d, "f2", 0x400));
	say("fstatat64", sys(FSTATAT64, d, "f", s, 0));
	say("links", (int)s[5]);
	say("fstatat64 nofollow", sys(FSTATAT64, d, "s", s, 0x100));
	say("mode", (int)s[4]);
	say("fchownat nofollow", sys(FCHOWNAT, d, "s", -1, sys(GETGID), 0x100));
	say("fchmodat", sys(FCHMODAT, d, "s", 0640));
	say("mode of target", (int)(sys(FSTATAT64, d, "f", s, 0), s[4]));
	say("faccessat", sys(FACCESSAT, d, "nothing", 0));
	say("renameat", sys(RENAMEAT, d, "g", AT_FDCWD, "at/k"));
	say("mkdirat absolute path ignores the descriptor", sys(MKDIRAT, 99, "/", 0755));
	say("unlinkat directory flag on a file", sys(UNLINKAT, d, "k", 0x200));
	say("unlinkat", sys(UNLINKAT, d, "k", 0));
	sys(UNLINKAT, d, "f", 0);
	sys(UNLINKAT, d, "f2", 0);
	sys(UNLINKAT, d, "s", 0);
	sys(UNLINKAT, d, "s2", 0);
	say("unlinkat directory", sys(UNLINKAT, AT_FDCWD, "at", 0x200));
	say("create in what is gone", sys(OPENAT, d, "x", O_CREAT | O_WRONLY, 0600));
	sys(CLOSE, d);
}

static void places(void)
{
	char text[4200];
	int fd, n;

	section("places");
	sys(MKDIR, "p", 0755);
	n = sys(GETCWD, text, sizeof text);
	say("getcwd length", n == (int)length(text) + 1);
	say("getcwd small", sys(GETCWD, text, 2));
	say("getcwd bad pointer", sys(GETCWD, BAD, 4000));
	fd = sane("open .", sys(OPEN, ".", O_RDONLY | O_DIRECTORY));
	say("chdir", sys(CHDIR, "p"));
	say("getcwd longer by", sys(GETCWD, text, sizeof text) - n);
	say("openat", sane("openat relative", sys(OPENAT, fd, "p", O_RDONLY)) < 0);
	say("openat bad", sys(OPENAT, 99, "p", O_RDONLY));
	say("rmdir where one stands", sys(RMDIR, "../p"));
	say("getcwd then", sys(GETCWD, text, sizeof text));
	say("create there", sys(OPEN, "x", O_CREAT | O_WRONLY, 0644));
	say("open . there", sys(OPEN, ".", O_RDONLY) < 0);
	say("fchdir", sys(FCHDIR, fd));
	say("fchdir bad", sys(FCHDIR, 99));
	say("chdir to a file", (sys(CLOSE, make("q", "", 0644)), sys(CHDIR, "q")));
	say("chdir missing", sys(CHDIR, "missing"));
	say("openat from a file", (fd = sys(OPEN, "q", O_RDONLY), sys(OPENAT, fd, "x", O_RDONLY)));
	say("chroot", sys(CHROOT, "."));
	sys(UNLINK, "q");
	for (n = 3; n < 20; n++)
		sys(CLOSE, n);
}

static void listing(void)
{
	u8 buffer[4096];
	int fd, n, at, count = 0, i;
	char name[3] = "f?";

	section("listing");
	sys(MKDIR, "l", 0755);
	sys(CHDIR, "l");
	for (i = 0; i < 60; i++) {
		name[0] = (char)('A' + i / 10);
		name[1] = (char)('0' + i % 10);
		sys(CLOSE, make(name, "", 0644));
	}
	fd = sys(OPEN, ".", O_RDONLY | O_DIRECTORY);
	while ((n = sys(GETDENTS64, fd, buffer, 500)) > 0)
		for (at = 0; at < n; at += buffer[at + 16] | buffer[at + 17] << 8)
			count++;
	say("getdents64 ends with", n);
	say("entries with . and ..", count);
	say("getdents64 small", (sys(LSEEK, fd, 0, 0), sys(GETDENTS64, fd, buffer, 10)));
	say("getdents64 bad pointer", sys(GETDENTS64, fd, BAD, 4096));
	count = 0;
	sys(LSEEK, fd, 0, 0);
	while ((n = sys(GETDENTS, fd, buffer, 500)) > 0)
		for (at = 0; at < n; at += buffer[at + 8] | buffer[at + 9] << 8)
			count++;
	say("getdents", count);
	sys(LSEEK, fd, 0, 0);
	count = 0;
	while ((n = sys(GETDENTS64, fd, buffer, 300)) > 0)
		for (at = 0; at < n; at += buffer[at + 16] | buffer[at + 17] << 8)
			if (buffer[at + 19] != '.')
				count += sys(UNLINK, buffer + at + 19) == 0;
	say("unlinked while reading", count);
	say("read a directory", sys(READ, fd, buffer, 10));
	say("getdents of a file", sys(GETDENTS64, 1, buffer, 4096));
	sys(CLOSE, fd);
	sys(CHDIR, "..");
	say("rmdir", sys(RMDIR, "l"));
}

static void status(void)
{
	u32 s[64], t[4];
	int fd = make("st", "12345", 0640);

	section("status");
	say("stat64", sys(STAT64, "st", s));
	say("mode", (int)s[4]);
	say("links", (int)s[5]);
	say("own", s[6] == (u32)sys(GETUID) && s[7] == (u32)sys(GETGID));
	say("size", (int)s[11]);
	say("blocks", (int)s[14]);
	say("stat64 missing", sys(STAT64, "missing", s));
	say("stat64 bad pointer", sys(STAT64, "st", BAD));
	say("fstat64", sys(FSTAT64, fd, s));
	say("fstat64 closed", sys(FSTAT64, 99, s));
	say("fstatat64 empty path", sys(FSTATAT64, fd, "", s, 0x1000));
	say("statx", sys(STATX, AT_FDCWD, "st", 0x100, 0x7ff, s));
	say("statx mode", (int)(u16)s[7]);
	say("statx size", (int)s[10]);
	say("statx missing", sys(STATX, AT_FDCWD, "missing", 0, 0x7ff, s));
	say("statx bad pointer", sys(STATX, AT_FDCWD, "st", 0, 0x7ff, BAD));
	say("chmod", sys(CHMOD, "st", 0751));
	say("mode then", (int)stat_word("st", 4));
	say("fchmod", sys(FCHMOD, fd, 0600));
	say("chmod missing", sys(CHMOD, "missing", 0600));
	say("fchmodat", sys(FCHMODAT, AT_FDCWD, "st", 0444));
	say("open for writing what is 0444", sys(OPEN, "st", O_WRONLY));
	say("access write", sys(ACCESS, "st", 2));
	say("access read", sys(ACCESS, "st", 4));
	say("access execute", sys(ACCESS, "st", 1));
	say("access mode 8", sys(ACCESS, "st", 8));
	say("access missing", sys(ACCESS, "missing", 0));
	say("faccessat", sys(FACCESSAT, AT_FDCWD, "st", 0));
	say("chown to root", sys(CHOWN, "st", 0, 0));
	say("chown to oneself", sys(CHOWN, "st", sys(GETUID), sys(GETGID)));
	say("chown nothing", sys(LCHOWN, "st", -1, -1));
	say("setuid 0", sys(SETUID, 0));
	say("setgid 0", sys(SETGID, 0));
	say("mknod device", sys(MKNOD, "dev", 0020666, 0x103));
	say("mknod pipe", sys(MKNOD, "fifo", 0010644, 0));
	say("mknod file", sys(MKNOD, "plain", 0100644, 0));
	say("mount", sys(MOUNT, "x", ".", "proc", 0, 0));
	t[0] = 1000;
	t[1] = 5;
	t[2] = 2000;
	t[3] = 6;
	say("utimensat", sys(UTIMENSAT, AT_FDCWD, "st", t, 0));
	sys(STAT64, "st", s);
	say("access time", (int)s[16]);
	say("modify time", (int)s[18]);
	say("modify nanoseconds", (int)s[19]);
	t[1] = t[3] = 0x3ffffffe;
	say("utimensat omit", sys(UTIMENSAT, AT_FDCWD, "st", t, 0));
	t[1] = 2000000000;
	say("utimensat invalid", sys(UTIMENSAT, AT_FDCWD, "st", t, 0));
	say("utimensat missing", sys(UTIMENSAT, AT_FDCWD, "missing", 0, 0));
	say("utimensat now", sys(UTIMENSAT, AT_FDCWD, "st", 0, 0));
	say("umask", sys(UMASK, 077));
	say("umask before", sys(UMASK, 022));
	say("write in /", sys(OPEN, "/xboot-test", O_CREAT | O_WRONLY, 0644) < 0);
	sys(MKDIR, "ro", 0555);
	say("create in what is 0555", sys(OPEN, "ro/x", O_CREAT | O_WRONLY, 0644));
	sys(CHMOD, "ro", 0);
	say("enter what is 0", sys(CHDIR, "ro"));
	say("open in what is 0", sys(OPEN, "ro/x", O_RDONLY));
	say("list what is 0", sys(OPEN, "ro", O_RDONLY));
	sys(RMDIR, "ro");
	sys(UNLINK, "fifo");
	sys(UNLINK, "plain");
	sys(UNLINK, "st");
	sys(CLOSE, fd);
}

static int child_status(int pid)
{
	int status = -1;

	return sys(WAIT4, pid, &status, 0, 0) == pid ? status : -1;
}

static void pipes(void)
{
	static char buffer[70000];
	int p[2], pid, n, total = 0;
	struct { int fd; short events, revents; } item;

	section("pipes");
	say("pipe", sys(PIPE, p));
	say("pipe bad pointer", sys(PIPE, BAD));
	say("pipe2 flags", sys(PIPE2, p + 4, 1));
	say("write", sys(WRITE, p[1], "abc", 3));
	say("read the wrong end", sys(READ, p[1], buffer, 1));
	say("write the wrong end", sys(WRITE, p[0], buffer, 1));
	say("lseek", sys(LSEEK, p[0], 0, 0));
	say("pread", sys(PREAD, p[0], buffer, 1, 0, 0));
	say("read what is there", sys(READ, p[0], buffer, 100));
	item.fd = p[0];
	item.events = 1;
	say("poll empty", sys(POLL, &item, 1, 0));
	sys(WRITE, p[1], "x", 1);
	say("poll full", sys(POLL, &item, 1, 1000));
	say("poll events", item.revents);
	say("poll bad pointer", sys(POLL, BAD, 1, 0));
	sys(READ, p[0], buffer, 1);
	sys(FCNTL64, p[0], 4, O_NONBLOCK);
	say("read empty, nonblocking", sys(READ, p[0], buffer, 1));
	sys(FCNTL64, p[1], 4, O_NONBLOCK);
	while ((n = sys(WRITE, p[1], buffer, 4096)) > 0)
		total += n;
	say("fills up with", n);
	say("capacity", total);
	say("read it back", sys(READ, p[0], buffer, sizeof buffer));
	sys(CLOSE, p[1]);
	say("read the end", sys(READ, p[0], buffer, 10));
	sys(CLOSE, p[0]);
	sys(PIPE, p);
	sys(CLOSE, p[0]);
	sys(SIGNAL, 13, 1);
	say("write without reader", sys(WRITE, p[1], "x", 1));
	sys(SIGNAL, 13, 0);
	pid = sys(FORK);
	if (!pid) {
		sys(WRITE, p[1], "x", 1);
		sys(EXIT, 0);
	}
	say("dies of SIGPIPE", child_status(pid));
	sys(CLOSE, p[1]);
	sys(PIPE, p);
	pid = sys(FORK);
	if (!pid) {
		sys(CLOSE, p[0]);
		fill(buffer, 'z', sizeof buffer);
		for (n = 0; n < 10; n++)
			if (sys(WRITE, p[1], buffer, sizeof buffer) != sizeof buffer)
				sys(EXIT, 1);
		sys(EXIT, 0);
	}
	sys(CLOSE, p[1]);
	for (total = 0; (n = sys(READ, p[0], buffer, 7777)) > 0; total += n)
		;
	say("through the pipe", total);
	say("writer ended", child_status(pid));
	sys(CLOSE, p[0]);
	sys(MKNOD, "fifo", 0010644, 0);
	say("fifo write nonblocking, no reader", sys(OPEN, "fifo", O_WRONLY | O_NONBLOCK));
	pid = sys(FORK);
	if (!pid) {
		n = sys(OPEN, "fifo", O_WRONLY);
		sys(EXIT, sys(WRITE, n, "through", 7));
	}
	n = sys(OPEN, "fifo", O_RDONLY);
	say("read through fifo", sys(READ, n, buffer, 100));
	say("fifo writer", child_status(pid));
	say("fifo end", sys(READ, n, buffer, 100));
	sys(CLOSE, n);
	sys(UNLINK, "fifo");
}

static volatile int handled, handled_at;

static void handler(int number)
{
	handled++;
	handled_at = number;
}

static void info_handler(int number, u32 *info, void *context)
{
	handled += (int)info[0];
	handled_at = number;
	(void)context;
}

struct action {
	void *handler;
	u32 flags;
	void *restorer;
	u64 mask;
};

static int act(int number, void *to, u32 flags)
{
	struct action a;

	a.handler = to;
	a.flags = flags | 0x04000000;
	a.restorer = flags & 4 ? (void *)restore_info : (void *)restore;
	a.mask = 0;
	return sys(RT_SIGACTION, number, &a, 0, 8);
}

static void signals(void)
{
	u64 set, old;
	u32 time[2];
	struct action a;
	int pid, p[2];
	char c;

	section("signals");
	say("sigaction", act(10, handler, 0));
	say("sigaction SIGKILL", act(9, handler, 0));
	say("sigaction 65", act(65, handler, 0));
	say("sigaction 0", act(0, handler, 0));
	say("sigaction bad pointer", sys(RT_SIGACTION, 10, BAD, 0, 8));
	say("sigaction size", sys(RT_SIGACTION, 10, 0, 0, 4));
	say("sigaltstack bad pointer", sys(SIGALTSTACK, BAD, 0));
	say("sigaltstack too small", (time[0] = 0, a.handler = 0, a.flags = 0, a.restorer = (void *)100, sys(SIGALTSTACK, &a, 0)));
	say("sigaction reads back", (sys(RT_SIGACTION, 10, 0, &a, 8), a.handler == (void *)handler));
	say("kill self", sys(KILL, sys(GETPID), 10));
	say("handled", handled);
	say("number", handled_at);
	act(12, info_handler, 4);
	say("tgkill", sys(TGKILL, sys(GETPID), sys(GETTID), 12));
	say("handled with info", handled);
	set = 1 << (10 - 1);
	say("block", sys(RT_SIGPROCMASK, 0, &set, &old, 8));
	say("nothing was blocked", (int)old);
	sys(KILL, sys(GETPID), 10);
	say("not handled", handled);
	say("pending", (sys(RT_SIGPENDING, &old, 8), (int)old));
	say("unblock", sys(RT_SIGPROCMASK, 1, &set, 0, 8));
	say("handled then", handled);
	say("sigprocmask how 9", sys(RT_SIGPROCMASK, 9, &set, 0, 8));
	say("sigprocmask bad pointer", sys(RT_SIGPROCMASK, 0, BAD, 0, 8));
	say("kill none", sys(KILL, 99999, 0));
	say("kill signal 65", sys(KILL, sys(GETPID), 65));
	say("kill 0 self", sys(KILL, sys(GETPID), 0));
	sys(PIPE, p);
	pid = sys(FORK);
	if (!pid) { /* interrupts its parent's read */
		time[0] = 0;
		time[1] = 30000000;
		sys(NANOSLEEP, time, 0);
		sys(KILL, sys(GETPPID), 10);
		sys(NANOSLEEP, time, 0);
		sys(WRITE, p[1], "x", 1);
		sys(EXIT, 0);
	}
	say("read interrupted", sys(READ, p[0], &c, 1));
	say("read after", sys(READ, p[0], &c, 1));
	child_status(pid);
	act(10, handler, 0x10000000);
	pid = sys(FORK);
	if (!pid) {
		time[0] = 0;
		time[1] = 30000000;
		sys(NANOSLEEP, time, 0);
		sys(KILL, sys(GETPPID), 10);
		sys(NANOSLEEP, time, 0);
		sys(WRITE, p[1], "y", 1);
		sys(EXIT, 0);
	}
	say("read restarted", sys(READ, p[0], &c, 1));
	child_status(pid);
	sys(CLOSE, p[0]);
	sys(CLOSE, p[1]);
	pid = sys(FORK);
	if (!pid)
		for (;;)
			sys(PAUSE);
	sys(KILL, pid, 15);
	say("killed by 15", child_status(pid));
	pid = sys(FORK);
	if (!pid)
		for (;;)
			;
	sys(KILL, pid, 9);
	say("spinning, killed by 9", child_status(pid));
	pid = sys(FORK);
	if (!pid)
		*(volatile int *)16 = 1;
	say("bad write", child_status(pid) & 127);
	pid = sys(FORK);
	if (!pid)
		asm volatile("hlt");
	say("privileged instruction", child_status(pid) & 127);
	pid = sys(FORK);
	if (!pid)
		asm volatile("ud2");
	say("illegal instruction", child_status(pid) & 127);
	pid = sys(FORK);
	if (!pid)
		asm volatile("xor %%ecx, %%ecx\n\tdiv %%ecx" : : : "eax", "ecx", "edx");
	say("division by zero", child_status(pid) & 127);
	pid = sys(FORK);
	if (!pid)
		asm volatile("mov $0xf4, %%dx\n\tmov $0x31, %%al\n\toutb %%al, %%dx" : : : "eax", "edx");
	say("port output", child_status(pid) & 127);
	pid = sys(FORK);
	if (!pid)
		((void (*)(void))0xc0100000u)();
	say("jump into the kernel", child_status(pid) & 127);
	sys(ALARM, 1);
	say("alarm was set", sys(ALARM, 0));
	act(14, handler, 0);
	sys(ALARM, 1);
	handled = 0;
	say("pause", sys(PAUSE));
	say("alarm came", handled);
	set = 1 << (10 - 1);
	sys(RT_SIGPROCMASK, 0, &set, 0, 8);
	sys(KILL, sys(GETPID), 10);
	set = 0;
	say("sigsuspend", sys(RT_SIGSUSPEND, &set, 8));
	say("handled in it", handled);
	say("still blocked after", (sys(RT_SIGPROCMASK, 0, 0, &old, 8), (int)old));
	sys(RT_SIGPROCMASK, 2, &set, 0, 8);
}

static void memory(void)
{
	char *p, *q, *b;
	int fd, pid, i;
	u32 tls[4];

	section("memory");
	b = (char *)sys(BRK, 0);
	say("brk grows", (char *)sys(BRK, b + 100000) == b + 100000);
	say("and is zero", b[0] == 0 && b[99999] == 0);
	b[99999] = 7;
	say("brk shrinks", (char *)sys(BRK, b) == b);
	say("brk too low", (char *)sys(BRK, 4096) == b);
	p = (char *)sys(MMAP2, 0, 100000, 3, 0x22, -1, 0);
	say("mmap", (u32)p < 0xfffff000u && !((u32)p & 4095));
	say("zero", p[0] == 0 && p[99999] == 0);
	p[50000] = 1;
	say("munmap middle", sys(MUNMAP, p + 8192, 4096));
	say("munmap again", sys(MUNMAP, p + 8192, 4096));
	pid = sys(FORK);
	if (!pid) {
		p[8192] = 1;
		sys(EXIT, 0);
	}
	say("touch the hole", child_status(pid) & 127);
	say("rest is there", p[50000]);
	say("mmap fixed", (char *)sys(MMAP2, p + 8192, 4096, 3, 0x32, -1, 0) == p + 8192);
	say("mprotect read", sys(MPROTECT, p, 4096, 1));
	pid = sys(FORK);
	if (!pid) {
		p[0] = 1;
		sys(EXIT, 0);
	}
	say("write to read only", child_status(pid) & 127);
	say("read into read only", (fd = make("m", "file content", 0644), sys(LSEEK, fd, 0, 0), sys(READ, fd, p, 4)));
	say("mprotect none", sys(MPROTECT, p, 4096, 0));
	say("write from it", sys(WRITE, fd, p, 4));
	say("mprotect write", sys(MPROTECT, p, 4096, 3));
	say("content kept", p[0]);
	say("mprotect hole", sys(MPROTECT, 4096, 4096, 3));
	say("mprotect odd", sys(MPROTECT, p + 1, 4096, 3));
	say("mmap of nothing", sys(MMAP2, 0, 0, 3, 0x22, -1, 0));
	say("mmap without kind", sys(MMAP2, 0, 4096, 3, 0x20, -1, 0));
	say("mmap bad file", sys(MMAP2, 0, 4096, 3, 2, 99, 0));
	say("mmap too much", sys(MMAP2, 0, 0xf0000000u, 3, 0x22, -1, 0));
	say("mmap odd fixed", sys(MMAP2, p + 1, 4096, 3, 0x32, -1, 0));
	say("munmap odd", sys(MUNMAP, p + 1, 4096));
	sys(LSEEK, fd, 0, 0);
	sys(WRITE, fd, "file content", 12);
	q = (char *)sys(MMAP2, 0, 4096, 3, 2, fd, 0);
	say("mmap file", same(q, "file content", 12));
	say("zeros behind it", q[4095]);
	q[0] = 'F';
	sys(PREAD, fd, p, 1, 0, 0);
	say("private write stays private", p[0]);
	sys(MUNMAP, q, 4096);
	q = (char *)sys(MMAP2, 0, 4096, 1, 2, fd, 0);
	sys(CLOSE, fd);
	sys(UNLINK, "m");
	say("mapping outlives the name", same(q, "file content", 12));
	say("madvise on what is there", sys(219, q, 4096, 0));
	p[0] = 5;
	pid = sys(FORK);
	if (!pid) {
		p[0] = 6;
		sys(EXIT, p[0]);
	}
	say("child wrote", child_status(pid));
	say("parent sees", p[0]);
	q = (char *)sys(MMAP2, 0, 64 << 20, 3, 0x22, -1, 0);
	for (i = 0; i < 64; i++)
		q[i << 20] = (char)i;
	for (i = 0; i < 64 && q[i << 20] == i; i++)
		;
	say("64 MiB", i);
	say("munmap 64 MiB", sys(MUNMAP, q, 64 << 20));
	q = (char *)sys(MMAP2, 0, 40960, 3, 0x22, -1, 0);
	q[20000] = 9;
	say("mremap shrinks", (char *)sys(MREMAP, q, 40960, 24576, 0) == q && q[20000] == 9);
	say("mremap odd", sys(MREMAP, q + 1, 4096, 8192, 1));
	say("mremap to nothing", sys(MREMAP, q, 4096, 0, 1));
	sys(MUNMAP, q, 24576);
	fill(tls, 0, sizeof tls);
	tls[0] = ~0u;
	tls[1] = (u32)p;
	tls[2] = 0xfffff;
	tls[3] = 0x51;
	say("set_thread_area", sys(SET_THREAD_AREA, tls));
	asm volatile("mov %0, %%gs" : : "r"(tls[0] * 8 + 3));
	asm volatile("movb %%gs:0, %b0" : "=a"(i));
	say("reads through gs", i & 255);
	sys(GETPID);
	asm volatile("movb %%gs:0, %b0" : "=a"(i));
	say("after a call too", i & 255);
	say("set_thread_area bad pointer", sys(SET_THREAD_AREA, BAD));
	tls[0] = 999;
	say("set_thread_area 999", sys(SET_THREAD_AREA, tls));
}

static char *self;

static int run(const char *path, const char *first, const char *second)
{
	const char *argv[4], *envp[2];
	int pid;

	argv[0] = first;
	argv[1] = second;
	argv[2] = 0;
	envp[0] = "HOME=/nowhere";
	envp[1] = 0;
	pid = sys(FORK);
	if (!pid) {
		pid = sys(EXECVE, path, argv, envp);
		sys(EXIT, -pid & 127);
	}
	return child_status(pid) >> 8;
}

static void processes(void)
{
	int pid, status, i, fd;
	char text[10];
	static const char script[] = "#!interpreter\n";
	u32 names[98];

	section("processes");
	pid = sys(FORK);
	if (!pid)
		sys(EXIT, 300);
	say("exit status has 8 bits", child_status(pid));
	say("wait without children", sys(WAITPID, -1, &status, 0));
	say("wait for a stranger", sys(WAITPID, 1, &status, 0));
	say("wait4 options", sys(WAIT4, -1, &status, 0x10000, 0));
	pid = sys(FORK);
	if (!pid) {
		sys(PAUSE);
		sys(EXIT, 0);
	}
	say("WNOHANG", sys(WAITPID, pid, &status, 1));
	sys(KILL, pid, 9);
	say("wait bad pointer", sys(WAITPID, pid, BAD, 0));
	sys(WAITPID, pid, 0, 0);
	for (i = 0; i < 20; i++) {
		pid = sys(FORK);
		if (!pid)
			sys(EXIT_GROUP, i);
		if (child_status(pid) != i << 8)
			break;
	}
	say("twenty children", i);
	say("vfork", child_status(vfork_and_exit()));
	pid = sys(CLONE, 17, 0, 0, 0, 0);
	if (!pid)
		sys(EXIT, 11);
	say("clone", child_status(pid));
	say("clone NEWPID", sys(CLONE, 0x20000011, 0, 0, 0, 0));
	say("exec", run(self, "syscalls", "exec"));
	say("exec missing", run("missing", "x", 0));
	say("exec directory", run(".", "x", 0));
	fd = make("notexec", "hello", 0644);
	sys(CLOSE, fd);
	say("exec without x", run("./notexec", "x", 0));
	sys(CHMOD, "notexec", 0755);
	say("exec of text", run("./notexec", "x", 0));
	fd = make("empty", "", 0755);
	sys(CLOSE, fd);
	say("exec of nothing", run("./empty", "x", 0));
	fd = make("badelf", "\177ELF\1\1\1", 0755);
	sys(CLOSE, fd);
	say("exec of a stub of ELF", run("./badelf", "x", 0));
	fd = make("script", script, 0755);
	sys(CLOSE, fd);
	say("script without interpreter", run("./script", "x", 0));
	fd = make("script", "#!", 0755);
	sys(WRITE, fd, self, length(self));
	sys(WRITE, fd, " script\n", 8);
	sys(CLOSE, fd);
	say("script", run("./script", "x", "y"));
	say("exec bad pointer", sys(EXECVE, BAD, 0, 0));
	say("exec bad argv", sys(EXECVE, self, BAD, 0));
	sys(UNLINK, "notexec");
	sys(UNLINK, "empty");
	sys(UNLINK, "badelf");
	sys(UNLINK, "script");
	say("setsid of a leader's child", (pid = sys(FORK)) ? child_status(pid) : sys(EXIT, sys(SETSID) == sys(GETPID)));
	say("setpgid stranger", sys(SETPGID, 99999, 0));
	say("uname", sys(UNAME, names));
	say("is Linux", same(names, "Linux", 6));
	say("uname bad pointer", sys(UNAME, BAD));
	say("prctl unknown", sys(PRCTL, 9999, 0, 0, 0, 0));
	say("getrandom", sys(GETRANDOM, text, 10, 0));
	say("getrandom bad pointer", sys(GETRANDOM, BAD, 10, 0));
	say("getrandom flags", sys(GETRANDOM, text, 10, 99));
	say("unknown call", sys(9999));
	say("call -1", sys(-1));
}

static void clocks(void)
{
	u32 a[2], b[2], t[2];

	section("clocks");
	say("clock_gettime", sys(CLOCK_GETTIME, 1, a));
	t[0] = 0;
	t[1] = 20000000;
	say("nanosleep", sys(NANOSLEEP, t, 0));
	sys(CLOCK_GETTIME, 1, b);
	say("time went on", (b[0] - a[0]) * 1000 + (b[1] / 1000000) - (a[1] / 1000000) >= 19);
	t[1] = 1000000000;
	say("nanosleep invalid", sys(NANOSLEEP, t, 0));
	say("nanosleep bad pointer", sys(NANOSLEEP, BAD, 0));
	say("clock 99", sys(CLOCK_GETTIME, 99, a));
	say("clock_gettime bad pointer", sys(CLOCK_GETTIME, 0, BAD));
	say("time", sys(TIME, 0) > 900000000);
	say("times", sys(TIMES, 0) != -14);
	say("utimes missing", sys(UTIMES, "missing", 0));
	t[0] = 0;
	t[1] = 10000;
	say("select as a sleep", sys(SELECT, 0, 0, 0, 0, t));
}

static void devices(void)
{
	char b[16];
	int fd;

	section("devices");
	fd = sane("null", sys(OPEN, "/dev/null", O_RDWR));
	say("read null", sys(READ, fd, b, 10));
	say("write null", sys(WRITE, fd, "x", 1));
	fd = sane("zero", sys(OPEN, "/dev/zero", O_RDONLY));
	b[3] = 1;
	say("read zero", sys(READ, fd, b, 10));
	say("zeros", b[3]);
	fd = sane("full", sys(OPEN, "/dev/full", O_WRONLY));
	say("write full", sys(WRITE, fd, "x", 1));
	fd = sane("urandom", sys(OPEN, "/dev/urandom", O_RDONLY));
	say("read urandom", sys(READ, fd, b, 10));
	say("tty", sys(OPEN, "/dev/tty", O_RDWR));
	say("mem", sys(OPEN, "/dev/mem", O_RDWR) < 0);
	say("port", sys(OPEN, "/dev/port", O_RDWR) < 0);
	say("ttyS1", sys(OPEN, "/dev/ttyS1", O_RDWR) < 0);
	for (fd = 3; fd < 20; fd++)
		sys(CLOSE, fd);
}

/* The calls that C libraries of other times make: 16-bit numbers, old structures, 64-bit times. Mostly their error cases, since what they do when they succeed is
   seen above through their successors. */
static void rare(void)
{
	static u32 b[64];
	u32 zero[4] = {0, 0, 0, 0}, none[2] = {0, 999999999};
	int fd;

	section("rare");
	fd = sane("rare file", sys(OPEN, "rare", O_RDWR | O_CREAT, 0644));
	say("old stat missing", sys(106, "missing", b));
	say("old lstat missing", sys(107, "missing", b));
	say("old fstat of nothing", sys(108, 99, b));
	say("old stat pointer", sys(106, "rare", 4));
	say("statfs64 missing", sys(268, "missing", 84, b));
	say("statfs64 size", sys(268, "rare", 12, b));
	say("fstatfs64 of nothing", sys(269, 99, 84, b));
	say("fchown of nothing", sys(207, 99, -1, -1));
	say("fchown unchanged", sys(207, fd, -1, -1));
	say("fchown to root", sys(207, fd, 0, 0));
	say("fchown16 to root", sys(95, fd, 0, 0));
	say("chown16 missing", sys(182, "missing", -1, -1));
	say("lchown16 missing", sys(16, "missing", -1, -1));
	say("flock", sys(143, fd, 2));
	say("flock of nothing", sys(143, 99, 2));
	say("fsync", sys(118, fd));
	say("fsync of nothing", sys(118, 99));
	say("fdatasync", sys(148, fd));
	say("utime missing", sys(30, "missing", 0));
	say("utime", sys(30, "rare", zero));
	say("mknodat device", sys(297, -100, "node", 020666, 0x103));
	say("faccessat missing", sys(FACCESSAT, -100, "missing", 0));
	say("sendfile from nothing", sys(187, 1, 99, 0, 1));
	say("ftruncate64 of nothing", sys(FTRUNCATE64, 99, 0, 0));
	say("close_range", sys(436, 90, 99, 0));
	say("close_range backwards", sys(436, 99, 90, 0));
	sys(CLOSE, fd);

	say("getpgid of nobody", sys(132, 99999));
	say("getsid of nobody", sys(147, 99999));
	say("getgroups count negative", sys(205, -1, b));
	say("getresuid pointer", sys(209, 4, 4, 4));
	say("getresgid pointer", sys(211, 4, 4, 4));
	say("setuid to root", sys(SETUID, 0));
	say("setgid to root", sys(SETGID, 0));
	say("setreuid to root", sys(203, 0, 0));
	say("setregid to root", sys(204, 0, 0));
	say("setresuid to root", sys(208, 0, 0, 0));
	say("setresgid to root", sys(210, 0, 0, 0));
	say("setresuid unchanged", sys(208, -1, -1, -1));
	say("setresgid unchanged", sys(210, -1, -1, -1));
	say("setgroups", sys(206, 0, 0));
	say("umount", sys(52, "rare", 0));
	say("ioperm", sys(101, 0xf4, 4, 1) < 0);
	say("personality asked", sys(136, -1) >= 0);
	say("tkill nobody", sys(238, 99999, 0));
	say("tkill bad signal", sys(238, sys(GETTID), 99));
	say("getpriority kind", sys(96, 9, 0));
	say("sched_yield", sys(158));
	say("sched_getaffinity size", sys(242, 0, 1, b));
	say("futex wake", sys(240, zero, 1, 1, 0));
	say("futex wait changed", sys(240, zero, 0, 1, 0));
	say("futex kind", sys(240, zero, 77, 0, 0));
	say("set_robust_list size", sys(311, b, 3));
	say("madvise", sys(219, (u32)b & ~4095, 4096, 0));
	say("madvise unaligned", sys(219, 5, 4096, 0));
	say("getrusage kind", sys(77, 5, b));
	say("getrusage", sys(77, 0, b));
	say("sysinfo pointer", sys(116, 4));
	say("gettimeofday", sys(78, b, 0));
	say("gettimeofday pointer", sys(78, 4, 0));
	say("clock_getres", sys(266, 1, b));
	say("clock_getres kind", sys(266, 99, b));
	say("clock_gettime64", sys(403, 1, b));
	say("clock_gettime64 kind", sys(403, 99, b));
	say("clock_gettime64 pointer", sys(403, 1, 4));
	say("clock_nanosleep kind", sys(267, 99, 0, none, 0));
	say("clock_nanosleep64 kind", sys(407, 99, 0, zero, 0));
	say("utimensat64 missing", sys(412, -100, "missing", 0, 0));
	say("getrlimit kind", sys(76, 99, b));
	say("setrlimit kind", sys(75, 99, b));
	say("prlimit64 kind", sys(PRLIMIT64, 0, 99, 0, b));
	say("sigprocmask how", sys(126, 9, zero, 0));
	say("sigprocmask", sys(126, 0, zero, b));
	say("old mmap length", sys(OLD_MMAP, zero));
	say("unlink rare", sys(UNLINK, "rare"));
}

void start_c(u32 *stack)
{
	char **argv = (char **)(stack + 1), **envp = argv + stack[0] + 1;

	self = argv[0];
	if (stack[0] == 2 && same(argv[1], "exec", 5)) /* the child of "exec" */
		sys(EXIT, envp[0] && same(envp[0], "HOME=/nowhere", 14) && !envp[1] && same(argv[0], "syscalls", 9) ? 42 : 1);
	if (stack[0] == 4 && same(argv[1], "script", 7)) /* self script ./script y */
		sys(EXIT, same(argv[2], "./script", 9) && same(argv[3], "y", 2) ? 43 : 2);
	for (int fd = 3; fd < 64; fd++)
		sys(CLOSE, fd);
	sys(UMASK, 022);
	files();
	vectors();
	descriptors();
	names();
	at_names();
	places();
	listing();
	status();
	pipes();
	signals();
	memory();
	processes();
	clocks();
	devices();
	rare();
	put("# end\n");
	sys(EXIT_GROUP, 0);
}
