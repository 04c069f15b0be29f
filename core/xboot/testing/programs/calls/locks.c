/* locks.c: flock, locks of ranges, of processes and of open files, those who wait, and circles. */

static int locks_range(int fd, int command, int type, int start, int end)
{
    struct { short type, whence; long start, length; int pid; } range;
    int answer;

    range.type = (short)type;
    range.whence = 0;
    range.start = start;
    range.length = end ? end - start : 0;
    range.pid = 0;
    answer = sys(FCNTL64, fd, command, &range);
    return answer || command != 5 ? answer : range.type == 2 ? 0 : range.type * 1000 + (int)range.start * 10 + (range.pid == sys(GETPPID));
}

static void locks(void)
{
    enum { FLOCK = 143, LOOK = 5, TAKE = 6, AWAIT = 7, READ_LOCK = 0, WRITE_LOCK = 1, UNLOCK = 2 };
    int a, b, n, pid, p[2], said[2];
    long time[2] = { 0, 20000000 };
    char byte;

    section("locks");
    a = make("f", "0123456789", 0644);
    b = sys(OPEN, "f", O_RDWR);
    say("flock shared", sys(FLOCK, a, 1));
    say("shared by another", sys(FLOCK, b, 1 | 4));
    say("exclusive", sys(FLOCK, b, 2 | 4));
    say("let go", sys(FLOCK, a, 8));
    say("exclusive now", sys(FLOCK, b, 2 | 4));
    say("the other", sys(FLOCK, a, 1 | 4));
    n = sys(DUP, b);
    sys(CLOSE, b);
    say("held by its other descriptor", sys(FLOCK, a, 1 | 4));
    sys(CLOSE, n);
    say("gone with the last", sys(FLOCK, a, 1 | 4));
    say("flock what", sys(FLOCK, a, 3));
    say("flock closed", sys(FLOCK, 60, 1));
    sys(FLOCK, a, 8);
    say("lock a range", locks_range(a, TAKE, WRITE_LOCK, 2, 8));
    say("no lock for oneself", locks_range(a, LOOK, WRITE_LOCK, 0, 0));
    say("of another kind", sys(FLOCK, a, 2 | 4));
    sys(PIPE, p);
    sys(PIPE, said);
    pid = sys(FORK);
    if (!pid) {
        say("child looks", locks_range(a, LOOK, READ_LOCK, 0, 0));
        say("before it", locks_range(a, TAKE, WRITE_LOCK, 0, 2));
        say("in it", locks_range(a, TAKE, READ_LOCK, 3, 4));
        sys(WRITE, p[1], "x", 1);
        n = locks_range(a, AWAIT, WRITE_LOCK, 4, 5);
        sys(WRITE, p[1], "y", 1);
        sys(READ, said[0], &byte, 1); /* who unlocks speaks first */
        say("waits", n);
        say("the rest is still held", locks_range(a, TAKE, WRITE_LOCK, 5, 6));
        sys(EXIT, 5);
    }
    sys(READ, p[0], &byte, 1);
    sys(NANOSLEEP, time, 0);
    sys(FCNTL64, p[0], 4, 04000);
    say("nobody is let in", sys(READ, p[0], &byte, 1));
    sys(FCNTL64, p[0], 4, 0);
    say("unlock a piece", locks_range(a, TAKE, UNLOCK, 3, 5));
    sys(WRITE, said[1], "z", 1);
    sys(READ, p[0], &byte, 1);
    say("child", child_status(pid));
    pid = sys(FORK);
    if (!pid) {
        locks_range(a, TAKE, WRITE_LOCK, 0, 1);
        sys(WRITE, p[1], "x", 1);
        n = locks_range(a, AWAIT, WRITE_LOCK, 2, 3);
        if (n == -35) /* it asked last: then the other one waits, and goes on now */
            locks_range(a, TAKE, UNLOCK, 0, 1);
        sys(EXIT, n == -35 ? 7 : n ? 1 : 6);
    }
    sys(READ, p[0], &byte, 1);
    n = locks_range(a, AWAIT, WRITE_LOCK, 0, 1); /* whoever asks last, one of them is told of the circle */
    b = sys(OPEN, "f", O_RDONLY);
    say("write lock, read only", locks_range(b, TAKE, WRITE_LOCK, 0, 1));
    sys(CLOSE, b); /* and all locks of this process on the file are gone */
    pid = child_status(pid);
    say("a circle is told once", (n == -35 && pid == 6 << 8) || (!n && pid == 7 << 8));
    say("look for nothing", locks_range(a, LOOK, UNLOCK, 0, 0));
    say("before the start", locks_range(a, TAKE, READ_LOCK, -5, 0));
    sys(CLOSE, a);
    sys(CLOSE, p[0]);
    sys(CLOSE, p[1]);
    sys(CLOSE, said[0]);
    sys(CLOSE, said[1]);
    sys(UNLINK, "f");
}
