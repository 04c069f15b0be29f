/* rare.c: the calls that C libraries of other times make: 16-bit numbers, old structures, 64-bit times. Mostly their error cases, since what they do when
   they succeed is seen through their successors. */

static void rare(void)
{
    static u32 b[64];
    u32 zero[4] = {0, 0, 0, 0};
    word none[2] = {0, 999999999};
    int fd, dir, written;

    section("rare");
    fd = sane("rare file", sys(OPEN, "rare", O_RDWR | O_CREAT, 0644));
    dir = sane("rare directory", sys(OPEN, ".", 0));
    written = sane("rare file again", sys(OPEN, "rare", 1));
    say("old stat missing", sys(106, "missing", b));
    say("old lstat missing", sys(107, "missing", b));
    say("old fstat of nothing", sys(108, 99, b));
    say("old stat pointer", sys(106, "rare", 4));
    say("statfs64 missing", sys(268, "missing", 84, b));
    if (!WIDE)
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
    say("syncfs", sys(344, fd));
    say("syncfs of nothing", sys(344, 99));
    say("utime missing", sys(30, "missing", 0));
    say("utime", sys(30, "rare", zero));
    say("mknodat device", sys(297, -100, "node", 020666, 0x103));
    say("faccessat missing", sys(FACCESSAT, -100, "missing", 0));
    say("sendfile from nothing", sys(187, 1, 99, 0, 1));
    say("ftruncate64 of nothing", sys(FTRUNCATE64, 99, 0, 0));
    say("readahead", sys(225, fd, 0, 0, 4096));
    say("readahead of nothing", sys(225, 99, 0, 0, 1));
    say("readahead of a directory", sys(225, dir, 0, 0, 1));
    say("readahead of what is only written", sys(225, written, 0, 0, 1));
    say("close_range", sys(436, 90, 99, 0));
    say("close_range backwards", sys(436, 99, 90, 0));
    sys(CLOSE, fd);
    sys(CLOSE, dir);
    sys(CLOSE, written);

    say("getpgid of nobody", sys(132, 99999));
    say("getsid of nobody", sys(147, 99999));
    say("getgroups count negative", sys(205, -1, b));
    say("getgroups16", sys(80, 64, b));
    say("getgroups16 count negative", sys(80, -1, b));
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
    b[1] = 5;
    say("getcpu", sys(318, b, b + 1, 0));
    say("getcpu node", (int)b[1]);
    say("getcpu of nothing", sys(318, 0, 0, 0));
    say("getcpu pointer", sys(318, 4, 0, 0));
    say("futex wake", sys(240, zero, 1, 1, 0));
    say("futex wait changed", sys(240, zero, 0, 1, 0));
    say("futex kind", sys(240, zero, 77, 0, 0));
    say("set_robust_list size", sys(311, b, 3));
    say("madvise", sys(219, (word)b & ~4095ul, 4096, 0));
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
    if (!WIDE)
        say("old mmap length", sys(OLD_MMAP, zero));
    say("unlink rare", sys(UNLINK, "rare"));
}
