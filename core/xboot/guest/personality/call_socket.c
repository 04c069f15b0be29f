/* call_socket.c: the calls that make, name and join sockets, and the two ways to all calls on them. They are between the processes of a step: nothing leads out of it. i386
   has two ways to each of them: a number of its own, and one call for all, whose arguments lie in memory. What sends and receives: call_message.c. */

#include "socket.h"

/* ---- making ---- */

static int style_of(u32 domain, u32 kind, u32 protocol, u32 *style)
{
	if (domain != AF_UNIX && domain != AF_INET && domain != AF_INET6)
		return -EAFNOSUPPORT;
	if (kind & ~(15u | O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	if (domain != AF_UNIX) {
		*style = kind & 15;
		if (*style == 3) /* SOCK_RAW: for who may look at all that passes */
			return protocol ? -EPERM : -EPROTONOSUPPORT;
		if (*style != STREAM && *style != DATAGRAM)
			return *style > 10 ? -EINVAL : -ESOCKTNOSUPPORT;
		return !protocol || protocol == (*style == STREAM ? 6 : 17) ? 0 : -EPROTONOSUPPORT;
	}
	if (protocol > AF_UNIX)
		return -EPROTONOSUPPORT;
	*style = kind & 15;
	if (*style == 3) /* SOCK_RAW */
		*style = DATAGRAM;
	return *style == STREAM || *style == DATAGRAM || *style == SEQPACKET ? 0 : *style > 10 ? -EINVAL : -ESOCKTNOSUPPORT;
}

static int socket_make(struct process *p, u32 *a)
{
	u32 style;
	int error = style_of(a[0], a[1], a[2], &style);
	struct socket *s = error ? 0 : socket_new(style);

	if (error || !s)
		return error ? error : -ENOMEM;
	s->family = a[0];
	options_begin(s);
	return socket_enter(p, s, a[1]);
}

static int socket_pair(struct process *p, u32 *a)
{
	struct socket *s, *t;
	u32 style;
	int error = style_of(a[0], a[1], a[2], &style), fd[2];

	if (error)
		return error;
	if (a[0] != AF_UNIX)
		return -EOPNOTSUPP;
	s = socket_new(style);
	t = s ? socket_new(style) : 0;
	if (!t) {
		if (s)
			socket_end(s);
		return -ENOMEM;
	}
	socket_join(s, t);
	socket_join(t, s);
	s->state = t->state = CONNECTED;
	credentials_of(p, &s->other);
	t->other = s->other;
	fd[0] = socket_enter(p, s, a[1]);
	if (fd[0] < 0) {
		socket_end(t);
		return fd[0];
	}
	fd[1] = socket_enter(p, t, a[1]);
	if (fd[1] < 0 || user_write(p, a[3], fd, 8)) {
		file_close(p, fd[0]);
		if (fd[1] >= 0)
			file_close(p, fd[1]);
		return fd[1] < 0 ? fd[1] : -EFAULT;
	}
	return 0;
}

/* ---- names ---- */

/* A file for the name, which leads to the socket as long as it lives. */
static int bind_path(struct process *p, struct socket *s, struct name *name)
{
	struct found f;
	struct node *node;
	int error = path_walk(p, AT_FDCWD, name->text, FOLLOW_NEVER, &f);

	if (error)
		return error;
	if (f.node)
		return -EADDRINUSE;
	if (f.slash)
		return -ENOENT;
	error = may(p, f.directory, MAY_WRITE | MAY_EXECUTE);
	if (error)
		return error;
	node = node_new(S_IFSOCK | (0777 & ~p->umask), p->euid, p->egid);
	if (!node)
		return -ENOSPC;
	error = directory_add(f.directory, f.name, f.length, node);
	if (error) {
		node_drop(node);
		return error;
	}
	node->links = 1;
	node->bound = s;
	s->place = node; /* keeps the one use that it was made with */
	return 0;
}

static int socket_bind(struct process *p, u32 *a)
{
	struct name name;
	int error;
	struct socket *s = socket_of(p, a[0], &error);

	if (!error && inet_is(s))
		return inet_bind(p, s, a[1], a[2]);
	if (!error)
		error = name_take(p, a[1], a[2], &name);
	if (error)
		return error;
	if (s->name_length)
		return -EINVAL;
	if (a[2] == 2)
		return name_free(s);
	if (!name.text[0]) {
		if (socket_abstract(name.text, name.length, s->style))
			return -EADDRINUSE;
	} else {
		error = bind_path(p, s, &name);
		if (error)
			return error;
	}
	memcpy(s->name, name.text, name.length);
	s->name_length = name.length;
	s->bound = 1;
	return 0;
}

static int socket_own_name(struct process *p, u32 *a)
{
	int error;
	struct socket *s = socket_of(p, a[0], &error);

	if (!error && inet_is(s))
		return inet_give(p, s->family, a[1], a[2], &s->own);
	return error ? error : name_give(p, a[1], a[2], s->name, s->name_length);
}

static int socket_peer_name(struct process *p, u32 *a)
{
	int error;
	struct socket *s = socket_of(p, a[0], &error);

	if (error)
		return error;
	if (inet_is(s))
		return s->state == CONNECTED || (s->style == DATAGRAM && s->other_end.port) ? inet_give(p, s->family, a[1], a[2], &s->other_end) : -ENOTCONN;
	return s->peer ? name_give(p, a[1], a[2], s->peer->name, s->peer->name_length) : -ENOTCONN;
}

/* ---- connections ---- */

static int socket_listen(struct process *p, u32 *a)
{
	int error;
	struct socket *s = socket_of(p, a[0], &error);

	if (error)
		return error;
	if (s->style == DATAGRAM)
		return -EOPNOTSUPP;
	if ((!inet_is(s) && !s->name_length) || (s->state != CLOSED && s->state != LISTENS))
		return -EINVAL;
	error = inet_is(s) ? inet_listen(p, s) : 0;
	if (error)
		return error;
	s->state = LISTENS;
	s->backlog = a[1] > 4096 ? 4096 : a[1];
	if (!inet_is(s))
		credentials_of(p, &s->other);
	wake(s);
	return 0;
}

static void forget_peer(struct socket *s)
{
	struct socket *peer = s->peer;

	s->peer = 0;
	if (peer)
		socket_let_go(peer);
}

/* Datagrams: whom to send to, and whom alone to hear. An address of no family: nobody, everybody. */
static int connect_datagrams(struct process *p, struct socket *s, u32 *a)
{
	struct socket *to = 0;
	u16 family;
	int error;

	if (a[2] < 2)
		return -EINVAL;
	if (user_read(p, &family, a[1], 2))
		return -EFAULT;
	if (family) {
		error = name_leads(p, s, a[1], a[2], &to);
		if (error)
			return error;
		if (to->peer && to->peer != s)
			return -EPERM;
	}
	if (to)
		socket_hold(to);
	forget_peer(s);
	s->peer = to;
	socket_turned(s);
	return 0;
}

static int socket_connect(struct process *p, u32 *a)
{
	int error;
	struct socket *s = socket_of(p, a[0], &error), *to, *end;

	if (error)
		return error;
	if (inet_is(s))
		return inet_connect(p, s, a[1], a[2]);
	if (s->style == DATAGRAM)
		return connect_datagrams(p, s, a);
	error = name_leads(p, s, a[1], a[2], &to);
	if (error)
		return error;
	if (to->state != LISTENS || to->shut & SHUT_IN)
		return -ECONNREFUSED;
	if (to->connection_count > to->backlog) {
		if (s->file->flags & O_NONBLOCK || (s->send_wait && timer_wait(p, s->send_wait) != WAIT))
			return -EAGAIN;
		return sleep_on(p, to);
	}
	if (s->state != CLOSED)
		return s->state == CONNECTED ? -EISCONN : -EINVAL;
	end = socket_new(s->style);
	if (!end)
		return -ENOMEM;
	memcpy(end->name, to->name, sizeof end->name);
	end->name_length = to->name_length;
	credentials_of(p, &end->other);
	s->other = to->other;
	socket_attach(s, end, to);
	return 0;
}

static int accept_with(struct process *p, u32 *a, u32 flags)
{
	int error, fd;
	struct socket *s = socket_of(p, a[0], &error), *end;

	if (error)
		return error;
	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	if (s->style == DATAGRAM)
		return -EOPNOTSUPP;
	if (s->state != LISTENS)
		return -EINVAL;
	end = s->connections;
	if (!end) {
		if (s->shut & SHUT_IN)
			return -EINVAL;
		if (s->file->flags & O_NONBLOCK || (s->receive_wait && timer_wait(p, s->receive_wait) != WAIT))
			return -EAGAIN;
		return sleep_on(p, s);
	}
	error = file_room(p);
	if (error)
		return error; /* and the connection waits on */
	s->connections = end->after;
	end->after = 0;
	s->connection_count--;
	wake(s);
	fd = socket_enter(p, end, flags);
	if (fd < 0 || !a[1])
		return fd;
	error = inet_is(end) ? inet_give(p, end->family, a[1], a[2], &end->other_end) : name_give(p, a[1], a[2], end->peer->name, end->peer->name_length);
	if (error)
		file_close(p, fd);
	return error ? error : fd;
}

static int socket_accept(struct process *p, u32 *a)
{
	return accept_with(p, a, 0);
}

static int socket_accept4(struct process *p, u32 *a)
{
	return accept_with(p, a, a[3]);
}

static int socket_shutdown(struct process *p, u32 *a)
{
	int error;
	struct socket *s = socket_of(p, a[0], &error), *q;
	u32 what = a[1] + 1;

	if (error)
		return error;
	if (a[1] > 2)
		return -EINVAL;
	if (inet_is(s) && s->state == CLOSED && !s->other_end.port)
		return -ENOTCONN;
	s->shut |= what;
	q = s->peer;
	if (q && s->style != DATAGRAM) {
		q->shut |= (what & SHUT_IN && !inet_is(s) ? SHUT_OUT : 0) | (what & SHUT_OUT ? SHUT_IN : 0); /* who only does not listen any more does not tell */
		socket_turned(q);
	}
	socket_turned(s);
	return 0;
}

/* ---- the two ways in ---- */

typedef int (*socket_call)(struct process *p, u32 *a);

static int socket_send(struct process *p, u32 *a)
{
	a[4] = a[5] = 0;
	return socket_send_to(p, a);
}

static int socket_receive(struct process *p, u32 *a)
{
	a[4] = a[5] = 0;
	return socket_receive_from(p, a);
}

static int over(struct process *p, int result)
{
	if (result != WAIT) {
		p->timed = 0;
		p->deadline = 0;
	}
	return result;
}

/* Their numbers begin with 359. */
CALL(socket_direct)
{
	static const socket_call direct[] = {
		socket_make, socket_pair, socket_bind, socket_connect, socket_listen, socket_accept4, socket_get_option, socket_set_option, socket_own_name,
		socket_peer_name, socket_send_to, socket_send_message, socket_receive_from, socket_receive_message, socket_shutdown,
	};
	u32 a[6] = { (u32)r->ebx, (u32)r->ecx, (u32)r->edx, (u32)r->esi, (u32)r->edi, (u32)r->ebp };

	return over(p, direct[r->eax - 359](p, a));
}

/* socketcall(which, arguments) */
CALL(socketcall)
{
	static const struct { u8 arguments; socket_call call; } all[] = {
		{ 3, socket_make }, { 3, socket_bind }, { 3, socket_connect }, { 2, socket_listen }, { 3, socket_accept }, { 3, socket_own_name }, { 3, socket_peer_name },
		{ 4, socket_pair }, { 4, socket_send }, { 4, socket_receive }, { 6, socket_send_to }, { 6, socket_receive_from }, { 2, socket_shutdown }, { 5, socket_set_option },
		{ 5, socket_get_option }, { 3, socket_send_message }, { 3, socket_receive_message }, { 4, socket_accept4 },
	};
	u32 a[6], which = r->ebx - 1;

	if (which >= sizeof all / sizeof *all)
		return r->ebx == 19 || r->ebx == 20 ? -ENOSYS : -EINVAL; /* recvmmsg, sendmmsg */
	if (user_read(p, a, r->ecx, all[which].arguments * 4u))
		return -EFAULT;
	return over(p, all[which].call(p, a));
}
