/* Attacks that need more than a shell. The first argument says which; 0 is returned when the attack was fended off, so the step then makes its output
 * and goes on. Freestanding, with the executor's own sys.h.
 */
#include "sys.h"

#define SYS_ptrace NR(101, 26)
#define SYS_getpid NR(39, 20)
#define SYS_kill NR(62, 37)
#define SYS_unshare NR(272, 310)
#define SYS_iopl NR(172, 110)
#define SYS_fork NR(57, 2)

static int same(const char *a, const char *b)
{
        while (*a && *a == *b)
                a++, b++;
        return *a == *b;
}

static void done(int status)
{
        SYS1(SYS_exit, status);
}

/* Any of these would reach the result channel, the machine's ports or the executor's memory. */
static int devices(void)
{
        static const char *const gates[] = {"/tmp/ttyS1", "/tmp/mem", "/tmp/port"};
        static const int numbers[] = {4 << 8 | 65, 1 << 8 | 1, 1 << 8 | 4};
        int i;

        for (i = 0; i < 3; i++)
                if (SYS4(SYS_mknodat, AT_FDCWD, gates[i], S_IFCHR | 0666, numbers[i]) >= 0)
                        return 10 + i;
        if (SYS3(SYS_ioperm, 0xf4, 4, 1) >= 0)
                return 20;
        if (SYS1(SYS_iopl, 3) >= 0)
                return 21;
        return 0;
}

/* Out of the root, or back to being somebody. */
static int escape(void)
{
        if (SYS1(SYS_chroot, "/tmp") >= 0)
                return 30;
        if (SYS1(SYS_setuid, 0) >= 0)
                return 31;
        if (SYS5(SYS_mount, "proc", "/tmp", "proc", 0, 0) >= 0)
                return 32;
        if (SYS2(SYS_umount2, "/proc", MNT_DETACH) >= 0)
                return 33;
        if (SYS2(SYS_sethostname, "mine", 4) >= 0)
                return 34;
        if (SYS1(SYS_unshare, 0x00020000) >= 0 || SYS1(SYS_unshare, CLONE_NEWPID) >= 0)
                return 35;
        if (SYS4(SYS_openat, AT_FDCWD, "/../../xboot/script", O_RDONLY, 0) >= 0 || SYS4(SYS_openat, AT_FDCWD, "/proc/1/root/xboot", O_RDONLY, 0) >= 0)
                return 36;
        return 0;
}

/* Descriptors beyond the three would be a way to whatever they lead to. */
static int descriptors(void)
{
        struct statx st;
        long fd;

        for (fd = 3; fd < 4096; fd++)
                if (SYS1(SYS_close, fd) >= 0)
                        return 40;
        for (fd = 0; fd < 3; fd++)
                if (SYS5(SYS_statx, fd, "", 0x1000, STATX_BASIC, &st) < 0)
                        return 41;
        /* the standard descriptors are the null device and a pipe: neither is a folder to walk out of, nor a terminal to type into */
        if (SYS3(SYS_ioctl, 1, TCGETS, &st) >= 0 || SYS4(SYS_openat, AT_FDCWD, "/dev/tty", O_RDWR, 0) >= 0)
                return 42;
        return 0;
}

/* Nobody else is there to be traced or killed. */
static int others(void)
{
        long pid, self = SYS0(SYS_getpid);

        for (pid = 2; pid < 400; pid++)
                if (pid != self && (SYS2(SYS_kill, pid, 0) >= 0 || SYS4(SYS_ptrace, 16, pid, 0, 0) >= 0))
                        return 50;
        SYS2(SYS_kill, -1, 9);
        SYS2(SYS_kill, 1, 9);
        return 0;
}

/* Children that outlive this process, each writing into the output for as long as it lives. */
static void survivors(const char *out)
{
        static char text[] = "written too late\n";
        long fd = SYS4(SYS_openat, AT_FDCWD, out, O_RDWR | O_CREAT, 0666);
        int i;

        SYS3(SYS_write, fd, "right\n", 6);
        for (i = 0; i < 8; i++)
                if (SYS0(SYS_fork) == 0) {
                        SYS0(SYS_setsid);
                        if (SYS0(SYS_fork))
                                done(0);
                        SYS1(SYS_close, 1);
                        SYS1(SYS_close, 2);
                        for (;;) {      /* the same content again and again, then more of it once orphaned for long */
                                long turn;

                                for (turn = 0; turn < 20000; turn++)
                                        SYS3(SYS_lseek, fd, 0, 0);
                                SYS3(SYS_lseek, fd, 0, 2);
                                SYS3(SYS_write, fd, text, sizeof text - 1);
                        }
                }
}

static void bomb(void)
{
        for (;;)
                SYS0(SYS_fork);
}

static void hog(void)
{
        for (;;) {
                long at = syscall6(SYS_mmap, 0, 1 << 22, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                long i;

                if (at < 0 && at > -4096)
                        done(60);
                for (i = 0; i < 1 << 22; i += 4096)
                        ((char *)at)[i] = 1;
        }
}

static void flood(long lines)
{
        static char block[65536];
        int i;

        for (i = 0; i < (int)sizeof block; i++)
                block[i] = i % 64 == 63 ? '\n' : '#';
        for (; lines; lines--)
                SYS3(SYS_write, 1, block, sizeof block);
}

static void deep(void)
{
        long i;

        for (i = 0; i < 100000; i++)
                if (SYS3(SYS_mkdirat, AT_FDCWD, "d", 0700) < 0 || SYS1(SYS_chdir, "d") < 0)
                        done(70);
        SYS4(SYS_fchmodat, AT_FDCWD, ".", 0, 0);
}

static void many(void)
{
        static char name[] = "000000";
        long i, n, k;

        for (i = 0; i < 100000; i++) {
                for (n = i, k = 5; k >= 0; k--, n /= 10)
                        name[k] = (char)('0' + n % 10);
                if (SYS4(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0)
                        done(80);
                SYS1(SYS_close, 3);
        }
}

void start_c(long *stack)
{
        const char *what = (char *)stack[2];

        if (same(what, "devices"))
                done(devices());
        else if (same(what, "escape"))
                done(escape());
        else if (same(what, "descriptors"))
                done(descriptors());
        else if (same(what, "others"))
                done(others());
        else if (same(what, "survivors"))
                survivors((char *)stack[3]);
        else if (same(what, "bomb"))
                bomb();
        else if (same(what, "hog"))
                hog();
        else if (same(what, "flood"))
                flood(1600);
        else if (same(what, "deep"))
                deep();
        else if (same(what, "many"))
                many();
        else if (same(what, "halt"))
                __asm__ volatile("hlt");
        done(0);
}
