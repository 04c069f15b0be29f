/* edges.h: what an epoll tells that was asked for edges alone (EPOLLET). */

enum { ET = 1u << 31 };

static int edges_set;

static void edges_begin(int fd, u32 wanted)
{
    u32 event[3];

    edges_set = sys(EPOLL_CREATE1, 0);
    event[0] = wanted | ET;
    event[1] = event[2] = 0;
    say("watched", sys(EPOLL_CTL, edges_set, 1, fd, event));
}

/* How many events are there now, and the first of them. */
static void edges_ask(const char *what)
{
    u32 events[3 * 4];
    int n;

    events[0] = 0;
    n = sys(EPOLL_WAIT, edges_set, events, 4, 0);
    put(what);
    put(": ");
    put_number(n);
    say(" event", (int)events[0]);
}
