/* at.c: the calls that take a folder and a name in it. */

static void at_names(void)
{
    char text[16];
    u32 s[STAT_WORDS];
    int d;

    section("at");
    sys(MKDIR, "at", 0755);
    d = sys(OPEN, "at", O_RDONLY | O_DIRECTORY);
    say("openat creates", sys(CLOSE, sys(OPENAT, d, "f", O_CREAT | O_WRONLY, 0600)));
    say("linkat", sys(LINKAT, d, "f", d, "g", 0));
    say("linkat flags", sys(LINKAT, d, "f", d, "h", 0x10));
    say("symlinkat", sys(SYMLINKAT, "f", d, "s"));
    say("linkat of a link", sys(LINKAT, d, "s", d, "s2", 0));
    say("readlinkat", sys(READLINKAT, d, "s2", text, 16));
    say("linkat follows", sys(LINKAT, d, "s", d, "f2", 0x400));
    say("fstatat64", sys(FSTATAT64, d, "f", s, 0));
    say("links", (int)s[STAT_LINKS]);
    say("fstatat64 nofollow", sys(FSTATAT64, d, "s", s, 0x100));
    say("mode", (int)s[STAT_MODE]);
    say("fchownat nofollow", sys(FCHOWNAT, d, "s", -1, sys(GETGID), 0x100));
    say("fchmodat", sys(FCHMODAT, d, "s", 0640));
    say("mode of target", (int)(sys(FSTATAT64, d, "f", s, 0), s[STAT_MODE]));
    say("faccessat", sys(FACCESSAT, d, "nothing", 0));
    say("renameat", sys(RENAMEAT, d, "g", AT_FDCWD, "at/k"));
    say("mkdirat absolute path ignores the descriptor", sys(MKDIRAT, 99, "/", 0755));
    say("unlinkat directory flag on a file", sys(UNLINKAT, d, "k", 0x200));
    say("unlinkat", sys(UNLINKAT, d, "k", 0));
    sys(UNLINKAT, d, "f", 0);
    sys(UNLINKAT, d, "f2", 0);
    sys(UNLINKAT, d, "s", 0);
    sys(UNLINKAT, d, "s2", 0);
    say("unlinkat directory", sys(UNLINKAT, AT_FDCWD, "at", 0x200));
    say("create in what is gone", sys(OPENAT, d, "x", O_CREAT | O_WRONLY, 0600));
    sys(CLOSE, d);
}
