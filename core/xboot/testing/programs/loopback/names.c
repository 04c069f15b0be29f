/* names.c: sockets, addresses, ports, and options. */

static void names(void)
{
    struct inet_name name;
    int s, t, n, port;

    section("names");
    say("stream", (s = sys(SOCKET, INET, STREAM, 0)) < 0);
    say("of TCP", sys(SOCKET, INET, STREAM, 6) < 0);
    say("of UDP", sys(SOCKET, INET, STREAM, 17));
    say("datagrams of TCP", sys(SOCKET, INET, DATAGRAM, 6));
    say("raw", sys(SOCKET, INET, 3, 1));
    say("in order", sys(SOCKET, INET, 5, 0));
    say("no such kind", sys(SOCKET, INET, 11, 0));
    say("a pair", sys(SOCKETPAIR, INET, STREAM, 0, &n));
    say("domain", inet_option(s, 1, 39));
    say("protocol", inet_option(s, 1, 38));
    say("kind", inet_option(s, 1, 3));
    say("no error", inet_option(s, 1, 4));
    say("is ready for", inet_ready(s));
    say("no port", inet_port(GETSOCKNAME, s, INET, 0));
    say("nobody", inet_port(GETPEERNAME, s, INET, 0));
    say("elsewhere", inet_call(BIND, s, INET, 0x08080808, 4000));
    say("a port of root", inet_call(BIND, s, INET, HERE4, 80));
    say("of another family", inet_call(BIND, s, INET6, 1, 4000));
    inet_name(&name, INET, HERE4, 4000);
    say("too short", sys(BIND, s, &name, 8));
    say("too long", sys(BIND, s, &name, 200));
    say("from nowhere", sys(BIND, s, KERNEL, 16));
    say("bind", inet_call(BIND, s, INET, HERE4, 4000));
    say("its port", inet_port(GETSOCKNAME, s, INET, HERE4));
    say("again", inet_call(BIND, s, INET, HERE4, 4001));
    t = sys(SOCKET, INET, STREAM, 0);
    say("where one is", inet_call(BIND, t, INET, HERE4, 4000));
    say("to all where one is", inet_call(BIND, t, INET, 0, 4000));
    say("at another host", inet_call(BIND, t, INET, 0x0200007f, 4000));
    sys(CLOSE, t);
    t = sys(SOCKET, INET, STREAM, 0);
    say("that is not shared", (inet_set(t, 1, 2, 1), inet_call(BIND, t, INET, HERE4, 4000)));
    say("that is shared", (inet_set(s, 1, 2, 1), inet_call(BIND, t, INET, HERE4, 4000)));
    say("listen", sys(LISTEN, s, 5));
    say("both cannot", sys(LISTEN, t, 5));
    sys(CLOSE, t);
    t = sys(SOCKET, INET, STREAM, 0);
    say("any port", inet_call(BIND, t, INET, 0, 0));
    port = inet_port(GETSOCKNAME, t, INET, 0);
    say("of those that are for all", port >= 32768 && port < 61000);
    n = sys(SOCKET, INET, STREAM, 0);
    say("another", (inet_call(BIND, n, INET, 0, 0), inet_port(GETSOCKNAME, n, INET, 0) != port));
    say("datagrams have their own", (sys(CLOSE, n), n = sys(SOCKET, INET, DATAGRAM, 0), inet_call(BIND, n, INET, HERE4, 4000)));
    say("no delay", inet_option(t, 6, 1));
    say("set", inet_set(t, 6, 1, 5));
    say("is", inet_option(t, 6, 1));
    say("not of datagrams", inet_set(n, 6, 1, 1) < 0);
    say("alive after", (inet_set(t, 6, 4, 100), inet_option(t, 6, 4)));
    say("time to live", inet_option(t, 0, 2));
    say("no such option", inet_set(t, 6, 99, 1));
    say("no such level", inet_set(t, 99, 1, 1));
    say("too short", sys(SETSOCKOPT, t, 6, 1, &n, 2));
    say("listens", inet_option(s, 1, 30));
    say("does not", inet_option(t, 1, 30));
    close_all();
}
