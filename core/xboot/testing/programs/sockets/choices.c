/* choices.c: SO_LINGER, and what epoll calls an edge (EPOLLET) of a socket. */

#include "../syscalls/edges.h"

static void choices_linger(int fd)
{
    int value[2], size = 8;

    value[0] = value[1] = -1;
    say("linger", sys(GETSOCKOPT, fd, 1, 13, value, &size));
    say("size", size);
    say("it does", value[0]);
    say("seconds", value[1]);
}

static void choices(void)
{
    int s[2], l, c, value[2], size;
    struct sock_name name;

    section("choices");
    sys(SOCKETPAIR, 1, STREAM | O_NONBLOCK, 0, s);
    choices_linger(s[0]);
    value[0] = 1;
    value[1] = 7;
    say("set", sys(SETSOCKOPT, s[0], 1, 13, value, 8));
    choices_linger(s[0]);
    value[0] = 0;
    value[1] = 9;
    say("set, not to", sys(SETSOCKOPT, s[0], 1, 13, value, 8));
    choices_linger(s[0]);
    value[0] = 5;
    say("set", sys(SETSOCKOPT, s[0], 1, 13, value, 8));
    choices_linger(s[0]);
    say("too short", sys(SETSOCKOPT, s[0], 1, 13, value, 4));
    size = 4;
    say("room for half", sys(GETSOCKOPT, s[0], 1, 13, value, &size));
    say("bad memory", sys(SETSOCKOPT, s[0], 1, 13, BAD, 8));
    edges_begin(s[0], 1 | 4 | 0x2000);
    edges_ask("room");
    edges_ask("told once");
    sys(WRITE, s[1], "abc", 3);
    edges_ask("written to");
    edges_ask("told once");
    sys(READ, s[0], sock_buffer, 1);
    edges_ask("part is read");
    sys(WRITE, s[1], "d", 1);
    edges_ask("written to again");
    sys(READ, s[0], sock_buffer, 64);
    edges_ask("all is read");
    sys(SHUTDOWN, s[1], 1);
    edges_ask("the other end writes no more");
    edges_ask("told once");
    sys(CLOSE, s[1]);
    edges_ask("the other end is closed");
    edges_ask("told once");
    close_all();
    sys(SOCKETPAIR, 1, STREAM | O_NONBLOCK, 0, s);
    edges_begin(s[0], 4);
    edges_ask("room");
    while (sys(WRITE, s[0], sock_buffer, 32768) > 0)
        ;
    edges_ask("full");
    while (sys(READ, s[1], sock_buffer, 32768) > 0)
        ;
    edges_ask("all is read");
    edges_ask("told once");
    close_all();
    sys(SOCKETPAIR, 1, DATAGRAM | O_NONBLOCK, 0, s);
    edges_begin(s[0], 1);
    edges_ask("no datagram");
    sys(WRITE, s[1], "a", 1);
    sys(WRITE, s[1], "b", 1);
    edges_ask("two");
    sys(READ, s[0], sock_buffer, 64);
    edges_ask("one is read");
    sys(WRITE, s[1], "c", 1);
    edges_ask("another");
    close_all();
    l = sys(SOCKET, 1, STREAM | O_NONBLOCK, 0);
    sock_bind(l, "listener");
    sys(LISTEN, l, 4);
    edges_begin(l, 1);
    edges_ask("nobody connects");
    c = sys(SOCKET, 1, STREAM, 0);
    sock_connect(c, "listener");
    edges_ask("one connects");
    edges_ask("told once");
    c = sys(SOCKET, 1, STREAM, 0);
    sock_connect(c, "listener");
    edges_ask("another");
    size = sizeof name;
    sane("accept", sys(ACCEPT4, l, &name, &size, 0));
    edges_ask("one is taken");
    close_all();
    sys(UNLINK, "listener");
}
