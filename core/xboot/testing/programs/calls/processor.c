/* processor.c: processor time, which is of each process and thread alone; limits of resources, and times of files that are mapped. */

enum { GETITIMER = 105, SETRLIMIT = 75, CLOCK_GETRES = 266, CLOCK_SETTIME = 264, GETRUSAGE = 77, RR_INTERVAL = 161, RR_INTERVAL64 = 423 };

static volatile int processor_rung;

static void processor_handler(int number)
{
    processor_rung = number;
}

static void processor_handle(int signal, word handler)
{
    struct { word handler, flags, restorer; u32 mask[2]; } action = { handler, 0x04000000, (word)restore, { 0, 0 } };

    sys(RT_SIGACTION, signal, &action, 0, 8);
}

static int processor_clock(int pid, int kind)
{
    return ~pid * 8 + kind; /* 2: of a process, 6: of a thread */
}

/* Milliseconds, or an error. */
static int processor_read(int clock)
{
    word t[2];
    int error = sys(CLOCK_GETTIME, clock, t);

    return error ? error : (int)(t[0] * 1000 + t[1] / 1000000);
}

static void processor_spend(int milliseconds)
{
    while (processor_read(2) < milliseconds)
        ;
}

static void processor_timers(void)
{
    word off[4] = { 0, 0, 0, 0 }, soon[4] = { 0, 0, 0, 20000 }, far[4] = { 0, 7000, 100, 0 }, got[4];
    int which, id;

    for (which = 1; which < 3; which++) {
        processor_handle(which == 1 ? 26 : 27, (word)processor_handler);
        processor_rung = 0;
        say("setitimer", sys(SETITIMER, which, soon, 0));
        while (!processor_rung)
            ; /* no call */
        say("rings", processor_rung);
        say("getitimer", sys(GETITIMER, which, got));
        say("only once", (int)(got[0] | got[1] | got[2] | got[3]));
        say("setitimer", sys(SETITIMER, which, far, 0));
        say("setitimer", sys(SETITIMER, which, off, got));
        say("its period was", (int)got[1]);
        say("time was left", got[2] >= 90 && got[2] <= 100);
    }
    say("another", sys(SETITIMER, 3, soon, 0));
    processor_handle(10, (word)processor_handler);
    for (which = 2; which < 4; which++) {
        processor_rung = 0;
        say("timer_create", timers_make(which, 0, 10, 0, 0, &id));
        say("timer_settime", timers_set(id, 0, 20000000, 0, 0));
        while (!processor_rung)
            ;
        say("rings", processor_rung);
        say("off", timers_is_on(id));
        sys(TIMER_DELETE, id);
    }
}

static void processor_limits(void)
{
    word two[2] = { 1 << 20, 2 << 20 }, little;
    u32 wide[4]; /* more than what is printed */
    int fd, n;

    say("setrlimit", sys(SETRLIMIT, 1, two));
    wide[0] = wide[2] = 0;
    say("prlimit64", sys(PRLIMIT64, 0, 1, 0, wide));
    say("soft", (int)wide[0]);
    say("hard", (int)wide[2]);
    two[1] = 3 << 20;
    say("more", sys(SETRLIMIT, 1, two));
    two[1] = 1 << 19;
    say("less than the soft one", sys(SETRLIMIT, 1, two));
    processor_handle(25, 1);
    fd = make("processor.file", "", 0644);
    say("pwrite", sys(PWRITE, fd, "0123456789abcdef", 16, (1 << 20) - 10, 0));
    say("pwrite", sys(PWRITE, fd, "0123456789abcdef", 16, 1 << 20, 0));
    say("append", sys(WRITE, sys(OPEN, "processor.file", O_RDWR | O_APPEND), "0123456789", 10));
    say("shorter", sys(FTRUNCATE, fd, 5));
    say("longer", sys(FTRUNCATE, fd, (1 << 20) + 1));
    say("append", sys(WRITE, sys(OPEN, "processor.file", O_RDWR | O_APPEND), "0123456789", 10));
    two[0] = two[1] = 8;
    say("setrlimit", sys(SETRLIMIT, 7, two));
    for (n = 0; n < 20 && (fd = sys(DUP, 1)) >= 0; n++)
        ;
    say("dup", fd);
    say("open", sys(OPEN, "processor.file", O_RDONLY));
    say("dup2", sys(DUP2, 1, 8));
    say("dup from 8", sys(FCNTL64, 1, 0, 8));
    two[0] = two[1] = 8 << 20;
    say("setrlimit", sys(SETRLIMIT, 9, two));
    say("mmap", sys(MMAP2, 0, 16 << 20, 3, 0x22, -1, 0));
    little = (word)sys(MMAP2, 0, 1 << 20, 3, 0x22, -1, 0);
    say("a little", little < (word)-4096);
    say("mremap", sys(MREMAP, little, 1 << 20, 16 << 20, 1));
    sys(EXIT, 5);
}

static word processor_times[4] = { 1000, 0, 2000, 0 }; /* of access, of change */

static void processor_files(void)
{
    int fd = make("processor.times", "content", 0644);
    char *shown, byte;

    sys(UTIMENSAT, AT_FDCWD, "processor.times", processor_times, 0);
    say("before", stat_word("processor.times", STAT_ATIME));
    sys(PREAD, fd, &byte, 1, 0, 0);
    say("reading is access", stat_word("processor.times", STAT_ATIME) > 1000);
    sys(UTIMENSAT, AT_FDCWD, "processor.times", processor_times, 0);
    shown = (char *)sys(MMAP2, 0, 4096, 3, 1, fd, 0);
    say("mapping is access", stat_word("processor.times", STAT_ATIME) > 1000);
    say("and no change", stat_word("processor.times", STAT_MTIME));
    shown[0] = 'C';
    say("writing there is one", stat_word("processor.times", STAT_MTIME) > 2000);
}

static void processor(void)
{
    int pid, mine = sys(GETPID);
    word usage[18], t[4];
    u32 wide[4];

    section("processor");
    processor_spend(50);
    say("of the process", processor_read(processor_clock(0, 2)) >= 50);
    say("by its number", processor_read(processor_clock(mine, 2)) >= 50);
    say("of the thread", processor_read(processor_clock(0, 6)) >= 50);
    say("by its number", processor_read(processor_clock(mine, 6)) >= 50);
    say("of nobody", processor_read(processor_clock(99999, 2)));
    say("of nobody's thread", processor_read(processor_clock(99999, 6)));
    say("of nothing", processor_read(processor_clock(mine, 3)));
    say("resolution", sys(CLOCK_GETRES, processor_clock(0, 2), t));
    pid = sys(FORK);
    if (!pid) {
        if (processor_read(2) >= 50 || processor_read(3) >= 50)
            sys(EXIT, 1);
        processor_spend(50);
        sys(EXIT, processor_read(processor_clock(sys(GETPPID), 2)) >= 50 ? 7 : 2);
    }
    say("a child begins anew", child_status(pid));
    sys(TIMES, t);
    say("what it used is told", (int)t[2] + (int)t[3] >= 3);
    say("getrusage", sys(GETRUSAGE, -1, usage));
    say("here, too", usage[0] * 1000000 + usage[1] + usage[2] * 1000000 + usage[3] >= 30000);
    say("getrusage", sys(GETRUSAGE, 0, usage));
    say("own", usage[0] * 1000000 + usage[1] + usage[2] * 1000000 + usage[3] >= 30000);
    say("getrusage of what", sys(GETRUSAGE, 5, usage));
    processor_timers();
    say("an interval", sys(RR_INTERVAL, 0, t));
    say("is short", (int)t[0]);
    say("an interval", sys(RR_INTERVAL64, mine, wide));
    say("of nobody", sys(RR_INTERVAL, 99999, t));
    say("of less", sys(RR_INTERVAL, -1, t));
    say("bad pointer", sys(RR_INTERVAL, 0, BAD));
    t[0] = 1000000000;
    t[1] = 0;
    say("set the clock", sys(CLOCK_SETTIME, 0, t));
    say("another", sys(CLOCK_SETTIME, 1, t));
    say("clock 99", sys(CLOCK_SETTIME, 99, t));
    pid = sys(FORK);
    if (!pid)
        processor_limits();
    say("limits", child_status(pid));
    processor_files();
}
