/* places.c: the working directory. */

static void places(void)
{
    char text[4200];
    int fd, n;

    section("places");
    sys(MKDIR, "p", 0755);
    n = sys(GETCWD, text, sizeof text);
    say("getcwd length", n == (int)length(text) + 1);
    say("getcwd small", sys(GETCWD, text, 2));
    say("getcwd bad pointer", sys(GETCWD, BAD, 4000));
    fd = sane("open .", sys(OPEN, ".", O_RDONLY | O_DIRECTORY));
    say("chdir", sys(CHDIR, "p"));
    say("getcwd longer by", sys(GETCWD, text, sizeof text) - n);
    say("openat", sane("openat relative", sys(OPENAT, fd, "p", O_RDONLY)) < 0);
    say("openat bad", sys(OPENAT, 99, "p", O_RDONLY));
    say("rmdir where one stands", sys(RMDIR, "../p"));
    say("getcwd then", sys(GETCWD, text, sizeof text));
    say("create there", sys(OPEN, "x", O_CREAT | O_WRONLY, 0644));
    say("open . there", sys(OPEN, ".", O_RDONLY) < 0);
    say("fchdir", sys(FCHDIR, fd));
    say("fchdir bad", sys(FCHDIR, 99));
    say("chdir to a file", (sys(CLOSE, make("q", "", 0644)), sys(CHDIR, "q")));
    say("chdir missing", sys(CHDIR, "missing"));
    say("openat from a file", (fd = sys(OPEN, "q", O_RDONLY), sys(OPENAT, fd, "x", O_RDONLY)));
    say("chroot", sys(CHROOT, "."));
    sys(UNLINK, "q");
    for (n = 3; n < 20; n++)
        sys(CLOSE, n);
}
