/* inet.c: AF_INET and AF_INET6 on a loopback of the step's own. No packets are made: a connection is joined like one of AF_UNIX, a datagram is put into the queue of
   who has the port. What is here: addresses, ports, who is meant by them, and what differs from AF_UNIX for connections. All but 127.0.0.0/8 and ::1 is
   unreachable. */

#include "socket.h"

#define LOOPBACK 0x7f000001u
#define FIRST_PORT 32768u     /* of those that are given to who asks for none */
#define LAST_PORT 60999u
#define LONGEST_DATAGRAM 65507u
#define DATAGRAMS 256u        /* that wait for one reader; more are lost */

int inet_is(struct socket *s)
{
	return s->family != AF_UNIX;
}

/* ---- addresses ---- */

static u32 swapped(u32 n)
{
	return n >> 24 | (n >> 8 & 0xff00) | (n << 8 & 0xff0000) | n << 24;
}

/* Sixteen bytes as a host: of version 6, ::, ::1 or another; of version 4, mapped. */
static void host_of(const u8 *bytes, struct inet *to)
{
	u32 i;

	for (i = 0; i < 10 && !bytes[i]; i++)
		;
	to->version = 6;
	if (i == 10 && bytes[10] == 0xff && bytes[11] == 0xff) {
		to->version = 4;
		to->host = (u32)bytes[12] << 24 | (u32)bytes[13] << 16 | (u32)bytes[14] << 8 | bytes[15];
		return;
	}
	for (; i < 15 && !bytes[i]; i++)
		;
	to->host = i < 15 ? OTHER_HOST : bytes[15] > 1 ? OTHER_HOST : bytes[15];
}

/* struct sockaddr_in or sockaddr_in6. 0, 1: of no family, or an error. */
int inet_take(struct process *p, struct socket *s, address at, u32 length, struct inet *to)
{
	u8 given[28];
	u16 family;

	if (length > 128 || length < 2)
		return -EINVAL;
	memset(given, 0, sizeof given);
	if (user_read(p, given, at, length < sizeof given ? length : (u32)sizeof given))
		return -EFAULT;
	memcpy(&family, given, 2);
	if (!family)
		return 1;
	if (length < (s->family == AF_INET || (family == AF_INET && s->style == DATAGRAM) ? 16u : 24u))
		return -EINVAL;
	if (family != s->family && !(family == AF_INET && s->family == AF_INET6 && s->style == DATAGRAM))
		return -EAFNOSUPPORT;
	to->port = (u32)given[2] << 8 | given[3];
	if (family == AF_INET) {
		to->version = 4;
		memcpy(&to->host, given + 4, 4);
		to->host = swapped(to->host);
	} else {
		host_of(given + 8, to);
	}
	return 0;
}

/* As a socket of this family sees it. The length is taken and given. */
int inet_give(struct process *p, u32 family, address to, address length_at, const struct inet *from)
{
	u8 given[28];
	u32 room, length = family == AF_INET ? 16 : 28, host = swapped(from->host);

	if (user_read(p, &room, length_at, 4))
		return -EFAULT;
	if (room >> 31)
		return -EINVAL;
	memset(given, 0, sizeof given);
	given[0] = (u8)family;
	given[2] = (u8)(from->port >> 8);
	given[3] = (u8)from->port;
	if (family == AF_INET)
		memcpy(given + 4, &host, 4);
	else if (from->version == 4) {
		given[18] = given[19] = 0xff;
		memcpy(given + 20, &host, 4);
	} else {
		given[23] = (u8)from->host;
	}
	return user_write(p, to, given, room < length ? room : length) || user_write(p, length_at, &length, 4) ? -EFAULT : 0;
}

/* Is it of this machine? To "any" it is. */
static int local(const struct inet *a)
{
	return a->version == 6 ? a->host < 2 : !a->host || a->host >> 24 == 127;
}

/* Where something goes that is for this address: to "any" is to this machine. 0, or ENETUNREACH. */
static int reach_of(struct socket *s, struct inet *to)
{
	if (!local(to) || (to->version == 6 && s->family == AF_INET) || (to->version == 4 && s->only6))
		return -ENETUNREACH;
	if (!to->host)
		to->host = to->version == 6 ? 1 : LOOPBACK;
	return 0;
}

/* ---- ports ---- */

/* Would what comes for one come for the other, too? */
static int overlap(const struct socket *s, const struct inet *a, const struct socket *t)
{
	const struct inet *b = &t->own;

	if (a->port != b->port || s->style != t->style)
		return 0;
	if (a->version == b->version)
		return !a->host || !b->host || a->host == b->host;
	return a->version == 6 ? !a->host && !s->only6 : !b->host && !t->only6;
}

static int shares(struct socket *s, u32 option)
{
	return s->options >> option & 1;
}

/* May a socket have this address beside those that have theirs? Who listens shares his with nobody, but for those who all want that. */
static int taken(struct socket *s, const struct inet *a, int listens)
{
	struct socket *t;

	for (t = socket_first(); t; t = t->next) {
		if (t == s || !inet_is(t) || !t->own.port || !overlap(s, a, t))
			continue;
		if (shares(s, SO_REUSEPORT) && shares(t, SO_REUSEPORT))
			continue;
		if (listens ? t->state != LISTENS : shares(s, SO_REUSEADDR) && shares(t, SO_REUSEADDR) && t->state != LISTENS)
			continue;
		return 1;
	}
	return 0;
}

/* A port that nobody has, for an address. 0, or EADDRINUSE. */
static int port_free(struct process *p, struct socket *s, struct inet *a)
{
	struct group *group = p->group;
	u32 tries;

	for (tries = FIRST_PORT; tries <= LAST_PORT; tries++) {
		group->port = group->port < FIRST_PORT || group->port >= LAST_PORT ? FIRST_PORT : group->port + 1;
		a->port = group->port;
		if (!taken(s, a, 1) && !taken(s, a, 0))
			return 0;
	}
	a->port = 0;
	return -EADDRINUSE;
}

/* For who sends or listens without having asked for a port. */
int inet_own(struct process *p, struct socket *s, u32 version)
{
	struct inet a = { 0, 0, 0 };
	int error;

	if (s->own.port)
		return 0;
	a.version = version;
	error = port_free(p, s, &a);
	if (!error)
		s->own = a;
	return error ? -EAGAIN : 0;
}

int inet_bind(struct process *p, struct socket *s, address at, u32 length)
{
	struct inet a;
	int error = inet_take(p, s, at, length, &a);

	if (error)
		return error < 0 ? error : -EAFNOSUPPORT;
	if (a.version == 4 && s->only6)
		return -EINVAL;
	if (!local(&a))
		return -EADDRNOTAVAIL;
	if (a.port && a.port < 1024)
		return -EACCES;
	if (s->own.port || s->state != CLOSED)
		return -EINVAL;
	error = a.port ? (taken(s, &a, 0) ? -EADDRINUSE : 0) : port_free(p, s, &a);
	if (!error) {
		s->own = a;
		s->bound = 1;
	}
	return error;
}

int inet_listen(struct process *p, struct socket *s)
{
	int error = inet_own(p, s, s->family == AF_INET ? 4 : 6);

	return error ? error : s->state != LISTENS && taken(s, &s->own, 1) ? -EADDRINUSE : 0;
}

/* Who is meant: the one whose address it is exactly before one who takes any; of datagrams, one that is joined to the sender before others, and nobody who is joined
   to somebody else. 0: nobody. */
static struct socket *meant(struct socket *from, const struct inet *to, const struct inet *sender)
{
	struct socket *t, *best = 0;
	u32 score, most = 0;

	for (t = socket_first(); t; t = t->next) {
		if (!inet_is(t) || t->own.port != to->port || t->style != from->style || (t->style == STREAM && (t->state != LISTENS || t->shut & SHUT_IN)))
			continue;
		if (t->own.version == to->version ? t->own.host && t->own.host != to->host : to->version != 4 || t->own.host || t->only6)
			continue;
		score = 1 + (t->own.host != 0) + (t->own.version == to->version);
		if (t->style == DATAGRAM && t->other_end.port) {
			if (t->other_end.port != sender->port || t->other_end.version != sender->version || t->other_end.host != sender->host)
				continue;
			score += 4;
		}
		if (score > most) {
			most = score;
			best = t;
		}
	}
	return best;
}

/* ---- connections ---- */

/* What was begun without waiting, and ended meanwhile. 1: nothing was. */
static int begun(struct socket *s)
{
	u32 how = s->begun;
	int error = s->error;

	s->begun = NOT_BEGUN;
	if (how == NOT_BEGUN)
		return 1;
	if (how == JOINED)
		return 0;
	s->error = 0;
	s->shut = 0;
	return error ? -error : -ECONNABORTED;
}

/* Nobody is there: said at once, or, to who does not wait, later. */
static int refused(struct socket *s, int waits)
{
	if (!s->bound)
		s->own.port = s->own.host = 0;
	if (waits)
		return -ECONNREFUSED;
	s->error = ECONNREFUSED;
	s->shut = SHUT_IN | SHUT_OUT;
	s->begun = REFUSED;
	socket_turned(s);
	return -EINPROGRESS;
}

static int connect_datagrams_to(struct process *p, struct socket *s, struct inet *to, int none)
{
	int error;

	if (none) {
		s->other_end.port = 0;
		return 0;
	}
	error = reach_of(s, to);
	if (!error)
		error = inet_own(p, s, to->version);
	if (error)
		return error;
	if (!s->own.host) {
		s->own.host = to->version == 6 ? 1 : LOOPBACK;
		s->own.version = to->version;
	}
	s->other_end = *to;
	return 0;
}

int inet_connect(struct process *p, struct socket *s, address at, u32 length)
{
	struct socket *to, *end;
	struct inet a;
	int waits = !(s->file->flags & O_NONBLOCK), error = inet_take(p, s, at, length, &a);

	if (error < 0)
		return error;
	if (s->style == DATAGRAM)
		return connect_datagrams_to(p, s, &a, error);
	if (error)
		return -EAFNOSUPPORT; /* to be joined no more, and to another: not served */
	error = begun(s);
	if (error != 1)
		return error;
	if (s->state != CLOSED)
		return -EISCONN;
	error = reach_of(s, &a);
	if (!error)
		error = inet_own(p, s, a.version);
	if (error)
		return error == -EAGAIN ? -EADDRNOTAVAIL : error;
	to = meant(s, &a, 0);
	if (!to)
		return refused(s, waits);
	if (waits && to->connection_count > to->backlog)
		return s->send_wait && timer_wait(p, s->send_wait) != WAIT ? -EINPROGRESS : sleep_on(p, to);
	if (to->connection_count > CONNECTIONS)
		return refused(s, waits);
	end = socket_new(STREAM);
	if (!end)
		return -ENOMEM;
	end->family = to->family;
	end->only6 = to->only6;
	end->options = to->options;
	memcpy(end->tuning, to->tuning, sizeof end->tuning);
	if (!s->own.host || s->own.version != a.version) {
		s->own.host = a.version == 6 ? 1 : LOOPBACK;
		s->own.version = a.version;
	}
	s->other_end = end->own = a;
	end->other_end = s->own;
	socket_attach(s, end, to);
	if (waits)
		return 0;
	s->begun = JOINED;
	return -EINPROGRESS;
}

/* The other end has gone: what it sent can still be read, and the first that is sent to it is lost. */
void inet_lost(struct socket *s, int unread)
{
	s->shut |= SHUT_IN;
	if (unread) {
		s->shut = SHUT_IN | SHUT_OUT;
		s->error = ECONNRESET;
	}
}

/* ---- datagrams ---- */

/* Whom a datagram is for: into the letter, whose target is 0 when nobody is there, and it is lost. 0 or an error. */
int inet_target(struct process *p, struct socket *s, address at, u32 length, struct letter *letter)
{
	struct inet to = s->other_end;
	int error;

	letter->target = 0;
	if (s->style == STREAM)
		return 0; /* an address says nothing here */
	if (at && length) {
		error = inet_take(p, s, at, length, &to);
		if (error)
			return error < 0 ? error : -EAFNOSUPPORT;
		if (!to.port)
			return -EINVAL;
		error = reach_of(s, &to);
		if (error)
			return error;
	} else if (!to.port) {
		return -EDESTADDRREQ;
	}
	error = inet_own(p, s, to.version);
	if (error)
		return error;
	if (letter->total > LONGEST_DATAGRAM)
		return -EMSGSIZE;
	s->from = s->own;
	if (!s->from.host || s->from.version != to.version) {
		s->from.host = to.version == 6 ? 1 : LOOPBACK;
		s->from.version = to.version;
	}
	letter->target = meant(s, &to, &s->from);
	if (letter->target && (letter->target->waiting >= DATAGRAMS || letter->target->shut & SHUT_IN || s->sent >= s->room))
		letter->target = 0;
	else if (!letter->target && s->other_end.port)
		letter->refused = 1;
	return 0;
}
