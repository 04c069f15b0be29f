/* packets.c: datagrams and sequenced packets: borders, senders, queues. */

static int packets_send_to(int fd, const char *text, const char *path)
{
    struct sock_name name;
    int size = sock_address(&name, path);

    return sys(SENDTO, fd, text, length(text), 0, &name, size);
}

static void packets(void)
{
    int a, b, c, s[2], n, i;
    struct sock_name from;
    u32 vector[4], header[7];
    u16 none = 0;

    section("packets");
    a = sys(SOCKET, 1, DATAGRAM, 0);
    b = sys(SOCKET, 1, DATAGRAM | O_NONBLOCK, 0);
    say("bind", sock_bind(a, "box"));
    say("to nobody", sys(SENDTO, b, "x", 1, 0, 0, 0));
    say("first", packets_send_to(b, "first", "box"));
    say("sender binds", sock_bind(b, "sender"));
    say("second", packets_send_to(b, "second", "box"));
    n = sizeof from;
    say("cut", sys(RECVFROM, a, sock_buffer, 3, 0, &from, &n));
    say("had no name", n);
    n = sizeof from;
    say("peek, the whole length", sys(RECVFROM, a, sock_buffer, 3, PEEK | TRUNCATED, &from, &n));
    say("the whole length", sys(RECVFROM, a, sock_buffer, 3, TRUNCATED, &from, &n));
    say("length of its name", n);
    say("its name", same(from.path, "sender", 7));
    say("to nobody there", packets_send_to(b, "x", "nobody"));
    say("connect", sock_connect(b, "box"));
    say("empty", sys(SENDTO, b, "", 0, 0, 0, 0));
    say("is a packet", sys(RECVFROM, a, sock_buffer, 9, 0, 0, 0));
    say("listen", sys(LISTEN, a, 1));
    say("accept", sys(ACCEPT4, a, 0, 0, 0));
    say("nothing there", sys(RECVFROM, b, sock_buffer, 9, 0, 0, 0));
    say("too long", sys(SENDTO, b, sock_buffer, 300000, 0, 0, 0));
    for (i = 0; (n = sys(SENDTO, b, "full", 4, 0, 0, 0)) == 4 && i < 500; i++)
        ;
    say("full", n);
    say("some fit", i > 5);
    say("not ready", sock_ready(b));
    c = sys(SOCKET, 1, DATAGRAM | O_NONBLOCK, 0);
    say("for nobody else either", packets_send_to(c, "x", "box"));
    say("who is connected hears only his peer", packets_send_to(c, "x", "sender"));
    sys(CONNECT, b, &none, 2);
    say("to nobody any more", sys(SENDTO, b, "x", 1, 0, 0, 0));
    sock_connect(b, "box");
    sys(CLOSE, a);
    say("closed", sys(SENDTO, b, "x", 1, 0, 0, 0));
    say("then not connected", sys(SENDTO, b, "x", 1, 0, 0, 0));
    say("its name leads nowhere", packets_send_to(b, "x", "box"));
    close_all();
    sys(UNLINK, "box");
    sys(UNLINK, "sender");

    say("a pair of packets", sys(SOCKETPAIR, 1, SEQPACKET, 0, s));
    say("one", sys(SENDTO, s[0], "one", 3, 0, 0, 0));
    vector[0] = (u32) "thr";
    vector[1] = 3;
    vector[2] = (u32) "ee";
    vector[3] = 2;
    say("three in two pieces", sys(WRITEV, s[0], vector, 2));
    say("bytes", (sys(IOCTL, s[1], 0x541b, &n), n));
    say("cut", sys(READ, s[1], sock_buffer, 2));
    vector[0] = (u32)sock_buffer;
    vector[1] = 2;
    vector[2] = (u32)(sock_buffer + 2);
    vector[3] = 9;
    say("one packet", sys(READV, s[1], vector, 2));
    say("whole", same(sock_buffer, "three", 5));
    sys(WRITE, s[0], "longer", 6);
    fill(header, 0, sizeof header);
    header[2] = (u32)vector;
    header[3] = 1;
    say("recvmsg", sys(RECVMSG, s[1], header, 0));
    say("says that it is cut", (int)header[6]);
    fill(sock_buffer, 'd', 100000);
    say("a long one", sys(WRITE, s[0], sock_buffer, 100000));
    fill(sock_buffer, 0, sizeof sock_buffer);
    say("arrives", sys(READ, s[1], sock_buffer, 200000));
    say("as it was", sock_buffer[0] == 'd' && sock_buffer[99999] == 'd' && !sock_buffer[100000]);
    say("too many pieces", (header[3] = 1025, sys(SENDMSG, s[0], header, 0)));
    say("bad pieces", (header[2] = (u32)KERNEL, header[3] = 1, sys(SENDMSG, s[0], header, 0)));
    say("bad memory", sys(SENDTO, s[0], KERNEL, 10, 0, 0, 0));
    say("nothing has come of it", sys(RECVFROM, s[1], sock_buffer, 9, DONTWAIT, 0, 0));
    sys(CLOSE, s[0]);
    say("the end", sys(RECVFROM, s[1], sock_buffer, 9, 0, 0, 0));
    say("nobody there", sys(SENDTO, s[1], "x", 1, NOSIGNAL, 0, 0));
    c = sys(SOCKET, 1, SEQPACKET, 0);
    say("not connected", sys(RECVFROM, c, sock_buffer, 9, 0, 0, 0));
    close_all();
}
