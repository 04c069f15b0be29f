/* descriptors.c: dup, fcntl, ioctl, and what happens when there are no more. */

static void descriptors(void)
{
    int fd = make("d", "0123456789", 0644), other, i, n, p[2];
    char c;
    u32 three[3];

    section("descriptors");
    other = sane("dup", sys(DUP, fd));
    sys(LSEEK, fd, 4, 0);
    say("dup shares the offset", sys(LSEEK, other, 0, 1));
    say("dup bad", sys(DUP, 99));
    say("dup2", sys(DUP2, fd, 50));
    say("dup2 same", sys(DUP2, fd, fd) == fd);
    say("dup2 bad to itself", sys(DUP2, 99, 99));
    say("dup2 to -1", sys(DUP2, fd, -1));
    say("dup3 same", sys(DUP3, fd, fd, 0));
    say("dup3 bad flags", sys(DUP3, fd, 51, 1));
    say("dup3 cloexec", sys(DUP3, fd, 51, O_CLOEXEC));
    say("getfd 51", sys(FCNTL64, 51, 1));
    say("getfd 50", sys(FCNTL64, 50, 1));
    say("setfd 50", sys(FCNTL64, 50, 2, 1));
    say("getfd 50 again", sys(FCNTL64, 50, 1));
    say("dupfd from 60", sys(FCNTL64, fd, 0, 60));
    say("dupfd cloexec from 60", sys(FCNTL64, fd, 1030, 60));
    say("getfd 61", sys(FCNTL64, 61, 1));
    say("getfl access mode", sys(FCNTL64, fd, 3) & 3);
    say("setfl append", sys(FCNTL64, fd, 4, O_APPEND));
    say("getfl append", sys(FCNTL64, fd, 3) & O_APPEND);
    say("fcntl unknown", sys(FCNTL64, fd, 9999));
    say("fcntl closed", sys(FCNTL64, 99, 1));
    say("fcntl old number", sys(FCNTL, fd, 3) & 3);
    for (i = 50; i < 62; i++)
        sys(CLOSE, i);
    sys(CLOSE, other);
    say("lowest free comes first", sys(OPEN, "d", O_RDONLY) == other);
    sys(CLOSE, other);
    say("ioctl on a file", sys(IOCTL, fd, 0x5401, three));
    say("ioctl closed", sys(IOCTL, 99, 0x5401, three));
    for (n = 0; n < 100000; n++)
        if (sys(DUP, fd) < 0)
            break;
    say("descriptors run out", sys(DUP, fd));
    say("open then", sys(OPEN, "d", O_RDONLY));
    say("pipe then", sys(PIPE, p));
    for (i = fd + 1; i < fd + 2 + n; i++)
        sys(CLOSE, i);
    say("and come back", sys(READ, fd, &c, 0));
    sys(CLOSE, fd);
    sys(UNLINK, "d");
}
