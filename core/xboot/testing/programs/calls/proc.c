/* proc.c: /proc, as far as it is the same everywhere. */

static int proc_reads(const char *path, const char *wanted)
{
    static char text[4096];
    int fd = sys(OPEN, path, O_RDONLY), n;

    if (fd < 0)
        return fd;
    n = sys(READ, fd, text, sizeof text);
    sys(CLOSE, fd);
    return n < 0 ? n : (u32)n >= length(wanted) && same(text, wanted, length(wanted));
}

static void proc(void)
{
    char text[256], name[32] = "Name:\t"; /* and the first 15 characters of the program's name, and a line feed */
    int fd, n, p[2];

    for (n = length(self); n && self[n - 1] != '/'; n--)
        ;
    for (fd = 6; fd < 21 && self[n]; fd++)
        name[fd] = self[n++];
    name[fd] = '\n';
    section("proc");
    n = sys(READLINK, "/proc/self/exe", text, sizeof text);
    say("readlink exe", n > 0 && n < (int)sizeof text && same(text, self, n) && !self[n]);
    say("open exe", sys(CLOSE, sys(OPEN, "/proc/self/exe", O_RDONLY)));
    say("cmdline", proc_reads("/proc/self/cmdline", self));
    say("comm", proc_reads("/proc/self/comm", name + 6));
    say("status", proc_reads("/proc/self/status", name));
    say("maps", proc_reads("/proc/self/maps", "0"));
    say("stat", proc_reads("/proc/self/stat", ""));
    say("cpuinfo", proc_reads("/proc/cpuinfo", "processor\t: 0\n"));
    say("meminfo", proc_reads("/proc/meminfo", "MemTotal:"));
    say("stat of all", proc_reads("/proc/stat", "cpu "));
    say("version", proc_reads("/proc/version", "Linux version "));
    say("ostype", proc_reads("/proc/sys/kernel/ostype", "Linux\n"));
    say("missing", proc_reads("/proc/self/nothing", ""));
    say("a directory", proc_reads("/proc/self", ""));
    say("below a file", proc_reads("/proc/self/stat/x", ""));
    sys(PIPE, p);
    sys(WRITE, p[1], "abc", 3);
    fd = sys(OPEN, "/proc/self/fd/3", O_RDONLY);
    say("a pipe again", sys(READ, fd, text, 9));
    sys(CLOSE, fd);
    sys(CLOSE, p[0]);
    sys(CLOSE, p[1]);
    say("closed", sys(OPEN, "/proc/self/fd/3", O_RDONLY));
    say("make there", sys(MKDIR, "/proc/self/x", 0755));
    say("write version", sys(OPEN, "/proc/version", O_WRONLY));
    say("link from there", sys(LINK, "/proc/version", "x"));
    say("rename from there", sys(RENAME, "/proc/version", "x"));
    fd = sys(OPEN, "/proc/self/fd", O_RDONLY | O_DIRECTORY);
    for (n = 0; (p[0] = sys(GETDENTS64, fd, text, sizeof text)) > 0; )
        for (p[1] = 0; p[1] < p[0]; p[1] += *(u16 *)(text + p[1] + 16))
            n++;
    say("listed with . and ..", n >= 6);
    sys(CLOSE, fd);
    for (n = 10; n < 30; n++)
        sys(DUP2, 1, n);
    fd = sys(OPEN, "/proc/self/fd", O_RDONLY | O_DIRECTORY); /* a name's place is the number's: what is closed meanwhile hides no other */
    while ((p[0] = sys(GETDENTS64, fd, text, 64)) > 0)
        for (p[1] = 0; p[1] < p[0]; p[1] += *(u16 *)(text + p[1] + 16))
            if (text[p[1] + 20] && text[p[1] + 19] != '.')
                sys(CLOSE, (text[p[1] + 19] - '0') * 10 + text[p[1] + 20] - '0');
    sys(CLOSE, fd);
    for (fd = 0, n = 10; n < 30; n++)
        fd += !sys(CLOSE, n);
    say("left when what is listed is closed", fd);
}
