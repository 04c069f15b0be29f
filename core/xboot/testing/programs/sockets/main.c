/* main.c: sockets between processes of a step, the memory files that they pass to each other, queued signals, and memory that they share by name, in the manner of ../syscalls/main.c: one line a check, nothing judged, the same on every correct kernel that has
   sockets. NAME.c is a section, NAME.txt what Linux answers. Both of i386's ways to make these calls are used. */

#include "../syscalls/common.h"

enum {
    SOCKETCALL = 102, SOCKET = 359, SOCKETPAIR = 360, BIND = 361, CONNECT = 362, LISTEN = 363, ACCEPT4 = 364, GETSOCKOPT = 365, SETSOCKOPT = 366, GETSOCKNAME = 367,
    GETPEERNAME = 368, SENDTO = 369, SENDMSG = 370, RECVFROM = 371, RECVMSG = 372, SHUTDOWN = 373, SENDFILE = 187, EPOLL_CREATE1 = 329, EPOLL_CTL = 255, EPOLL_WAIT = 256, MEMFD_CREATE = 356, RT_SIGTIMEDWAIT = 177, RT_SIGQUEUEINFO = 178, STATFS = 99, FUTEX = 240,
    STREAM = 1, DATAGRAM = 2, SEQPACKET = 5, PEEK = 2, DONTWAIT = 0x40, WAITALL = 0x100, NOSIGNAL = 0x4000, TRUNCATED = 0x20
};

static char sock_buffer[300000];

struct sock_name {
    u16 family;
    char path[108];
};

static int sock_ready(int fd)
{
    struct { int fd; short events, revents; } item;

    item.fd = fd;
    item.events = 1 | 4 | 0x2000;
    item.revents = 0;
    sys(POLL, &item, 1, 0);
    return item.revents;
}

static int sock_option(int fd, int name)
{
    int value = -1, size = 4, error = sys(GETSOCKOPT, fd, 1, name, &value, &size);

    return error < 0 ? error : value;
}

/* The length of its address. */
static int sock_address(struct sock_name *to, const char *path)
{
    u32 i, n = length(path + (*path == 0)) + (*path == 0);

    fill(to, 0, sizeof *to);
    to->family = 1;
    for (i = 0; i < n; i++)
        to->path[i] = path[i];
    return 2 + (int)n + (*path != 0);
}

static int sock_connect(int fd, const char *path)
{
    struct sock_name name;
    int size = sock_address(&name, path);

    return sys(CONNECT, fd, &name, size);
}

static int sock_bind(int fd, const char *path)
{
    struct sock_name name;
    int size = sock_address(&name, path);

    return sys(BIND, fd, &name, size);
}

static void close_all(void)
{
    for (int fd = 3; fd < 64; fd++)
        sys(CLOSE, fd);
}

#include "streams.c"
#include "connections.c"
#include "packets.c"
#include "passing.c"
#include "memory.c"
#include "queues.c"
#include "shm.c"
#include "choices.c"

void start_c(u32 *stack)
{
    char **argv = (char **)(stack + 1);

    self = argv[0];
    close_all();
    sys(UMASK, 022);
    sys(SIGNAL, 13, 1); /* SIGPIPE */
    streams();
    connections();
    packets();
    passing();
    memory();
    queues();
    shm();
    choices();
    put("# end\n");
    sys(EXIT_GROUP, 0);
}
