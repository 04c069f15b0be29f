/* datagrams.c: to whom has the port, or to nobody. */

static int datagram_to(int fd, u32 host, int port, const char *text)
{
    struct inet_name name;
    int size = inet_name(&name, INET, host, port);

    return sys(SENDTO, fd, text, length(text), 0, &name, size);
}

static void datagrams(void)
{
    struct inet_name from;
    int s, t, u, n, port;

    section("datagrams");
    s = sys(SOCKET, INET, DATAGRAM, 0);
    t = sys(SOCKET, INET, DATAGRAM | O_NONBLOCK, 0);
    say("protocol", inet_option(s, 1, 38));
    say("ready for", inet_ready(s));
    say("to nobody", sys(WRITE, s, "x", 1));
    say("listen", sys(LISTEN, s, 1));
    say("accept", sys(ACCEPT4, s, 0, 0, 0));
    say("unreachable", datagram_to(s, 0x08080808, 4200, "x"));
    say("no port", datagram_to(s, HERE4, 0, "x"));
    say("lost", datagram_to(s, HERE4, 4200, "lost"));
    say("no word of it", datagram_to(s, HERE4, 4200, "lost"));
    say("bind", inet_call(BIND, t, INET, 0, 4200));
    say("would wait", sys(READ, t, inet_buffer, 9));
    say("send", datagram_to(s, HERE4, 4200, "datagram"));
    say("empty", datagram_to(s, HERE4, 4200, ""));
    say("ready", inet_ready(t));
    n = sizeof from;
    say("cut", sys(RECVFROM, t, inet_buffer, 4, 0x20, &from, &n));
    port = inet_port(GETSOCKNAME, s, INET, 0);
    say("from", n == 16 && (from.port[0] << 8 | from.port[1]) == port && from.host[0] == HERE4);
    say("empty", sys(READ, t, inet_buffer, 9));
    say("answer", sys(SENDTO, t, "answer", 6, 0, &from, n));
    say("comes", sys(READ, s, inet_buffer, 99));
    say("join", inet_call(CONNECT, s, INET, HERE4, 4200));
    say("to", inet_port(GETPEERNAME, s, INET, HERE4));
    say("own", inet_port(GETSOCKNAME, s, INET, HERE4) == port);
    say("joined", sys(WRITE, s, "joined", 6));
    u = sys(SOCKET, INET, DATAGRAM, 0);
    say("a stranger", datagram_to(u, HERE4, port, "strange"));
    say("is not heard", sys(RECVFROM, s, inet_buffer, 9, DONTWAIT, 0, 0));
    say("too large", sys(WRITE, s, inet_buffer, 65508));
    say("largest", sys(WRITE, s, inet_buffer, 65507));
    say("in turn", sys(READ, t, inet_buffer, sizeof inet_buffer));
    say("whole", sys(READ, t, inet_buffer, sizeof inet_buffer));
    sys(CLOSE, t);
    say("to who has gone", sys(WRITE, s, "gone", 4));
    say("hears of it", sys(WRITE, s, "gone", 4));
    say("is gone", (sys(WRITE, s, "gone", 4), inet_option(s, 1, 4)));
    from.family = 0;
    say("of no family", sys(CONNECT, s, &from, 16));
    say("joined to nobody", inet_port(GETPEERNAME, s, INET, HERE4));
    say("shared port", (t = sys(SOCKET, INET, DATAGRAM, 0), inet_call(BIND, t, INET, HERE4, 4200)));
    say("not", inet_call(BIND, u, INET, 0, 4200));
    close_all();
}
