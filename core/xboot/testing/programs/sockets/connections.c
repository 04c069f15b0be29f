/* connections.c: names of files and names without one, listening, connecting, accepting. */

static void connections(void)
{
    int l, c, a, n, pid;
    struct sock_name from;
    u32 peer[3], time[2];

    section("connections");
    l = sane("socket", sys(SOCKET, 1, STREAM, 0));
    c = sane("another", sys(SOCKET, 1, STREAM | O_NONBLOCK, 0));
    say("not connected", sys(WRITE, l, "x", 1));
    say("nor to be read", sys(READ, l, sock_buffer, 1));
    say("is ready for", sock_ready(l));
    say("no name yet", (n = sizeof from, sys(GETSOCKNAME, l, &from, &n), n));
    say("no peer", sys(GETPEERNAME, l, &from, &n));
    say("listen without a name", sys(LISTEN, l, 5));
    say("nobody there", sock_connect(c, "server"));
    say("bind", sock_bind(l, "server"));
    say("bind again", sock_bind(l, "other"));
    say("bind where one is", sock_bind(c, "server"));
    say("bind in no folder", sock_bind(c, "no/such"));
    say("its mode", (int)stat_word("server", STAT_MODE));
    say("not listening", sock_connect(c, "server"));
    say("open", sys(OPEN, "server", O_RDWR, 0));
    say("listen", sys(LISTEN, l, 5));
    say("listens", sock_option(l, 30));
    say("nobody waits", sock_ready(l));
    say("accept would wait", (sys(FCNTL, l, 4, O_NONBLOCK), sys(ACCEPT4, l, 0, 0, 0)));
    say("accept flags", sys(ACCEPT4, l, 0, 0, 99));
    say("connect", sock_connect(c, "server"));
    say("connect again", sock_connect(c, "server"));
    say("somebody waits", sock_ready(l));
    say("write before it is accepted", sys(WRITE, c, "early", 5));
    n = sizeof from;
    a = sane("accept", sys(ACCEPT4, l, &from, &n, O_CLOEXEC));
    say("who has no name", n);
    say("closes on exec", sys(FCNTL, a, 1));
    say("waits no more", sock_ready(l));
    say("early", sys(READ, a, sock_buffer, 9));
    n = sizeof from;
    say("own name", sys(GETSOCKNAME, a, &from, &n));
    say("its length", n);
    say("is the listener's", same(from.path, "server", 7));
    n = sizeof from;
    say("the peer's name", (sys(GETPEERNAME, c, &from, &n), n));
    n = 4;
    say("cut short", (sys(GETPEERNAME, c, &from, &n), n));
    n = -1;
    say("a length below nothing", sys(GETPEERNAME, c, &from, &n));
    n = sizeof peer;
    say("who is it", sys(GETSOCKOPT, a, 1, 17, peer, &n));
    say("number, user, group", ((int)peer[0] == sys(GETPID)) * 100 + ((int)peer[1] == sys(GETUID)) * 10 + ((int)peer[2] == sys(GETGID)));
    say("both ways", (sys(WRITE, a, "answer", 6), sys(READ, c, sock_buffer, 9)));
    say("accept on no listener", sys(ACCEPT4, c, 0, 0, 0));
    say("connect a listener", sock_connect(l, "server"));
    sys(CLOSE, a);
    say("closed", sys(READ, c, sock_buffer, 1));
    sys(CLOSE, c);
    c = sys(SOCKET, 1, STREAM, 0);
    sock_connect(c, "server");
    sys(CLOSE, l);
    say("never accepted", sys(READ, c, sock_buffer, 1));
    sys(CLOSE, c);
    c = sys(SOCKET, 1, STREAM, 0);
    say("the file stays", sys(ACCESS, "server", 0));
    say("and leads nowhere", sock_connect(c, "server"));
    say("unlink", sys(UNLINK, "server"));
    say("then it is not there", sock_connect(c, "server"));
    say("a file is no socket", (sys(CLOSE, make("f", "x", 0644)), sock_connect(c, "f")));
    sys(UNLINK, "f");
    l = sys(SOCKET, 1, STREAM, 0);
    say("a name without a file", sock_bind(l, "\0hidden"));
    n = sizeof from;
    say("its length", (sys(GETSOCKNAME, l, &from, &n), n));
    say("is taken", sock_bind(c, "\0hidden"));
    say("of another kind", (n = sys(SOCKET, 1, DATAGRAM, 0), sock_connect(n, "\0hidden")));
    sys(CLOSE, n);
    sys(LISTEN, l, 1);
    pid = sys(FORK);
    if (!pid) {
        a = sys(ACCEPT4, l, 0, 0, 0);
        sys(READ, a, sock_buffer, 9);
        sys(WRITE, a, "reply", 5);
        sys(EXIT, 0);
    }
    say("connect to it", sock_connect(c, "\0hidden"));
    say("ask", sys(WRITE, c, "ask", 3));
    say("reply", sys(READ, c, sock_buffer, 9));
    say("served", child_status(pid));
    sys(CLOSE, c);
    pid = sys(FORK);
    if (!pid) { /* one waits to be accepted, and one more, and the third waits for its place */
        int k[4];

        for (n = 0; n < 4; n++)
            k[n] = sys(SOCKET, 1, STREAM, 0);
        sys(EXIT, !(sock_connect(k[0], "\0hidden") == 0 && sock_connect(k[1], "\0hidden") == 0 && (sys(FCNTL, k[2], 4, O_NONBLOCK), sock_connect(k[2], "\0hidden")) == -11 &&
                    sock_connect(k[3], "\0hidden") == 0));
    }
    time[0] = 0;
    time[1] = 20000000;
    sys(NANOSLEEP, time, 0);
    sys(ACCEPT4, l, 0, 0, 0);
    say("a queue of two", child_status(pid));
    sys(CLOSE, l);
    l = sys(SOCKET, 1, STREAM, 0);
    say("free when it is closed", sock_bind(l, "\0hidden"));
    sys(CLOSE, l);
    l = sys(SOCKET, 1, STREAM, 0);
    from.family = 1;
    say("any name", sys(BIND, l, &from, 2));
    n = sizeof from;
    say("of five digits", (sys(GETSOCKNAME, l, &from, &n), n));
    say("address too short", sys(BIND, c = sys(SOCKET, 1, STREAM, 0), &from, 1));
    say("address too long", sys(BIND, c, &from, 200));
    say("bad address", sys(BIND, c, KERNEL, 20));
    from.family = 2;
    say("another family", sys(BIND, c, &from, 20));
    say("made by mknod", sys(MKNOD, "made", 0140644, 0));
    say("leads nowhere", sock_connect(c, "made"));
    sys(UNLINK, "made");
    say("connect no socket", sock_connect(0, "made"));
    say("connect nothing", sock_connect(63, "made"));
    close_all();
}
