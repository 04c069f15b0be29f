/* main.c: AF_INET and AF_INET6 on the loopback of a step's own, in the manner of ../syscalls/main.c: one line a check, nothing judged, the same on every correct kernel
   that has a loopback. NAME.c is a section, NAME.txt what Linux answers. Ports that nobody chose are compared and not printed. */

#include "../syscalls/common.h"

enum {
    SOCKET = 359, SOCKETPAIR = 360, BIND = 361, CONNECT = 362, LISTEN = 363, ACCEPT4 = 364, GETSOCKOPT = 365, SETSOCKOPT = 366, GETSOCKNAME = 367, GETPEERNAME = 368,
    SENDTO = 369, RECVFROM = 371, SHUTDOWN = 373, SCHED_YIELD = 158, INET = 2, INET6 = 10, STREAM = 1, DATAGRAM = 2, NOSIGNAL = 0x4000, DONTWAIT = 0x40, HERE4 = 0x0100007f
};

static char inet_buffer[70000];

/* struct sockaddr_in, and sockaddr_in6 */
struct inet_name {
    u16 family;
    u8 port[2];
    u32 host[6];
};

/* host: of version 4 as it lies in memory; of version 6 the last byte of the address, or with 256 that of a mapped 127.0.0.x. Its length. */
static int inet_name(struct inet_name *to, int family, u32 host, int port)
{
    fill(to, 0, sizeof *to);
    to->family = (u16)family;
    to->port[0] = (u8)(port >> 8);
    to->port[1] = (u8)port;
    if (family == INET) {
        to->host[0] = host;
        return 16;
    }
    to->host[4] = host << 24;
    if (host & 256) {
        to->host[3] = 0xffff0000;
        to->host[4] = 0x0000007f | host << 24;
    }
    return 28;
}

static int inet_call(int call, int fd, int family, u32 host, int port)
{
    struct inet_name name;
    int size = inet_name(&name, family, host, port);

    return sys(call, fd, &name, size);
}

/* The port that getsockname or getpeername tell; -1 unless the host is this one. */
static int inet_port(int call, int fd, int family, u32 host)
{
    struct inet_name name, like;
    int size = sizeof name, error = sys(call, fd, &name, &size);

    inet_name(&like, family, host, 0);
    if (error < 0)
        return error;
    return size == (family == INET ? 16 : 28) && name.family == family && same(name.host, like.host, family == INET ? 4 : 24) ? name.port[0] << 8 | name.port[1] : -1;
}

static int inet_ready(int fd)
{
    struct { int fd; short events, revents; } item;

    item.fd = fd;
    item.events = 1 | 4 | 0x2000;
    item.revents = 0;
    sys(POLL, &item, 1, 0);
    return item.revents;
}

static int inet_option(int fd, int level, int name)
{
    int value = -1, size = 4, error = sys(GETSOCKOPT, fd, level, name, &value, &size);

    return error < 0 ? error : value;
}

static int inet_set(int fd, int level, int name, int value)
{
    return sys(SETSOCKOPT, fd, level, name, &value, 4);
}

static void close_all(void)
{
    for (int fd = 3; fd < 64; fd++)
        sys(CLOSE, fd);
}

#include "names.c"
#include "connections.c"
#include "datagrams.c"
#include "six.c"

void start_c(u32 *stack)
{
    self = (char *)stack[1];
    close_all();
    sys(SIGNAL, 13, 1); /* SIGPIPE */
    names();
    connections();
    datagrams();
    six();
    put("# end\n");
    sys(EXIT_GROUP, 0);
}
