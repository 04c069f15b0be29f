/* waits.c: ppoll, pselect6, epoll, eventfd, timerfd, signalfd, sigtimedwait, waitid. */

static volatile int waits_caught;

static void waits_handler(int number)
{
    waits_caught = number;
}

static void waits(void)
{
    int p[2], e, v, t, s, n, pid;
    struct { int fd; short events, revents; } item;
    struct { word handler, flags, restorer; u32 mask[2]; } action;
    u32 set[2], wide[2], events[3 * 4], info[32], bits[8];
    word time[4], mask[2];
    long long value;

    section("waits");
    sys(PIPE, p);
    item.fd = p[0];
    item.events = 1;
    time[0] = 0;
    time[1] = 1000000;
    say("ppoll times out", sys(PPOLL, &item, 1, time, 0, 8));
    time[1] = 1000000000;
    say("ppoll bad time", sys(PPOLL, &item, 1, time, 0, 8));
    set[0] = 1 << 13; /* SIGALRM stays blocked but for the call */
    set[1] = 0;
    action.handler = (word)waits_handler;
    action.flags = 0x04000000;
    action.restorer = (word)restore;
    action.mask[0] = action.mask[1] = 0;
    sys(RT_SIGACTION, 14, &action, 0, 8);
    sys(RT_SIGPROCMASK, 0, set, 0, 8);
    sys(KILL, sys(GETPID), 14);
    wide[0] = wide[1] = 0;
    say("ppoll with a mask", sys(PPOLL, &item, 1, 0, wide, 8));
    say("the handler ran", waits_caught);
    say("blocked again", (sys(RT_SIGPROCMASK, 0, 0, bits, 8), (int)(bits[0] >> 13 & 1)));
    say("ppoll size of mask", sys(PPOLL, &item, 1, 0, wide, 4));
    sys(WRITE, p[1], "x", 1);
    for (n = 0; n < 8; n++)
        bits[n] = 0;
    bits[0] = 1u << p[0];
    mask[0] = 0;
    mask[1] = 8;
    say("pselect6", sys(PSELECT6, p[0] + 1, bits, 0, 0, 0, mask));
    say("is set", bits[0] == 1u << p[0]);
    say("pselect6 closed", (bits[1] = 1u << 28, sys(PSELECT6, 64, bits, 0, 0, 0, mask)));
    sys(PIPE, info);
    sys(CLOSE, info[0]);
    bits[0] = 1u << info[1];
    bits[1] = 0;
    time[0] = 5;
    time[1] = 0;
    say("an error can be read: nobody reads", sys(PSELECT6, 32, bits, 0, 0, time, mask));
    bits[0] = 1u << info[1];
    say("it is no exception", (time[0] = 0, sys(PSELECT6, 32, 0, 0, bits, time, mask)));
    sys(CLOSE, info[1]);
    e = sane("epoll_create1", sys(EPOLL_CREATE1, O_CLOEXEC));
    say("epoll_create1 flags", sys(EPOLL_CREATE1, 1));
    events[0] = 1;
    events[1] = 77;
    events[2] = 0;
    say("add", sys(EPOLL_CTL, e, 1, p[0], events));
    say("add again", sys(EPOLL_CTL, e, 1, p[0], events));
    say("add closed", sys(EPOLL_CTL, e, 1, 60, events));
    say("add to no epoll", sys(EPOLL_CTL, p[0], 1, p[1], events));
    n = make("f", "x", 0644);
    say("add a file", sys(EPOLL_CTL, e, 1, n, events));
    sys(CLOSE, n);
    sys(UNLINK, "f");
    say("wait", sys(EPOLL_WAIT, e, events, 4, 1000));
    say("event", (int)(events[0] * 100 + events[1]));
    say("level-triggered", sys(EPOLL_WAIT, e, events, 4, 0));
    events[0] = 1 | 1u << 30;
    say("once", sys(EPOLL_CTL, e, 3, p[0], events));
    say("first time", sys(EPOLL_WAIT, e, events, 4, 0));
    say("second time", sys(EPOLL_WAIT, e, events, 4, 0));
    events[0] = 1;
    say("again", sys(EPOLL_CTL, e, 3, p[0], events));
    say("room for none", sys(EPOLL_WAIT, e, events, 0, 0));
    say("epoll read", sys(READ, e, info, 8));
    say("delete", sys(EPOLL_CTL, e, 2, p[0], 0));
    say("delete again", sys(EPOLL_CTL, e, 2, p[0], 0));
    say("nothing left", sys(EPOLL_WAIT, e, events, 4, 0));
    sys(EPOLL_CTL, e, 1, p[0], events);
    sys(CLOSE, p[0]);
    say("gone with its descriptor", sys(EPOLL_WAIT, e, events, 4, 0));
    v = sane("eventfd2", sys(EVENTFD2, 3, O_NONBLOCK));
    say("eventfd read", sys(READ, v, &value, 8));
    say("count", (int)value);
    say("read zero", sys(READ, v, &value, 8));
    value = 5;
    say("write", sys(WRITE, v, &value, 8));
    say("write short", sys(WRITE, v, &value, 4));
    value = -1;
    say("write too much", sys(WRITE, v, &value, 8));
    value = -2;
    say("write what does not fit", sys(WRITE, v, &value, 8));
    events[0] = 5;
    sys(EPOLL_CTL, e, 1, v, events);
    say("both ways ready", (sys(EPOLL_WAIT, e, events, 1, 0), (int)events[0]));
    say("seek", sys(LSEEK, v, 0, 0));
    sys(CLOSE, v);
    v = sys(EVENTFD2, 2, 1);
    say("one by one", (sys(READ, v, &value, 8), (int)value));
    say("and again", (sys(READ, v, &value, 8), (int)value));
    sys(CLOSE, v);
    t = sane("timerfd_create", sys(TIMERFD_CREATE, 1, O_CLOEXEC));
    say("timerfd_create clock", sys(TIMERFD_CREATE, 99, 0));
    time[0] = time[1] = time[2] = 0;
    time[3] = 2000000;
    say("settime", sys(TIMERFD_SETTIME, t, 0, time, 0));
    say("read waits", sys(READ, t, &value, 8));
    say("expired", (int)value);
    say("gettime", sys(TIMERFD_GETTIME, t, time));
    say("nothing left", (int)(time[0] | time[1] | time[2] | time[3]));
    time[3] = 1000000;
    say("set again", sys(TIMERFD_SETTIME, t, 0, time, 0));
    events[0] = 1;
    sys(EPOLL_CTL, e, 1, t, events);
    say("epoll waits for it", sys(EPOLL_WAIT, e, events, 1, 5000));
    say("settime of no timer", sys(TIMERFD_SETTIME, e, 0, time, 0));
    sys(CLOSE, t);
    set[0] = 1 << 9 | 1 << 13; /* SIGUSR1 */
    sys(RT_SIGPROCMASK, 0, set, 0, 8);
    s = sane("signalfd4", sys(SIGNALFD4, -1, set, 8, O_NONBLOCK));
    say("signalfd4 size", sys(SIGNALFD4, -1, set, 4, 0));
    say("no signal", sys(READ, s, info, 128));
    sys(KILL, sys(GETPID), 10);
    say("a signal", sys(READ, s, info, 128));
    say("number", (int)info[0]);
    say("from", (int)info[3] == sys(GETPID));
    say("too short", sys(READ, s, info, 100));
    sys(CLOSE, s);
    sys(KILL, sys(GETPID), 10);
    time[0] = 0;
    time[1] = 1000000;
    say("sigtimedwait", sys(RT_SIGTIMEDWAIT, set, info, time, 8));
    say("code", (int)info[2]);
    say("sigtimedwait times out", sys(RT_SIGTIMEDWAIT, set, info, time, 8));
    pid = sys(FORK);
    if (!pid) {
        sys(KILL, sys(GETPPID), 10);
        sys(EXIT, 7);
    }
    say("sigtimedwait waits", sys(RT_SIGTIMEDWAIT, set, info, 0, 8));
    say("from the child", (int)info[3 + WIDE] == pid);
    say("waitid no options", sys(WAITID, 1, pid, info, 0, 0));
    say("waitid, left there", sys(WAITID, 1, pid, info, 4 | 0x1000000, 0));
    say("waitid", sys(WAITID, 0, 0, info, 4, 0));
    say("signal", (int)info[0]);
    say("exited", (int)info[2]);
    say("status", (int)info[5 + WIDE]);
    say("nobody left", sys(WAITID, 0, 0, info, 4, 0));
    pid = sys(FORK);
    if (!pid) {
        sys(KILL, sys(GETPID), 19);
        time[0] = 0;
        time[1] = 100000000;
        sys(NANOSLEEP, time, 0); /* so that it is seen to go on */
        sys(EXIT, 3);
    }
    say("stopped", (sys(WAITID, 1, pid, info, 2, 0), (int)(info[2] * 100 + info[5 + WIDE])));
    say("told once", sys(WAIT4, pid, &n, 3, 0));
    sys(KILL, pid, 18);
    say("goes on", (sys(WAITID, 1, pid, info, 8, 0), (int)(info[2] * 100 + info[5 + WIDE])));
    say("ends", child_status(pid));
    sys(RT_SIGPROCMASK, 1, set, 0, 8);
    sys(SIGNAL, 14, 0);
    for (n = 3; n < 20; n++)
        sys(CLOSE, n);
    action.handler = (word)waits_handler;
    action.flags = 0x14000001; /* SA_RESTORER, SA_RESTART, SA_NOCLDSTOP */
    sys(RT_SIGACTION, 17, &action, 0, 8);
    waits_caught = 0;
    pid = sys(FORK);
    if (!pid) {
        sys(KILL, sys(GETPID), 19);
        sys(EXIT, 4);
    }
    say("stopped", sys(WAIT4, pid, &n, 2, 0) == pid);
    say("no signal says so", waits_caught);
    sys(KILL, pid, 18);
    say("ends", child_status(pid));
    say("a signal says so", waits_caught);
    action.handler = 0;
    sys(RT_SIGACTION, 17, &action, 0, 8);
}
