/* passing.c: descriptors and credentials in messages. */

static u32 passing_control[64], passing_header[7], passing_vector[2];
static char passing_byte;

/* A message of one byte that carries descriptors. */
static int passing_send(int to, const int *fds, int count)
{
    passing_byte = 'd';
    passing_vector[0] = (u32)&passing_byte;
    passing_vector[1] = 1;
    fill(passing_header, 0, sizeof passing_header);
    passing_header[2] = (u32)passing_vector;
    passing_header[3] = 1;
    passing_header[4] = (u32)passing_control;
    passing_header[5] = 12 + 4 * (u32)count;
    passing_control[0] = passing_header[5];
    passing_control[1] = 1;
    passing_control[2] = 1;
    for (int i = 0; i < count; i++)
        passing_control[3 + i] = (u32)fds[i];
    return sys(SENDMSG, to, passing_header, 0);
}

/* What has come, with so many bytes of room for control messages. */
static int passing_receive(int from, int room, int flags)
{
    passing_vector[0] = (u32)sock_buffer;
    passing_vector[1] = 10;
    fill(passing_header, 0, sizeof passing_header);
    fill(passing_control, 0, sizeof passing_control);
    passing_header[2] = (u32)passing_vector;
    passing_header[3] = 1;
    passing_header[4] = (u32)passing_control;
    passing_header[5] = (u32)room;
    return sys(RECVMSG, from, passing_header, flags);
}

static void passing(void)
{
    int s[2], t[2], p[2], f, fds[2], n, pid;
    u32 credentials[3];

    section("passing");
    f = make("passed", "content", 0644);
    sys(PIPE, p);
    sys(SOCKETPAIR, 1, STREAM, 0, s);
    fds[0] = f;
    fds[1] = p[1];
    say("send", passing_send(s[0], fds, 2));
    sys(CLOSE, p[1]);
    sys(WRITE, s[0], "bcd", 3);
    say("receive", passing_receive(s[1], 200, 0x40000000));
    say("length", (int)passing_header[5]);
    say("of one", (int)passing_control[0]);
    say("level and kind", (int)(passing_control[1] * 10 + passing_control[2]));
    say("closes on exec", sys(FCNTL, (int)passing_control[3], 1));
    say("is the file", sys(PREAD, (int)passing_control[3], sock_buffer, 10, 0, 0));
    say("one position", (sys(LSEEK, f, 3, 0), sys(LSEEK, (int)passing_control[3], 0, 1)));
    say("is the pipe", sys(WRITE, (int)passing_control[4], "through", 7));
    say("through", sys(READ, p[0], sock_buffer, 10));
    sys(CLOSE, (int)passing_control[4]);
    say("the last writer is gone", sys(READ, p[0], sock_buffer, 10));
    sys(CLOSE, (int)passing_control[3]);
    say("the rest", passing_receive(s[1], 200, DONTWAIT));
    say("without any", (int)passing_header[5]);
    sys(CLOSE, p[0]);
    sys(PIPE, p);
    passing_send(s[0], p + 1, 1);
    sys(CLOSE, p[1]);
    say("read closes what came", sys(READ, s[1], sock_buffer, 1));
    say("so nobody writes", sys(READ, p[0], sock_buffer, 1));
    sys(CLOSE, p[0]);
    sys(PIPE, p);
    passing_send(s[0], p + 1, 1);
    sys(CLOSE, p[1]);
    sys(CLOSE, s[0]);
    sys(CLOSE, s[1]);
    say("closing does, too", sys(READ, p[0], sock_buffer, 1));
    sys(CLOSE, p[0]);

    sys(SOCKETPAIR, 1, DATAGRAM, 0, s);
    fds[0] = 61;
    say("a descriptor that is none", passing_send(s[0], fds, 1));
    fds[0] = fds[1] = f;
    passing_send(s[0], fds, 2);
    say("room for one", passing_receive(s[1], 16, 0));
    say("is told", (int)passing_header[6]);
    say("one came", (int)passing_header[5]);
    sys(CLOSE, (int)passing_control[3]);
    passing_send(s[0], fds, 1);
    say("room for none", passing_receive(s[1], 8, 0));
    say("is told too", (int)passing_header[6]);
    passing_control[0] = 8;
    passing_header[5] = 16;
    say("control too short", sys(SENDMSG, s[0], passing_header, 0));
    passing_control[0] = 400;
    passing_control[1] = passing_control[2] = 1;
    say("control too long", sys(SENDMSG, s[0], passing_header, 0));
    passing_control[0] = 16;
    passing_control[2] = 77;
    say("control of no kind", sys(SENDMSG, s[0], passing_header, 0));
    passing_header[4] = (u32)KERNEL;
    say("control nowhere", sys(SENDMSG, s[0], passing_header, 0));
    n = 1;
    say("ask who sends", sys(SETSOCKOPT, s[1], 1, 16, &n, 4));
    say("is asked", sock_option(s[1], 16));
    pid = sys(FORK);
    if (!pid)
        sys(EXIT, sys(WRITE, s[0], "c", 1) != 1);
    say("from a child", child_status(pid));
    say("comes", passing_receive(s[1], 200, 0));
    say("kind", (int)passing_control[2]);
    say("length", (int)passing_control[0]);
    say("it was the child", (int)passing_control[3] == pid && (int)passing_control[4] == sys(GETUID) && (int)passing_control[5] == sys(GETGID));
    credentials[0] = (u32)sys(GETPID) + 1;
    credentials[1] = (u32)sys(GETUID);
    credentials[2] = (u32)sys(GETGID);
    passing_send(s[0], (int *)credentials, 0);
    passing_header[5] = passing_control[0] = 24;
    passing_control[2] = 2;
    for (n = 0; n < 3; n++)
        passing_control[3 + n] = credentials[n];
    say("to be somebody else", sys(SENDMSG, s[0], passing_header, 0));
    passing_control[3] = (u32)sys(GETPID);
    say("to be oneself", sys(SENDMSG, s[0], passing_header, 0));
    close_all();

    /* circles: sockets whose last descriptors wait in their own queues are closed; the pipe in them tells */
    sys(PIPE, p);
    sys(SOCKETPAIR, 1, STREAM, 0, s);
    sys(SOCKETPAIR, 1, STREAM, 0, t);
    passing_send(s[0], s + 1, 1);
    passing_send(s[0], p + 1, 1);
    passing_send(t[0], t, 2);
    sys(CLOSE, s[0]);
    sys(CLOSE, s[1]);
    sys(CLOSE, t[0]);
    sys(CLOSE, t[1]);
    sys(CLOSE, p[1]);
    sys(SOCKETPAIR, 1, STREAM, 0, s);
    sys(CLOSE, s[0]); /* whatever was left in circles is found now */
    say("a circle ends", sys(READ, p[0], sock_buffer, 1));
    for (n = 0; n < 400; n++) {
        sys(SOCKETPAIR, 1, STREAM, 0, t);
        passing_send(t[0], t, 2);
        sys(CLOSE, t[0]);
        sys(CLOSE, t[1]);
    }
    close_all();
    sys(SOCKETPAIR, 1, STREAM, 0, s);
    sys(SOCKETPAIR, 1, STREAM, 0, t);
    say("after many there is room", passing_send(t[0], s, 2));
    close_all();
    sys(UNLINK, "passed");
}
