/* connections.c: listening, connecting with waiting and without, accepting, and the end. */

static void connections(void)
{
    struct inet_name from;
    int l, c, a, n, port, pid;

    section("connections");
    l = sys(SOCKET, INET, STREAM, 0);
    c = sys(SOCKET, INET, STREAM, 0);
    say("write to nobody", sys(WRITE, c, "x", 1));
    say("read from nobody", sys(READ, c, inet_buffer, 1));
    say("shut down nothing", sys(SHUTDOWN, c, 2));
    say("accept on no listener", sys(ACCEPT4, l, 0, 0, 0));
    say("refused", inet_call(CONNECT, c, INET, HERE4, 4100));
    say("unreachable", inet_call(CONNECT, c, INET, 0x08080808, 4100));
    say("of another family", inet_call(CONNECT, c, INET6, 1, 4100));
    inet_name(&from, INET, HERE4, 4100);
    say("too short", sys(CONNECT, c, &from, 8));
    say("bind", (inet_set(l, 1, 2, 1), inet_call(BIND, l, INET, HERE4, 4100)));
    say("bound is not listening", inet_call(CONNECT, c, INET, HERE4, 4100));
    say("listen", sys(LISTEN, l, 5));
    say("again", sys(LISTEN, l, 6));
    say("would wait", (sys(FCNTL, l, 4, O_NONBLOCK), sys(ACCEPT4, l, 0, 0, 0)));
    say("ready for nothing", inet_ready(l));
    say("connect", inet_call(CONNECT, c, INET, HERE4, 4100));
    say("once", inet_call(CONNECT, c, INET, HERE4, 4100));
    say("a listener cannot", inet_call(CONNECT, l, INET, HERE4, 4100));
    say("peer", inet_port(GETPEERNAME, c, INET, HERE4));
    port = inet_port(GETSOCKNAME, c, INET, HERE4);
    say("own port", port >= 32768 && port < 61000);
    say("somebody waits", inet_ready(l));
    say("early", sys(WRITE, c, "early", 5));
    n = sizeof from;
    a = sane("accept", sys(ACCEPT4, l, &from, &n, O_CLOEXEC));
    say("from there", n == 16 && from.family == INET && (from.port[0] << 8 | from.port[1]) == port && from.host[0] == HERE4);
    say("own", inet_port(GETSOCKNAME, a, INET, HERE4));
    say("peer", inet_port(GETPEERNAME, a, INET, HERE4) == port);
    say("listener's option", inet_option(a, 1, 2));
    say("read", sys(READ, a, inet_buffer, 99));
    say("nothing more", (sys(FCNTL, a, 4, O_NONBLOCK), sys(READ, a, inet_buffer, 99)));
    say("ready for", inet_ready(a));
    n = sizeof from;
    say("answer", sys(SENDTO, a, "answer", 6, 0, 0, 0));
    say("has come", sys(RECVFROM, c, inet_buffer, 99, 2, &from, &n));
    say("without a name", n);
    say("and is read", sys(READ, c, inet_buffer, 3));
    say("in parts", sys(READ, c, inet_buffer, 99));
    say("no more from it", sys(SHUTDOWN, a, 1));
    say("no more", sys(READ, c, inet_buffer, 1));
    say("ready for", inet_ready(c));
    say("the other way", sys(WRITE, c, "back", 4));
    say("comes", sys(READ, a, inet_buffer, 99));
    say("not this way", sys(SENDTO, a, "x", 1, NOSIGNAL, 0, 0));
    say("shut both ways", (sys(SHUTDOWN, c, 1), inet_ready(c)));
    sys(CLOSE, a);
    sys(CLOSE, c);

    c = sys(SOCKET, INET, STREAM | O_NONBLOCK, 0);
    say("begin", inet_call(CONNECT, c, INET, HERE4, 4100));
    say("has ended", inet_ready(c));
    say("well", inet_option(c, 1, 4));
    say("says so", inet_call(CONNECT, c, INET, HERE4, 4100));
    say("once", inet_call(CONNECT, c, INET, HERE4, 4100));
    a = sys(ACCEPT4, l, 0, 0, 0);
    sys(WRITE, c, "unread", 6);
    sys(CLOSE, a);
    say("reset", sys(READ, c, inet_buffer, 1));
    say("and over", sys(READ, c, inet_buffer, 1));
    say("broken", sys(SENDTO, c, "x", 1, NOSIGNAL, 0, 0));
    sys(CLOSE, c);
    c = sys(SOCKET, INET, STREAM | O_NONBLOCK, 0);
    say("begin", inet_call(CONNECT, c, INET, HERE4, 4101));
    say("has ended", inet_ready(c));
    say("refused", inet_option(c, 1, 4));
    say("told once", inet_option(c, 1, 4));
    sys(CLOSE, c);
    c = sys(SOCKET, INET, STREAM | O_NONBLOCK, 0);
    say("begin", inet_call(CONNECT, c, INET, HERE4, 4101));
    say("refused", inet_call(CONNECT, c, INET, HERE4, 4101));
    say("begin anew", inet_call(CONNECT, c, INET, HERE4, 4100));
    say("well", inet_call(CONNECT, c, INET, HERE4, 4100));
    sys(CLOSE, c);
    sys(FCNTL, l, 4, 0);
    sys(CLOSE, sys(ACCEPT4, l, 0, 0, 0));

    pid = sys(FORK);
    if (!pid) {
        c = sys(SOCKET, INET, STREAM, 0);
        n = inet_call(CONNECT, c, INET, 0, 4100);
        for (int i = 0; i < 100; i++)
            sys(WRITE, c, inet_buffer, 10000);
        sys(SHUTDOWN, c, 1);
        sys(EXIT, n < 0 || sys(READ, c, inet_buffer, 9) != 3);
    }
    a = sys(ACCEPT4, l, 0, 0, 0);
    for (port = 0; (n = sys(READ, a, inet_buffer, sizeof inet_buffer)) > 0;)
        port += n;
    say("much", port);
    say("thanks", sys(WRITE, a, "yes", 3));
    say("a child", child_status(pid));
    sys(CLOSE, a);
    sys(CLOSE, l);
    l = sys(SOCKET, INET, STREAM, 0);
    say("the port again", (inet_set(l, 1, 2, 1), inet_call(BIND, l, INET, HERE4, 4100)));
    say("any port by listening", (a = sys(SOCKET, INET, STREAM, 0), sys(LISTEN, a, 1)));
    n = inet_port(GETSOCKNAME, a, INET, 0);
    say("it has one", n >= 32768 && n < 61000);
    c = sys(SOCKET, INET, STREAM, 0);
    say("at another host", inet_call(CONNECT, c, INET, 0x0500007f, n));
    say("of its name", inet_port(GETPEERNAME, c, INET, 0x0500007f) == n);
    say("never accepted", (sys(CLOSE, a), sys(READ, c, inet_buffer, 1)));
    close_all();
}
