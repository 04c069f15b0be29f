/* channels.c: pipes, sockets, events, and which of them are ready. All that is made here is O_NONBLOCK. */

enum {
    SOCKET = 359, SOCKETPAIR = 360, BIND = 361, CONNECT = 362, LISTEN = 363, ACCEPT4 = 364, GETSOCKOPT = 365, GETSOCKNAME = 367, SENDTO = 369, SENDMSG = 370,
    RECVFROM = 371, RECVMSG = 372, SHUTDOWN = 373, EPOLL_CREATE1 = 329, EPOLL_CTL = 255, EPOLL_WAIT = 256, EVENTFD2 = 328
};

static int any_kind(void)
{
    static const int kinds[] = { 1, 1, 2, 5 };

    return kinds[draw(4)] | O_NONBLOCK | (one_in(4) ? O_CLOEXEC : 0);
}

static void op_pipe(void)
{
    int p[2] = { -1, -1 }, r, kind = any_kind();

    if (one_in(2)) {
        r = sys(PIPE2, p, O_NONBLOCK | (one_in(4) ? O_CLOEXEC : 0));
        tell("pipe = %d %d %d", r, p[0], p[1]);
    } else {
        r = sys(SOCKETPAIR, 1, kind, one_in(12) ? 1 : 0, p);
        tell("socketpair %x = %d %d %d", kind, r, p[0], p[1]);
    }
    if (!r) {
        opens(p[0]);
        opens(p[1]);
    }
}

/* A name for a socket: in the folder, or in the space of names without one. */
static u32 any_address(char *to)
{
    const char *name = any_name();
    u32 n = length(name);

    fill(to, 0, 110);
    to[0] = 1;
    if (one_in(2)) {
        to[3] = (char)('a' + draw(3));
        return 4;
    }
    memcpy(to + 2, name, n);
    return n ? n + 3 : 2 + 108 * draw(2);
}

static void op_socket(void)
{
    char address[110];
    int fd = any_fd(), r, kind = any_kind(), size = 110;
    u32 n = any_address(address);

    switch (draw(8)) {
    case 0: case 1: tell("socket %x = %d", kind, opens(sys(SOCKET, 1, kind, 0))); break;
    case 2: tell("bind %d %s %s %d = %d", fd, address + 2, address + 3, n, n > 3 || address[2] ? sys(BIND, fd, address, n) : 0); break;
    case 3: tell("listen %d = %d", fd, sys(LISTEN, fd, 4)); break;
    case 4: tell("connect %d %s %s %d = %d", fd, address + 2, address + 3, n, sys(CONNECT, fd, address, n)); break;
    case 5:
        r = opens(sys(ACCEPT4, fd, one_in(2) ? address : 0, &size, O_NONBLOCK));
        tell("accept %d = %d %d", fd, r, size);
        break;
    case 6:
        r = sys(one_in(2) ? GETSOCKNAME : GETSOCKNAME + 1, fd, address, &size);
        tell("name %d = %d %d %s", fd, r, size, r ? "" : address + 2);
        break;
    default: tell("shutdown %d = %d", fd, sys(SHUTDOWN, fd, n = draw(4)));
    }
}

static void op_message(void)
{
    static const int ways[] = { 0, 0, 0, 2, 0x20, 0x22, 2, 0x80, 0x100 };
    int fd = any_fd(), n = (int)draw(700), r, way = ways[draw(9)];

    if (one_in(2)) {
        fill_buffer((u32)n);
        tell("send %d %d %x = %d", fd, n, way & 0x80, sys(SENDTO, fd, buffer, n, (way & 0x80) | (one_in(2) ? 0x4000 : 0), 0, 0));
    } else {
        r = sys(RECVFROM, fd, buffer, n, way & 0x122, 0, 0);
        tell("recv %d %d %x = %d %x", fd, n, way & 0x122, r, hash_of(buffer, r < 0 ? 0 : r < n ? r : n, EMPTY));
    }
}

/* A descriptor, or two, through a socket; not of sockets: when those that travel in circles are found to be gone is not promised. */
static void op_pass(void)
{
    struct { u32 length; int level, type, fds[2]; } control;
    u32 vector[2], message[7], i;
    int fd = any_fd(), n = 1 + (int)draw(2), flags = one_in(3) ? 0x40000000 : 0, r;

    vector[0] = (u32)buffer;
    vector[1] = 1 + draw(20);
    fill(message, 0, sizeof message);
    message[2] = (u32)vector;
    message[3] = 1;
    message[4] = (u32)&control;
    if (one_in(2)) {
        fill_buffer(vector[1]);
        control.level = 1;
        control.type = one_in(20) ? 7 : 1;
        control.length = message[5] = 12 + 4 * (u32)n;
        control.fds[0] = any_fd();
        control.fds[1] = any_fd();
        if (is_socket(control.fds[0]) || is_socket(control.fds[1]))
            return;
        r = sys(SENDMSG, fd, message, 0x4000);
        tell("sendmsg %d %d with %d %d of %d = %d", fd, vector[1], control.fds[0], control.fds[1], n, r);
        return;
    }
    message[5] = one_in(4) ? 16 : 20;
    control.length = 0;
    r = sys(RECVMSG, fd, message, flags);
    tell("recvmsg %d %d = %d %x control %d flags %x", fd, vector[1], r, hash_of(buffer, r < 0 ? 0 : r, EMPTY), r < 0 ? 0 : message[5], r < 0 ? 0 : message[6]);
    if (r >= 0 && message[5] >= 16)
        for (i = 0; i < (control.length - 12) / 4 && i < 2; i++)
            tell("  a descriptor: %d", opens(control.fds[i]));
}

static void op_ready(void)
{
    struct { int fd; short events, ready; } asked[3];
    struct { u32 events, data[2]; } event[4];
    int i, r, fd = any_fd(), other = any_fd();

    switch (draw(6)) {
    case 0: tell("epoll_create = %d", opens(sys(EPOLL_CREATE1, one_in(3) ? O_CLOEXEC : 0))); return;
    case 1:
        if (!flows(other) && !is_file(other))
            return; /* one epoll in another, and what kind of file an event is: docs/refusals.md */
        event[0].events = one_in(2) ? 1 : one_in(2) ? 4 : 0x40000005;
        event[0].data[0] = draw(100);
        event[0].data[1] = 0;
        r = 1 + (int)draw(3);
        tell("epoll_ctl %d %d %d %x = %d", fd, r, other, event[0].events, sys(EPOLL_CTL, fd, r, other, event));
        return;
    case 2:
        r = sys(EPOLL_WAIT, fd, event, 1, 0);
        tell("epoll_wait %d = %d", fd, r);
        if (r > 0)
            tell("  %x", event[0].events & 0x2000ffffu);
        return;
    case 3: tell("eventfd = %d", opens(sys(EVENTFD2, draw(3), O_NONBLOCK | (one_in(3) ? 1 : 0)))); return;
    default:
        for (i = 0; i < 3; i++) {
            asked[i].fd = any_fd();
            asked[i].events = (short)draw(8);
            asked[i].ready = 0;
        }
        r = sys(POLL, asked, 3, 0);
        tell("poll %d %x %d %x %d %x = %d: %x %x %x", asked[0].fd, asked[0].events, asked[1].fd, asked[1].events, asked[2].fd, asked[2].events, r, asked[0].ready,
             asked[1].ready, asked[2].ready);
    }
}
