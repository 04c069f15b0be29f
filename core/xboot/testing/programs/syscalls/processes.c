/* processes.c: fork, wait, exec, and what a process asks about itself. */

static int run(const char *path, const char *first, const char *second)
{
    const char *argv[4], *envp[2];
    int pid;

    argv[0] = first;
    argv[1] = second;
    argv[2] = 0;
    envp[0] = "HOME=/nowhere";
    envp[1] = 0;
    pid = sys(FORK);
    if (!pid) {
        pid = sys(EXECVE, path, argv, envp);
        sys(EXIT, -pid & 127);
    }
    return child_status(pid) >> 8;
}

static void processes(void)
{
    int pid, status, i, fd;
    char text[10];
    static const char script[] = "#!interpreter\n";
    u32 names[98];

    section("processes");
    pid = sys(FORK);
    if (!pid)
        sys(EXIT, 300);
    say("exit status has 8 bits", child_status(pid));
    say("wait without children", sys(WAITPID, -1, &status, 0));
    say("wait for a stranger", sys(WAITPID, 1, &status, 0));
    say("wait4 options", sys(WAIT4, -1, &status, 0x10000, 0));
    pid = sys(FORK);
    if (!pid) {
        sys(PAUSE);
        sys(EXIT, 0);
    }
    say("WNOHANG", sys(WAITPID, pid, &status, 1));
    sys(KILL, pid, 9);
    say("wait bad pointer", sys(WAITPID, pid, BAD, 0));
    sys(WAITPID, pid, 0, 0);
    for (i = 0; i < 20; i++) {
        pid = sys(FORK);
        if (!pid)
            sys(EXIT_GROUP, i);
        if (child_status(pid) != i << 8)
            break;
    }
    say("twenty children", i);
    say("vfork", child_status(vfork_and_exit()));
    pid = sys(CLONE, 17, 0, 0, 0, 0);
    if (!pid)
        sys(EXIT, 11);
    say("clone", child_status(pid));
    say("clone NEWPID", sys(CLONE, 0x20000011, 0, 0, 0, 0));
    say("exec", run(self, "syscalls", "exec"));
    say("exec missing", run("missing", "x", 0));
    say("exec directory", run(".", "x", 0));
    fd = make("notexec", "hello", 0644);
    sys(CLOSE, fd);
    say("exec without x", run("./notexec", "x", 0));
    sys(CHMOD, "notexec", 0755);
    say("exec of text", run("./notexec", "x", 0));
    fd = make("empty", "", 0755);
    sys(CLOSE, fd);
    say("exec of nothing", run("./empty", "x", 0));
    fd = make("badelf", "\177ELF\1\1\1", 0755);
    sys(CLOSE, fd);
    say("exec of a stub of ELF", run("./badelf", "x", 0));
    fd = make("script", script, 0755);
    sys(CLOSE, fd);
    say("script without interpreter", run("./script", "x", 0));
    fd = make("script", "#!", 0755);
    sys(WRITE, fd, self, length(self));
    sys(WRITE, fd, " script\n", 8);
    sys(CLOSE, fd);
    say("script", run("./script", "x", "y"));
    say("exec bad pointer", sys(EXECVE, BAD, 0, 0));
    say("exec bad argv", sys(EXECVE, self, BAD, 0));
    sys(UNLINK, "notexec");
    sys(UNLINK, "empty");
    sys(UNLINK, "badelf");
    sys(UNLINK, "script");
    say("setsid of a leader's child", (pid = sys(FORK)) ? child_status(pid) : sys(EXIT, sys(SETSID) == sys(GETPID)));
    say("setpgid stranger", sys(SETPGID, 99999, 0));
    say("uname", sys(UNAME, names));
    say("is Linux", same(names, "Linux", 6));
    say("uname bad pointer", sys(UNAME, BAD));
    say("prctl unknown", sys(PRCTL, 9999, 0, 0, 0, 0));
    say("getrandom", sys(GETRANDOM, text, 10, 0));
    say("getrandom bad pointer", sys(GETRANDOM, BAD, 10, 0));
    say("getrandom flags", sys(GETRANDOM, text, 10, 99));
    say("unknown call", sys(9999));
    say("call -1", sys(-1));
}
