/* streams.c: pairs of connected streams: bytes, ends, waiting, and what files can do that they cannot. */

static volatile int streams_caught;

static void streams_handler(int number)
{
    streams_caught = number;
}

static void streams(void)
{
    int s[2], n, pid, got, e;
    u32 vector[4], st[24], call[6], time[2], events[3], set[2];

    section("streams");
    say("socketpair", sys(SOCKETPAIR, 1, STREAM, 0, s));
    say("bad type", sys(SOCKETPAIR, 1, STREAM | 0x100, 0, call));
    say("no such family", sys(SOCKETPAIR, 45, STREAM, 0, call));
    say("bad protocol", sys(SOCKETPAIR, 1, STREAM, 9, call));
    say("bad pointer", sys(SOCKETPAIR, 1, STREAM, 0, KERNEL));
    say("ready to write", sock_ready(s[0]));
    say("write", sys(WRITE, s[0], "hello", 5));
    say("ready for both", sock_ready(s[1]));
    say("bytes", (sys(IOCTL, s[1], 0x541b, &n), n));
    say("read some", sys(READ, s[1], sock_buffer, 2));
    say("peek", sys(RECVFROM, s[1], sock_buffer, 9, PEEK, 0, 0));
    sys(WRITE, s[0], "ab", 2);
    say("joined", sys(READ, s[1], sock_buffer, 100));
    say("in order", same(sock_buffer, "lloab", 5));
    say("nothing left", sys(RECVFROM, s[1], sock_buffer, 9, DONTWAIT, 0, 0));
    say("read nothing", sys(READ, s[1], sock_buffer, 0));
    say("seek", sys(LSEEK, s[0], 0, 1));
    say("pread", sys(PREAD, s[0], sock_buffer, 1, 0, 0));
    say("truncate", sys(FTRUNCATE, s[0], 0));
    say("map", sys(MMAP2, 0, 4096, 1, 2, s[0], 0));
    say("kind", (sys(FSTAT64, s[0], st), (int)(st[4] >> 12)));
    say("flags", sys(FCNTL, s[0], 3));
    say("type", sock_option(s[0], 3));
    say("domain", sock_option(s[0], 39));
    say("protocol", sock_option(s[0], 38));
    say("listens", sock_option(s[0], 30));
    say("error", sock_option(s[0], 4));
    say("room", sock_option(s[0], 7));
    say("no such option", sock_option(s[0], 999));
    n = 1;
    say("set an option", sys(SETSOCKOPT, s[0], 1, 2, &n, 4));
    say("it is set", sock_option(s[0], 2));
    say("too short", sys(SETSOCKOPT, s[0], 1, 2, &n, 3));
    say("another level", sys(SETSOCKOPT, s[0], 6, 1, &n, 4));
    n = 4096;
    say("a smaller room", (sys(SETSOCKOPT, s[0], 1, 7, &n, 4), sock_option(s[0], 7)));
    say("option of a file", (n = make("f", "content", 0644), sock_option(n, 3)));
    say("sendfile", sys(SENDFILE, s[1], n, (sys(LSEEK, n, 0, 0), 0), 100));
    say("has come", sys(READ, s[0], sock_buffer, 100));
    vector[0] = (u32) "one";
    vector[1] = 3;
    vector[2] = (u32) "three";
    vector[3] = 5;
    say("writev", sys(WRITEV, s[1], vector, 2));
    say("together", sys(READ, s[0], sock_buffer, 100));
    n = 1;
    say("do not wait", sys(IOCTL, s[0], 0x5421, &n));
    say("is not waited", sys(READ, s[0], sock_buffer, 1));
    say("flags then", sys(FCNTL, s[0], 3));
    n = 0;
    sys(IOCTL, s[0], 0x5421, &n);
    call[0] = (u32)s[0];
    call[1] = (u32) "by number";
    call[2] = 9;
    call[3] = 0;
    say("send by socketcall", sys(SOCKETCALL, 9, call));
    call[0] = (u32)s[1];
    call[1] = (u32)sock_buffer;
    say("receive by socketcall", sys(SOCKETCALL, 10, call));
    say("no such socketcall", sys(SOCKETCALL, 99, call));
    say("socketcall bad pointer", sys(SOCKETCALL, 9, KERNEL));
    close_all();

    sys(SOCKETPAIR, 1, STREAM | O_CLOEXEC, 0, s);
    say("closes on exec", sys(FCNTL, s[0], 1));
    pid = sys(FORK);
    if (!pid) {
        sys(CLOSE, s[1]);
        fill(sock_buffer, 'l', sizeof sock_buffer);
        sys(EXIT, sys(WRITE, s[0], sock_buffer, sizeof sock_buffer) == sizeof sock_buffer ? 0 : 1);
    }
    sys(CLOSE, s[0]);
    for (got = 0; (n = sys(READ, s[1], sock_buffer, 7777)) > 0; got += n)
        ;
    say("many bytes", got);
    say("all written", child_status(pid));
    say("the end is ready", sock_ready(s[1]));
    say("nobody to write to", sys(WRITE, s[1], "x", 1));
    say("without a signal", sys(SENDTO, s[1], "x", 1, NOSIGNAL, 0, 0));
    sys(CLOSE, s[1]);
    sys(SOCKETPAIR, 1, STREAM, 0, s);
    sys(WRITE, s[0], "unread", 6);
    sys(CLOSE, s[1]);
    say("what was not read", sys(READ, s[0], sock_buffer, 1));
    say("is told once", sys(READ, s[0], sock_buffer, 1));
    sys(CLOSE, s[0]);
    sys(SOCKETPAIR, 1, STREAM, 0, s);
    sys(WRITE, s[0], "last", 4);
    say("shutdown", sys(SHUTDOWN, s[0], 1));
    say("no more", sys(WRITE, s[0], "x", 1));
    say("what came before", sys(READ, s[1], sock_buffer, 9));
    say("then the end", sys(READ, s[1], sock_buffer, 9));
    say("half closed", sock_ready(s[1]));
    say("the other half", sys(WRITE, s[1], "back", 4));
    say("is open", sys(READ, s[0], sock_buffer, 9));
    say("shutdown how", sys(SHUTDOWN, s[1], 7));
    say("shutdown of a file", sys(SHUTDOWN, 0, 1));
    sys(CLOSE, s[0]);
    sys(CLOSE, s[1]);

    sys(SOCKETPAIR, 1, STREAM, 0, s);
    pid = sys(FORK);
    if (!pid) {
        time[0] = 0;
        time[1] = 5000000;
        for (n = 0; n < 5; n++) {
            sys(WRITE, s[0], "piece", 5);
            sys(NANOSLEEP, time, 0);
        }
        sys(EXIT, 0);
    }
    say("wait for all", sys(RECVFROM, s[1], sock_buffer, 25, WAITALL, 0, 0));
    say("the writer ends", child_status(pid));
    e = sys(EPOLL_CREATE1, 0);
    events[0] = 1;
    events[1] = 7;
    events[2] = 0;
    say("add to epoll", sys(EPOLL_CTL, e, 1, s[1], events));
    say("not ready", sys(EPOLL_WAIT, e, events, 1, 0));
    sys(WRITE, s[0], "x", 1);
    say("ready", sys(EPOLL_WAIT, e, events, 1, 1000));
    set[0] = 1u << s[1];
    set[1] = 0;
    say("select", sys(SELECT, s[1] + 1, set, 0, 0, 0));
    sys(READ, s[1], sock_buffer, 1);
    time[0] = 0;
    time[1] = 10000;
    say("a time to wait", sys(SETSOCKOPT, s[1], 1, 20, time, 8));
    say("is over", sys(READ, s[1], sock_buffer, 1));
    time[0] = time[1] = 0;
    sys(SETSOCKOPT, s[1], 1, 20, time, 8);
    time[1] = 2000000;
    say("time is out of range", sys(SETSOCKOPT, s[1], 1, 20, time, 8));
    sys(FCNTL, s[0], 4, O_NONBLOCK);
    for (got = 0; (n = sys(WRITE, s[0], sock_buffer, 1000)) > 0; got += n)
        ;
    say("full", n);
    say("holds much", got > 50000);
    say("is not ready", sock_ready(s[0]));
    fill(sock_buffer, 0, 100);
    while (sys(RECVFROM, s[1], sock_buffer, sizeof sock_buffer, DONTWAIT, 0, 0) > 0)
        ;
    say("ready again", sock_ready(s[0]));
    sys(SIGNAL, 13, streams_handler);
    sys(CLOSE, s[1]);
    say("broken", sys(WRITE, s[0], "x", 1));
    say("and a signal", streams_caught);
    sys(SIGNAL, 13, 1);
    close_all();
    sys(UNLINK, "f");
}
