/* socket.c: sockets of the step's own: their life, their names, and descriptions that travel in messages.

   A description in a message may be that of a socket in whose queue the message waits: a circle that no descriptor leads to, which counts alone would keep for ever.
   sockets_collect finds such circles: a socket is reached if its description is held by more than messages, or if a message that waits for a reached one carries it,
   or if it waits to be accepted by a reached one. What is not reached loses what waits for it. It is asked when a socket is closed while descriptions travel, when
   too many travel, and when a step is over. */

#include "socket.h"

static struct socket *sockets;
static u32 flying;                /* descriptions in messages under way */
static struct message *forgotten; /* messages that are no more, but still hold something */
static int forgetting;

struct socket *socket_new(u32 style)
{
	struct socket *s = pool_of(POOL_SOCKETS, sizeof *s);

	if (!s)
		return 0;
	s->users = 1;
	s->family = AF_UNIX;
	s->style = style;
	s->room = SOCKET_ROOM;
	s->told_room = SOCKET_ROOM;
	s->low_water = 1;
	s->other.uid = s->other.gid = ~0u;
	s->next = sockets;
	if (sockets)
		sockets->previous = s;
	sockets = s;
	return s;
}

void socket_hold(struct socket *s)
{
	count_more(&s->users);
}

void socket_let_go(struct socket *s)
{
	if (count_less(&s->users))
		return;
	if (s->state != ENDED || s->first || s->connections || s->peer || s->place || s->sent)
		machine_panic("defect: a socket is given back that still holds something");
	pool_back(POOL_SOCKETS, s, sizeof *s);
}

struct socket *socket_first(void)
{
	return sockets;
}

/* Each holds the other until it ends. */
void socket_join(struct socket *s, struct socket *peer)
{
	socket_hold(peer);
	s->peer = peer;
}

void socket_turned(struct socket *s)
{
	s->moved.came++;
	s->moved.went++;
	wake(s);
}

void socket_attach(struct socket *s, struct socket *end, struct socket *to)
{
	struct socket **last;

	socket_join(end, s);
	socket_join(s, end);
	end->state = s->state = CONNECTED;
	for (last = &to->connections; *last; last = &(*last)->after)
		;
	*last = end;
	to->connection_count++;
	socket_turned(to);
	socket_turned(s);
}

/* ---- descriptions that travel ---- */

void rights_fly(struct message *m)
{
	u32 i;

	for (i = 0; i < m->right_count; i++) {
		file_keep(m->rights[i]);
		count_more(&flying);
		if (m->rights[i]->socket)
			count_more(&m->rights[i]->socket->in_flight);
	}
}

void rights_land(struct message *m)
{
	u32 i;

	for (i = 0; i < m->right_count; i++) {
		count_less(&flying);
		if (m->rights[i]->socket)
			count_less(&m->rights[i]->socket->in_flight);
	}
}

static void free_bytes(struct message *m)
{
	void **slot;
	u32 i;

	if (m->small)
		pool_back(POOL_BYTES, m->small, m->length);
	for (i = 0; !m->small && i < (m->length + PAGE_MASK) / PAGE_SIZE; i++) {
		slot = vector_slot(&m->frames, i, 0);
		if (slot && *slot)
			machine_frame_drop(*slot);
	}
	vector_free(&m->frames);
}

/* What a message holds may be a socket's last description, whose queue holds messages, and so on: one after the other, never one within the other. */
void message_forget(struct message *m)
{
	u32 i;

	m->next = forgotten;
	forgotten = m;
	if (forgetting)
		return;
	forgetting = 1;
	while ((m = forgotten)) {
		forgotten = m->next;
		if (m->right_count)
			rights_land(m);
		for (i = 0; i < m->right_count; i++)
			file_drop(m->rights[i]);
		if (m->rights)
			pool_back(POOL_VECTORS, m->rights, m->right_count * (unsigned)sizeof *m->rights);
		if (m->from->sent < m->cost)
			machine_panic("defect: a message weighs more than all that is under way");
		m->from->sent -= m->cost;
		m->from->moved.went++;
		wake(m->from);
		socket_let_go(m->from);
		free_bytes(m);
		pool_back(POOL_MESSAGES, m, sizeof *m);
	}
	forgetting = 0;
}

/* Takes all messages from a queue, in one chain. */
static struct message *emptied(struct socket *s)
{
	struct message *m = s->first;

	s->first = s->last = 0;
	s->waiting = 0;
	return m;
}

static void forget_all(struct message *m)
{
	struct message *next;

	for (; m; m = next) {
		next = m->next;
		message_forget(m);
	}
}

/* ---- the end ---- */

static void lose_peer(struct socket *s, int unread)
{
	struct socket *peer = s->peer;

	s->peer = 0;
	if (!peer)
		return;
	if (inet_is(s)) {
		inet_lost(peer, unread);
		socket_turned(peer);
	} else if (s->style != DATAGRAM) {
		peer->shut = SHUT_IN | SHUT_OUT;
		if (unread)
			peer->error = ECONNRESET;
		socket_turned(peer);
	}
	socket_let_go(peer);
}

void socket_end(struct socket *s)
{
	int unread = s->first || !s->file; /* never accepted: as good as never read */
	struct socket *c;

	if (s->state == ENDED)
		machine_panic("defect: a socket ends twice");
	if (s->next)
		s->next->previous = s->previous;
	if (s->previous)
		s->previous->next = s->next;
	else
		sockets = s->next;
	s->state = ENDED;
	s->shut = SHUT_IN | SHUT_OUT;
	s->file = 0;
	if (s->place) {
		s->place->bound = 0;
		node_drop(s->place);
		s->place = 0;
	}
	lose_peer(s, unread);
	while ((c = s->connections)) {
		s->connections = c->after;
		socket_end(c);
	}
	forget_all(emptied(s));
	wake(s);
	socket_let_go(s);
}

void socket_close(struct file *f)
{
	struct socket *s = f->socket;

	f->socket = 0;
	if (s->in_flight)
		machine_panic("defect: a description is closed that still travels");
	socket_end(s);
	if (flying && !forgetting)
		sockets_collect();
}

int socket_enter(struct process *p, struct socket *s, u32 flags)
{
	struct node *node = node_nameless(p, S_IFSOCK | 0777);
	struct file *f = node ? file_new(node, O_RDWR | (flags & O_NONBLOCK)) : 0;

	if (!f) {
		if (node)
			node_drop(node);
		socket_end(s);
		return -ENOMEM;
	}
	f->socket = s;
	s->file = f;
	return file_install(p, f, 0, flags & O_CLOEXEC ? 1 : 0);
}

struct socket *socket_abstract(const char *name, u32 length, u32 style)
{
	struct socket *s;

	for (s = sockets; s; s = s->next)
		if (s->bound && s->name_length == length && !s->name[0] && s->style == style && !memcmp(s->name, name, length))
			return s;
	return 0;
}

/* ---- circles ---- */

static struct socket *work;

static void reach(struct socket *s)
{
	if (s->reached)
		return;
	s->reached = 1;
	s->work = work;
	work = s;
}

void sockets_collect(void)
{
	struct message *m, *lost = 0, **end = &lost;
	struct socket *s, *c;
	u32 i;

	work = 0;
	for (s = sockets; s; s = s->next)
		s->reached = 0;
	for (s = sockets; s; s = s->next) {
		if (s->file && s->file->users < s->in_flight)
			machine_panic("defect: a description travels more often than it is held");
		if (s->file && s->file->users > s->in_flight)
			reach(s);
	}
	while ((s = work)) {
		work = s->work;
		for (c = s->connections; c; c = c->after)
			reach(c);
		for (m = s->first; m; m = m->next)
			for (i = 0; i < m->right_count; i++)
				if (m->rights[i]->socket)
					reach(m->rights[i]->socket);
	}
	for (s = sockets; s; s = s->next) {
		if (s->reached)
			continue;
		*end = emptied(s);
		while (*end)
			end = &(*end)->next;
	}
	forget_all(lost);
}

/* Is there room for so many more descriptions under way? */
int flying_room(u32 count)
{
	static unsigned once;

	if (flying + count > FLYING)
		sockets_collect();
	if (flying + count <= FLYING)
		return 0;
	limit_reached(&once, "256 descriptors in messages under way (ETOOMANYREFS)");
	return -ETOOMANYREFS;
}
