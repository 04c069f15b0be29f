/* Descriptors that are events, waiting for many, moving bytes between descriptors, locks. */
#include "say.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

static char buffer[70000];
static int ready(int fd) { struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP, 0}; int n = poll(&p, 1, 0); return n < 0 ? -errno : n ? p.revents : 0; }

static void events(void) {
    unsigned long long v = 3;
    int e = eventfd(2, EFD_NONBLOCK), s = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    SAY("ready", ready(e)), CALL(write(e, &v, 8)), CALL(read(e, &v, 8)), SAY("sum", v), CALL(read(e, &v, 8)), CALL(read(e, &v, 7)), CALL(write(e, &v, 4)), SAY("ready", ready(e));
    v = -1ull, CALL(write(e, &v, 8)), v = -2ull, CALL(write(e, &v, 8)), SAY("full", ready(e)), v = 1, CALL(write(e, &v, 8)), CALL(read(e, &v, 8)), SAY("most", v == -2ull);
    CALL(read(s, &v, 8)), SAY("one", v), CALL(read(s, &v, 8)), CALL(read(s, &v, 8)), CALL(lseek(s, 0, SEEK_CUR)), CALL(eventfd(0, 64));
    int b = eventfd(0, 0);
    CHILD("a writer wakes the reader", usleep(20000); v = 9; write(b, &v, 8)), CALL(read(b, &v, 8)), SAY("value", v);

    struct itimerspec t = {{0, 20000000}, {0, 20000000}}, now;
    int c = timerfd_create(CLOCK_MONOTONIC, 0);
    CALL(timerfd_settime(c, 0, &t, 0)), SAY("not yet", ready(c)), CALL(read(c, &v, 8)), SAY("fired", v >= 1), CALL(timerfd_gettime(c, &now)), SAY("period", now.it_interval.tv_nsec), SAY("left", now.it_value.tv_nsec > 0);
    struct pollfd p = {c, POLLIN, 0};
    SAY("poll waits for it", poll(&p, 1, 5000)), memset(&t, 0, sizeof t), CALL(timerfd_settime(c, 0, &t, 0)), SAY("off", ready(c)), CALL(timerfd_create(99, 0)), CALL(timerfd_settime(e, 0, &t, 0)), CALL(write(c, &v, 8));
    t.it_value.tv_sec = 1, CALL(timerfd_settime(c, TFD_TIMER_ABSTIME, &t, 0)), CALL(read(c, &v, 8)), SAY("long past", v);

    sigset_t set;
    struct signalfd_siginfo i[2];
    sigemptyset(&set), sigaddset(&set, SIGUSR1), sigaddset(&set, SIGUSR2), sigprocmask(SIG_BLOCK, &set, 0);
    int f = signalfd(-1, &set, SFD_NONBLOCK);
    CALL(read(f, i, sizeof i)), kill(getpid(), SIGUSR2), kill(getpid(), SIGUSR1), SAY("ready", ready(f)), CALL(read(f, i, sizeof i)), SAY("first", i[0].ssi_signo), SAY("second", i[1].ssi_signo), SAY("from me", i[0].ssi_pid == getpid());
    CALL(read(f, i, 100)), CALL(signalfd(0, &set, 0)), sigdelset(&set, SIGUSR1), CALL(signalfd(f, &set, 0) == f), kill(getpid(), SIGUSR1), SAY("not in the set", ready(f));
    signal(SIGUSR1, SIG_IGN), sigprocmask(SIG_UNBLOCK, &set, 0);
}

static void many(void) {
    int e = epoll_create1(EPOLL_CLOEXEC), other = epoll_create(1), p[2], q[2], file = open("bytes", O_RDWR | O_CREAT, 0644);
    struct epoll_event v = {EPOLLIN, {.u64 = 0x123456789abcdef0}}, out[4];
    pipe(p), pipe(q);
    CALL(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &v)), CALL(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &v)), CALL(epoll_ctl(e, EPOLL_CTL_DEL, q[0], 0)), CALL(epoll_ctl(e, EPOLL_CTL_MOD, q[0], &v)), CALL(epoll_ctl(e, EPOLL_CTL_ADD, file, &v));
    CALL(epoll_ctl(e, EPOLL_CTL_ADD, e, &v)), CALL(epoll_ctl(e, EPOLL_CTL_ADD, 99, &v)), CALL(epoll_ctl(p[0], EPOLL_CTL_ADD, p[1], &v)), CALL(epoll_ctl(e, 9, p[0], &v)), CALL(epoll_ctl(e, EPOLL_CTL_ADD, q[1], (void *)1));
    CALL(epoll_wait(e, out, 4, 0)), write(p[1], "abc", 3), CALL(epoll_wait(e, out, 4, -1)), SAY("events", out[0].events), SAY("data", out[0].data.u64 == 0x123456789abcdef0), CALL(epoll_wait(e, out, 4, 0));
    v.events = EPOLLIN | EPOLLET, CALL(epoll_ctl(e, EPOLL_CTL_MOD, p[0], &v)), CALL(epoll_wait(e, out, 4, 0)), CALL(epoll_wait(e, out, 4, 0)), write(p[1], "d", 1), CALL(epoll_wait(e, out, 4, 0)), CALL(epoll_wait(e, out, 4, 0));
    v.events = EPOLLIN | EPOLLONESHOT, CALL(epoll_ctl(e, EPOLL_CTL_MOD, p[0], &v)), CALL(epoll_wait(e, out, 4, 0)), CALL(epoll_wait(e, out, 4, 0)), v.events = EPOLLIN, CALL(epoll_ctl(e, EPOLL_CTL_MOD, p[0], &v)), CALL(epoll_wait(e, out, 4, 0));
    v.events = EPOLLIN, CALL(epoll_ctl(other, EPOLL_CTL_ADD, e, &v)), CALL(epoll_wait(other, out, 4, 0)), SAY("nested", ready(other)), CALL(epoll_ctl(e, EPOLL_CTL_ADD, other, &v));
    close(p[1]), CALL(epoll_wait(e, out, 4, 0)), SAY("hang up", out[0].events), read(p[0], buffer, 10), CALL(epoll_wait(e, out, 4, 0)), SAY("hang up", out[0].events), close(p[0]), CALL(epoll_wait(e, out, 4, 0));
    v.events = EPOLLOUT, CALL(epoll_ctl(e, EPOLL_CTL_ADD, q[1], &v)), CALL(epoll_wait(e, out, 4, 0)), SAY("room", out[0].events), close(q[0]), CALL(epoll_wait(e, out, 4, 0)), SAY("broken", out[0].events);
    CALL(epoll_wait(e, out, 0, 0)), CALL(epoll_wait(q[1], out, 4, 0)), CALL(read(e, buffer, 10)), SAY("a file", ready(file)), SAY("not open", ready(77));
    pipe(p);
    fd_set r;
    struct timeval soon = {0, 10000};
    FD_ZERO(&r); FD_SET(p[0], &r); CALL(select(p[0] + 1, &r, 0, 0, &soon)); FD_ZERO(&r); FD_SET(p[0], &r);
    CHILD("wakes", usleep(20000); write(p[1], "x", 1)), CALL(select(p[0] + 1, &r, 0, 0, 0)), SAY("set", FD_ISSET(p[0], &r) != 0);
}

static void moves(void) {
    int p[2], q[2], f = open("from", O_RDWR | O_CREAT, 0644), g = open("to", O_RDWR | O_CREAT, 0644), a = open("to", O_WRONLY | O_APPEND), null = open("/dev/null", O_RDWR);
    loff_t at = 2, to = 5;
    for (int i = 0; i < 70000; i++) buffer[i] = i * 7 + i / 256;
    write(f, buffer, 70000), pipe(p), pipe(q);
    CALL(splice(f, &at, p[1], 0, 10, 0)), SAY("moved", at), CALL(tee(p[0], q[1], 4, 0)), CALL(splice(p[0], 0, g, &to, 6, 0)), SAY("moved", to), CALL(pread(g, buffer, 100, 0)), SAY("byte", (unsigned char)buffer[5]), CALL(splice(p[0], 0, null, 0, 100, 0));
    CALL(splice(q[0], 0, p[1], 0, 100, 0)), CALL(splice(p[0], 0, null, 0, 2, 0)), CALL(splice(p[0], 0, null, 0, 100, 0)), CALL(splice(p[0], 0, null, 0, 100, SPLICE_F_NONBLOCK)), CALL(tee(p[0], q[1], 4, SPLICE_F_NONBLOCK));
    CALL(splice(f, 0, g, 0, 10, 0)), CALL(splice(f, 0, null, 0, 10, 0)), CALL(splice(null, 0, p[1], 0, 10, 0) >= 0), CALL(splice(p[0], &at, g, 0, 10, 0)), CALL(splice(f, &at, p[1], &to, 10, 0)), CALL(splice(p[1], 0, g, 0, 10, 0)), CALL(splice(f, 0, p[0], 0, 10, 0));
    CALL(splice(p[0], 0, p[1], 0, 10, 0)), CALL(tee(p[0], p[1], 10, 0)), CALL(tee(f, p[1], 10, 0)), write(p[1], "zz", 2), CALL(splice(p[0], 0, a, 0, 2, 0)), CALL(splice(p[0], 0, g, 0, 2, 64)), CALL(lseek(f, 0, SEEK_SET)), CALL(splice(f, 0, p[1], 0, 1 << 20, 0) > 60000), CALL(lseek(f, 0, SEEK_CUR) > 60000);
    CALL(sendfile(g, f, 0, 5)), at = 100, CALL(sendfile(g, f, &at, 20000)), SAY("moved", at), CALL(sendfile(a, f, &at, 5)), CALL(sendfile(g, p[0], 0, 5)), CALL(sendfile(null, f, &at, 5)), CALL(sendfile(f, g, 0, -1) == -1), CALL(lseek(g, 0, SEEK_CUR));
    at = 0, to = 40000, CALL(copy_file_range(f, &at, g, &to, 30000, 0)), SAY("size", size_of("to")), at = 0, to = 10, CALL(copy_file_range(f, &at, f, &to, 20, 0)), to = 100, CALL(copy_file_range(f, &at, f, &to, 20, 0)), CALL(copy_file_range(f, 0, a, 0, 20, 0));
    at = 70000, CALL(copy_file_range(f, &at, g, 0, 20, 0)), CALL(copy_file_range(f, &at, g, 0, 20, 1)), CALL(copy_file_range(p[0], 0, g, 0, 20, 0));
    int m = syscall(SYS_memfd_create, "name", 1);
    CALL(ftruncate(m, 100)), CALL(pwrite(m, "m", 1, 50)), CALL(syscall(SYS_memfd_create, "name", 0x100));
}

static int set_lock(int f, int command, int type, long start, long length) { struct flock l = {type, SEEK_SET, start, length, 0}; return R(fcntl(f, command, &l)); }
static void locks(void) {
    int f = open("locked", O_RDWR | O_CREAT, 0644), g = open("locked", O_RDWR), r = open("locked", O_RDONLY), go[2];
    struct flock l = {F_WRLCK, SEEK_SET, 0, 0, 0};
    char c;
    CALL(flock(f, LOCK_SH)), CALL(flock(g, LOCK_SH | LOCK_NB)), CALL(flock(g, LOCK_EX | LOCK_NB)), CALL(flock(f, LOCK_UN)), CALL(flock(g, LOCK_EX | LOCK_NB)), CALL(flock(f, LOCK_SH | LOCK_NB)), CALL(flock(f, 3)), close(dup(g)), CALL(flock(f, LOCK_SH | LOCK_NB)), CALL(flock(g, LOCK_UN));
    SAY("lock", set_lock(f, F_SETLK, F_WRLCK, 10, 10)), SAY("mine already", set_lock(g, F_SETLK, F_WRLCK, 5, 10)), SAY("read only", set_lock(r, F_SETLK, F_WRLCK, 100, 1)), SAY("bad range", set_lock(f, F_SETLK, F_RDLCK, -5, 1)), SAY("bad type", set_lock(f, F_SETLK, 7, 0, 1));
    CHILD("another process", SAY("held", set_lock(f, F_SETLK, F_RDLCK, 0, 0)); l.l_start = 0; CALL(fcntl(f, F_GETLK, &l)); SAY("who", l.l_pid == getppid()); SAY("from", l.l_start); SAY("length", l.l_len); SAY("type", l.l_type); SAY("before it", set_lock(f, F_SETLK, F_WRLCK, 0, 5)); SAY("behind it", set_lock(f, F_SETLK, F_WRLCK, 20, 0)));
    SAY("cut", set_lock(f, F_SETLK, F_UNLCK, 8, 4)), CHILD("the hole", SAY("free", set_lock(f, F_SETLK, F_WRLCK, 8, 4)); SAY("held", set_lock(f, F_SETLK, F_WRLCK, 7, 1)); SAY("held", set_lock(f, F_SETLK, F_WRLCK, 12, 1)));
    pipe(go);
    fflush(stdout);
    if (!fork()) { read(go[0], &c, 1); usleep(20000); _exit(0); }
    int pid = fork();
    if (!pid) { SAY("waits", set_lock(f, F_SETLKW, F_WRLCK, 0, 0)); _exit(0); }
    usleep(50000), close(g), waitpid(pid, 0, 0), SAY("closing any descriptor lets go", 1), write(go[1], "x", 1), wait(0);
    SAY("first", set_lock(f, F_SETLK, F_WRLCK, 0, 1));
    pid = fork();
    if (!pid) { SAY("second", set_lock(f, F_SETLK, F_WRLCK, 1, 1)); int late = set_lock(f, F_SETLKW, F_WRLCK, 0, 1); usleep(100000); /* the other says that it let go */ SAY("waits for the first", late); _exit(0); }
    usleep(100000), SAY("a circle", set_lock(f, F_SETLKW, F_WRLCK, 1, 1)), SAY("let go", set_lock(f, F_SETLK, F_UNLCK, 0, 1)), waitpid(pid, 0, 0);
    g = open("locked", O_RDWR);
    SAY("of the open file", set_lock(f, F_OFD_SETLK, F_WRLCK, 0, 5)), SAY("another open file", set_lock(g, F_OFD_SETLK, F_WRLCK, 4, 5)), SAY("and the process", set_lock(g, F_SETLK, F_RDLCK, 0, 1)), close(f), SAY("closed", set_lock(g, F_OFD_SETLK, F_WRLCK, 4, 5));
}

int main(void) { events(), many(), moves(), locks(); return 0; }
