/* triggers.c: epoll that tells what has come since it told last (EPOLLET), of each kind of thing that can be waited for. */

#include "../syscalls/edges.h"

static void triggers_again(int fd, u32 wanted)
{
    u32 event[3];

    event[0] = wanted | ET;
    event[1] = event[2] = 0;
    say("modified", sys(EPOLL_CTL, edges_set, 3, fd, event));
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
    edges_begin(p[0], 1);
    edges_ask("empty");
    sys(WRITE, p[1], "abc", 3);
    edges_ask("written");
    edges_ask("told once");
    sys(READ, p[0], bytes, 1);
    edges_ask("part is read");
    sys(WRITE, p[1], "d", 1);
    edges_ask("written again");
    edges_ask("told once");
    triggers_again(p[0], 1);
    edges_ask("modified: told anew");
    edges_ask("told once");
    sys(READ, p[0], bytes, 64);
    sys(WRITE, p[1], "e", 1);
    sys(READ, p[0], bytes, 64);
    edges_ask("written and read");
    sys(WRITE, p[1], "f", 1);
    triggers_again(p[0], 1 | 1u << 30);
    edges_ask("once");
    sys(WRITE, p[1], "g", 1);
    edges_ask("and no more");
    triggers_again(p[0], 1);
    edges_ask("but when modified");
    sys(READ, p[0], bytes, 64);
    sys(CLOSE, p[1]);
    edges_ask("closed");
    edges_ask("told once");
    sys(CLOSE, p[0]);
    sys(CLOSE, edges_set);
    sys(PIPE2, p, O_NONBLOCK);
    edges_begin(p[1], 4);
    edges_ask("room");
    edges_ask("told once");
    for (n = 0; sys(WRITE, p[1], bytes, 4096) == 4096; n++)
        ;
    say("full after", n);
    edges_ask("full");
    sys(READ, p[0], bytes, 4096);
    edges_ask("room again");
    sys(READ, p[0], bytes, 4096);
    edges_ask("more room, never without");
    sys(CLOSE, p[0]);
    edges_ask("nobody reads");
    edges_ask("told once");
    sys(CLOSE, p[1]);
    sys(CLOSE, edges_set);
    fd = sys(EVENTFD2, 0, O_NONBLOCK);
    edges_begin(fd, 5);
    edges_ask("eventfd");
    value = 1;
    sys(WRITE, fd, &value, 8);
    edges_ask("counted");
    edges_ask("told once");
    sys(WRITE, fd, &value, 8);
    edges_ask("counted again");
    sys(READ, fd, &value, 8);
    edges_ask("read");
    edges_ask("told once");
    sys(CLOSE, fd);
    sys(CLOSE, edges_set);
    fd = sys(TIMERFD_CREATE, 1, O_NONBLOCK);
    edges_begin(fd, 1);
    edges_ask("timerfd");
    time[0] = time[1] = time[2] = 0;
    time[3] = 1000000;
    sys(TIMERFD_SETTIME, fd, 0, time, 0);
    say("waits for it", sys(EPOLL_WAIT, edges_set, events, 1, 5000));
    edges_ask("told once");
    sys(TIMERFD_SETTIME, fd, 0, time, 0);
    say("set anew", sys(EPOLL_WAIT, edges_set, events, 1, 5000));
    edges_ask("told once");
    sys(CLOSE, fd);
    sys(CLOSE, edges_set);
    set[0] = 1 << 9;
    set[1] = 0;
    sys(RT_SIGPROCMASK, 0, set, 0, 8);
    fd = sys(SIGNALFD4, -1, set, 8, O_NONBLOCK);
    edges_begin(fd, 1);
    edges_ask("signalfd");
    sys(KILL, sys(GETPID), 10);
    edges_ask("a signal");
    edges_ask("told once");
    time[0] = time[1] = 0;
    sys(RT_SIGTIMEDWAIT, set, 0, time, 8);
    sys(KILL, sys(GETPID), 10);
    edges_ask("another");
    sys(RT_SIGTIMEDWAIT, set, 0, time, 8);
    sys(RT_SIGPROCMASK, 1, set, 0, 8);
    sys(CLOSE, fd);
    sys(CLOSE, edges_set);
    sys(PIPE2, p, O_NONBLOCK);
    edges_begin(p[0], 1);
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
    say("waits for a child", sys(EPOLL_WAIT, edges_set, events, 1, 5000));
    edges_ask("told once");
    say("it ends", child_status(pid));
    sys(CLOSE, p[0]);
    sys(CLOSE, p[1]);
    sys(CLOSE, edges_set);
    n = sys(OPEN, "/dev/null", O_RDWR);
    events[0] = 1 | ET;
    edges_set = sys(EPOLL_CREATE1, 0);
    say("no file", sys(EPOLL_CTL, edges_set, 1, n, events));
    sys(CLOSE, n);
    sys(CLOSE, edges_set);
}
