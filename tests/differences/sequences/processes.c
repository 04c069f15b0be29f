/* processes.c: children, programs that begin anew, partners and threads. Only one of a sequence runs at a time: who has no turn waits in a read or at a futex, with
   all signals held back. So there is one order, on every kernel. */

static void steps(u32 count);
static void begin_signals(void);

/* ---- children that are waited for ---- */

static void begin_child(u32 begins);

static void end_child(void)
{
    u32 how = draw(8);

    if (how == 0) {
        sys(KILL, sys(GETPID), 9);
    } else if (how == 1) {
        action(15, 0, 0, 0);
        sys(KILL, sys(GETPID), 15);
    }
    sys(EXIT_GROUP, draw(256));
}

static void op_fork(void)
{
    u32 mask[2], begins = another_state();
    int pid, status = -1, r, stops = one_in(6);

    if (depth >= 2)
        return;
    if (stops)
        hold(mask);
    pid = sys(FORK);
    if (!pid) {
        if (stops) {
            release(mask);
            sys(KILL, sys(GETPID), 19);
        }
        begin_child(begins);
        steps(1 + draw(8));
        end_child();
    }
    if (pid < 0) {
        tell("fork = %d", pid);
        return;
    }
    if (stops) {
        r = sys(WAIT4, pid, &status, 2, 0);
        tell("stopped %d %x, again %d", r == pid, status, sys(WAIT4, pid, &status, 3, 0));
        sys(KILL, pid, 18);
        r = sys(WAIT4, pid, &status, 0, 0);
        release(mask);
    } else {
        r = sys(WAIT4, pid, &status, 0, 0);
        if (r == -4) { /* by a handler: it is still there */
            tell("wait = %d", r);
            r = sys(WAIT4, pid, &status, 0, 0);
        }
    }
    tell("child %d status %x, then %d", r == pid ? 0 : r, status & ~0x80, sys(WAIT4, -1, &status, 1, 0) == pid);
}

/* ---- exec: the same program, told where to go on ---- */

static u32 to_number(const char *s)
{
    u32 n = 0;

    while (*s >= '0' && *s <= '9')
        n = n * 10 + (u32)(*s++ - '0');
    return n;
}

static void op_exec(void)
{
    char words[2][12], *argv[5], *envp[1];
    u32 begins = another_state();
    int pid, status = -1, r;

    if (depth >= 2)
        return;
    pid = sys(FORK);
    if (!pid) {
        begin_child(begins);
        words[0][put_digits(words[0], begins, 10)] = 0;
        words[1][put_digits(words[1], depth, 10)] = 0;
        argv[0] = self;
        argv[1] = "-x";
        argv[2] = words[0];
        argv[3] = words[1];
        argv[4] = envp[0] = 0;
        tell("exec = %d", sys(EXECVE, self, argv, envp));
        sys(EXIT_GROUP, 98);
    }
    do
        r = sys(WAIT4, pid, &status, 0, 0);
    while (r == -4);
    tell("program %d status %x", r == pid ? 0 : r, status & ~0x80);
}

/* What a program finds that begins in the middle of a sequence. */
static void goes_on(char **argv)
{
    u32 old[2], set[2], ignored = 0, i, words[5];
    int fd, r;

    state = to_number(argv[2]);
    depth = to_number(argv[3]);
    for (fd = 3; fd < 32; fd++) {
        r = sys(FCNTL64, fd, 1);
        if (r >= 0) {
            opened |= 1u << fd;
            tell("  has %d %d", fd, r);
        }
    }
    sys(RT_SIGPROCMASK, 0, 0, old, 8);
    sys(RT_SIGPENDING, set, 8);
    for (i = 0; i < sizeof numbers; i++) {
        sys(RT_SIGACTION, numbers[i], 0, words, 8);
        ignored = ignored * 2 + (words[0] == 1);
    }
    tell("program: masked %x %x pending %x %x ignored %x", old[0], old[1], set[0], set[1], ignored);
    look_at_arena();
    begin_signals();
    steps(1 + draw(6));
    sys(EXIT_GROUP, draw(256));
}

/* ---- partners: processes that take turns ---- */

#define PARTNERS 2

static int is_partner;
static int partners[PARTNERS]; /* their numbers; 0: none */

#define TO(i) (TURNS + 4 * (i))     /* the first writes here, */
#define TURN(i) (TURNS + 4 * (i) + 1) /* the partner reads it there, */
#define BACK(i) (TURNS + 4 * (i) + 2) /* and says here that it has done, */
#define DONE(i) (TURNS + 4 * (i) + 3) /* which the first reads there */

static void move_pipe(int to_write, int to_read)
{
    int p[2] = { -1, -1 };

    if (sys(PIPE, p))
        tell("no pipe");
    sys(DUP2, p[0], to_read);
    sys(DUP2, p[1], to_write);
    sys(CLOSE, p[0]);
    sys(CLOSE, p[1]);
}

static void be_partner(u32 i, u32 *mask)
{
    int n;

    is_partner = 1;
    for (n = TURNS; n < TURNS + 4 * PARTNERS; n++)
        if (n != TURN(i) && n != BACK(i))
            sys(CLOSE, n);
    while (sys(READ, TURN(i), &state, 4) == 4) {
        release(mask);
        steps(1 + draw(4));
        hold(mask);
        sys(WRITE, BACK(i), "", 1);
    }
    sys(EXIT_GROUP, 7);
}

static void end_partner(u32 i)
{
    int status = -1, r;

    sys(CLOSE, TO(i));
    r = sys(WAIT4, partners[i], &status, 0, 0);
    sys(CLOSE, DONE(i));
    tell("partner %d ends %d %x", i, r == partners[i] ? 0 : r, status & ~0x80);
    partners[i] = 0;
}

static void op_partner(void)
{
    u32 i = draw(PARTNERS), mask[2], begins = another_state(), what = draw(8);
    char byte;

    if (depth)
        return;
    hold(mask);
    if (!partners[i]) {
        move_pipe(TO(i), TURN(i));
        move_pipe(BACK(i), DONE(i));
        partners[i] = sys(FORK);
        if (!partners[i]) {
            begin_child(begins);
            be_partner(i, mask);
        }
        sys(CLOSE, TURN(i));
        sys(CLOSE, BACK(i));
        tell("partner %d = %d", i, partners[i] < 0 ? partners[i] : 0);
    }
    if (what == 0) {
        end_partner(i);
    } else if (what == 1) {
        sys(KILL, partners[i], 9);
        end_partner(i);
    } else {
        if (what == 2) {
            int number = any_signal_of(0);
            tell("kill partner %d %d = %d", i, number, sys(KILL, partners[i], number));
        }
        sys(WRITE, TO(i), &begins, 4);
        if (sys(READ, DONE(i), &byte, 1) != 1)
            end_partner(i); /* it has been killed */
    }
    release(mask);
}

static void op_kill_parent(void)
{
    int number = any_signal_of(0);

    if (is_partner) /* else it runs while this one does */
        tell("kill the parent %d = %d", number, sys(KILL, sys(GETPPID), number));
}

/* ---- threads ---- */

#define THREADS 2
#define THREAD 0x350f00u /* VM FS FILES SIGHAND THREAD SYSVSEM PARENT_SETTID CHILD_CLEARTID */

static struct { volatile int id, turn, back; u32 state, mask[2]; } threads[THREADS];
static char thread_stacks[THREADS][32768];
static int in_thread; /* that one has its turn */

static int be_thread(int i)
{
    for (;;) {
        while (!threads[i].turn)
            sys(FUTEX, &threads[i].turn, 0, 0, 0);
        if (threads[i].turn == 2)
            return 0;
        threads[i].turn = 0;
        in_thread = 1;
        state = threads[i].state;
        release(threads[i].mask);
        steps(1 + draw(4));
        hold(threads[i].mask);
        in_thread = 0;
        threads[i].back = 1;
        sys(FUTEX, &threads[i].back, 1, 1);
    }
}

static void op_thread(void)
{
    u32 i = draw(THREADS), mask[2], own, ends = one_in(5);
    int r, id;

    if (in_thread)
        return;
    threads[i].state = another_state();
    own = another_state();
    hold(mask);
    if (!threads[i].id) {
        threads[i].turn = threads[i].back = 0;
        threads[i].mask[0] = mask[0];
        threads[i].mask[1] = mask[1];
        r = thread_clone(THREAD, thread_stacks[i] + sizeof thread_stacks[i], (int *)&threads[i].id, (int *)&threads[i].id, be_thread, (int)i);
        tell("thread %d = %d", i, r < 0 ? r : 0);
        if (r < 0) {
            release(mask);
            return;
        }
    }
    threads[i].turn = ends ? 2 : 1;
    sys(FUTEX, &threads[i].turn, 1, 1);
    if (ends) {
        while ((id = threads[i].id))
            sys(FUTEX, &threads[i].id, 0, id, 0);
        tell("thread %d ends", i);
    } else {
        while (!threads[i].back)
            sys(FUTEX, &threads[i].back, 0, 0, 0);
        threads[i].back = 0;
    }
    state = own;
    release(mask);
}

/* In a child: it has no threads and no partners. */
static void begin_child(u32 begins)
{
    u32 i;

    for (i = 0; i < THREADS; i++)
        threads[i].id = 0;
    for (i = 0; i < PARTNERS; i++)
        partners[i] = 0;
    in_thread = is_partner = 0;
    state = begins;
    depth++;
}
