/* Sockets between processes of one step: connections, datagrams, descriptors in messages. */
#include "say.h"
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static char buffer[300000];
static int ready(int fd) { struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP, 0}; poll(&p, 1, 0); return p.revents; }
static int option(int s, int name) { int v = -1; socklen_t n = 4; return getsockopt(s, SOL_SOCKET, name, &v, &n) ? -errno : v; }
static struct sockaddr_un *at(const char *name) { static struct sockaddr_un a; memset(&a, 0, sizeof a), a.sun_family = AF_UNIX, strcpy(a.sun_path, name); return &a; }
#define NAMED(name) (struct sockaddr *)at(name), sizeof(struct sockaddr_un)
#define ABSTRACT(name) ({ struct sockaddr_un *a_ = at(""); memcpy(a_->sun_path + 1, name, strlen(name)); (struct sockaddr *)a_; }), offsetof(struct sockaddr_un, sun_path) + 1 + sizeof(name) - 1

static void streams(void) {
    int s[2], n;
    signal(SIGPIPE, SIG_IGN);
    CALL(socketpair(AF_UNIX, SOCK_STREAM, 0, s)), SAY("ready", ready(s[0])), CALL(write(s[0], "hello", 5)), SAY("ready", ready(s[1])), CALL(ioctl(s[1], FIONREAD, &n)), SAY("bytes", n), CALL(read(s[1], buffer, 2)), CALL(recv(s[1], buffer, 9, MSG_PEEK)), CALL(write(s[0], "ab", 2)), CALL(read(s[1], buffer, 100)), SAY("joined", !memcmp(buffer, "lloab", 5));
    CALL(recv(s[1], buffer, 9, MSG_DONTWAIT)), CALL(lseek(s[0], 0, SEEK_CUR)), CALL(pread(s[0], buffer, 1, 0)), SAY("type", option(s[0], SO_TYPE)), SAY("domain", option(s[0], SO_DOMAIN)), SAY("listens", option(s[0], SO_ACCEPTCONN)), SAY("error", option(s[0], SO_ERROR)), CALL(getsockopt(s[0], SOL_SOCKET, 999, &n, &(socklen_t){4}));
    struct stat st;
    fstat(s[0], &st), SAY("mode", st.st_mode & S_IFMT);
}
static void larger(void) {
    int s[2], got = 0, n;
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s), fflush(stdout);
    int pid = fork();
    if (!pid) { close(s[1]); memset(buffer, 'l', 300000); _exit(write(s[0], buffer, 300000) == 300000 ? 0 : 1); }
    close(s[0]);
    while ((n = read(s[1], buffer, 300000)) > 0) got += n;
    waitpid(pid, &n, 0), SAY("got", got), SAY("status", n), SAY("end", ready(s[1])), CALL(write(s[1], "x", 1)), CALL(send(s[1], "x", 1, MSG_NOSIGNAL)), close(s[1]);
    socketpair(AF_UNIX, SOCK_STREAM, 0, s), write(s[0], "unread", 6), close(s[1]), CALL(read(s[0], buffer, 1)), CALL(read(s[0], buffer, 1)), close(s[0]);
    socketpair(AF_UNIX, SOCK_STREAM, 0, s), write(s[0], "last", 4), CALL(shutdown(s[0], SHUT_WR)), CALL(write(s[0], "x", 1)), CALL(read(s[1], buffer, 9)), CALL(read(s[1], buffer, 9)), SAY("half closed", ready(s[1])), CALL(write(s[1], "back", 4)), CALL(read(s[0], buffer, 9)), CALL(shutdown(s[1], 7)), close(s[0]), close(s[1]);
    socketpair(AF_UNIX, SOCK_STREAM, 0, s), fflush(stdout);
    if (!fork()) { for (int i = 0; i < 5; i++) write(s[0], "piece", 5), usleep(20000); _exit(0); }
    CALL(recv(s[1], buffer, 25, MSG_WAITALL)), wait(0), close(s[0]), close(s[1]);
}
static void names(void) {
    int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), a;
    struct sockaddr_un from;
    struct ucred peer;
    socklen_t n = sizeof from;
    CALL(socket(AF_UNIX, 77, 0)), CALL(socket(AF_UNIX, SOCK_STREAM, 9)), CALL(socket(12345, SOCK_STREAM, 0)), CALL(listen(l, 5)), CALL(connect(c, NAMED("server"))), CALL(bind(l, NAMED("server"))), CALL(bind(l, NAMED("other"))), CALL(bind(c, NAMED("server"))), CALL(connect(c, NAMED("server")));
    CALL(bind(c, NAMED("no/such"))), CALL(open("server", O_RDWR)), CALL(listen(l, 5)), SAY("waits", ready(l)), CALL(accept4(l, 0, 0, 99)), CALL(connect(c, NAMED("server"))), CALL(connect(c, NAMED("server"))), SAY("waits", ready(l)), SAY("accepted", (a = accept(l, (struct sockaddr *)&from, &n)) > 0), SAY("unnamed", n);
    n = sizeof from, CALL(getsockname(a, (struct sockaddr *)&from, &n)), SAY("length", n), printf("%s\n", from.sun_path), n = sizeof from, CALL(getpeername(c, (struct sockaddr *)&from, &n)), printf("%s\n", from.sun_path), n = 4, CALL(getpeername(c, (struct sockaddr *)&from, &n)), SAY("length", n);
    n = sizeof peer, CALL(getsockopt(a, SOL_SOCKET, SO_PEERCRED, &peer, &n)), SAY("my own", peer.pid == getpid()), SAY("user", peer.uid), SAY("group", peer.gid), CALL(write(c, "hi", 2)), CALL(read(a, buffer, 9)), CALL(accept(c, 0, 0)), CALL(getpeername(l, (struct sockaddr *)&from, &n));
    close(a), CALL(read(c, buffer, 1)), close(l), CALL(access("server", F_OK)), c = socket(AF_UNIX, SOCK_STREAM, 0), CALL(connect(c, NAMED("server"))), CALL(unlink("server")), CALL(connect(c, NAMED("server")));
    l = socket(AF_UNIX, SOCK_STREAM, 0), CALL(bind(l, ABSTRACT("hidden"))), CALL(listen(l, 1)), fflush(stdout);
    if (!fork()) { a = accept(l, 0, 0); read(a, buffer, 9), write(a, "reply", 5); _exit(0); }
    CALL(connect(c, ABSTRACT("hidden"))), CALL(write(c, "ask", 3)), CALL(read(c, buffer, 9)), wait(0), SAY("not a socket", R(connect(0, NAMED("x")))), CALL(connect(c, (struct sockaddr *)&from, 1)), CALL(bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&from, 200));
    CALL(mknod("made", S_IFSOCK | 0644, 0)), CALL(connect(socket(AF_UNIX, SOCK_STREAM, 0), NAMED("made"))), CALL(connect(socket(AF_UNIX, SOCK_DGRAM, 0), ABSTRACT("hidden")));
}
static void datagrams(void) {
    int a = socket(AF_UNIX, SOCK_DGRAM, 0), b = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), s[2], i;
    struct sockaddr_un from;
    socklen_t n = sizeof from;
    CALL(bind(a, NAMED("box"))), CALL(send(b, "x", 1, 0)), CALL(sendto(b, "first", 5, 0, NAMED("box"))), CALL(bind(b, NAMED("sender"))), CALL(sendto(b, "second", 6, 0, NAMED("box"))), CALL(recvfrom(a, buffer, 3, 0, (struct sockaddr *)&from, &n)), SAY("from", n), n = sizeof from, CALL(recvfrom(a, buffer, 3, MSG_TRUNC, (struct sockaddr *)&from, &n)), printf("%s\n", from.sun_path);
    CALL(sendto(b, "x", 1, 0, NAMED("nobody"))), CALL(connect(b, NAMED("box"))), CALL(send(b, "", 0, 0)), CALL(recv(a, buffer, 9, 0)), CALL(listen(a, 1)), CALL(accept(a, 0, 0)), CALL(recv(b, buffer, 9, 0)), CALL(send(b, buffer, 300000, 0));
    for (i = 0; send(b, "full", 4, 0) == 4 && i < 500; i++) ;
    SAY("errno", errno), SAY("some", i > 5), SAY("not ready", ready(b) & POLLOUT), close(a), CALL(send(b, "x", 1, 0)), CALL(send(b, "x", 1, 0)), CALL(sendto(b, "x", 1, 0, NAMED("box")));
    CALL(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s)), CALL(send(s[0], "one", 3, 0)), CALL(send(s[0], "three", 5, 0)), CALL(recv(s[1], buffer, 2, 0)), CALL(recv(s[1], buffer, 100, 0)), close(s[0]), CALL(recv(s[1], buffer, 9, 0)), CALL(send(s[1], "x", 1, 0));
}
static void descriptors(void) {
    int s[2], f = open("passed", O_RDWR | O_CREAT, 0644), p[2], got;
    char control[256], byte;
    struct iovec v = {&byte, 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(8)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    write(f, "content", 7), pipe(p), socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS, c->cmsg_len = CMSG_LEN(8), memcpy(CMSG_DATA(c), (int[]){f, p[1]}, 8), byte = 'a';
    CALL(sendmsg(s[0], &m, 0)), close(p[1]), write(s[0], "bcd", 3), memset(control, 0, 256), m.msg_controllen = 256, v.iov_base = buffer, v.iov_len = 10;
    CALL(recvmsg(s[1], &m, MSG_CMSG_CLOEXEC)), SAY("length", m.msg_controllen), c = CMSG_FIRSTHDR(&m), SAY("type", c->cmsg_type), SAY("length", c->cmsg_len), memcpy(&got, CMSG_DATA(c), 4), CALL(pread(got, buffer, 10, 0)), SAY("closes on exec", fcntl(got, F_GETFD)), SAY("flags", m.msg_flags & MSG_CTRUNC);
    memcpy(&got, CMSG_DATA(c) + 4, 4), CALL(write(got, "through", 7)), CALL(read(p[0], buffer, 10)), close(got), SAY("the last writer is gone", read(p[0], buffer, 10)), m.msg_controllen = 256, CALL(recvmsg(s[1], &m, MSG_DONTWAIT)), SAY("nothing", m.msg_controllen);
    pipe(p), m.msg_controllen = CMSG_SPACE(4), c = CMSG_FIRSTHDR(&m), c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS, c->cmsg_len = CMSG_LEN(4), memcpy(CMSG_DATA(c), &p[1], 4), v.iov_len = 1, sendmsg(s[0], &m, 0), close(p[1]), CALL(read(s[1], buffer, 1)), SAY("read closes what came", read(p[0], buffer, 1));
    pipe(p), c->cmsg_len = CMSG_LEN(4), m.msg_controllen = CMSG_SPACE(4), memcpy(CMSG_DATA(c), &p[1], 4), sendmsg(s[0], &m, 0), close(p[1]), close(s[0]), close(s[1]), SAY("closing, too", read(p[0], buffer, 1));
    socketpair(AF_UNIX, SOCK_DGRAM, 0, s), memcpy(CMSG_DATA(c), (int[]){99}, 4), m.msg_controllen = CMSG_SPACE(4), CALL(sendmsg(s[0], &m, 0)), memcpy(CMSG_DATA(c), &f, 4), CALL(sendmsg(s[0], &m, 0)), m.msg_controllen = 8, CALL(recvmsg(s[1], &m, 0)), SAY("cut", m.msg_flags), setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &(int){1}, 4), CALL(send(s[0], "c", 1, 0)), m.msg_controllen = 256, CALL(recvmsg(s[1], &m, 0)), c = CMSG_FIRSTHDR(&m), SAY("credentials", c->cmsg_type), SAY("me", ((struct ucred *)CMSG_DATA(c))->pid == getpid());
}

int main(void) { streams(), larger(), names(), datagrams(), descriptors(); return 0; }
