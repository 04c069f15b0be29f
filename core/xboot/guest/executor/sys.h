/* The system calls that the executor makes, and nothing else of the kernel's interface.
 *
 * One source for x86_64 and i386: only the numbers differ. Calls with structures that differ between the two
 * (stat) are avoided; `statx` has one layout. The reasons for each call stand in README.md.
 */
#ifndef SYS_H
#define SYS_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

long syscall6(long number, long a, long b, long c, long d, long e, long f);
void out_byte(long port, long value);

#ifdef __x86_64__
#define NR(x86_64, i386) (x86_64)
#else
#define NR(x86_64, i386) (i386)
#endif

#define SYS_read            NR(0, 3)
#define SYS_write           NR(1, 4)
#define SYS_close           NR(3, 6)
#define SYS_lseek           NR(8, 19)
#define SYS_mmap            NR(9, 192) /* i386: mmap2, offset in pages */
#define SYS_munmap          NR(11, 91)
#define SYS_ioctl           NR(16, 54)
#define SYS_pause           NR(34, 29)
#define SYS_dup2            NR(33, 63)
#define SYS_clone           NR(56, 120)
#define SYS_execve          NR(59, 11)
#define SYS_exit            NR(60, 1)
#define SYS_wait4           NR(61, 114)
#define SYS_chdir           NR(80, 12)
#define SYS_umask           NR(95, 60)
#define SYS_setuid          NR(105, 213) /* i386: setuid32, setgid32, setgroups32 */
#define SYS_setgid          NR(106, 214)
#define SYS_setsid          NR(112, 66)
#define SYS_setgroups       NR(116, 206)
#define SYS_personality     NR(135, 136)
#define SYS_prctl           NR(157, 172)
#define SYS_setrlimit       NR(160, 75)
#define SYS_chroot          NR(161, 61)
#define SYS_mount           NR(165, 21)
#define SYS_umount2         NR(166, 52)
#define SYS_sethostname     NR(170, 74)
#define SYS_ioperm          NR(173, 101)
#define SYS_clock_settime   NR(227, 264)
#define SYS_socket          NR(41, 359)
#define SYS_getdents64      NR(217, 220)
#define SYS_openat          NR(257, 295)
#define SYS_mkdirat         NR(258, 296)
#define SYS_mknodat         NR(259, 297)
#define SYS_fchownat        NR(260, 298)
#define SYS_unlinkat        NR(263, 301)
#define SYS_renameat        NR(264, 302)
#define SYS_symlinkat       NR(266, 304)
#define SYS_readlinkat      NR(267, 305)
#define SYS_fchmodat        NR(268, 306)
#define SYS_utimensat       NR(280, 320)
#define SYS_pipe2           NR(293, 331)
#define SYS_statx           NR(332, 383)

#define O_RDONLY            0
#define O_WRONLY            1
#define O_RDWR              2
#define O_CREAT             0100
#define O_EXCL              0200
#define O_NOCTTY            0400
#define O_DIRECTORY         0200000
#define O_NOFOLLOW          0400000
#define O_CLOEXEC           02000000

#define AT_FDCWD            (-100)
#define AT_SYMLINK_NOFOLLOW 0x100
#define AT_REMOVEDIR        0x200
#define AT_EMPTY_PATH       0x1000

#define S_IFMT              0170000
#define S_IFCHR             0020000
#define S_IFDIR             0040000
#define S_IFREG             0100000
#define S_IFLNK             0120000

#define ENOENT              2
#define EIO                 5
#define EINVAL              22
#define ENODEV              19
#define EINTR               4
#define EAGAIN              11

#define SIGCHLD             17
#define CLONE_NEWIPC        0x08000000
#define CLONE_NEWPID        0x20000000
#define CLONE_NEWNET        0x40000000
#define WNOHANG             1
#define PR_SET_NO_NEW_PRIVS 38
#define PR_SET_SECCOMP      22
#define SECCOMP_MODE_FILTER 2
#define CLOCK_REALTIME      0
#define PER_LINUX32         0x0008
#define ADDR_NO_RANDOMIZE   0x0040000
#define RLIMIT_CORE         4
#define RLIMIT_NPROC        6
#define MS_NOSUID           2
#define MS_NODEV            4
#define MS_NOEXEC           8
#define MNT_DETACH          2
#define PROT_READ           1
#define PROT_WRITE          2
#define MAP_SHARED          1
#define MAP_PRIVATE         2
#define MAP_ANONYMOUS       0x20
#define TCGETS              0x5401
#define TCSETS              0x5402
#define TCSBRK              0x5409
#define SIOCSIFFLAGS        0x8914
#define IFF_UP              1
#define AF_INET             2
#define SOCK_DGRAM          2

struct statx_time {
    u64 sec;
    u32 nsec;
    u32 pad;
};
struct statx {
    u32 mask, blksize;
    u64 attributes;
    u32 nlink, uid, gid;
    u16 mode, pad1;
    u64 ino, size, blocks, attributes_mask;
    struct statx_time atime, btime, ctime, mtime;
    u32 rdev_major, rdev_minor, dev_major, dev_minor;
    u64 spare[14];
};
#define STATX_BASIC 0x7ff

struct dirent64 {
    u64 ino;
    u64 off;
    u16 reclen;
    u8 type;
    char name[1];
};
#define DIRENT_NAME            19 /* offset of `name`: the structure is packed so by the kernel */

#define SYS0(n)                syscall6(n, 0, 0, 0, 0, 0, 0)
#define SYS1(n, a)             syscall6(n, (long)(a), 0, 0, 0, 0, 0)
#define SYS2(n, a, b)          syscall6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define SYS3(n, a, b, c)       syscall6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define SYS4(n, a, b, c, d)    syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define SYS5(n, a, b, c, d, e) syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

#endif
