/* terminals.c: pseudo-terminals: what is typed at the master and printed at the other end, lines and bytes, and the settings between them.
   What was typed or printed is shown as it comes out, control characters as ^X. Nothing waits for a moment: whoever looks has polled the other end before. */

enum {
    TCGETS = 0x5401, TCSETS, TCSETSW, TCSETSF, TCGETA, TCSETA, TCSETAW, TCSETAF, TCSBRK, TCXONC, TCFLSH, TIOCSCTTY = 0x540e, TIOCGPGRP, TIOCSPGRP, TIOCOUTQ, TIOCSTI, TIOCGWINSZ, TIOCSWINSZ,
    FIONREAD = 0x541b, TIOCLINUX, TIOCCONS, TIOCNOTTY = 0x5422, TIOCGSID = 0x5429, TIOCGPTPEER = 0x5441, TIOCGLCKTRMIOS = 0x5456, TIOCSLCKTRMIOS, O_NOCTTY = 0400
};

#define TIOCGPTN 0x80045430u
#define TIOCSPTLCK 0x40045431u

enum { T_MIN = 6, T_TIME = 5, T_EOL = 11 };

static struct { u32 input, output, control, local; u8 line, keys[19]; } t_set;
static int t_master, t_slave;

static int t_ready(int fd, int events)
{
    struct { int fd; short events, revents; } item;

    item.fd = fd;
    item.events = (short)events;
    item.revents = 0;
    return sys(POLL, &item, 1, 0) < 0 ? -1 : item.revents;
}

/* What is there, in brackets, or the error: one read; of the master as many as it takes, since Linux may hand on in pieces what was printed at once. */
static void t_read(const char *what, int fd, u32 room)
{
    u8 b[256];
    char one[3];
    int n, i, more;

    t_ready(t_slave, 1);
    n = sys(READ, fd, b, room);
    while (fd == t_master && n > 0 && (u32)n < room && (more = sys(READ, fd, b + n, room - (u32)n)) > 0)
        n += more;
    put(what);
    if (n < 0) {
        say("", n);
        return;
    }
    put(" = [");
    for (i = 0; i < n; i++) {
        one[0] = b[i] < 32 || b[i] == 127 ? '^' : (char)b[i];
        one[1] = b[i] < 32 || b[i] == 127 ? (char)(b[i] ^ 64) : 0;
        one[2] = 0;
        put(one);
    }
    put("]\n");
}

/* Typed at the master; what is read at the other end, and what was echoed. */
static void t_types(const char *what, const char *keys)
{
    put("- ");
    put(what);
    put("\n");
    sys(WRITE, t_master, keys, length(keys));
    t_read("read", t_slave, 200);
    t_read("echo", t_master, 200);
}

static void t_prints(const char *what, const char *text)
{
    sys(WRITE, t_slave, text, length(text));
    t_read(what, t_master, 200);
}

static void t_local(u32 off, u32 on)
{
    sys(IOCTL, t_slave, TCGETS, &t_set);
    t_set.local = (t_set.local & ~off) | on;
    sys(IOCTL, t_slave, TCSETS, &t_set);
}

static void t_input(u32 bits)
{
    t_set.input = bits;
    sys(IOCTL, t_slave, TCSETS, &t_set);
}

static void t_output(u32 bits)
{
    t_set.output = bits;
    sys(IOCTL, t_slave, TCSETS, &t_set);
}

static void t_bytes(int least, int tenths)
{
    t_set.keys[T_MIN] = (u8)least;
    t_set.keys[T_TIME] = (u8)tenths;
    sys(IOCTL, t_slave, TCSETS, &t_set);
}

/* A new pair; its ends do not wait. */
static void t_open(void)
{
    int zero = 0;

    t_master = sys(OPEN, "/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
    sys(IOCTL, t_master, TIOCSPTLCK, &zero);
    t_slave = sys(IOCTL, t_master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_NONBLOCK);
}

static void t_close(void)
{
    sys(CLOSE, t_slave);
    sys(CLOSE, t_master);
}

static void t_begins(void)
{
    u32 number = 99, i, sum = 0;
    int zero = 0, fd;

    t_slave = -1;
    say("ptmx", (fd = sys(OPEN, "/dev/ptmx", O_RDWR | O_NONBLOCK)) < 0 ? fd : 0);
    t_master = fd;
    say("number", (sys(IOCTL, t_master, TIOCGPTN, &number), (int)number));
    say("mode", (int)stat_word("/dev/pts/0", STAT_MODE));
    say("mine", stat_word("/dev/pts/0", STAT_UID) == (u32)sys(GETUID));
    say("device", (int)stat_word("/dev/pts/0", STAT_DEVICE));
    say("locked", sys(OPEN, "/dev/pts/0", O_RDWR | O_NOCTTY));
    say("locked, by the master", sys(IOCTL, t_master, TIOCGPTPEER, O_RDWR | O_NOCTTY));
    say("unlock", sys(IOCTL, t_master, TIOCSPTLCK, &zero));
    t_read("nobody at the other end yet", t_master, 9);
    t_slave = sane("open", sys(OPEN, "/dev/pts/0", O_RDWR | O_NOCTTY | O_NONBLOCK));
    say("flags", sys(FCNTL64, t_slave, 3) & ~0100000);
    say("no other", sys(OPEN, "/dev/pts/1", O_RDWR | O_NOCTTY));
    say("settings", sys(IOCTL, t_slave, TCGETS, &t_set));
    say("input", (int)t_set.input);
    say("output", (int)t_set.output);
    say("control", (int)t_set.control);
    say("local", (int)t_set.local);
    for (i = 0; i < 19; i++)
        sum = sum * 31 + t_set.keys[i];
    say("keys", (int)sum);
    say("settings of a master", sys(IOCTL, t_master, TCGETS, &t_set));
    say("settings to nowhere", sys(IOCTL, t_slave, TCGETS, BAD));
    say("number of the other end", sys(IOCTL, t_slave, TIOCGPTN, &number));
    say("seek", sys(LSEEK, t_slave, 0, 1));
    say("pread", sys(PREAD, t_slave, &number, 4, 0, 0));
    say("link", sys(LINK, "/dev/pts/0", "terminal"));
    say("unlink", sys(UNLINK, "/dev/pts/0"));
    say("console", sys(IOCTL, t_slave, TIOCCONS, 0));
    say("keys of another", sys(IOCTL, t_slave, TIOCSTI, "x"));
    say("screen", sys(IOCTL, t_slave, TIOCLINUX, "\2") );
    say("session", sys(IOCTL, t_slave, TIOCGSID, &number));
    say("foreground", sys(IOCTL, t_slave, TIOCGPGRP, &number));
    say("foreground of a master", sys(IOCTL, t_master, TIOCGPGRP, &number));
    say("is none", (int)number);
    say("session of a master", sys(IOCTL, t_master, TIOCGSID, &number));
    say("own terminal", sys(OPEN, "/dev/tty", O_RDWR));
}

/* Settings as System V has them, and locks on settings. */
static void t_old(void)
{
    u16 old[9];

    say("old settings", sys(IOCTL, t_slave, TCGETA, old));
    say("old input", old[0]);
    say("old output", old[1]);
    say("old control", old[2]);
    say("old local", old[3]);
    say("old line, and first key", old[4]);
    say("old settings of a master", sys(IOCTL, t_master, TCGETA, old));
    say("old settings to nowhere", sys(IOCTL, t_slave, TCGETA, BAD));
    old[0] ^= 02000;
    old[5] ^= 1;
    say("set", sys(IOCTL, t_slave, TCSETA, old));
    sys(IOCTL, t_slave, TCGETS, &t_set);
    say("input", (int)t_set.input);
    say("a key", t_set.keys[1]);
    say("a later one", t_set.keys[8]);
    old[0] ^= 02000;
    say("set when all is printed", sys(IOCTL, t_slave, TCSETAW, old));
    old[5] ^= 1;
    say("set with a flush", sys(IOCTL, t_slave, TCSETAF, old));
    say("set from nowhere", sys(IOCTL, t_slave, TCSETA, BAD));
    t_set.input = 7;
    say("locked settings", sys(IOCTL, t_slave, TIOCGLCKTRMIOS, &t_set));
    say("of input", (int)t_set.input);
    say("lock some", sys(IOCTL, t_slave, TIOCSLCKTRMIOS, &t_set));
    sys(IOCTL, t_slave, TCGETS, &t_set);
    say("input", (int)t_set.input);
    say("a key", t_set.keys[1]);
}

static void t_lines(void)
{
    char b[8];
    int n;

    t_read("nothing typed", t_slave, 9);
    t_types("a line", "ab\n");
    t_types("no line", "ab");
    t_types("its end", "c\r");
    t_types("erase", "abc\177\177d\n");
    t_types("erase nothing", "\177a\n");
    t_types("kill", "abc\025d\n");
    t_types("words", "ab cd_e  \027x\n");
    t_types("control characters", "a\001\002\177b\n");
    t_types("tabs", "ab\tc\t\177\177\177d\n");
    t_types("reprint", "ab\022c\n");
    t_types("literal", "a\026\003\026\177\026\n\n");
    t_types("end of file after some", "ab\004");
    t_types("end of file", "\004");
    t_types("two lines", "a\nb\n");
    t_read("the second", t_slave, 9);
    sys(WRITE, t_master, "abcd\n", 5);
    t_read("part", t_slave, 3);
    t_read("rest", t_slave, 3);
    sys(WRITE, t_master, "abc\004", 4);
    t_read("all before an end", t_slave, 3);
    t_read("no end is left", t_slave, 3);
    t_read("echo", t_master, 99);
    sys(WRITE, t_master, "abc\004", 4);
    t_ready(t_slave, 1);
    say("bytes before an end", (sys(IOCTL, t_slave, FIONREAD, &n), n));
    t_read("read", t_slave, 9);
    t_read("echo", t_master, 99);
    sys(WRITE, t_master, "ab\ncd", 5);
    t_ready(t_slave, 1);
    say("to be read", (sys(IOCTL, t_slave, FIONREAD, &n), n));
    say("to be printed", (sys(IOCTL, t_slave, TIOCOUTQ, &n), n));
    say("flush", sys(IOCTL, t_slave, TCFLSH, 0));
    say("flush what", sys(IOCTL, t_slave, TCFLSH, 7));
    t_read("flushed", t_slave, 9);
    t_read("echo", t_master, 99);
    say("drain", sys(IOCTL, t_slave, TCSBRK, 1));
    say("break", sys(IOCTL, t_slave, TCSBRK, 0));
    t_local(020, 0);
    t_types("no ECHOE", "ab\177\n");
    t_local(04000, 020);
    t_types("no ECHOKE", "ab\025c\n");
    t_local(01000, 0);
    t_types("no ECHOCTL", "a\001\177\177b\n");
    t_local(010, 0);
    t_types("no ECHO", "ab\177\n");
    t_local(0, 0100);
    t_types("ECHONL", "ab\n");
    t_local(0, 05010);
    t_set.keys[T_EOL] = ';';
    t_input(02400);
    t_types("another end", "ab;");
    t_input(02600);
    t_types("IGNCR", "a\rb\n");
    t_input(02100);
    t_types("INLCR", "a\nb;");
    t_input(02440);
    t_types("ISTRIP", "\341\342\n");
    t_input(02400);
    t_types("stop", "\023a\n");
    say("may print", t_ready(t_slave, 4) & 4);
    say("prints", sys(WRITE, t_slave, b, 1));
    t_types("go on", "\021");
    say("may print", t_ready(t_slave, 4) & 4);
    say("stop by call", sys(IOCTL, t_slave, TCXONC, 0));
    say("prints", sys(WRITE, t_slave, b, 1));
    say("go on by call", sys(IOCTL, t_slave, TCXONC, 1));
    say("send the key that stops", sys(IOCTL, t_slave, TCXONC, 2));
    t_read("it comes", t_master, 9);
    say("flow of what", sys(IOCTL, t_slave, TCXONC, 9));
}

static void t_prints_all(void)
{
    word pieces[4];

    t_output(5);
    t_prints("ONLCR", "a\nb\tc\001\n");
    t_output(1);
    t_prints("OPOST alone", "a\nb\n");
    t_output(014001);
    t_prints("tabs as spaces", "\rab\tc\n\r");
    t_output(013);
    t_prints("OCRNL", "a\rb\n");
    t_output(021);
    t_prints("ONOCR", "a\r\rb\r\n");
    t_output(043);
    t_prints("OLCUC, ONLRET", "aB1\n");
    t_output(0);
    t_prints("as it is", "a\n\t");
    t_output(5);
    pieces[0] = (word)"ab";
    pieces[1] = 2;
    pieces[2] = (word)"cd\n";
    pieces[3] = 3;
    say("two pieces", sys(WRITEV, t_slave, pieces, 2));
    t_read("both", t_master, 9);
    say("typed in two pieces", sys(WRITEV, t_master, pieces, 2));
    t_read("both", t_slave, 9);
    t_read("echo", t_master, 9);
    say("write nothing", sys(WRITE, t_slave, "", 0));
    say("write nowhere", sys(WRITE, t_slave, BAD, 4));
    say("read to nowhere", (sys(WRITE, t_slave, "ab", 2), sys(READ, t_master, BAD, 2)));
    t_read("it is still there", t_master, 9);
}

static void t_raw(void)
{
    int n;

    t_local(0100013, 0);
    t_input(0);
    t_bytes(1, 0);
    t_types("bytes", "a\177\003\r\n\004");
    t_read("nothing there", t_slave, 9);
    t_bytes(0, 0);
    t_read("least 0", t_slave, 9);
    t_bytes(3, 0);
    sys(WRITE, t_master, "ab", 2);
    say("two are not enough", t_ready(t_slave, 1) & 1);
    sys(WRITE, t_master, "c", 1);
    say("three are", t_ready(t_slave, 1) & 1);
    say("bytes there", (sys(IOCTL, t_slave, FIONREAD, &n), n));
    t_read("three", t_slave, 9);
    sys(WRITE, t_master, "ab", 2);
    t_read("two at once", t_slave, 9);
    sys(FCNTL64, t_slave, 4, 0);
    t_bytes(0, 1);
    t_read("nothing in a tenth", t_slave, 9);
    t_bytes(3, 1);
    sys(WRITE, t_master, "ab", 2);
    t_read("two, and nothing in a tenth", t_slave, 9);
    t_bytes(2, 0);
    sys(WRITE, t_master, "abcde", 5);
    t_read("no more than there is room for", t_slave, 4);
    t_bytes(1, 0);
    t_read("rest", t_slave, 4);
    sys(FCNTL64, t_slave, 4, O_NONBLOCK);
    t_local(0, 010);
    t_types("echo of bytes", "a\001\n\r");
    t_input(0400);
    t_types("of a return", "\r\n");
    sys(WRITE, t_master, "ab", 2);
    t_ready(t_slave, 1);
    t_input(02400);
    t_local(0, 0100013);
    t_read("bytes become a line", t_slave, 9);
    sys(WRITE, t_master, "cd", 2);
    t_ready(t_slave, 1);
    t_local(2, 0);
    t_read("and back", t_slave, 9);
    sys(WRITE, t_master, "ef", 2);
    t_ready(t_slave, 1);
    say("set with a flush", sys(IOCTL, t_slave, TCSETSF, &t_set));
    t_read("nothing", t_slave, 9);
    t_local(0, 2);
    t_read("echo", t_master, 99);
}

/* More than a terminal holds at once: its lines stay lines. */
static void t_dialogue(void)
{
    int i, whole = 0;
    u8 b[200];

    t_local(010, 2);
    sys(IOCTL, t_slave, TCFLSH, 2);
    for (i = 0; i < 1000; i++) {
        sys(WRITE, t_master, "0123456789\n", 11);
        t_ready(t_slave, 1);
        whole += sys(READ, t_slave, b, sizeof b) == 11;
    }
    say("of a thousand lines whole", whole);
    t_local(0, 012);
}

static u32 t_now(void)
{
    word t[2];

    sys(CLOCK_GETTIME, 1, t);
    return (u32)(t[0] * 1000 + t[1] / 1000000);
}

/* A read of bytes that waits with a time becomes one of lines: what comes after it waits as long as it is told to. */
static void t_time_ends(void)
{
    word pause[2] = { 0, 50000000 };
    u32 begin;
    u8 b[9];
    int pid, n;

    sys(FCNTL64, t_slave, 4, 0);
    t_local(2, 0);
    t_bytes(0, 100);
    pid = sys(FORK);
    if (!pid) {
        n = sys(READ, t_slave, b, sizeof b);
        begin = t_now();
        sys(NANOSLEEP, pause, 0);
        sys(EXIT, n == 2 && t_now() - begin >= 50 ? 7 : 1);
    }
    sys(NANOSLEEP, pause, 0);
    t_local(0, 2);
    sys(WRITE, t_master, "x\n", 2);
    say("a time ends with its call", child_status(pid));
}

static void terminals(void)
{
    section("terminals");
    t_begins();
    t_old();
    t_lines();
    t_prints_all();
    t_raw();
    t_dialogue();
    t_time_ends();
    t_close();
}
