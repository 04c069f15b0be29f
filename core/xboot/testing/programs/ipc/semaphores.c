/* semaphores.c: System V's sets of semaphores: changes that are made together or wait, in turn; what is undone, and what ends a wait. */

enum { GETPID_OF = 11, GETVAL = 12, GETALL = 13, GETNCNT = 14, GETZCNT = 15, SETVAL = 16, SETALL = 17, SEM_INFO = 19, NOWAIT = 04000, UNDO = 010000 };

static struct sem_change {
    u16 number;
    short change, flags;
} sem_many[501];

/* One change, by the call for all. */
static int sem_change(int id, int number, int change, int flags)
{
    struct sem_change one;

    one.number = (u16)number;
    one.change = (short)change;
    one.flags = (short)flags;
    return sys(IPC, 1, id, 1, 0, &one);
}

/* Two changes at once. */
static int sem_both(int id, int first, int change, int second, int other, int flags)
{
    struct sem_change two[2];

    two[0].number = (u16)first;
    two[0].change = (short)change;
    two[0].flags = 0;
    two[1].number = (u16)second;
    two[1].change = (short)other;
    two[1].flags = (short)flags;
    return sys(SEMTIMEDOP, id, two, 2, 0);
}

static int sem_values(int id)
{
    u16 v[3];
    int error = sys(SEMCTL, id, 0, GETALL, v);

    return error < 0 ? error : v[0] * 10000 + v[1] * 100 + v[2];
}

/* A child that makes one change and ends with its error. It is known to wait when this comes back. */
static int sem_waiter(int id, int number, int change)
{
    int pid = sys(FORK);

    if (!pid)
        sys(EXIT, -sem_change(id, number, change, 0));
    while (sys(SEMCTL, id, number, change ? GETNCNT : GETZCNT, 0) != 1)
        sys(SCHED_YIELD);
    return pid;
}

static void sem_handler(int number)
{
    (void)number;
}

static void sem_list(const u32 *w)
{
    int i;

    for (i = 0; i < 10; i++)
        say("- limit", (int)w[i]);
}

static void semaphores(void)
{
    struct { word handler, flags, restorer; u32 mask[2]; } action;
    u64 time[2];
    u32 w[WIDE ? 26 : 16], argument;
    u16 values[3];
    int id, pid, n;

    section("semaphores");
    say("none yet", sys(SEMGET, 9, 1, 0));
    say("of none", sys(SEMGET, 0, 0, IPC_CREAT | 0600));
    say("of too many", sys(SEMGET, 0, 32001, IPC_CREAT | 0600));
    id = sane("made", sys(SEMGET, 9, 3, IPC_CREAT | IPC_EXCL | 0600));
    say("once", sys(SEMGET, 9, 3, IPC_CREAT | IPC_EXCL | 0600));
    say("found", sys(IPC, 2, 9, 0, 0) == id);
    say("smaller than that", sys(SEMGET, 9, 4, 0));
    say("limits", sys(SEMCTL, 0, 0, IPC_INFO, w));
    sem_list(w);
    n = sys(SEMGET, 0, 7, IPC_CREAT | 0600);
    say("limits and use, and the highest number", sys(SEMCTL, 0, 0, SEM_INFO, w));
    sem_list(w);
    say("of a negative number", sys(SEMCTL, -1, 0, SEM_INFO, w));
    say("to nowhere", sys(SEMCTL, 0, 0, SEM_INFO, KERNEL));
    sys(SEMCTL, n, 0, 0, 0);
    say("one less", sys(SEMCTL, 0, 0, SEM_INFO, w));
    say("of semaphores", (int)w[9]);
    say("values", sem_values(id));
    say("set", sys(SEMCTL, id, 0, SETVAL, 5));
    say("too large", sys(SEMCTL, id, 0, SETVAL, 32768));
    say("below nothing", sys(SEMCTL, id, 0, SETVAL, -1));
    say("no such semaphore", sys(SEMCTL, id, 3, SETVAL, 1));
    say("nor to be asked", sys(SEMCTL, id, 3, GETVAL, 0));
    argument = 4;
    say("by the other way", sys(IPC, 3, id, 1, SETVAL, &argument));
    say("values", sem_values(id));
    say("two changes", sem_both(id, 0, -2, 1, 1, 0));
    say("values", sem_values(id));
    say("all or none", sem_both(id, 0, -1, 2, -1, NOWAIT));
    say("in their order", sem_both(id, 2, 1, 2, -1, NOWAIT));
    say("not in another", sem_both(id, 2, 0, 2, -1, NOWAIT));
    say("values", sem_values(id));
    say("beyond the set", sem_change(id, 3, 1, 0));
    say("none", sys(SEMTIMEDOP, id, sem_many, 0, 0));
    say("too many", sys(SEMTIMEDOP, id, sem_many, 501, 0));
    say("many", sys(SEMTIMEDOP, id, sem_many + 1, 0x10000, 0));
    say("from nowhere", sys(SEMTIMEDOP, id, KERNEL, 1, 0));
    say("of no set", sem_change(id + 1000, 0, 1, 0));
    say("over the top", (sys(SEMCTL, id, 1, SETVAL, 32767), sem_change(id, 1, 1, 0)));
    say("is zero", sem_change(id, 2, 0, NOWAIT));
    say("is not", sem_change(id, 0, 0, NOWAIT));
    say("mine", sys(SEMCTL, id, 2, GETPID_OF, 0) == sys(GETPID));
    time[0] = 0;
    time[1] = 1000000;
    sem_many[0].number = 2;
    sem_many[0].change = -1;
    say("a time", sys(SEMTIMEDOP, id, sem_many, 1, time));
    time[1] = 1000000000;
    say("no time", sys(SEMTIMEDOP, id, sem_many, 1, time));
    values[0] = 3;
    values[1] = 2;
    values[2] = 0;
    say("all set", sys(SEMCTL, id, 0, SETALL, values));
    values[2] = 40000;
    say("not so", sys(SEMCTL, id, 0, SETALL, values));
    pid = sys(FORK);
    if (!pid) {
        sem_change(id, 0, -2, UNDO);
        sem_change(id, 1, 4, UNDO);
        sem_change(id, 2, 1, 0);
        sys(EXIT, sem_values(id) == 10601);
    }
    say("changed", child_status(pid) >> 8);
    say("undone, but for one", sem_values(id));
    say("by whom", sys(SEMCTL, id, 0, GETPID_OF, 0) == pid);
    sys(SEMCTL, id, 2, SETVAL, 0);

    pid = sem_waiter(id, 2, -1);
    say("goes on", (sem_change(id, 2, 1, 0), child_status(pid)));
    say("it took one", sem_values(id));
    pid = sem_waiter(id, 2, -1);
    say("nobody overtakes", (sem_change(id, 2, 1, 0), sem_change(id, 2, -1, NOWAIT)));
    say("it has it", child_status(pid));
    pid = sem_waiter(id, 2, -2);
    say("one is not enough", (sem_change(id, 2, 1, 0), sys(SEMCTL, id, 2, GETNCNT, 0)));
    say("and may be taken back", sem_change(id, 2, -1, NOWAIT));
    say("two are", (sys(SEMCTL, id, 2, SETVAL, 2), child_status(pid)));
    pid = sem_waiter(id, 0, 0);
    say("not zero", (sem_change(id, 0, -2, 0), sys(SEMCTL, id, 0, GETZCNT, 0)));
    say("zero", (sem_change(id, 0, -1, 0), child_status(pid)));
    action.handler = (word)sem_handler;
    action.flags = 0x14000000; /* SA_RESTART: not for these */
    action.restorer = (word)restore;
    action.mask[0] = action.mask[1] = 0;
    sys(RT_SIGACTION, 10, &action, 0, 8);
    pid = sem_waiter(id, 2, -1);
    say("a signal ends it", (sys(KILL, pid, 10), child_status(pid) >> 8));
    say("nobody waits", sys(SEMCTL, id, 2, GETNCNT, 0));
    pid = sem_waiter(id, 2, -1);
    say("killed", (sys(KILL, pid, 9), child_status(pid)));
    say("nobody waits", sys(SEMCTL, id, 2, GETNCNT, 0));
    say("told", sys(SEMCTL, id, 0, 2, w));
    say("how many", (int)w[WIDE ? 20 : 13]);
    w[5] = 0400;
    say("another mode", sys(SEMCTL, id, 0, 1, w));
    say("forbids", sem_change(id, 2, 1, 0));
    say("but not to look", sem_change(id, 2, 0, 0));
    w[5] = 0600;
    sys(SEMCTL, id, 0, 1, w);
    pid = sem_waiter(id, 2, -1);
    say("removed", sys(SEMCTL, id, 0, 0, 0));
    say("who waits hears of it", child_status(pid) >> 8);
    say("it is no more", sys(SEMCTL, id, 0, GETVAL, 0));
    say("its key is free", sys(SEMGET, 9, 1, 0));
}
