/* signals.c: handlers, masks, interrupted and restarted calls, faults, alarms. */

static volatile int handled, handled_at;

static void handler(int number)
{
    handled++;
    handled_at = number;
}

static void info_handler(int number, u32 *info, void *context)
{
    handled += (int)info[0];
    handled_at = number;
    (void)context;
}

static u32 heap[2048];
static struct { int fd; short events, revents; } polled;
static u32 on_other[8];

/* Runs on a stack of its own, and looks at it. */
static void stack_handler(int number)
{
    word other[3];

    (void)number;
    other[0] = (word)heap;
    other[1] = 0;
    other[2] = sizeof heap;
    on_other[0] = (word)&other - (word)heap < sizeof heap;
    on_other[1] = (u32)sys(SIGALTSTACK, other, 0);
    on_other[2] = (u32)sys(SIGALTSTACK, 0, other);
    on_other[3] = (u32)other[1];
}

struct action {
    void *handler;
    word flags;
    void *restorer;
    u64 mask;
};

static int act(int number, void *to, u32 flags)
{
    struct action a;

    a.handler = to;
    a.flags = flags | 0x04000000;
    a.restorer = flags & 4 ? (void *)restore_info : (void *)restore;
    a.mask = 0;
    return sys(RT_SIGACTION, number, &a, 0, 8);
}

static void signals(void)
{
    u64 set, old;
    word time[2];
    struct action a;
    int pid, p[2], n;
    word stack[3], left[2];
    char c;

    section("signals");
    say("sigaction", act(10, handler, 0));
    say("sigaction SIGKILL", act(9, handler, 0));
    say("sigaction 65", act(65, handler, 0));
    say("sigaction 0", act(0, handler, 0));
    say("sigaction bad pointer", sys(RT_SIGACTION, 10, BAD, 0, 8));
    say("sigaction size", sys(RT_SIGACTION, 10, 0, 0, 4));
    say("sigaltstack bad pointer", sys(SIGALTSTACK, BAD, 0));
    say("sigaltstack too small", (time[0] = 0, a.handler = 0, a.flags = 0, a.restorer = (void *)100, sys(SIGALTSTACK, &a, 0)));
    say("sigaction reads back", (sys(RT_SIGACTION, 10, 0, &a, 8), a.handler == (void *)handler));
    say("kill self", sys(KILL, sys(GETPID), 10));
    say("handled", handled);
    say("number", handled_at);
    act(12, info_handler, 4);
    say("tgkill", sys(TGKILL, sys(GETPID), sys(GETTID), 12));
    say("handled with info", handled);
    set = 1 << (10 - 1);
    say("block", sys(RT_SIGPROCMASK, 0, &set, &old, 8));
    say("nothing was blocked", (int)old);
    sys(KILL, sys(GETPID), 10);
    say("not handled", handled);
    say("pending", (sys(RT_SIGPENDING, &old, 8), (int)old));
    say("unblock", sys(RT_SIGPROCMASK, 1, &set, 0, 8));
    say("handled then", handled);
    say("sigprocmask how 9", sys(RT_SIGPROCMASK, 9, &set, 0, 8));
    say("sigprocmask bad pointer", sys(RT_SIGPROCMASK, 0, BAD, 0, 8));
    say("kill none", sys(KILL, 99999, 0));
    say("kill signal 65", sys(KILL, sys(GETPID), 65));
    say("kill 0 self", sys(KILL, sys(GETPID), 0));
    sys(PIPE, p);
    pid = sys(FORK);
    if (!pid) { /* interrupts its parent's read */
        time[0] = 0;
        time[1] = 30000000;
        sys(NANOSLEEP, time, 0);
        sys(KILL, sys(GETPPID), 10);
        sys(NANOSLEEP, time, 0);
        sys(WRITE, p[1], "x", 1);
        sys(EXIT, 0);
    }
    say("read interrupted", sys(READ, p[0], &c, 1));
    say("read after", sys(READ, p[0], &c, 1));
    child_status(pid);
    act(10, handler, 0x10000000);
    pid = sys(FORK);
    if (!pid) {
        time[0] = 0;
        time[1] = 30000000;
        sys(NANOSLEEP, time, 0);
        sys(KILL, sys(GETPPID), 10);
        sys(NANOSLEEP, time, 0);
        sys(WRITE, p[1], "y", 1);
        sys(EXIT, 0);
    }
    say("read restarted", sys(READ, p[0], &c, 1));
    child_status(pid);
    sys(CLOSE, p[0]);
    sys(CLOSE, p[1]);
    pid = sys(FORK);
    if (!pid)
        for (;;)
            sys(PAUSE);
    sys(KILL, pid, 15);
    say("killed by 15", child_status(pid));
    pid = sys(FORK);
    if (!pid)
        for (;;)
            ;
    sys(KILL, pid, 9);
    say("spinning, killed by 9", child_status(pid));
    pid = sys(FORK);
    if (!pid)
        *(volatile int *)16 = 1;
    say("bad write", child_status(pid) & 127);
    pid = sys(FORK);
    if (!pid)
        asm volatile("hlt");
    say("privileged instruction", child_status(pid) & 127);
    pid = sys(FORK);
    if (!pid)
        asm volatile("ud2");
    say("illegal instruction", child_status(pid) & 127);
    pid = sys(FORK);
    if (!pid)
        asm volatile("xor %%ecx, %%ecx\n\tdiv %%ecx" : : : "eax", "ecx", "edx");
    say("division by zero", child_status(pid) & 127);
    pid = sys(FORK);
    if (!pid)
        asm volatile("mov $0xf4, %%dx\n\tmov $0x31, %%al\n\toutb %%al, %%dx" : : : "eax", "edx");
    say("port output", child_status(pid) & 127);
    pid = sys(FORK);
    if (!pid)
        ((void (*)(void))(WIDE ? (word)-0x7f000000 : 0xc0100000))();
    say("jump into the kernel", child_status(pid) & 127);
    sys(ALARM, 1);
    say("alarm was set", sys(ALARM, 0));
    act(14, handler, 0);
    sys(ALARM, 1);
    handled = 0;
    say("pause", sys(PAUSE));
    say("alarm came", handled);
    set = 1 << (10 - 1);
    sys(RT_SIGPROCMASK, 0, &set, 0, 8);
    sys(KILL, sys(GETPID), 10);
    set = 0;
    say("sigsuspend", sys(RT_SIGSUSPEND, &set, 8));
    say("handled in it", handled);
    say("still blocked after", (sys(RT_SIGPROCMASK, 0, 0, &old, 8), (int)old));
    sys(RT_SIGPROCMASK, 2, &set, 0, 8);
    act(10, stack_handler, 0x08000000);
    stack[0] = (word)heap;
    stack[1] = 3;
    stack[2] = sizeof heap;
    say("sigaltstack of no kind", sys(SIGALTSTACK, stack, 0));
    stack[1] = 0;
    say("sigaltstack", sys(SIGALTSTACK, stack, 0));
    sys(KILL, sys(GETPID), 10);
    say("a handler runs on it", (int)on_other[0]);
    say("and cannot change it", (int)on_other[1]);
    say("but ask", (int)on_other[2]);
    say("it is on it", (int)on_other[3]);
    say("not afterwards", (sys(SIGALTSTACK, 0, stack), (int)stack[1]));
    stack[1] = 2;
    say("sigaltstack no more", (sys(SIGALTSTACK, stack, 0), sys(SIGALTSTACK, 0, stack), (int)stack[1]));
    act(14, handler, 0);
    for (n = 0; n < 4; n++) { /* nanosleep, clock_nanosleep; until a moment; with a bad pointer */
        word ring[4];

        time[0] = 600;
        time[1] = 7;
        left[0] = left[1] = 99;
        ring[0] = ring[2] = 0;
        ring[1] = ring[3] = 20000; /* us: again and again, so none can come too early */
        sys(SETITIMER, 0, ring, 0);
        if (n == 2) {
            sys(CLOCK_GETTIME, 1, time);
            time[0] += 600;
        }
        say("a sleep is interrupted", n == 0 ? sys(NANOSLEEP, time, left) : n == 1 ? sys(267, 1, 0, time, left) : n == 2 ? sys(267, 1, 1, time, left) : sys(NANOSLEEP, time, BAD));
        ring[1] = ring[3] = 0;
        sys(SETITIMER, 0, ring, 0);
        say("what is left is told", left[0] > 300 && left[0] < 600 && left[1] < 1000000000);
    }
    sys(PIPE, p);
    handled = 0;
    polled.revents = 0x55;
    pid = sys(FORK);
    if (!pid) { /* its handler runs while its parent polls: what that is told is none of the child's */
        word ring[4];

        sys(CLOSE, p[0]);
        ring[0] = ring[1] = ring[2] = 0; /* us: once */
        ring[3] = 300000;
        sys(SETITIMER, 0, ring, 0);
        sys(PAUSE);
        sys(EXIT, polled.revents == 0x55 && polled.fd == 0 ? handled : 9);
    }
    sys(CLOSE, p[1]);
    polled.fd = p[0];
    polled.events = 1;
    time[0] = 0;
    time[1] = 100000000; /* by now the child waits */
    sys(NANOSLEEP, time, 0);
    say("poll beside a handler", sys(POLL, &polled, 1, 10000));
    say("what it tells", polled.revents);
    say("the child's own stays", child_status(pid));
    sys(CLOSE, p[0]);
}
