/* Timers of a process's own, what is left of a sleep, time that a program computes, and what a handler is told of its stack. */
#include "say.h"
#include <sys/time.h>
#include <ucontext.h>

typedef int timer;
static sigset_t set;
static volatile int rung;
static void ring(int n) { rung++; }

static long make_timer(int clock, int how, int signal, long value, int thread, timer *t) {
    struct sigevent e = {.sigev_notify = how, .sigev_signo = signal, .sigev_value.sival_ptr = (void *)value};
    e._sigev_un._tid = thread;
    return R(syscall(SYS_timer_create, clock, &e, t));
}
static long set_timer(timer t, int flags, long first, long every, struct itimerspec *old) {
    struct itimerspec s = {{every / 1000000000, every % 1000000000}, {first / 1000000000, first % 1000000000}};
    return R(syscall(SYS_timer_settime, t, flags, &s, old));
}
static long left(timer t) { struct itimerspec s; long r = R(syscall(SYS_timer_gettime, t, &s)); return r ? r : s.it_value.tv_sec * 1000000000 + s.it_value.tv_nsec; }
static int take(siginfo_t *i) { struct timespec t = {5, 0}; return R(sigtimedwait(&set, i, &t)); }

static void kinds(void) {
    timer t = -1, u = -1, none = -1, own = -1;
    siginfo_t i;
    struct itimerspec old;
    struct timespec half = {0, 100000000}, now;
    SAY("usual", R(syscall(SYS_timer_create, CLOCK_MONOTONIC, 0, &t))), SAY("number", t), SAY("off", left(t)), CALL(syscall(SYS_timer_getoverrun, t));
    SAY("its value is its number", set_timer(t, 0, 1000000, 0, 0)), SAY("comes", take(&i)), SAY("code", i.si_code), SAY("value", i.si_value.sival_int), SAY("once", left(t));
    SAY("another", make_timer(CLOCK_REALTIME, SIGEV_SIGNAL, SIGRTMIN + 1, 77, 0, &u)), SAY("number", u), SAY("period", set_timer(u, 0, 10000000, 10000000, 0));
    CALL(nanosleep(&half, 0)), SAY("comes", take(&i) == SIGRTMIN + 1), SAY("value", i.si_value.sival_int), SAY("as often as it was missed", i.si_overrun >= 8);
    SAY("told again", syscall(SYS_timer_getoverrun, u) == i.si_overrun), SAY("goes on", left(u) > 0), SAY("comes", take(&i) == SIGRTMIN + 1), SAY("stopped", set_timer(u, 0, 0, 0, &old)), SAY("period", old.it_interval.tv_nsec), SAY("off", left(u));
    clock_gettime(CLOCK_REALTIME, &now);
    SAY("a moment", set_timer(u, TIMER_ABSTIME, now.tv_sec * 1000000000 + now.tv_nsec + 20000000, 0, 0)), SAY("comes", take(&i) == SIGRTMIN + 1), SAY("a moment gone", set_timer(u, TIMER_ABSTIME, 1000000000, 0, 0)), SAY("comes", take(&i) == SIGRTMIN + 1), SAY("overrun", i.si_overrun);
    SAY("no signal", make_timer(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0, 0, &none)), SAY("set", set_timer(none, 0, 50000000000, 0, 0)), SAY("left", left(none) > 10000000000 && left(none) <= 50000000000);
    SAY("to a thread", make_timer(CLOCK_MONOTONIC, 4, SIGUSR1, 5, syscall(SYS_gettid), &own)), SAY("set", set_timer(own, 0, 1000000, 0, 0)), SAY("comes", take(&i)), SAY("value", i.si_value.sival_int);
    SAY("a child has none", ({ fflush(stdout); int p = fork(), s; if (!p) _exit(left(none) == -EINVAL && left(t) == -EINVAL ? 3 : 4); waitpid(p, &s, 0); WEXITSTATUS(s); }));
    CALL(syscall(SYS_timer_delete, t)), CALL(syscall(SYS_timer_delete, t)), SAY("gone", left(t)), SAY("gone", set_timer(t, 0, 1, 0, 0)), CALL(syscall(SYS_timer_getoverrun, t));
    /* one that is ignored goes on, one that is deleted does not */
    signal(SIGUSR2, SIG_IGN);
    sigset_t two; sigemptyset(&two), sigaddset(&two, SIGUSR2), sigprocmask(SIG_UNBLOCK, &two, 0);
    timer x; SAY("ignored", make_timer(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR2, 0, 0, &x)), SAY("set", set_timer(x, 0, 1000000, 1000000, 0)), CALL(nanosleep(&half, 0)), SAY("left", left(x) > 0 && left(x) <= 1000000), CALL(syscall(SYS_timer_delete, x));
}

static void refused(void) {
    timer t;
    struct itimerspec bad = {{0, 0}, {0, 1000000000}}, negative = {{-1, 0}, {1, 0}};
    SAY("clock 99", make_timer(99, SIGEV_NONE, 0, 0, 0, &t)), SAY("signal 0", make_timer(0, SIGEV_SIGNAL, 0, 0, 0, &t)), SAY("signal 65", make_timer(0, SIGEV_SIGNAL, 65, 0, 0, &t)), SAY("kind 9", make_timer(0, 9, 10, 0, 0, &t));
    SAY("coarse clock", make_timer(CLOCK_MONOTONIC_COARSE, SIGEV_NONE, 0, 0, 0, &t)), SAY("nobody's thread", make_timer(0, 4, 10, 0, 99999, &t)), SAY("bad event", R(syscall(SYS_timer_create, 0, 16, &t))), SAY("bad place", R(syscall(SYS_timer_create, 0, 0, 16)));
    SAY("good", make_timer(CLOCK_BOOTTIME, SIGEV_NONE, 0, 0, 0, &t)), CALL(syscall(SYS_timer_settime, t, 0, &bad, 0)), CALL(syscall(SYS_timer_settime, t, 0, &negative, 0)), CALL(syscall(SYS_timer_settime, t, 0, 0, 0)), CALL(syscall(SYS_timer_settime, t, 0, 16, 0)), CALL(syscall(SYS_timer_gettime, t, 16));
}

static void sleeps(void) {
    struct sigaction a = {.sa_handler = ring};
    struct itimerval soon = {{0, 30000}, {0, 30000}} /* again and again: the first may come too early */, off = {{0}};
    struct timespec long_ = {50, 0}, rest = {99, 9};
    sigaction(SIGALRM, &a, 0), sigprocmask(SIG_UNBLOCK, &set, 0);
    setitimer(ITIMER_REAL, &soon, 0), CALL(nanosleep(&long_, &rest)), SAY("left", rest.tv_sec > 0 && rest.tv_sec < 50), rest.tv_sec = 99;
    SAY("clock_nanosleep", syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &long_, &rest) < 0 ? -errno : 0), SAY("left", rest.tv_sec > 0 && rest.tv_sec < 50), rest.tv_sec = 99;
    clock_gettime(CLOCK_MONOTONIC, &long_), long_.tv_sec += 50;
    SAY("until a moment", syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &long_, &rest) < 0 ? -errno : 0), SAY("untouched", rest.tv_sec);
    long_.tv_sec = 50, SAY("nowhere to tell", R(syscall(SYS_nanosleep, &long_, 16)));
    rung = 0;
    while (!rung) ; /* no call at all */
    SAY("whoever computes hears it", rung > 0), setitimer(ITIMER_REAL, &off, 0);
}

static stack_t told, within;
static long again;
static void look(int n, siginfo_t *i, void *c) { told = ((ucontext_t *)c)->uc_stack, sigaltstack(0, &within), again = R(sigaltstack(&told, 0)); }
static void stacks(void) {
    static char memory[65536];
    stack_t s = {memory, 0, sizeof memory};
    struct sigaction a = {.sa_sigaction = look, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGUSR1, &a, 0), raise(SIGUSR1), SAY("none", told.ss_flags), SAY("none", within.ss_flags);
    CALL(sigaltstack(&s, 0)), raise(SIGUSR1), SAY("came from elsewhere", told.ss_flags), SAY("size", told.ss_size), SAY("is on it", within.ss_flags), SAY("not to be changed now", again);
    s.ss_flags = 8, CALL(sigaltstack(&s, 0)), s.ss_flags = 0, s.ss_size = 1000, CALL(sigaltstack(&s, 0));
}

int main(void) {
    sigemptyset(&set), sigaddset(&set, SIGALRM), sigaddset(&set, SIGUSR1), sigaddset(&set, SIGRTMIN + 1), sigprocmask(SIG_BLOCK, &set, 0);
    kinds(), refused(), sleeps(), stacks();
    return 0;
}
