/* queues.c: real-time signals come as often as they were sent, in their order, with what was sent along; others come once. */

static volatile int queues_caught;

static void queues_handler(int number)
{
    queues_caught = queues_caught * 10 + number % 10;
}

static int queues_send(int number, u32 value)
{
    u32 info[32];

    fill(info, 0, sizeof info);
    info[0] = (u32)number;
    info[2] = (u32)-1; /* SI_QUEUE */
    info[3] = (u32)sys(GETPID);
    info[4] = (u32)sys(GETUID);
    info[5] = value;
    return sys(RT_SIGQUEUEINFO, sys(GETPID), number, info);
}

static void queues(void)
{
    struct { u32 handler, flags, restorer, mask[2]; } action;
    u32 set[2], none[2], time[2], info[32], bits[2];
    int i, n, pid;

    section("queues");
    action.handler = (u32)queues_handler;
    action.flags = 0x04000000;
    action.restorer = (u32)restore;
    action.mask[0] = action.mask[1] = ~0u;
    set[0] = 1 << 9;
    set[1] = 7 << 8; /* 10, 41, 42, 43 */
    none[0] = none[1] = 0;
    time[0] = time[1] = 0;
    sys(RT_SIGPROCMASK, 0, set, 0, 8);
    for (i = 41; i <= 43; i++)
        sys(RT_SIGACTION, i, &action, 0, 8);
    sys(RT_SIGACTION, 10, &action, 0, 8);
    for (i = 1; i <= 3; i++)
        say("send", queues_send(42, (u32)i * 11));
    say("and by kill", sys(KILL, sys(GETPID), 42));
    say("a lower one", queues_send(41, 5));
    for (i = 0; i < 6; i++) {
        fill(info, 0, sizeof info);
        n = say("taken", sys(RT_SIGTIMEDWAIT, set, info, time, 8));
        if (n > 0)
            say("with", (int)info[2] * 1000 + (int)info[5]);
    }
    for (i = 0; i < 3; i++) {
        sys(KILL, sys(GETPID), 43);
        sys(KILL, sys(GETPID), 41);
        sys(KILL, sys(GETPID), 10);
        sys(TGKILL, sys(GETPID), sys(GETTID), 42);
    }
    say("pending", (sys(RT_SIGPENDING, bits, 8), (int)(bits[0] & set[0]) * 16 + (int)(bits[1] >> 8)));
    pid = sys(FORK);
    if (!pid)
        sys(EXIT, (sys(RT_SIGPENDING, bits, 8), (bits[0] & set[0]) | bits[1]) ? 1 : sys(RT_SIGTIMEDWAIT, set, info, time, 8) == -11 ? 0 : 2);
    say("a child has none", child_status(pid));
    for (i = 0; i < 20 && sys(RT_SIGPENDING, bits, 8) == 0 && bits[1] >> 8; i++) {
        queues_caught = 0;
        n = sys(RT_SIGTIMEDWAIT, set, info, time, 8);
        if (n > 0)
            say("next", n);
    }
    say("none left", sys(RT_SIGTIMEDWAIT, set, info, time, 8));
    for (i = 0; i < 3; i++)
        sys(KILL, sys(GETPID), 42);
    queues_caught = 0;
    sys(RT_SIGPROCMASK, 1, set, 0, 8);
    say("handled", queues_caught);
    sys(RT_SIGPROCMASK, 0, set, 0, 8);
    for (i = 0; i < 3; i++)
        sys(KILL, sys(GETPID), 42);
    action.handler = 1;
    sys(RT_SIGACTION, 42, &action, 0, 8);
    action.handler = (u32)queues_handler;
    sys(RT_SIGACTION, 42, &action, 0, 8);
    say("forgotten when ignored", sys(RT_SIGTIMEDWAIT, set, info, time, 8));
    say("not to be named as the kernel", (info[2] = 0x80, sys(RT_SIGQUEUEINFO, sys(GETPPID), 42, info)));
    sys(RT_SIGPROCMASK, 2, none, 0, 8);
}
