/* Threads: their start and end, futexes, signals to one and to all, execve from one. */
#include "say.h"
#include <dirent.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static volatile int turn, word, hits[8];
static __thread int mine = 7;
static sem_t *semaphore;

static long futex(volatile int *at, int op, int value, void *timeout, volatile int *at2, int value3) { return R(syscall(SYS_futex, at, op, value, timeout, at2, value3)); }

static void *count(void *n) {
    for (int i = 0; i < 200; i++) {
        pthread_mutex_lock(&lock);
        turn++;
        if (i % 50 == 0) sched_yield();
        pthread_mutex_unlock(&lock);
    }
    mine += (long)n;
    pthread_barrier_wait(&barrier);
    return (void *)(long)mine;
}
static void *ping(void *odd) {
    pthread_mutex_lock(&lock);
    for (int i = 0; i < 100; i++) {
        while ((word & 1) != (odd != 0)) pthread_cond_wait(&changed, &lock);
        word++;
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&lock);
    return 0;
}
static void *waits(void *unused) { return (void *)futex(&word, FUTEX_WAIT_PRIVATE, 5, 0, 0, 0); }
static void *waits_bits(void *bits) { return (void *)futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 5, 0, 0, (long)bits); }
static void *sleeps(void *unused) { for (;;) pause(); }
static void *dies_with_lock(void *m) { pthread_mutex_lock(m); return 0; }
static void *executes(void *program) { char *v[] = {program, "again", 0}; execv(program, v); return 0; }
static void *leaves(void *unused) { usleep(50000); syscall(SYS_exit_group, 9); return 0; }
static void *goes_on(void *unused) { usleep(50000); puts("goes on"); fflush(stdout); return 0; }
static void handler(int n) { hits[n % 8]++; }
static void *handles(void *unused) { while (!hits[SIGUSR1 % 8]) usleep(100); return (void *)(long)hits[SIGUSR1 % 8]; }

static int tasks(void) {
    int n = 0;
    DIR *d = opendir("/proc/self/task");
    for (struct dirent *e; d && (e = readdir(d));) n += e->d_name[0] != '.';
    if (d) closedir(d);
    return n;
}

int main(int argc, char **argv) {
    pthread_t t[8];
    void *r;
    if (argc > 1) { printf("executed, pid %d tid %d\n", getpid() == getppid(), getpid() == gettid()), fflush(stdout); return 3; }
    pthread_barrier_init(&barrier, 0, 9);
    for (long i = 0; i < 8; i++) pthread_create(t + i, 0, count, (void *)i);
    SAY("tasks", tasks());
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 8; i++) pthread_join(t[i], &r), SAY("joined", (long)r);
    SAY("counted", turn), SAY("tasks", tasks());
    pthread_create(t, 0, ping, 0), pthread_create(t + 1, 0, ping, (void *)1), pthread_join(t[0], 0), pthread_join(t[1], 0), SAY("pinged", word);

    word = 5;
    for (int i = 0; i < 3; i++) pthread_create(t + i, 0, waits, 0);
    usleep(150000);
    SAY("wake one", futex(&word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0)), SAY("requeue", futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)10, &turn, 5)), SAY("none left", futex(&word, FUTEX_WAKE_PRIVATE, 9, 0, 0, 0));
    SAY("value changed", futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)10, &turn, 6)), SAY("requeued", futex(&turn, FUTEX_WAKE_PRIVATE, 9, 0, 0, 0));
    for (int i = 0; i < 3; i++) pthread_join(t[i], &r), SAY("woken", (long)r);
    pthread_create(t, 0, waits_bits, (void *)2), pthread_create(t + 1, 0, waits_bits, (void *)4), usleep(150000);
    SAY("other bits", futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 9, 0, 0, 1)), SAY("these bits", futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 9, 0, 0, 4)), SAY("all", futex(&word, FUTEX_WAKE_PRIVATE, 9, 0, 0, 0));
    pthread_join(t[0], 0), pthread_join(t[1], 0);
    pthread_create(t, 0, waits, 0), usleep(150000), turn = 1;
    SAY("wake op", futex(&turn, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &word, FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 5))), SAY("word", word), pthread_join(t[0], 0);
    struct timespec soon = {0, 1000000}, bad = {0, 1000000000}, past = {1, 0};
    SAY("other value", futex(&word, FUTEX_WAIT, 99, 0, 0, 0)), SAY("in time", futex(&word, FUTEX_WAIT, word, &soon, 0, 0)), SAY("no time", futex(&word, FUTEX_WAIT, word, &bad, 0, 0));
    SAY("past", futex(&word, FUTEX_WAIT_BITSET, word, &past, 0, -1)), SAY("past date", futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, word, &past, 0, -1)), SAY("no bits", futex(&word, FUTEX_WAIT_BITSET, word, 0, 0, 0));
    SAY("unaligned", futex((int *)((char *)&word + 1), FUTEX_WAKE, 1, 0, 0, 0)), SAY("nowhere", futex((int *)16, FUTEX_WAIT, 1, 0, 0, 0));

    pthread_mutexattr_t robust;
    pthread_mutex_t m;
    pthread_mutexattr_init(&robust), pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST), pthread_mutex_init(&m, &robust);
    pthread_create(t, 0, dies_with_lock, &m), pthread_join(t[0], 0), SAY("owner died", pthread_mutex_lock(&m)), SAY("mended", pthread_mutex_consistent(&m));

    semaphore = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    sem_init(semaphore, 1, 0);
    CHILD("between processes", usleep(50000); sem_post(semaphore)), SAY("posted", sem_wait(semaphore));

    signal(SIGUSR1, handler), signal(SIGRTMIN, handler);
    pthread_create(t, 0, handles, 0);
    SAY("to a thread", pthread_kill(t[0], SIGUSR1)), pthread_join(t[0], &r), SAY("it handled", (long)r);
    CALL(syscall(SYS_tgkill, getpid(), 99999, 0)), CALL(syscall(SYS_tgkill, getpid(), getpid(), 0)), CALL(syscall(SYS_tgkill, getpid() + 1, getpid(), 0)), CALL(syscall(SYS_tgkill, getpid(), getpid(), 65));
    sigset_t all, none;
    sigfillset(&all), sigemptyset(&none), sigprocmask(SIG_SETMASK, &all, 0);
    for (int i = 0; i < 3; i++) kill(getpid(), SIGUSR1), kill(getpid(), SIGRTMIN);
    int before = hits[SIGUSR1 % 8], real = hits[SIGRTMIN % 8];
    sigprocmask(SIG_SETMASK, &none, 0), SAY("an ordinary signal waits once", hits[SIGUSR1 % 8] - before), SAY("a real-time signal each time", hits[SIGRTMIN % 8] - real);
    struct itimerval every = {{0, 20000}, {0, 20000}}, was;
    signal(SIGALRM, handler), setitimer(ITIMER_REAL, &every, 0);
    for (int i = 0; i < 3;) { int b = hits[SIGALRM % 8]; pause(); i += hits[SIGALRM % 8] > b; }
    CALL(getitimer(ITIMER_REAL, &was)), SAY("period", was.it_interval.tv_usec), memset(&every, 0, sizeof every), setitimer(ITIMER_REAL, &every, 0);

    CHILD("exit_group from a thread", pthread_create(t, 0, leaves, 0); for (;;) pause());
    CHILD("the first thread leaves", pthread_create(t, 0, goes_on, 0); syscall(SYS_exit, 4));
    CHILD("killed with threads", pthread_create(t, 0, sleeps, 0); kill(getpid(), SIGKILL); pause());
    CHILD("execve from a thread", pthread_create(t, 0, executes, argv[0]); for (;;) pause());
    return 0;
}
