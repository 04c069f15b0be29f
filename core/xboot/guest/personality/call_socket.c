/* call_socket.c: the calls on sockets. They are between the processes of a step: nothing leads out of it. i386 has two ways to each of them: a number of its own, and
   one call for all, whose arguments lie in memory. */

#include "socket.h"

#define AF_UNIX 1u
#define ADDRESS_MOST 128u     /* sizeof(struct sockaddr_storage) */

struct name {
	u32 length;                 /* a path's with the 0 at its end */
	char text[SOCKET_NAME + 1];
};

/* struct sockaddr_un. A first byte of 0: a name that no file has, all of it; else a path. A length of 0: none was given. */
static int take_name(struct process *p, address at, u32 length, struct name *name)
{
	char given[ADDRESS_MOST];
	u16 family;
	u32 i;

	name->length = 0;
	if (length > ADDRESS_MOST)
		return -EINVAL;
	if (user_read(p, given, at, length))
		return -EFAULT;
	if (length < 2 || length > 2 + SOCKET_NAME)
		return -EINVAL;
	memcpy(&family, given, 2);
	if (family != AF_UNIX)
		return -EINVAL;
	memcpy(name->text, given + 2, length - 2);
	name->text[length - 2] = 0;
	for (i = 0; name->text[i]; i++)
		;
	name->length = length > 2 && !i ? length - 2 : i ? i + 1 : 0;
	return 0;
}

/* The length is taken and given: what there is room for is written, the whole is told. */
static int give_name(struct process *p, address to, address length_at, const char *text, u32 length)
{
	char given[2 + SOCKET_NAME + 1];
	u32 room;

	if (user_read(p, &room, length_at, 4))
		return -EFAULT;
	if (room >> 31)
		return -EINVAL;
	given[0] = AF_UNIX;
	given[1] = 0;
	memcpy(given + 2, text, length);
	length += 2;
	return user_write(p, to, given, room < length ? room : length) || user_write(p, length_at, &length, 4) ? -EFAULT : 0;
}

/* Of who sent something: none, if it had none. */
static int give_sender(struct process *p, address to, address length_at, const struct arrival *from)
{
	u32 none = 0;

	if (!from->name_length)
		return user_write(p, length_at, &none, 4);
	return give_name(p, to, length_at, from->name, from->name_length);
}

/* The socket that a name leads to. 0 or an error. */
static int lookup(struct process *p, struct name *name, u32 style, struct socket **found)
{
	struct found f;
	int error;

	if (!name->length)
		return -EINVAL;
	if (!name->text[0]) {
		*found = socket_abstract(name->text, name->length, style);
		return *found ? 0 : -ECONNREFUSED;
	}
	error = path_walk(p, AT_FDCWD, name->text, 1, &f);
	if (error)
		return error;
	if (!f.node)
		return -ENOENT;
	if (f.slash && KIND(f.node) != S_IFDIR)
		return -ENOTDIR;
	if (may(p, f.node, MAY_WRITE))
		return -EACCES;
	if (KIND(f.node) != S_IFSOCK || !f.node->bound)
		return -ECONNREFUSED;
	*found = f.node->bound;
	return (*found)->style == style ? 0 : -EPROTOTYPE;
}

/* A free name, which no file has, of five digits. */
static int bind_free(struct socket *s)
{
	static const char digits[] = "0123456789abcdef";
	static u32 last;
	u32 tries, i;
	char text[6];

	for (tries = 0; tries < 0x100000; tries++) {
		last++;
		text[0] = 0;
		for (i = 0; i < 5; i++)
			text[1 + i] = digits[last >> (16 - 4 * i) & 15];
		if (socket_abstract(text, 6, s->style))
			continue;
		memcpy(s->name, text, 6);
		s->name_length = 6;
		s->bound = 1;
		return 0;
	}
	return -ENOSPC;
}

/* Who asks for credentials sends with a name, so that he can be answered. */
static int named(struct socket *s)
{
	return s->pass_credentials && !s->name_length ? bind_free(s) : 0;
}

/* ---- making ---- */

static int style_of(u32 domain, u32 kind, u32 protocol, u32 *style)
{
	if (domain != AF_UNIX)
		return -EAFNOSUPPORT;
	if (kind & ~(15u | O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
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

	return error ? error : s ? socket_enter(p, s, a[1]) : -ENOMEM;
}

static int socket_pair(struct process *p, u32 *a)
{
	struct socket *s, *t;
	u32 style;
	int error = style_of(a[0], a[1], a[2], &style), fd[2];

	if (error)
		return error;
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

	if (!error)
		error = take_name(p, a[1], a[2], &name);
	if (error)
		return error;
	if (s->name_length)
		return -EINVAL;
	if (a[2] == 2)
		return bind_free(s);
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

	return error ? error : give_name(p, a[1], a[2], s->name, s->name_length);
}

static int socket_peer_name(struct process *p, u32 *a)
{
	int error;
	struct socket *s = socket_of(p, a[0], &error);

	if (error)
		return error;
	return s->peer ? give_name(p, a[1], a[2], s->peer->name, s->peer->name_length) : -ENOTCONN;
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
	if (!s->name_length || (s->state != CLOSED && s->state != LISTENS))
		return -EINVAL;
	s->state = LISTENS;
	s->backlog = a[1] > 4096 ? 4096 : a[1];
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
	struct name name;
	u16 family;
	int error;

	if (a[2] < 2)
		return -EINVAL;
	if (user_read(p, &family, a[1], 2))
		return -EFAULT;
	if (family) {
		error = take_name(p, a[1], a[2], &name);
		if (!error)
			error = named(s);
		if (!error)
			error = lookup(p, &name, s->style, &to);
		if (error)
			return error;
		if (to->peer && to->peer != s)
			return -EPERM;
	}
	if (to)
		socket_hold(to);
	forget_peer(s);
	s->peer = to;
	wake(s);
	return 0;
}

static int socket_connect(struct process *p, u32 *a)
{
	int error;
	struct socket *s = socket_of(p, a[0], &error), *to, *end, **last;
	struct name name;

	if (error)
		return error;
	if (s->style == DATAGRAM)
		return connect_datagrams(p, s, a);
	error = take_name(p, a[1], a[2], &name);
	if (!error)
		error = named(s);
	if (!error)
		error = lookup(p, &name, s->style, &to);
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
	socket_join(end, s);
	socket_join(s, end);
	end->state = s->state = CONNECTED;
	memcpy(end->name, to->name, sizeof end->name);
	end->name_length = to->name_length;
	credentials_of(p, &end->other);
	s->other = to->other;
	for (last = &to->connections; *last; last = &(*last)->after)
		;
	*last = end;
	to->connection_count++;
	wake(to);
	wake(s);
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
	for (fd = 0; fd < DESCRIPTORS && p->files[fd]; fd++)
		;
	if (fd == DESCRIPTORS)
		return -EMFILE; /* and the connection waits on */
	s->connections = end->after;
	end->after = 0;
	s->connection_count--;
	wake(s);
	fd = socket_enter(p, end, flags);
	if (fd < 0 || !a[1])
		return fd;
	error = give_name(p, a[1], a[2], end->peer->name, end->peer->name_length);
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
	s->shut |= what;
	q = s->peer;
	if (q && s->style != DATAGRAM) {
		q->shut |= (what & SHUT_IN ? SHUT_OUT : 0) | (what & SHUT_OUT ? SHUT_IN : 0);
		wake(q);
	}
	wake(s);
	return 0;
}

/* ---- messages ---- */

/* Whom it is for: a datagram may say it, a connection has it said. */
static int target_of(struct process *p, struct socket *s, address at, u32 length, struct letter *letter)
{
	struct name name;
	int error;

	letter->target = 0;
	if (!at || !length || s->style == SEQPACKET)
		return 0;
	if (s->style == STREAM)
		return s->state == CONNECTED ? -EISCONN : -EOPNOTSUPP;
	error = take_name(p, at, length, &name);
	return error ? error : lookup(p, &name, s->style, &letter->target);
}

static int send_letter(struct process *p, struct socket *s, address to, u32 length, struct letter *letter)
{
	int error;

	if (letter->flags & MSG_OOB)
		return -EOPNOTSUPP;
	error = target_of(p, s, to, length, letter);
	if (!error)
		error = named(s);
	return error ? error : letter_send(p, s, letter);
}

static int socket_send_to(struct process *p, u32 *a)
{
	struct letter letter = { 0, a[3], 0, 0, 0, 0 };
	int error;
	struct socket *s = socket_of(p, a[0], &error);

	if (error)
		return error;
	pieces_one(a[1], a[2], &letter.total);
	return send_letter(p, s, a[4], a[5], &letter);
}

static int socket_receive_from(struct process *p, u32 *a)
{
	struct arrival *from = arrival_of_call();
	int error;
	struct socket *s = socket_of(p, a[0], &error);
	u32 total;

	if (error)
		return error;
	if (a[3] & MSG_OOB)
		return -EOPNOTSUPP;
	pieces_one(a[1], a[2], &total);
	error = letter_receive(p, s, total, a[3], from);
	if (error)
		return error;
	rights_drop(from); /* there is no place for them here */
	if (a[4] && give_sender(p, a[4], a[5], from))
		return -EFAULT;
	return (int)(a[3] & MSG_TRUNC ? from->whole : from->count);
}

struct header { /* struct msghdr */
	address name;
	u32 name_length;
	address pieces;
	u32 piece_count;
	address control;
	u32 control_length, flags;
};

static int take_header(struct process *p, address at, struct header *h, u32 *total)
{
	if (user_read(p, h, at, sizeof *h))
		return -EFAULT;
	if (h->piece_count > 1024)
		return -EMSGSIZE;
	return pieces_many(p, h->pieces, h->piece_count, total);
}

struct control { /* struct cmsghdr */
	u32 length, level, kind;
};

/* One control message of a letter, its words at `at`: descriptions, or the credentials that the sender has anyhow. 0 or an error. */
static int take_control(struct process *p, const struct control *c, address at, struct letter *letter)
{
	u32 words[3], i, n = (c->length - (u32)sizeof *c) / 4;
	struct credentials own;
	struct file *f;

	if (c->level != 1)
		return 0;
	if (c->kind == 2) { /* SCM_CREDENTIALS */
		if (n != 3)
			return -EINVAL;
		if (user_read(p, words, at, 12))
			return -EFAULT;
		credentials_of(p, &own);
		return words[0] == own.pid && (words[1] == p->uid || words[1] == p->euid || words[1] == p->suid) && (words[2] == p->gid || words[2] == p->egid || words[2] == p->sgid) ? 0 : -EPERM;
	}
	if (c->kind != 1 || n > RIGHTS - letter->right_count) /* SCM_RIGHTS */
		return -EINVAL;
	for (i = 0; i < n; i++) {
		if (user_read(p, words, at + i * 4, 4))
			return -EFAULT;
		f = descriptor_of(p, (int)words[0]);
		if (!f)
			return -EBADF;
		letter->rights[letter->right_count++] = f;
	}
	return 0;
}

static int take_controls(struct process *p, const struct header *h, struct letter *letter)
{
	static struct file *rights[RIGHTS];
	struct control c;
	u32 at = 0, left;
	int error;

	letter->rights = rights;
	letter->right_count = 0;
	if (!h->control)
		return 0;
	if (h->control_length > 65536)
		return -ENOBUFS;
	while ((left = h->control_length - at) >= sizeof c) {
		if (user_read(p, &c, h->control + at, sizeof c))
			return -EFAULT;
		if (c.length < sizeof c || c.length > left)
			return -EINVAL;
		error = take_control(p, &c, h->control + at + (u32)sizeof c, letter);
		if (error)
			return error;
		if (((c.length + 3) & ~3u) >= left)
			break;
		at += (c.length + 3) & ~3u;
	}
	return letter->right_count ? flying_room(letter->right_count) : 0;
}

/* A call that waits with a part of it sent has sent the descriptions with that. */
static int socket_send_message(struct process *p, u32 *a)
{
	struct letter letter = { 0, a[2], 0, 0, 0, 0 };
	struct header h;
	int error;
	struct socket *s = socket_of(p, a[0], &error);

	if (!error)
		error = take_header(p, a[1], &h, &letter.total);
	if (!error && !p->progress)
		error = take_controls(p, &h, &letter);
	return error ? error : send_letter(p, s, h.name, h.name_length, &letter);
}

/* A control message of these words, as much of it as there is room for. `used` grows. */
static int give_control(struct process *p, struct header *h, u32 *used, u32 kind, const u32 *words, u32 count)
{
	u32 left = h->control ? h->control_length - *used : 0, message[3 + 3], length;

	if (left < sizeof(struct control)) {
		h->flags |= MSG_CTRUNC;
		return 0;
	}
	length = (u32)sizeof(struct control) + count * 4;
	if (left < length) {
		h->flags |= MSG_CTRUNC;
		length = left;
	}
	message[0] = length;
	message[1] = 1;
	message[2] = kind;
	memcpy(message + 3, words, count * 4);
	if (user_write(p, h->control + *used, message, length))
		return -EFAULT;
	*used += length;
	return 0;
}

/* Descriptors for those that fit; the others are closed, and the flags tell. */
static int give_rights(struct process *p, struct header *h, u32 *used, struct arrival *from, u32 close_on_exec)
{
	u32 left = h->control ? h->control_length - *used : 0, fit = left > sizeof(struct control) ? (left - (u32)sizeof(struct control)) / 4 : 0, i, head[3];
	address at = h->control + *used;
	struct file *f;
	int fd = 0;

	for (i = 0; i < from->right_count && i < fit; i++) {
		f = from->rights[i];
		file_keep(f);
		fd = file_install(p, f, 0, close_on_exec != 0);
		if (fd >= 0 && user_write(p, at + (u32)sizeof head + i * 4, &fd, 4)) {
			file_close(p, fd);
			fd = -EFAULT;
		}
		if (fd < 0)
			break;
	}
	if (i < from->right_count)
		h->flags |= MSG_CTRUNC;
	rights_drop(from);
	if (!i)
		return 0;
	head[0] = (u32)sizeof head + i * 4;
	head[1] = 1;
	head[2] = 1;
	if (user_write(p, at, head, sizeof head))
		return -EFAULT;
	*used += head[0];
	return 0;
}

static int socket_receive_message(struct process *p, u32 *a)
{
	struct arrival *from = arrival_of_call();
	struct header h;
	u32 total, used = 0;
	int error;
	struct socket *s = socket_of(p, a[0], &error);

	if (!error && a[2] & MSG_OOB)
		error = -EOPNOTSUPP;
	if (!error)
		error = take_header(p, a[1], &h, &total);
	if (!error)
		error = letter_receive(p, s, total, a[2], from);
	if (error)
		return error;
	h.flags = (a[2] & MSG_CLOEXEC) | (from->whole > from->count ? MSG_TRUNC : 0);
	if (from->any && s->pass_credentials)
		error = give_control(p, &h, &used, 2, &from->sender.pid, 3);
	if (!error && from->right_count)
		error = give_rights(p, &h, &used, from, a[2] & MSG_CLOEXEC);
	rights_drop(from);
	if (error)
		return error;
	if (h.name && give_sender(p, h.name, a[1] + 4, from))
		return -EFAULT;
	if (user_write(p, a[1] + 20, &used, 4) || user_write(p, a[1] + 24, &h.flags, 4))
		return -EFAULT;
	return (int)(a[2] & MSG_TRUNC ? from->whole : from->count);
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
	u32 a[6] = { r->ebx, r->ecx, r->edx, r->esi, r->edi, r->ebp };

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
