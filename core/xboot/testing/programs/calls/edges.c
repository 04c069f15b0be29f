/* edges.c: which of several faults is told, what is done before one is met, and other edges that random sequences found. */

static volatile int edges_caught, edges_code;

static void edges_handler(int number, u32 *info)
{
    edges_caught = number;
    edges_code = (int)info[2];
}

static void edges_catch(int number)
{
    struct { void *handler; word flags; void *restorer; u32 mask[2]; } a;

    a.handler = (void *)edges_handler;
    a.flags = 0x04000004;
    a.restorer = (void *)restore_info;
    a.mask[0] = a.mask[1] = 0;
    sys(RT_SIGACTION, number, &a, 0, 8);
}

static void edges(void)
{
    enum { FSYNC = 118, SOCKETPAIR = 360, EPOLL = 329, AT = 0x20000000, PAGE = 4096 };
    struct { int fd; short events, ready; } asked;
    int p[2], s[2], f, null, n;
    long stack[3] = { AT, 9, 8192 }, vector[4] = { 0, 0, 0, 0 };
    char byte;

    section("edges");
    f = make("f", "0123456789", 0644);
    null = sys(OPEN, "/dev/null", O_RDWR | O_APPEND);
    sys(PIPE, p);
    say("fsync a pipe", sys(FSYNC, p[0]));
    say("fsync /dev/null", sys(FSYNC, null));
    say("places in /dev/null", sys(LSEEK, null, 5, 0));
    say("seek a pipe, by no way", sys(LSEEK, p[0], 0, 7));
    n = sys(OPEN, ".", O_DIRECTORY);
    say("the end of a folder", sys(LSEEK, n, 0, 2));
    say("an empty name, beside a file", sys(OPENAT, f, "", 0));
    sys(CLOSE, n);
    say("before the start of a pipe", sys(PWRITE, p[1], "x", 1, -1, -1));
    say("map what can only be written", sys(MMAP2, AT, PAGE, 1, 0x12, p[1], 0));
    say("nothing named is checked", sys(MMAP2, AT, PAGE, 3, 0x33, -1, 0));
    say("make a file with a slash", sys(OPEN, "f/", O_CREAT | O_RDWR, 0644));
    say("sendfile to append", sys(SENDFILE, null, f, 0, 1));
    say("sendfile from a pipe, at a place", sys(SENDFILE, null, p[0], &n, 1));
    n = sys(OPEN, "f", O_RDONLY | O_NOFOLLOW);
    say("flags that stay", sys(FCNTL, n, 3) & O_NOFOLLOW);
    say("fallocate, by no way", sys(FALLOCATE, n, 4, 0, 0, 1, 0));
    say("copy to what cannot be written", sys(COPY_FILE_RANGE, f, 0, n, 0, 1, 0));
    say("copy to what is no file", sys(COPY_FILE_RANGE, n, 0, p[0], 0, 1, 0));
    say("no bytes to what cannot be written", sys(WRITEV, n, vector, 2));
    say("bytes left in a file", (sys(IOCTL, n, 0x541b, &s[0]), s[0]));
    sys(CLOSE, n);
    n = sys(EPOLL, 0);
    say("epoll of a file", sys(EPOLL_CTL, null, 1, f, s));
    say("epoll of /dev/null", sys(EPOLL_CTL, n, 1, null, s));
    say("mode of an event", sys(FCHMOD, n, 0644));
    sys(CLOSE, n);
    say("a size below nothing, of nothing", sys(TRUNCATE, "no", -1));
    sys(MKNOD, "fifo", 0010000, 0);
    say("a size of a FIFO", sys(TRUNCATE, "fifo", 1));
    sys(UNLINK, "fifo");
    sys(MKDIR, "d", 0755);
    sys(MKDIR, "d/e", 0755);
    say("into itself", sys(RENAME, "d", "d/e/x"));
    say("over what it lies in", sys(RENAME, "d/e", "d"));
    say("over what a file lies in", (sys(RENAME, "f", "d/f"), sys(RENAME, "d/f", "d")));
    sys(RENAME, "d/f", "f");
    say("a folder that is not there", sys(RMDIR, "no/."));
    sys(RMDIR, "d/e");
    sys(RMDIR, "d");
    say("another stack, by no way", sys(SIGALTSTACK, stack, 0));
    sys(MMAP2, AT, PAGE, 3, 0x32, -1, 0);
    sys(MMAP2, AT + 2 * PAGE, PAGE, 3, 0x32, -1, 0);
    *(volatile int *)AT = *(volatile int *)(AT + 2 * PAGE) = 1;
    say("forget over a hole", sys(MADVISE, AT, 3 * PAGE, 4));
    say("both are forgotten", *(volatile int *)AT + *(volatile int *)(AT + 2 * PAGE));
    say("shrink over a hole", sys(MREMAP, AT, 3 * PAGE, PAGE, 0, 0) == AT);
    say("what lay behind is gone", sys(WRITE, p[1], AT + 2 * PAGE, 1));
    sys(MMAP2, AT + 4 * PAGE, PAGE, 3, 0x32, -1, 0);
    say("move more than there is", sys(MREMAP, AT, 2 * PAGE, 2 * PAGE, 3, AT + 4 * PAGE));
    say("what lay there is gone", sys(WRITE, p[1], AT + 4 * PAGE, 1));
    say("a pipe takes all or nothing of a page", sys(WRITE, p[1], AT + PAGE - 10, 20));
    sys(FCNTL, p[0], 4, O_NONBLOCK);
    say("nothing came", sys(READ, p[0], &byte, 1));
    sys(MUNMAP, AT, PAGE);
    sys(CLOSE, p[0]);
    edges_catch(13);
    say("no bytes to nobody", sys(WRITE, p[1], "", 0));
    say("a byte to nobody", sys(WRITE, p[1], "x", 1));
    say("which is one's own signal", edges_code);
    asked.fd = p[1];
    asked.events = 4;
    say("ready, and broken", (sys(POLL, &asked, 1, 0), asked.ready));
    sys(CLOSE, p[1]);
    sys(SIGNAL, 13, 0);
    sys(SOCKETPAIR, 1, 2 | O_NONBLOCK, 0, s);
    say("no bytes of no message", sys(READ, s[0], &byte, 0));
    sys(WRITE, s[1], "x", 1);
    sys(CLOSE, s[1]);
    say("to who is gone", sys(WRITE, s[0], "y", 1));
    say("what he sent is gone, too", sys(READ, s[0], &byte, 1));
    sys(CLOSE, s[0]);
    edges_catch(17);
    n = sys(FORK);
    if (!n)
        sys(EXIT, 3);
    say("the child's end, and its signal", child_status(n));
    say("was caught", edges_caught);
    sys(SIGNAL, 17, 0);
    sys(CLOSE, null);
    sys(CLOSE, f);
    sys(UNLINK, "f");
}
