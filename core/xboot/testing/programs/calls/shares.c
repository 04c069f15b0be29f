/* shares.c: what a process may have, and how it asks: nice values, how many processes, capabilities, processors, the size of a pipe. */

enum {
    NICE = 34, GETPRIORITY = 96, SETPRIORITY = 97, CAPGET = 184, CAPSET = 185, SCHED_SETAFFINITY = 241, SCHED_GETAFFINITY = 242, F_SETPIPE_SZ = 1031,
    F_GETPIPE_SZ = 1032
};

static u8 shares_stack[4096], shares_bytes[131072];

static int shares_thread(int seconds)
{
    word time[2];

    time[0] = (word)seconds;
    time[1] = 0;
    sys(NANOSLEEP, time, 0);
    return 0;
}

static void shares_nice(void)
{
    int pid;

    say("nice value, as 20 less it", sys(GETPRIORITY, 0, 0));
    say("of no process", sys(GETPRIORITY, 0, 99999));
    say("of no such kind", sys(GETPRIORITY, 3, 0));
    say("nice(0)", sys(NICE, 0));
    pid = sys(FORK);
    if (!pid) { /* nobody gets back what he gave up: so a child does it */
        say("set", sys(SETPRIORITY, 0, 0, 5));
        say("is read back", sys(GETPRIORITY, 0, 0));
        say("of the group: the best of them", sys(GETPRIORITY, 1, 0));
        say("of the user", sys(GETPRIORITY, 2, 0));
        say("no lower again", sys(SETPRIORITY, 0, 0, 4));
        say("nor by nice", sys(NICE, -1));
        say("the same", sys(SETPRIORITY, 0, 0, 5));
        say("nice(3)", sys(NICE, 3));
        say("is read back", sys(GETPRIORITY, 0, sys(GETPID)));
        say("of no process", sys(SETPRIORITY, 0, 99999, 9));
        say("of no such kind", sys(SETPRIORITY, 7, 0, 9));
        pid = sys(FORK);
        if (!pid)
            sys(EXIT, sys(GETPRIORITY, 0, 0));
        say("a child has it", child_status(pid) >> 8);
        say("100 is 19", sys(SETPRIORITY, 0, 0, 100));
        say("is read back", sys(GETPRIORITY, 0, 0));
        sys(EXIT, 0);
    }
    say("it ends", child_status(pid));
    pid = sys(FORK);
    if (!pid)
        sys(EXIT, shares_thread(1));
    say("a child's is set", sys(SETPRIORITY, 0, pid, 7));
    say("and read", sys(GETPRIORITY, 0, pid));
    say("not its parent's", sys(GETPRIORITY, 0, 0));
    sys(KILL, pid, 9);
    say("it ends", child_status(pid));
}

static void shares_processes(void)
{
    word limit[2], before[2];
    int pid, next, tid;

    sys(UGETRLIMIT, 6, before);
    pid = sys(FORK);
    if (!pid) { /* it, and whoever else is there: at least its parent, so two are too many for a limit of 1 */
        limit[0] = 1;
        limit[1] = before[1];
        say("a limit of 1", sys(SETRLIMIT, 6, limit));
        say("fork", sys(FORK));
        say("vfork", vfork_and_exit());
        say("a thread", thread_clone(0x10f00, shares_stack + sizeof shares_stack, 0, 0, shares_thread, 0));
        for (limit[0] = 2; limit[0] < 100; limit[0]++) { /* up to one that lets one more live */
            sys(SETRLIMIT, 6, limit);
            next = sys(FORK);
            if (!next)
                sys(EXIT, shares_thread(3));
            if (next > 0)
                break;
        }
        say("one more", next > 0);
        say("and no other", sys(FORK));
        sys(KILL, next, 9);
        sys(WAITID, 1, next, 0, 4 | 0x1000000, 0);
        say("nor while nobody has waited for it", sys(FORK));
        child_status(next);
        tid = thread_clone(0x10f00, shares_stack + sizeof shares_stack, 0, 0, shares_thread, 3);
        say("a thread, when it is gone", tid > 0);
        say("it counts", sys(FORK));
        limit[0] = before[0];
        say("the limit is raised", sys(SETRLIMIT, 6, limit));
        next = sys(FORK);
        if (!next)
            sys(EXIT, 5);
        say("fork", child_status(next) >> 8);
        sys(EXIT_GROUP, 0);
    }
    say("it ends", child_status(pid));
    say("not lower than it is", (limit[0] = 2, limit[1] = 1, sys(SETRLIMIT, 6, limit)));
    sys(UGETRLIMIT, 13, limit);
    say("limit on nice values", limit[0] || limit[1]);
    sys(UGETRLIMIT, 14, limit);
    say("limit on priorities", limit[0] || limit[1]);
}

static void shares_capabilities(void)
{
    u32 head[2], data[6];

    head[0] = 0x20080522;
    head[1] = 0;
    memset(data, 255, sizeof data);
    say("capget", sys(CAPGET, head, data));
    say("none", (data[0] | data[1] | data[2] | data[3] | data[4] | data[5]) == 0);
    say("capset of none", sys(CAPSET, head, data));
    data[1] = 1;
    say("one permitted", sys(CAPSET, head, data));
    data[1] = 0;
    data[2] = 1;
    say("one to be inherited", sys(CAPSET, head, data));
    data[2] = 0;
    data[3] = 1;
    say("one that works, of the upper half", sys(CAPSET, head, data));
    data[3] = 0;
    head[1] = 99999;
    say("of no process", sys(CAPGET, head, data));
    say("set for another", sys(CAPSET, head, data));
    head[1] = (u32)-1;
    say("of a negative one", sys(CAPGET, head, data));
    say("set for it", sys(CAPSET, head, data));
    head[1] = (u32)sys(GETPID);
    say("of itself by number", sys(CAPGET, head, data));
    say("set", sys(CAPSET, head, data));
    head[0] = 1;
    say("no such version", sys(CAPGET, head, data));
    say("which there is", head[0] == 0x20080522);
    head[0] = 1;
    say("asked with no data", sys(CAPGET, head, 0));
    say("which there is", head[0] == 0x20080522);
    head[0] = 1;
    say("set with none such", sys(CAPSET, head, data));
    head[0] = 0x19980330;
    data[3] = 77;
    say("the first version", sys(CAPGET, head, data));
    say("has one part", (int)data[3]);
    say("no data", sys(CAPGET, head, 0));
    say("bad data", sys(CAPGET, head, BAD));
    say("bad head", sys(CAPGET, BAD, data));
    say("capset bad data", sys(CAPSET, head, BAD));
}

static void shares_processors(void)
{
    u32 mask[32];

    memset(mask, 0, sizeof mask);
    say("processors", sys(SCHED_GETAFFINITY, 0, 128, mask) > 0 && mask[0] & 1);
    say("of process -1", sys(SCHED_GETAFFINITY, -1, 128, mask));
    say("of no process", sys(SCHED_GETAFFINITY, 99999, 128, mask));
    say("of itself", sys(SCHED_GETAFFINITY, sys(GETPID), 128, mask) > 0);
    say("odd size", sys(SCHED_GETAFFINITY, 0, 127, mask));
    say("bad memory", sys(SCHED_GETAFFINITY, 0, 128, BAD));
    mask[0] = 1;
    say("the first one", sys(SCHED_SETAFFINITY, 0, 128, mask));
    say("read back", (sys(SCHED_GETAFFINITY, 0, 128, mask), (int)mask[0]));
    mask[0] = 0;
    say("none", sys(SCHED_SETAFFINITY, 0, 128, mask));
    say("no size", sys(SCHED_SETAFFINITY, 0, 0, mask));
    mask[0] = 1;
    say("a size of 1", sys(SCHED_SETAFFINITY, 0, 1, mask));
    say("of process -1", sys(SCHED_SETAFFINITY, -1, 128, mask));
    say("of no process", sys(SCHED_SETAFFINITY, 99999, 128, mask));
    say("bad memory", sys(SCHED_SETAFFINITY, 0, 128, BAD));
}

static void shares_pipes(void)
{
    int p[2], n, sum;

    sys(PIPE2, p, O_NONBLOCK);
    say("size of a pipe", sys(FCNTL64, p[0], F_GETPIPE_SZ, 0));
    for (n = 0; n < (int)sizeof shares_bytes; n++)
        shares_bytes[n] = (u8)(n * 7 + n / 251);
    say("it holds", sys(WRITE, p[1], shares_bytes, sizeof shares_bytes));
    say("less than is in it", sys(FCNTL64, p[1], F_SETPIPE_SZ, 4096));
    say("twice as much", sys(FCNTL64, p[1], F_SETPIPE_SZ, 100000));
    say("is read back", sys(FCNTL64, p[0], F_GETPIPE_SZ, 0));
    say("it holds as much more", sys(WRITE, p[1], shares_bytes + 65536, 65536));
    say("and no byte more", sys(WRITE, p[1], "x", 1));
    memset(shares_bytes, 0, sizeof shares_bytes);
    say("read", sys(READ, p[0], shares_bytes, sizeof shares_bytes));
    for (n = sum = 0; n < (int)sizeof shares_bytes; n++)
        sum += shares_bytes[n] == (u8)(n * 7 + n / 251);
    say("the same bytes", sum);
    say("a page", sys(FCNTL64, p[0], F_SETPIPE_SZ, 1));
    say("it holds", sys(WRITE, p[1], shares_bytes, 8192));
    say("no room", sys(WRITE, p[1], "x", 1));
    say("none of it read", sys(READ, p[0], shares_bytes, 100));
    say("larger while part is read", sys(FCNTL64, p[0], F_SETPIPE_SZ, 8192));
    say("it holds", sys(WRITE, p[1], shares_bytes, 4096));
    say("read", sys(READ, p[0], shares_bytes, sizeof shares_bytes));
    say("of 0", sys(FCNTL64, p[0], F_SETPIPE_SZ, 0));
    say("a mebibyte", sys(FCNTL64, p[0], F_SETPIPE_SZ, 1048576));
    say("more", sys(FCNTL64, p[0], F_SETPIPE_SZ, 1048577));
    say("far too much", sys(FCNTL64, p[0], F_SETPIPE_SZ, 0x80000001));
    sys(CLOSE, p[0]);
    sys(CLOSE, p[1]);
    n = make("f", "x", 0644);
    say("of a file", sys(FCNTL64, n, F_GETPIPE_SZ, 0));
    say("set of a file", sys(FCNTL64, n, F_SETPIPE_SZ, 4096));
    sys(CLOSE, n);
    sys(UNLINK, "f");
}

static void shares(void)
{
    section("shares");
    shares_nice();
    shares_processes();
    shares_capabilities();
    shares_processors();
    shares_pipes();
}
