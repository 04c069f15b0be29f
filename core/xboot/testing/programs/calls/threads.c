/* threads.c: threads, futexes, what they share, signals to one of them, exec from one. */

#define THREAD 0x350f00u /* VM FS FILES SIGHAND THREAD SYSVSEM PARENT_SETTID CHILD_CLEARTID */
#define THREADS 8

static char thread_stacks[THREADS][8192];
static volatile int thread_ids[THREADS], thread_word, thread_count, thread_caught;

static int thread_make(int i, int (*run)(int))
{
    return thread_clone(THREAD, thread_stacks[i] + 8192, (int *)&thread_ids[i], (int *)&thread_ids[i], run, i);
}

static void thread_join(int i)
{
    int id;

    while ((id = thread_ids[i]))
        sys(FUTEX, &thread_ids[i], 0, id, 0);
}

int thread_swap(volatile int *word, int value); /* what stood there */
#ifdef __x86_64__
asm(".globl thread_swap\nthread_swap:\n\tmov %esi, %eax\n\txchg %eax, (%rdi)\n\tret\n");
#else
asm(".globl thread_swap\nthread_swap:\n\tmov 4(%esp), %ecx\n\tmov 8(%esp), %eax\n\txchg %eax, (%ecx)\n\tret\n");
#endif

static int thread_counts(int i)
{
    int n;

    for (n = 0; n < 100; n++) {
        while (thread_swap(&thread_word, 1))
            sys(FUTEX, &thread_word, 128, 1, 0);
        thread_count++;
        if (n % 10 == i)
            sys(SCHED_YIELD); /* others find it taken */
        thread_swap(&thread_word, 0);
        sys(FUTEX, &thread_word, 129, 1);
    }
    return 0;
}

static int thread_changes(int i)
{
    (void)i;
    sys(CHDIR, "dir");
    sys(UMASK, 077);
    sys(DUP2, 1, 40);
    thread_count = sys(GETPID) != sys(GETTID);
    return 0;
}

static void thread_handler(int number)
{
    (void)number;
    thread_caught = sys(GETTID);
}

static int thread_waits(int i)
{
    thread_count++;
    while (!thread_word)
        sys(FUTEX, &thread_word, 0, 0, 0);
    return i;
}

static int thread_sleeps(int i)
{
    long time[2] = { 3, 0 };

    return sys(NANOSLEEP, time, 0) + i;
}

static int thread_execs(int i)
{
    char *argv[3], *envp[1];

    (void)i;
    argv[0] = (char *)self;
    argv[1] = "child";
    argv[2] = 0;
    envp[0] = 0;
    return sys(EXECVE, self, argv, envp);
}

static struct robust { struct robust *next; long offset; struct robust *pending; } thread_head;
static struct { struct robust *next; volatile int word; } thread_lock;

static int thread_dies(int i)
{
    (void)i;
    thread_head.next = (struct robust *)&thread_lock;
    thread_head.offset = sizeof(void *);
    thread_lock.next = &thread_head;
    thread_lock.word = sys(GETTID) | 0x80000000;
    sys(SET_ROBUST_LIST, &thread_head, sizeof thread_head);
    return 0;
}

static void threads(void)
{
    struct { word handler, flags, restorer; u32 mask[2]; } action;
    volatile int *shared;
    int i, n, pid, status;
    char *page;
    long time[2] = { 0, 1000000 };

    section("threads");
    say("clone half a thread", sys(CLONE, 0x10000 | 17, 0, 0, 0, 0));
    for (i = 0; i < THREADS; i++)
        sane("thread", thread_make(i, thread_counts));
    for (i = 0; i < THREADS; i++)
        thread_join(i);
    say("counted", thread_count);
    sys(MKDIR, "dir", 0755);
    thread_make(0, thread_changes);
    thread_join(0);
    say("has the process's number, and its own", thread_count);
    say("umask is shared", sys(UMASK, 022));
    say("so are descriptors", sys(CLOSE, 40));
    say("and where it stands", sys(CHDIR, ".."));
    say("which was there", sys(RMDIR, "dir"));
    say("futex unaligned", sys(FUTEX, (char *)&thread_word + 1, 0, 0, 0));
    say("futex bad pointer", sys(FUTEX, 0x1000 - 4096 + 16, 0, 0, 0));
    thread_word = 5;
    say("futex another value", sys(FUTEX, &thread_word, 0, 6, 0));
    say("futex times out", sys(FUTEX, &thread_word, 0, 5, time));
    page = (char *)sys(MMAP2, 0, 2 * 4096, 3, 0x22, -1, 0);
    sys(MUNMAP, page + 4096, 4096);
    ((long *)(page + 4096))[-2] = time[0];
    ((long *)(page + 4096))[-1] = time[1];
    say("a time at the end of its page", sys(FUTEX, &thread_word, 0, 5, page + 4096 - sizeof time));
    say("a time that is not there", sys(FUTEX, &thread_word, 0, 5, page + 4096));
    say("a time that is not all there", sys(FUTEX, &thread_word, 0, 5, page + 4096 - 4));
    say("sleeping until then", sys(CLOCK_NANOSLEEP, 1, 0, page + 4096 - sizeof time, 0));
    say("until what is over", sys(CLOCK_NANOSLEEP, 1, 1, page + 4096 - sizeof time, 0));
    say("until what is not there", sys(CLOCK_NANOSLEEP, 1, 1, page + 4096, 0));
    *(int *)(page + 4092) = 5;
    say("a word at the end of its page", sys(FUTEX, page + 4092, 0, 5, time));
    say("no bits", sys(FUTEX, &thread_word, 9, 5, 0, 0, 0));
    say("wake nobody", sys(FUTEX, &thread_word, 1, 1));
    thread_word = thread_count = 0;
    for (i = 0; i < 4; i++)
        thread_make(i, thread_waits);
    time[1] = 10000000;
    while (thread_count < 4)
        sys(NANOSLEEP, time, 0);
    sys(NANOSLEEP, time, 0);
    say("wake one", sys(FUTEX, &thread_word, 1, 1));
    sys(NANOSLEEP, time, 0);
    say("requeue another value", sys(FUTEX, &thread_word, 4, 1, 10, &status, 99));
    say("requeue", sys(FUTEX, &thread_word, 4, 1, 10, &status, 0));
    sys(NANOSLEEP, time, 0);
    thread_word = 1;
    say("wake who came back", sys(FUTEX, &thread_word, 1, 100));
    say("wake the others", sys(FUTEX, &status, 1, 100));
    for (i = 0; i < 4; i++)
        thread_join(i);
    thread_make(0, thread_dies);
    thread_join(0);
    say("robust", (int)((u32)thread_lock.word >> 30));
    action.handler = (word)thread_handler;
    action.flags = 0x04000000;
    action.restorer = (word)restore;
    action.mask[0] = action.mask[1] = 0;
    sys(RT_SIGACTION, 10, &action, 0, 8);
    thread_word = thread_count = 0;
    thread_make(0, thread_waits);
    while (!thread_count)
        sys(NANOSLEEP, time, 0);
    n = thread_ids[0];
    say("tgkill another process", sys(TGKILL, n, n, 10));
    say("tgkill", sys(TGKILL, sys(GETPID), n, 10));
    for (i = 0; i < 1000 && thread_caught != n; i++) /* a busy machine may let it wait */
        sys(NANOSLEEP, time, 0);
    say("that thread caught it", thread_caught == n);
    sys(KILL, sys(GETPID), 10);
    say("the first one catches what is for all", thread_caught == sys(GETPID));
    thread_word = 1;
    sys(FUTEX, &thread_word, 1, 1);
    thread_join(0);
    for (i = 0; i < 1000 && !sys(TGKILL, sys(GETPID), n, 0); i++) /* who waited for it may be told a little before it is gone */
        sys(SCHED_YIELD);
    say("tgkill who is gone", sys(TGKILL, sys(GETPID), n, 10));
    sys(SIGNAL, 10, 0);
    pid = sys(FORK);
    if (!pid) { /* the last thread's end is the process's */
        thread_make(0, thread_sleeps);
        thread_make(1, thread_sleeps);
        sys(EXIT_GROUP, 9);
    }
    say("exit_group ends all", child_status(pid));
    pid = sys(FORK);
    if (!pid) {
        thread_make(0, thread_sleeps);
        *(volatile int *)16 = 1;
    }
    say("a fault ends all", child_status(pid));
    pid = sys(FORK);
    if (!pid) {
        thread_word = 0;
        thread_make(0, thread_sleeps);
        thread_make(1, thread_execs);
        for (;;)
            sys(PAUSE);
    }
    say("exec from a thread", child_status(pid));
    pid = sys(FORK);
    if (!pid) {
        thread_count = thread_word = 0;
        for (i = 0; i < THREADS; i++)
            thread_make(i, thread_waits);
        for (;;)
            sys(PAUSE);
    }
    sys(NANOSLEEP, time, 0);
    say("kill", sys(KILL, pid, 9));
    say("killed with its threads", child_status(pid));
    pid = sys(FORK);
    if (!pid) {
        thread_count = thread_word = 0;
        thread_make(0, thread_waits);
        for (;;)
            sys(PAUSE);
    }
    sys(NANOSLEEP, time, 0);
    sys(KILL, pid, 19);
    say("stops with its threads", (sys(WAIT4, pid, &status, 2, 0), status));
    sys(KILL, pid, 18);
    sys(KILL, pid, 15);
    say("goes on and ends", child_status(pid));
    shared = (volatile int *)sys(MMAP2, 0, 4096, 3, 0x21, -1, 0);
    pid = sys(FORK);
    if (!pid)
        sys(EXIT, sys(FUTEX, shared, 0, 0, 0) == 0 ? 7 : 8);
    for (i = 0; i < 1000000 && sys(FUTEX, shared, 1, 1) != 1; i++)
        sys(SCHED_YIELD);
    say("a word of two processes", child_status(pid));
}
