/* timers.c: timer_create and its kin, with signals that are blocked and taken by sigtimedwait; and a handler that ends a program's computing. */

enum { TIMER_CREATE = 259, TIMER_SETTIME = 260, TIMER_GETTIME = 261, TIMER_GETOVERRUN = 262, TIMER_DELETE = 263, TIMER_GETTIME64 = 408, TIMER_SETTIME64 = 409 };

static volatile int timers_rung;

static void timers_handler(int number)
{
    timers_rung = number;
}

static int timers_make(int clock, int how, int signal, int value, int thread, int *id)
{
    u32 event[16];

    fill(event, 0, sizeof event);
    event[0] = (u32)value;
    event[1 + WIDE] = (u32)signal;
    event[2 + WIDE] = (u32)how;
    event[3 + WIDE] = (u32)thread;
    return sys(TIMER_CREATE, clock, event, id);
}

/* First time and period in nanoseconds, less than a second each. */
static int timers_set(int id, int flags, u32 first, u32 every, word *old)
{
    word t[4] = { 0, every, 0, first };

    return sys(TIMER_SETTIME, id, flags, t, old);
}

static int timers_is_on(int id)
{
    word t[4];
    int error = sys(TIMER_GETTIME, id, t);

    return error ? error : (t[2] | t[3]) != 0;
}

/* The signal of the set that comes; info as siginfo has it: 2 code, then (on x86_64 one further) 3 timer, 4 overrun, 5 value. */
static int timers_take(u32 *set, u32 *info)
{
    word most[2] = { 50, 0 };

    fill(info, 0, 128);
    return sys(RT_SIGTIMEDWAIT, set, info, most, 8);
}

/* What came between the last look and the timer's end, as it may on a busy machine. */
static void timers_drop(u32 *set)
{
    word none[2] = { 0, 0 };

    while (sys(RT_SIGTIMEDWAIT, set, 0, none, 8) > 0)
        ;
}

static void timers(void)
{
    int a = -1, b = -1, c = -1;
    u32 set[2] = { 1u << 13 | 1u << 9, 1u << 7 }, info[32], wide[8]; /* SIGALRM, SIGUSR1, 40 */
    word t[4], old[4];
    struct { word handler, flags, restorer; u32 mask[2]; } action;

    section("timers");
    sys(RT_SIGPROCMASK, 0, set, 0, 8);
    say("without an event", sys(TIMER_CREATE, 1, 0, &a));
    say("number", a);
    say("off", timers_is_on(a));
    say("set", timers_set(a, 0, 1000000, 0, 0));
    say("SIGALRM comes", timers_take(set, info));
    say("code", (int)info[2]);
    say("timer", (int)info[3 + WIDE]);
    say("value", (int)info[5 + WIDE]);
    say("only once", timers_is_on(a));
    say("real-time signal", timers_make(0, 0, 40, 77, 0, &b));
    say("number", b);
    say("period", timers_set(b, 0, 10000000, 10000000, 0));
    t[0] = 0;
    t[1] = 100000000;
    sys(NANOSLEEP, t, 0);
    say("comes", timers_take(set, info));
    say("value", (int)info[5 + WIDE]);
    say("how often it was missed", (int)info[4 + WIDE] >= 8);
    say("told again", sys(TIMER_GETOVERRUN, b) == (int)info[4 + WIDE]);
    say("goes on", timers_is_on(b));
    say("comes", timers_take(set, info));
    say("stop", timers_set(b, 0, 0, 0, old));
    timers_drop(set);
    say("its period was", (int)old[1]);
    say("off", timers_is_on(b));
    fill(wide, 0, sizeof wide);
    wide[4] = 1000; /* a moment of 1970 */
    say("a moment gone", sys(TIMER_SETTIME64, b, 1, wide, 0));
    say("comes", timers_take(set, info));
    say("gettime64", sys(TIMER_GETTIME64, b, wide));
    say("off", (int)(wide[0] | wide[4] | wide[6]));
    say("no signal", timers_make(1, 1, 0, 0, 0, &c));
    say("set", timers_set(c, 0, 1000000, 0, 0));
    sys(NANOSLEEP, t, 0);
    say("it came, and nobody heard", timers_is_on(c));
    say("delete", sys(TIMER_DELETE, c));
    say("to a thread", timers_make(1, 4, 10, 5, sys(GETTID), &c));
    say("a number that nobody had", c);
    say("set", timers_set(c, 0, 1000000, 0, 0));
    say("comes", timers_take(set, info));
    say("value", (int)info[5 + WIDE]);
    int pid = sys(FORK);
    if (!pid)
        sys(EXIT, timers_is_on(a) == -22 ? 3 : 4);
    say("a child has none", child_status(pid));
    say("delete", sys(TIMER_DELETE, a));
    say("delete again", sys(TIMER_DELETE, a));
    say("deleted", timers_is_on(a));
    say("deleted", timers_set(a, 0, 1, 0, 0));
    say("deleted", sys(TIMER_GETOVERRUN, a));
    say("clock 99", timers_make(99, 1, 0, 0, 0, &a));
    say("a coarse clock", timers_make(6, 1, 0, 0, 0, &a));
    say("signal 0", timers_make(1, 0, 0, 0, 0, &a));
    say("signal 65", timers_make(1, 0, 65, 0, 0, &a));
    say("kind 9", timers_make(1, 9, 10, 0, 0, &a));
    say("nobody's thread", timers_make(1, 4, 10, 0, 99999, &a));
    say("bad event", sys(TIMER_CREATE, 1, BAD, &a));
    say("bad place", sys(TIMER_CREATE, 1, 0, BAD));
    say("bad time", timers_set(b, 0, 1000000000, 0, 0));
    say("no time", sys(TIMER_SETTIME, b, 0, 0, 0));
    say("bad pointer", sys(TIMER_SETTIME, b, 0, BAD, 0));
    say("gettime bad pointer", sys(TIMER_GETTIME, b, BAD));
    action.handler = (word)timers_handler;
    action.flags = 0x04000000;
    action.restorer = (word)restore;
    action.mask[0] = action.mask[1] = 0;
    sys(RT_SIGACTION, 10, &action, 0, 8);
    sys(RT_SIGPROCMASK, 1, set, 0, 8);
    timers_set(c, 0, 20000000, 0, 0);
    while (!timers_rung)
        ; /* no call: the signal comes all the same */
    say("whoever computes hears it", timers_rung);
    sys(TIMER_DELETE, b);
    sys(TIMER_DELETE, c);
}
