/* triggers.c: epoll that tells what has come since it told last (EPOLLET), of each kind of thing that can be waited for. */

enum { ET = 1u << 31 };

static int triggers_set;

/* How many events are there now, and the first of them. */
static void triggers_ask(const char *what)
{
    u32 events[3 * 4];
    int n;

    events[0] = 0;
    n = sys(EPOLL_WAIT, triggers_set, events, 4, 0);
    put(what);
    put(": ");
    put_number(n);
    say(" event", (int)events[0]);
}

static void triggers_begin(int fd, u32 wanted)
{
    u32 event[3];

    triggers_set = sys(EPOLL_CREATE1, 0);
    event[0] = wanted | ET;
    event[1] = event[2] = 0;
    say("watched", sys(EPOLL_CTL, triggers_set, 1, fd, event));
}

static void triggers_again(int fd, u32 wanted)
{
    u32 event[3];

    event[0] = wanted | ET;
    event[1] = event[2] = 0;
    say("modified", sys(EPOLL_CTL, triggers_set, 3, fd, event));
}

static void triggers(void)
{
    int p[2], s[2], n, pid, fd;
    u32 set[2], events[3];
    word time[4];
    u8 bytes[4096];
    long long value;

    section("triggers");
    memset(bytes, 'x', sizeof bytes);
    sys(PIPE2, p, O_NONBLOCK);
    triggers_begin(p[0], 1);
    triggers_ask("empty");
    sys(WRITE, p[1], "abc", 3);
    triggers_ask("written");
    triggers_ask("told once");
    sys(READ, p[0], bytes, 1);
    triggers_ask("part is read");
    sys(WRITE, p[1], "d", 1);
    triggers_ask("written again");
    triggers_ask("told once");
    triggers_again(p[0], 1);
    triggers_ask("modified: told anew");
    triggers_ask("told once");
    sys(READ, p[0], bytes, 64);
    sys(WRITE, p[1], "e", 1);
    sys(READ, p[0], bytes, 64);
    triggers_ask("written and read");
    sys(WRITE, p[1], "f", 1);
    triggers_again(p[0], 1 | 1u << 30);
    triggers_ask("once");
    sys(WRITE, p[1], "g", 1);
    triggers_ask("and no more");
    triggers_again(p[0], 1);
    triggers_ask("but when modified");
    sys(READ, p[0], bytes, 64);
    sys(CLOSE, p[1]);
    triggers_ask("closed");
    triggers_ask("told once");
    sys(CLOSE, p[0]);
    sys(CLOSE, triggers_set);
    sys(PIPE2, p, O_NONBLOCK);
    triggers_begin(p[1], 4);
    triggers_ask("room");
    triggers_ask("told once");
    for (n = 0; sys(WRITE, p[1], bytes, 4096) == 4096; n++)
        ;
    say("full after", n);
    triggers_ask("full");
    sys(READ, p[0], bytes, 4096);
    triggers_ask("room again");
    sys(READ, p[0], bytes, 4096);
    triggers_ask("more room, never without");
    sys(CLOSE, p[0]);
    triggers_ask("nobody reads");
    triggers_ask("told once");
    sys(CLOSE, p[1]);
    sys(CLOSE, triggers_set);
    fd = sys(EVENTFD2, 0, O_NONBLOCK);
    triggers_begin(fd, 5);
    triggers_ask("eventfd");
    value = 1;
    sys(WRITE, fd, &value, 8);
    triggers_ask("counted");
    triggers_ask("told once");
    sys(WRITE, fd, &value, 8);
    triggers_ask("counted again");
    sys(READ, fd, &value, 8);
    triggers_ask("read");
    triggers_ask("told once");
    sys(CLOSE, fd);
    sys(CLOSE, triggers_set);
    fd = sys(TIMERFD_CREATE, 1, O_NONBLOCK);
    triggers_begin(fd, 1);
    triggers_ask("timerfd");
    time[0] = time[1] = time[2] = 0;
    time[3] = 1000000;
    sys(TIMERFD_SETTIME, fd, 0, time, 0);
    say("waits for it", sys(EPOLL_WAIT, triggers_set, events, 1, 5000));
    triggers_ask("told once");
    sys(TIMERFD_SETTIME, fd, 0, time, 0);
    say("set anew", sys(EPOLL_WAIT, triggers_set, events, 1, 5000));
    triggers_ask("told once");
    sys(CLOSE, fd);
    sys(CLOSE, triggers_set);
    set[0] = 1 << 9;
    set[1] = 0;
    sys(RT_SIGPROCMASK, 0, set, 0, 8);
    fd = sys(SIGNALFD4, -1, set, 8, O_NONBLOCK);
    triggers_begin(fd, 1);
    triggers_ask("signalfd");
    sys(KILL, sys(GETPID), 10);
    triggers_ask("a signal");
    triggers_ask("told once");
    time[0] = time[1] = 0;
    sys(RT_SIGTIMEDWAIT, set, 0, time, 8);
    sys(KILL, sys(GETPID), 10);
    triggers_ask("another");
    sys(RT_SIGTIMEDWAIT, set, 0, time, 8);
    sys(RT_SIGPROCMASK, 1, set, 0, 8);
    sys(CLOSE, fd);
    sys(CLOSE, triggers_set);
    sys(PIPE2, p, O_NONBLOCK);
    triggers_begin(p[0], 1);
    sys(PIPE, s);
    pid = sys(FORK);
    if (!pid) {
        sys(CLOSE, s[1]);
        sys(READ, s[0], bytes, 1); /* until the parent waits, or is about to */
        time[0] = 0;
        time[1] = 20000000;
        sys(NANOSLEEP, time, 0);
        sys(WRITE, p[1], "x", 1);
        sys(EXIT, 0);
    }
    sys(CLOSE, s[0]);
    sys(CLOSE, s[1]);
    say("waits for a child", sys(EPOLL_WAIT, triggers_set, events, 1, 5000));
    triggers_ask("told once");
    say("it ends", child_status(pid));
    sys(CLOSE, p[0]);
    sys(CLOSE, p[1]);
    sys(CLOSE, triggers_set);
    n = sys(OPEN, "/dev/null", O_RDWR);
    events[0] = 1 | ET;
    triggers_set = sys(EPOLL_CREATE1, 0);
    say("no file", sys(EPOLL_CTL, triggers_set, 1, n, events));
    sys(CLOSE, n);
    sys(CLOSE, triggers_set);
}
