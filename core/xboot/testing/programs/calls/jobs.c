/* jobs.c: terminals (terminals.c) and processes: sessions, the foreground, keys that send signals, stopping, hanging up. Children say through a pipe how far they are. */

static volatile int t_caught;

static void t_handler(int number)
{
    t_caught = t_caught * 100 + number;
}

static void t_action(int number, word handler)
{
    struct { word handler, flags, restorer; u32 mask[2]; } action;

    action.handler = handler;
    action.flags = 0x04000000;
    action.restorer = (word)restore;
    action.mask[0] = action.mask[1] = 0;
    sys(RT_SIGACTION, number, &action, 0, 8);
}

static void t_catch(int number)
{
    t_action(number, (word)t_handler);
}

/* A child of the leader's, in a process group of its own: in the background. */
static void t_background(const char *what, int (*run)(void), int ignores, int wake)
{
    int pid = sys(FORK), status = 0, own = sys(GETPID);

    if (!pid) {
        sys(SETPGID, 0, 0);
        t_action(22, 0);
        if (ignores)
            t_action(ignores, 1);
        sys(EXIT, run());
    }
    sys(SETPGID, pid, pid);
    sys(WAIT4, pid, &status, 2, 0);
    say(what, status);
    if ((status & 0xff) != 0x7f)
        return;
    if (wake)
        sys(IOCTL, t_slave, TIOCSPGRP, &pid);
    sys(KILL, -pid, wake ? 18 : 9);
    sys(WAIT4, pid, &status, 0, 0);
    say("then", status);
    if (wake)
        say("back", sys(IOCTL, t_slave, TIOCSPGRP, &own));
}

static int t_reads(void) { char b[4]; return sys(READ, t_slave, b, 4) == 3 ? 33 : 1; }
static int t_reads_error(void) { char b[4]; return -sys(READ, t_slave, b, 4); }
static int t_sets(void) { sys(IOCTL, t_slave, TCGETS, &t_set); return sys(IOCTL, t_slave, TCSETS, &t_set) == 0 ? 34 : 2; }
static int t_writes(void) { return sys(WRITE, t_slave, "x", 1) == 1 ? 35 : 2; }

static int t_leads(int ready)
{
    u32 number = 0, size[2];
    int own = sys(GETPID), fd;
    char b[16];

    say("take, leading nothing", sys(IOCTL, t_slave, TIOCSCTTY, 0));
    say("a new session", sys(SETSID) == own);
    say("none of its own", sys(OPEN, "/dev/tty", O_RDWR));
    fd = sys(OPEN, "/dev/pts/0", O_RDWR);
    say("session", (sys(IOCTL, fd, TIOCGSID, &number), number == (u32)own));
    say("foreground", (sys(IOCTL, fd, TIOCGPGRP, &number), number == (u32)own));
    say("foreground of the master", (sys(IOCTL, t_master, TIOCGPGRP, &number), number == (u32)own));
    sys(CLOSE, fd);
    say("take again", sys(IOCTL, t_slave, TIOCSCTTY, 0));
    fd = sane("own terminal", sys(OPEN, "/dev/tty", O_RDWR));
    say("settings", sys(IOCTL, fd, TCGETS, &t_set));
    sys(CLOSE, fd);
    say("foreground of nobody", (number = 4000000, sys(IOCTL, t_slave, TIOCSPGRP, &number)));
    say("foreground below 0", (number = ~0u - 5, sys(IOCTL, t_slave, TIOCSPGRP, &number)));
    t_catch(28);
    t_catch(2);
    t_catch(3);
    size[0] = 0x00500018;
    size[1] = 0;
    say("size", sys(IOCTL, t_master, TIOCSWINSZ, size));
    say("told", t_caught);
    say("the same size", sys(IOCTL, t_master, TIOCSWINSZ, size));
    say("not told", t_caught);
    say("size here", (size[0] = 0, sys(IOCTL, t_slave, TIOCGWINSZ, size), (int)size[0]));
    t_caught = 0;
    sys(WRITE, t_master, "ab\003", 3);
    t_ready(t_slave, 1);
    say("interrupt", t_caught);
    t_read("flushes", t_slave, 9);
    t_caught = 0;
    sys(WRITE, t_master, "\034\032", 2);
    t_ready(t_slave, 1);
    say("quit; a stop of nobody's job", t_caught);
    t_read("echo", t_master, 99);
    t_local(0, 0200);
    sys(WRITE, t_master, "ab\003\n", 4);
    t_ready(t_slave, 1);
    t_read("NOFLSH", t_slave, 9);
    t_read("echo", t_master, 99);
    t_local(0200, 0);
    t_local(1, 0);
    t_types("no ISIG", "\003\n");
    t_local(0, 1);
    sys(FCNTL64, t_slave, 4, 0);
    sys(WRITE, t_master, "ab\n", 3);
    t_action(22, 1); /* so that it may take the foreground back */
    t_background("reads in the background", t_reads, 0, 1);
    t_background("reads and ignores that", t_reads_error, 21, 0);
    t_background("sets", t_sets, 0, 1);
    t_background("sets and ignores that", t_sets, 22, 0);
    t_background("writes", t_writes, 0, 0);
    t_local(0, 0400);
    t_background("writes, TOSTOP", t_writes, 0, 0);
    t_local(0400, 0);
    say("put in a key", sys(IOCTL, t_slave, TIOCSTI, "k"));
    say("and its end", sys(IOCTL, t_slave, TIOCSTI, "\n"));
    say("read", (fd = sys(READ, t_slave, b, 9)) == 2 ? b[0] : fd);
    sys(WRITE, ready, "r", 1);
    sys(PAUSE);
    return 1;
}

/* The leader of a session ends; a child of it keeps the terminal open. */
static int t_ends(int ready, int go)
{
    char b[4];
    int pid;

    sys(SETSID);
    sys(CLOSE, t_slave);
    t_slave = sys(OPEN, "/dev/pts/0", O_RDWR | O_NONBLOCK);
    pid = sys(FORK);
    if (!pid) {
        t_catch(1);
        sys(WRITE, ready, "r", 1);
        while (!t_caught)
            sys(POLL, 0, 0, 100);
        sys(READ, go, b, 1);
        say("signal", t_caught);
        say("own terminal", sys(OPEN, "/dev/tty", O_RDWR));
        say("read", sys(READ, t_slave, b, 4));
        say("write", sys(WRITE, t_slave, "y", 1));
        say("settings", sys(IOCTL, t_slave, TCGETS, &t_set));
        say("poll", t_ready(t_slave, 5));
        say("open anew", (pid = sys(OPEN, "/dev/pts/0", O_RDWR | O_NOCTTY)) < 0 ? pid : 0);
        sys(WRITE, ready, "r", 1);
        sys(EXIT, 7);
    }
    sys(READ, go, b, 1);
    return 3;
}

static void t_sessions(void)
{
    int ready[2], go[2], pid;
    char b[4];

    t_open();
    sys(PIPE, ready);
    sys(PIPE, go);
    pid = sys(FORK);
    if (!pid)
        sys(EXIT, t_leads(ready[1]));
    sys(READ, ready[0], b, 1);
    say("no leader", sys(IOCTL, t_slave, TIOCSCTTY, 0));
    say("none of ours", sys(OPEN, "/dev/tty", O_RDWR));
    sys(CLOSE, t_slave);
    t_slave = -1;
    t_read("what was printed and echoed", t_master, 200);
    say("hung up by nobody else", sys(KILL, pid, 0));
    sys(CLOSE, t_master);
    /* the child holds the master too: it is closed when that one ends by a signal */
    sys(KILL, pid, 1);
    say("ends", child_status(pid));
    say("gone", sys(ACCESS, "/dev/pts/0", 0));
    t_open();
    pid = sys(FORK);
    if (!pid) {
        sys(CLOSE, t_master);
        sys(EXIT, t_ends(ready[1], go[0]));
    }
    sys(CLOSE, t_slave);
    t_slave = -1;
    sys(READ, ready[0], b, 1);
    sys(WRITE, t_master, "x", 1);
    sys(WRITE, go[1], "g", 1);
    say("the leader", child_status(pid));
    t_read("echo", t_master, 9);
    put("- its child\n");
    sys(WRITE, go[1], "g", 1);
    sys(READ, ready[0], b, 1);
    t_read("printed", t_master, 9);
    sys(FCNTL64, t_master, 4, 0);
    t_read("until all have closed it", t_master, 9);
    say("poll", t_ready(t_master, 1));
    sys(CLOSE, t_master);
    say("gone", sys(ACCESS, "/dev/pts/0", 0));
    sys(CLOSE, ready[0]);
    sys(CLOSE, ready[1]);
    sys(CLOSE, go[0]);
    sys(CLOSE, go[1]);
}

/* Closing the master: its other end is dead, and the session hears of it. */
static void t_hangs_up(void)
{
    int ready[2], pid;
    char b[4];

    sys(PIPE, ready);
    t_open();
    pid = sys(FORK);
    if (!pid) {
        sys(CLOSE, t_master);
        sys(SETSID);
        sys(IOCTL, t_slave, TIOCSCTTY, 0);
        t_catch(1);
        t_catch(18);
        sys(WRITE, ready[1], "r", 1);
        while (t_caught < 100)
            sys(POLL, 0, 0, 100);
        say("told", t_caught);
        say("own terminal", sys(OPEN, "/dev/tty", O_RDWR));
        sys(EXIT, 5);
    }
    sys(READ, ready[0], b, 1);
    sys(CLOSE, t_master);
    say("the leader", child_status(pid));
    say("read", sys(READ, t_slave, b, 4));
    say("write", sys(WRITE, t_slave, b, 1));
    say("settings", sys(IOCTL, t_slave, TCGETS, &t_set));
    say("foreground", sys(IOCTL, t_slave, TIOCSPGRP, &pid));
    say("poll", t_ready(t_slave, 5));
    say("name", sys(ACCESS, "/dev/pts/0", 0));
    say("a new one has another number", (t_master = sys(OPEN, "/dev/ptmx", O_RDWR | O_NOCTTY), sys(IOCTL, t_master, TIOCGPTN, b), b[0]));
    t_close();
    t_open();
    say("a master alone", t_ready(t_master, 5));
    sys(CLOSE, t_slave);
    t_slave = -1;
    say("nobody there any more", t_ready(t_master, 1));
    t_read("read", t_master, 4);
    t_slave = sys(OPEN, "/dev/pts/0", O_RDWR | O_NOCTTY | O_NONBLOCK);
    t_read("somebody again", t_master, 4);
    t_close();
    sys(CLOSE, ready[0]);
    sys(CLOSE, ready[1]);
}

/* Groups: who may be put into one, and what becomes of one that is nobody's job any more. */
static void t_groups(void)
{
    char *arguments[3];
    u32 info[32];
    int ready[2], pid, job, own = sys(GETPID);
    char b[4];

    pid = sys(FORK);
    if (!pid) {
        arguments[0] = self;
        arguments[1] = "child";
        arguments[2] = 0;
        sys(EXECVE, "/proc/self/exe", arguments, arguments + 2);
        sys(EXIT, 3);
    }
    sys(WAITID, 1, pid, info, 4 | 0x1000000, 0);
    say("a group for who has executed", sys(SETPGID, pid, pid));
    say("ends", child_status(pid));
    sys(PIPE, ready);
    pid = sys(FORK);
    if (!pid) {
        sys(SETSID);
        say("a group of a leader", sys(SETPGID, 0, 0));
        job = sys(FORK);
        if (!job) {
            say("a group that is none", sys(SETPGID, 0, 4000000));
            say("a group of another session", sys(SETPGID, 0, own));
            sys(SETPGID, 0, 0);
            pid = sys(FORK);
            if (!pid) {
                t_caught = 0;
                t_catch(1);
                t_catch(18);
                sys(KILL, sys(GETPID), 19);
                say("stopped, and then nobody's job", t_caught);
                sys(WRITE, ready[1], "d", 1);
                sys(EXIT, 0);
            }
            sys(WAIT4, pid, 0, 2, 0);
            sys(EXIT, 0);
        }
        child_status(job);
        sys(READ, ready[0], b, 1);
        sys(EXIT, 6);
    }
    say("ends", child_status(pid));
    sys(CLOSE, ready[0]);
    sys(CLOSE, ready[1]);
}

static void jobs(void)
{
    section("jobs");
    t_sessions();
    t_hangs_up();
    t_groups();
}
