/* attack.h: what the hostile programs in C begin with: system calls, words, memory. Static, freestanding, for i386: any C compiler, -nostdlib. A program's
   `attack` is its main; 0 is the end of an attack that won nothing. For guests only: never run one on a machine that you use. */

typedef unsigned u32;
typedef unsigned long long u64;
typedef unsigned char u8;

int sys(int number, ...);
int attack(char **arguments, char **environment);

asm(".text\n.globl sys\nsys:\n\tpush %ebx\n\tpush %esi\n\tpush %edi\n\tpush %ebp\n\tmov 20(%esp), %eax\n\tmov 24(%esp), %ebx\n\tmov 28(%esp), %ecx\n\tmov 32(%esp), %edx\n"
    "\tmov 36(%esp), %esi\n\tmov 40(%esp), %edi\n\tmov 44(%esp), %ebp\n\tint $0x80\n\tpop %ebp\n\tpop %edi\n\tpop %esi\n\tpop %ebx\n\tret\n"
    ".globl _start\n_start:\n\tmov %esp, %eax\n\tpush %eax\n\tcall begin\n");

enum {
	EXIT = 1, FORK = 2, READ = 3, WRITE = 4, OPEN = 5, CLOSE = 6, WAITPID = 7, LINK = 9, UNLINK = 10, EXECVE = 11, CHDIR = 12, CHMOD = 15, LSEEK = 19, GETPID = 20,
	ALARM = 27, KILL = 37, RENAME = 38, MKDIR = 39, RMDIR = 40, DUP = 41, PIPE = 42, BRK = 45, IOCTL = 54, FCNTL = 55, DUP2 = 63, SYMLINK = 83, READLINK = 85, MUNMAP = 91,
	TRUNCATE = 92, FTRUNCATE = 93, FCHMOD = 94, FSYNC = 118, SIGRETURN = 119, CLONE = 120, MPROTECT = 125, FCHDIR = 133, MSYNC = 144, READV = 145, WRITEV = 146,
	MREMAP = 163, POLL = 168, RT_SIGRETURN = 173, RT_SIGACTION = 174, PREAD64 = 180, PWRITE64 = 181, SENDFILE = 187, VFORK = 190, MMAP2 = 192, STAT64 = 195, LSTAT64 = 196,
	FSTAT64 = 197, FCHOWN = 207, MADVISE = 219, GETDENTS64 = 220, SET_THREAD_AREA = 243, LINKAT = 303, UNLINKAT = 301, RENAMEAT = 302, UTIMENSAT = 320, FALLOCATE = 324,
	DUP3 = 330, PIPE2 = 331, RENAMEAT2 = 353
};

enum { ENOENT = 2, EBADF = 9, EAGAIN = 11, ENOMEM = 12, EACCES = 13, EFAULT = 14, EEXIST = 17, EXDEV = 18, ENOTDIR = 20, EISDIR = 21, EINVAL = 22, ELOOP = 40 };

#define HERE (-100) /* AT_FDCWD */
#define O_RDWR 2
#define O_CREAT 0100
#define O_TRUNC 01000
#define O_PATH 010000000
#define PAGE 4096u
#define FAILED(result) ((u32)(result) > 0xfffff000u)

static u32 length_of(const char *s)
{
	u32 n = 0;

	while (s[n])
		n++;
	return n;
}

static void say(const char *text)
{
	sys(WRITE, 2, text, length_of(text));
}

static void say_number(const char *text, int n)
{
	char digits[14];
	int i = 13;
	u32 rest = n < 0 ? 0u - (u32)n : (u32)n;

	digits[i] = '\n';
	do {
		digits[--i] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (n < 0)
		digits[--i] = '-';
	say(text);
	say(" ");
	sys(WRITE, 2, digits + i, 14 - i);
}

static void fill(void *to, int byte, u32 length)
{
	u8 *at = to;

	while (length--)
		*at++ = (u8)byte;
}

/* Bytes in a row that are this one. */
static u32 count_bytes(const void *from, int byte, u32 length)
{
	const u8 *at = from;
	u32 n = 0;

	while (length--)
		n += *at++ == (u8)byte;
	return n;
}

static int losses;

/* What must hold, or the builder has won something: it then ends with 1. */
static void must(int holds, const char *what)
{
	if (holds)
		return;
	say("WON: ");
	say(what);
	say("\n");
	losses++;
}

/* A child that runs this and ends with its result; how it ended, as wait has it: result << 8, or a signal. */
static int in_child(int (*run)(void))
{
	int pid = sys(FORK), end = -1;

	if (!pid)
		sys(EXIT, run());
	if (pid > 0)
		sys(WAITPID, pid, &end, 0);
	return end;
}

/* "/proc/self/fd/N" */
static const char *descriptor_path(int fd)
{
	static char path[] = "/proc/self/fd/000";

	path[14] = (char)('0' + fd / 100);
	path[15] = (char)('0' + fd / 10 % 10);
	path[16] = (char)('0' + fd % 10);
	if (fd < 10) {
		path[14] = path[16];
		path[15] = 0;
	} else if (fd < 100) {
		path[14] = path[15];
		path[15] = path[16];
		path[16] = 0;
	}
	return path;
}

void begin(char **stack)
{
	int result = attack(stack + 1, stack + 2 + (u32)stack[0]);

	sys(EXIT, result ? result : losses != 0);
}
