/* devices.c: what is in /dev and what is not. */

static void devices(void)
{
    char b[16];
    int fd;

    section("devices");
    fd = sane("null", sys(OPEN, "/dev/null", O_RDWR));
    say("read null", sys(READ, fd, b, 10));
    say("write null", sys(WRITE, fd, "x", 1));
    fd = sane("zero", sys(OPEN, "/dev/zero", O_RDONLY));
    b[3] = 1;
    say("read zero", sys(READ, fd, b, 10));
    say("zeros", b[3]);
    fd = sane("full", sys(OPEN, "/dev/full", O_WRONLY));
    say("write full", sys(WRITE, fd, "x", 1));
    fd = sane("urandom", sys(OPEN, "/dev/urandom", O_RDONLY));
    say("read urandom", sys(READ, fd, b, 10));
    say("tty", sys(OPEN, "/dev/tty", O_RDWR));
    say("mem", sys(OPEN, "/dev/mem", O_RDWR) < 0);
    say("port", sys(OPEN, "/dev/port", O_RDWR) < 0);
    say("ttyS1", sys(OPEN, "/dev/ttyS1", O_RDWR) < 0);
    for (fd = 3; fd < 20; fd++)
        sys(CLOSE, fd);
}
