/* common.h: types, numbers, and how a line is printed. */

typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned short u16;
typedef unsigned char u8;

typedef unsigned long word; /* what a register holds: 4 bytes on i386, 8 on x86_64 */

void restore(void);
void restore_info(void);
int vfork_and_exit(void); /* a vforked child must not return into its caller's frame */

/* A thread, or process, that runs `run` on a stack of its own, and ends with what that answers. */
int thread_clone(u32 flags, void *stack, int *parent, int *child, int (*run)(int), int argument);

#ifdef __x86_64__
#include "wide.h"
#else
#define WIDE 0

/* Where a field lies in stat64, in words of 4 bytes. */
enum {
    STAT_MODE = 4, STAT_LINKS = 5, STAT_UID = 6, STAT_GID = 7, STAT_DEVICE = 8, STAT_SIZE = 11, STAT_BLOCKS = 14, STAT_ATIME = 16, STAT_MTIME = 18, STAT_MTIME_NS = 19, STAT_WORDS = 24
};

int sys(int number, ...);

asm(".text\n.globl sys\nsys:\n\tpush %ebx\n\tpush %esi\n\tpush %edi\n\tpush %ebp\n\tmov 20(%esp), %eax\n\tmov 24(%esp), %ebx\n\tmov 28(%esp), %ecx\n\tmov 32(%esp), %edx\n"
    "\tmov 36(%esp), %esi\n\tmov 40(%esp), %edi\n\tmov 44(%esp), %ebp\n\tint $0x80\n\tpop %ebp\n\tpop %edi\n\tpop %esi\n\tpop %ebx\n\tret\n"
    ".globl _start\n_start:\n\tmov %esp, %eax\n\tpush %eax\n\tcall start_c\n"
    ".globl vfork_and_exit\nvfork_and_exit:\n\tpush %ebx\n\tmov $190, %eax\n\tint $0x80\n\ttest %eax, %eax\n\tjne parent\n\tmov $1, %eax\n\tmov $9, %ebx\n\tint $0x80\n"
    "parent:\tpop %ebx\n\tret\n"
    ".globl restore\nrestore:\n\tpop %eax\n\tmov $119, %eax\n\tint $0x80\n"
    ".globl restore_info\nrestore_info:\n\tmov $173, %eax\n\tint $0x80\n");

asm(".globl thread_clone\nthread_clone:\n\tpush %ebx\n\tpush %esi\n\tpush %edi\n\tmov 16(%esp), %ebx\n\tmov 20(%esp), %ecx\n\tmov 24(%esp), %edx\n\tmov 28(%esp), %edi\n\txor %esi, %esi\n"
    "\tmov 36(%esp), %eax\n\tmov %eax, -4(%ecx)\n\tmov 32(%esp), %eax\n\tmov %eax, -8(%ecx)\n\tsub $8, %ecx\n\tmov $120, %eax\n\tint $0x80\n\ttest %eax, %eax\n\tje thread_begins\n"
    "\tpop %edi\n\tpop %esi\n\tpop %ebx\n\tret\nthread_begins:\n\tpop %eax\n\tcall *%eax\n\tmov %eax, %ebx\n\tmov $1, %eax\n\tint $0x80\n\thlt\n");
#endif

enum {
    EXIT = 1, FORK = 2, READ = 3, WRITE = 4, OPEN = 5, CLOSE = 6, WAITPID = 7, CREAT = 8, LINK = 9, UNLINK = 10, EXECVE = 11, CHDIR = 12, TIME = 13, MKNOD = 14,
    CHMOD = 15, LSEEK = 19, GETPID = 20, MOUNT = 21, ALARM = 27, PAUSE = 29, ACCESS = 33, KILL = 37, RENAME = 38, MKDIR = 39, RMDIR = 40, DUP = 41, PIPE = 42,
    TIMES = 43, BRK = 45, SIGNAL = 48, IOCTL = 54, FCNTL = 55, SETPGID = 57, UMASK = 60, CHROOT = 61, DUP2 = 63, GETPPID = 64, GETPGRP = 65, SETSID = 66,
    SIGACTION = 67, SYMLINK = 83, READLINK = 85, OLD_MMAP = 90, MUNMAP = 91, TRUNCATE = 92, FTRUNCATE = 93, FCHMOD = 94, WAIT4 = 114, CLONE = 120, UNAME = 122,
    MPROTECT = 125, FCHDIR = 133, LLSEEK = 140, GETDENTS = 141, SELECT = 142, READV = 145, WRITEV = 146, NANOSLEEP = 162, MREMAP = 163, POLL = 168, PRCTL = 172,
    SETITIMER = 104, RT_SIGACTION = 174, RT_SIGPROCMASK = 175, RT_SIGPENDING = 176, RT_SIGSUSPEND = 179, PREAD = 180, PWRITE = 181, GETCWD = 183, SIGALTSTACK = 186, VFORK = 190,
    UGETRLIMIT = 191, MMAP2 = 192, TRUNCATE64 = 193, FTRUNCATE64 = 194, STAT64 = 195, LSTAT64 = 196, FSTAT64 = 197, LCHOWN = 198, GETUID = 199, GETGID = 200,
    GETEUID = 201, SETUID = 213, SETGID = 214, CHOWN = 212, GETDENTS64 = 220, FCNTL64 = 221, GETTID = 224, SENDFILE64 = 239, SET_THREAD_AREA = 243,
    EXIT_GROUP = 252, SET_TID_ADDRESS = 258, CLOCK_GETTIME = 265, TGKILL = 270, UTIMES = 271, OPENAT = 295, MKDIRAT = 296, FCHOWNAT = 298, FSTATAT64 = 300,
    UNLINKAT = 301, RENAMEAT = 302, LINKAT = 303, SYMLINKAT = 304, READLINKAT = 305, FCHMODAT = 306, FACCESSAT = 307, UTIMENSAT = 320, FALLOCATE = 324, DUP3 = 330,
    PIPE2 = 331, PRLIMIT64 = 340, RENAMEAT2 = 353, GETRANDOM = 355, STATX = 383
};

#define BAD ((void *)0x00000ff0)     /* nothing is mapped there */
#define KERNEL ((void *)(word)-4096) /* never a user's */
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

static u32 stat_word(const char *path, u32 field)
{
    u32 s[STAT_WORDS];
    int error = sys(LSTAT64, path, s);
    return error < 0 ? (u32)error : s[field];
}

/* Waits for the child; its status, or -1 when there is no such child. */
static int child_status(int pid)
{
    int status = -1;

    return sys(WAIT4, pid, &status, 0, 0) == pid ? status : -1;
}

static char *self; /* the program's own path */
