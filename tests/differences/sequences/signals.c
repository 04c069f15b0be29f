/* signals.c: handlers that tell, masks, what is pending, who gets it. */

enum { RT_SIGTIMEDWAIT = 177, RT_SIGQUEUEINFO = 178, SIGRETURN = 119 };

static char other_stack[8192];

static int on_other_stack(const void *local)
{
    return (const char *)local >= other_stack && (const char *)local < other_stack + sizeof other_stack;
}

static void plain_handler(int number)
{
    tell("  signal %d%s", number, on_other_stack(&number) ? " there" : "");
}

static void info_handler(int number, const u32 *info, const void *context)
{
    (void)context;
    tell("  signal %d code %d value %d%s", number, info[2], info[2] == (u32)-1 || number == 17 ? info[5] : 0, on_other_stack(&number) ? " there" : "");
}

/* The frame holds the registers behind the number: eax is the twelfth, eip the fifteenth. */
static void fault_handler(int number, u32 first)
{
    u32 *frame = &first;

    if (frame[14] < (u32)peek || frame[14] >= (u32)peek_end) {
        tell("a fault of the sequence's own: %d", number);
        sys(EXIT_GROUP, 99);
    }
    frame[11] = (u32)(-1 - number);
    frame[14] = (u32)peek_faults;
}

/* As sigaction(2): what to do at a signal. */
static int action(int number, void *handler, u32 flags, u32 mask)
{
    struct { void *handler; u32 flags; void *restorer; u32 mask[2]; } a;

    a.handler = handler;
    a.flags = flags | 0x04000000;
    a.restorer = flags & 4 ? (void *)restore_info : (void *)restore;
    a.mask[0] = mask;
    a.mask[1] = 0;
    return sys(RT_SIGACTION, number, &a, 0, 8);
}

static const u8 numbers[] = { 10, 12, 14, 15, 17, 13, 23, 34, 35, 40 };

static int any_signal(void)
{
    return numbers[draw(sizeof numbers)];
}

/* What a thread is sent, and its process, under the same number at once, has one origin on some kernels (docs/refusals.md): each has numbers of its own. */
static int any_signal_of(int thread)
{
    static const u8 to_thread[] = { 10, 14, 23, 34 }, to_process[] = { 12, 15, 13, 35, 40 };

    return thread ? to_thread[draw(sizeof to_thread)] : to_process[draw(sizeof to_process)];
}

static void begin_signals(void)
{
    u32 i;

    action(11, fault_handler, 0, 0);
    action(7, fault_handler, 0, 0);
    for (i = 0; i < sizeof numbers; i++)
        action(numbers[i], plain_handler, 0, 0);
}

/* All are held back, while another has its turn; and as they were. */
static void hold(u32 *mask)
{
    u32 all[2] = { ~0u, ~0u };

    sys(RT_SIGPROCMASK, 2, all, mask, 8);
}

static void release(const u32 *mask)
{
    sys(RT_SIGPROCMASK, 2, mask, 0, 8);
}

static void op_action(void)
{
    int number = any_signal(), r;
    u32 flags = (one_in(3) ? 4 : 0) | (one_in(8) ? 0x80000000u : 0) | (one_in(6) ? 0x40000000 : 0) | (one_in(4) ? 0x08000000 : 0), mask = draw(1u << 28) & 0x416600 & ~(1u << 10);

    if (one_in(10))
        r = action(number, (void *)(number == 17 || number == 23 ? draw(2) : one_in(3) ? 0 : 1), 0, 0);
    else
        r = action(number, flags & 4 ? (void *)info_handler : (void *)plain_handler, flags, mask);
    tell("action %d %x %x = %d", number, flags, mask, r);
}

static void op_mask(void)
{
    u32 set[2], old[2];
    int how = (int)draw(3), r;

    set[0] = set[1] = 0;
    for (r = 0; r < 3; r++) {
        int number = any_signal();
        set[(number - 1) >> 5] |= 1u << ((number - 1) & 31);
    }
    r = sys(RT_SIGPROCMASK, how, set, old, 8);
    tell("mask %d %x %x = %d, was %x %x", how, set[0], set[1], r, old[0], old[1]);
}

static void op_pending(void)
{
    u32 set[2], info[32], time[2] = { 0, 0 };
    int r;

    if (one_in(2)) {
        r = sys(RT_SIGPENDING, set, 8);
        tell("pending = %d %x %x", r, set[0], set[1]);
        return;
    }
    set[0] = 0x0041760a & ~0x40u & ~0x10u;
    set[1] = 0x000000ff;
    r = sys(RT_SIGTIMEDWAIT, set, info, time, 8);
    tell("taken %d code %d value %d", r, r > 0 ? info[2] : 0, r > 0 && info[2] == (u32)-1 ? info[5] : 0);
}

static void op_kill(void)
{
    u32 info[32];
    int how = (int)draw(4), number = one_in(12) ? 0 : any_signal_of(how < 2), who = sys(GETPID), r;

    switch (how) {
    case 0:
        tell("tgkill %d = %d", number, sys(TGKILL, who, sys(GETTID), number));
        break;
    case 1:
        tell("tgkill the first %d = %d", number, sys(TGKILL, who, who, number));
        break;
    case 2:
        fill(info, 0, sizeof info);
        info[2] = (u32)-1;
        info[5] = draw(1000);
        r = sys(RT_SIGQUEUEINFO, who, number, info);
        tell("queue %d %d = %d", number, info[5], r);
        break;
    default:
        tell("kill %d = %d", number, sys(KILL, who, number));
    }
}

static void op_stack(void)
{
    u32 stack[3], old[3];
    int r;

    stack[0] = (u32)other_stack;
    stack[1] = one_in(4) ? 2 : one_in(10) ? 9 : 0;
    stack[2] = one_in(8) ? 100 : sizeof other_stack;
    r = sys(SIGALTSTACK, stack, old);
    tell("sigaltstack %d %d = %d, was %d %d", stack[1], stack[2], r, r ? 0 : old[1], r ? 0 : old[2]);
}
