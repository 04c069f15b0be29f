/* pipes.c: pipes and named pipes, poll, SIGPIPE. */

static void pipes(void)
{
    static char buffer[70000];
    int p[2], pid, n, total = 0;
    struct { int fd; short events, revents; } item;

    section("pipes");
    say("pipe", sys(PIPE, p));
    say("pipe bad pointer", sys(PIPE, BAD));
    say("pipe2 flags", sys(PIPE2, p + 4, 1));
    say("write", sys(WRITE, p[1], "abc", 3));
    say("read the wrong end", sys(READ, p[1], buffer, 1));
    say("write the wrong end", sys(WRITE, p[0], buffer, 1));
    say("lseek", sys(LSEEK, p[0], 0, 0));
    say("pread", sys(PREAD, p[0], buffer, 1, 0, 0));
    say("read what is there", sys(READ, p[0], buffer, 100));
    item.fd = p[0];
    item.events = 1;
    say("poll empty", sys(POLL, &item, 1, 0));
    sys(WRITE, p[1], "x", 1);
    say("poll full", sys(POLL, &item, 1, 1000));
    say("poll events", item.revents);
    say("poll bad pointer", sys(POLL, BAD, 1, 0));
    sys(READ, p[0], buffer, 1);
    sys(FCNTL64, p[0], 4, O_NONBLOCK);
    say("read empty, nonblocking", sys(READ, p[0], buffer, 1));
    sys(FCNTL64, p[1], 4, O_NONBLOCK);
    while ((n = sys(WRITE, p[1], buffer, 4096)) > 0)
        total += n;
    say("fills up with", n);
    say("capacity", total);
    say("read it back", sys(READ, p[0], buffer, sizeof buffer));
    sys(CLOSE, p[1]);
    say("read the end", sys(READ, p[0], buffer, 10));
    sys(CLOSE, p[0]);
    sys(PIPE, p);
    sys(CLOSE, p[0]);
    sys(SIGNAL, 13, 1);
    say("write without reader", sys(WRITE, p[1], "x", 1));
    sys(SIGNAL, 13, 0);
    pid = sys(FORK);
    if (!pid) {
        sys(WRITE, p[1], "x", 1);
        sys(EXIT, 0);
    }
    say("dies of SIGPIPE", child_status(pid));
    sys(CLOSE, p[1]);
    sys(PIPE, p);
    pid = sys(FORK);
    if (!pid) {
        sys(CLOSE, p[0]);
        fill(buffer, 'z', sizeof buffer);
        for (n = 0; n < 10; n++)
            if (sys(WRITE, p[1], buffer, sizeof buffer) != sizeof buffer)
                sys(EXIT, 1);
        sys(EXIT, 0);
    }
    sys(CLOSE, p[1]);
    for (total = 0; (n = sys(READ, p[0], buffer, 7777)) > 0; total += n)
        ;
    say("through the pipe", total);
    say("writer ended", child_status(pid));
    sys(CLOSE, p[0]);
    sys(MKNOD, "fifo", 0010644, 0);
    say("fifo write nonblocking, no reader", sys(OPEN, "fifo", O_WRONLY | O_NONBLOCK));
    pid = sys(FORK);
    if (!pid) {
        n = sys(OPEN, "fifo", O_WRONLY);
        sys(EXIT, sys(WRITE, n, "through", 7));
    }
    n = sys(OPEN, "fifo", O_RDONLY);
    say("read through fifo", sys(READ, n, buffer, 100));
    say("fifo writer", child_status(pid));
    say("fifo end", sys(READ, n, buffer, 100));
    sys(CLOSE, n);
    n = sys(OPEN, "fifo", O_RDWR);
    sys(WRITE, n, "left behind", 11);
    sys(READ, n, buffer, 5);
    sys(CLOSE, n);
    n = sys(OPEN, "fifo", O_RDWR);
    say("fifo opened anew", sys(WRITE, n, "again", 5));
    say("what was left is gone", sys(READ, n, buffer, 100));
    sys(CLOSE, n);
    sys(UNLINK, "fifo");
}
