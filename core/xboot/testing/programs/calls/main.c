/* main.c: more system calls, in the manner of ../syscalls/main.c: one line a check, nothing judged, the same on every correct kernel.

   Here are calls that programs of everyday life make and those of a bootstrap do not: threads and futexes, moving data between descriptors, waiting for
   several of them, /proc, terminals. NAME.c is a section, NAME.txt what Linux answers. */

#include "../syscalls/common.h"

enum {
    DUP_TO = 63, WAITID = 284, FUTEX = 240, CLOCK_NANOSLEEP = 267, SPLICE = 313, TEE = 315, COPY_FILE_RANGE = 377, SENDFILE = 187, PPOLL = 309, PSELECT6 = 308, EPOLL_CREATE1 = 329,
    EPOLL_CTL = 255, EPOLL_WAIT = 256, EVENTFD2 = 328, TIMERFD_CREATE = 322, TIMERFD_SETTIME = 325, TIMERFD_GETTIME = 326, SIGNALFD4 = 327, RT_SIGTIMEDWAIT = 177,
    PREADV = 333, PWRITEV = 334, MINCORE = 218, MADVISE = 219, SET_ROBUST_LIST = 311, SCHED_YIELD = 158, TKILL = 238, STATFS = 99
};

#include "moves.c"
#include "waits.c"
#include "timers.c"
#include "threads.c"
#include "locks.c"
#include "proc.c"
#include "edges.c"
#include "terminals.c"
#include "jobs.c"
#include "processor.c"
#include "shares.c"
#include "triggers.c"

void start_c(word *stack)
{
    char **argv = (char **)(stack + 1);

    self = argv[0];
    if (stack[0] == 2) /* what a thread ran */
        sys(EXIT_GROUP, same(argv[1], "child", 6) && sys(GETPID) == sys(GETTID) ? 44 : 1);
    for (int fd = 3; fd < 64; fd++)
        sys(CLOSE, fd);
    sys(UMASK, 022);
    moves();
    waits();
    timers();
    threads();
    locks();
    proc();
    edges();
    terminals();
    jobs();
    processor();
    shares();
    triggers();
    put("# end\n");
    sys(EXIT_GROUP, 0);
}
