/* message.c: what travels between sockets: bytes and descriptions, from the pieces of memory that a call names to a message, and from messages to pieces. */

#include "socket.h"

#define PIECES 1024u
#define ONE_CALL 0x7ffff000u   /* bytes, as in Linux */
#define SMALL 2016u            /* the largest block of the pool */
#define STREAM_PART 16384u     /* bytes of a stream in one message */
#define OVERHEAD 768u          /* what Linux counts for a message beside its bytes, about */

/* One call at a time is served, and no copy leads back here. */
static struct { address at; u32 length; } pieces[PIECES];
static u32 piece_count;

int pieces_one(address at, u32 length, u32 *total)
{
	if (length > ONE_CALL)
		length = ONE_CALL;
	pieces[0].at = at;
	pieces[0].length = length;
	piece_count = 1;
	*total = length;
	return 0;
}

int pieces_many(struct process *p, address vector, u32 count, u32 *total)
{
	u32 i, piece[2];

	*total = 0;
	piece_count = 0;
	if (count > PIECES)
		return -EINVAL;
	for (i = 0; i < count; i++) {
		if (user_words(p, piece, vector + i * 2 * WORD(p), 2))
			return -EFAULT;
		if (piece[1] >> 31)
			return -EINVAL;
		if (piece[1] > ONE_CALL - *total)
			piece[1] = ONE_CALL - *total;
		pieces[i].at = piece[0];
		pieces[i].length = piece[1];
		*total += piece[1];
	}
	piece_count = count;
	return 0;
}

/* A place among the pieces. */
struct cursor {
	u32 piece, offset;
};

static struct cursor cursor_at(u32 offset)
{
	struct cursor c = { 0, 0 };

	while (c.piece < piece_count && offset >= pieces[c.piece].length)
		offset -= pieces[c.piece++].length;
	c.offset = offset;
	return c;
}

/* Moves bytes between our memory and the pieces, which have as many left. 0 or -EFAULT. */
static int cursor_move(struct process *p, struct cursor *c, char *own, u32 length, int out)
{
	u32 part;
	address at;

	for (; length; length -= part) {
		while (c->offset >= pieces[c->piece].length) {
			c->piece++;
			c->offset = 0;
		}
		part = pieces[c->piece].length - c->offset;
		if (part > length)
			part = length;
		at = pieces[c->piece].at + c->offset;
		if (out ? user_write(p, at, own, part) : user_read(p, own, at, part))
			return -EFAULT;
		own += part;
		c->offset += part;
	}
	return 0;
}

/* ---- messages ---- */

/* Where a message's byte is, and how many follow it there. */
static char *byte_in(struct message *m, u32 offset, u32 *follow)
{
	void **slot;

	if (m->small) {
		*follow = m->length - offset;
		return (char *)m->small + offset;
	}
	slot = vector_slot(&m->frames, offset / PAGE_SIZE, 0);
	*follow = PAGE_SIZE - offset % PAGE_SIZE;
	if (*follow > m->length - offset)
		*follow = m->length - offset;
	return (char *)*slot + offset % PAGE_SIZE;
}

static int make_room(struct message *m)
{
	void **slot;
	u32 i;

	if (m->length <= SMALL) {
		m->small = m->length ? pool_of(POOL_BYTES, m->length) : 0;
		return m->small || !m->length ? 0 : -ENOMEM;
	}
	for (i = 0; i < (m->length + PAGE_MASK) / PAGE_SIZE; i++) {
		slot = vector_slot(&m->frames, i, 1);
		if (!slot)
			return -ENOMEM;
		*slot = machine_frame(privileged());
		if (!*slot)
			return -ENOMEM;
	}
	return 0;
}

static int fill(struct process *p, struct message *m, const struct letter *letter, u32 offset)
{
	struct cursor c = cursor_at(offset);
	u32 done, part;
	char *to;

	for (done = 0; done < m->length; done += part) {
		to = byte_in(m, done, &part);
		if (letter->own)
			memcpy(to, letter->own + offset + done, part);
		else if (cursor_move(p, &c, to, part, 0))
			return -EFAULT;
	}
	return 0;
}

/* A part of a letter as a message from s, in no queue yet. with_rights: the letter's descriptions travel with it. 0 or an error. */
static int write_message(struct process *p, struct socket *s, const struct letter *letter, u32 offset, u32 length, int with_rights, struct message **made)
{
	struct message *m = pool_of(POOL_MESSAGES, sizeof *m);
	int error;

	if (!m)
		return -ENOMEM;
	m->from = s;
	socket_hold(s);
	credentials_of(p, &m->sender);
	m->source = s->from;
	m->length = length;
	error = make_room(m);
	if (!error)
		error = fill(p, m, letter, offset);
	if (!error && with_rights && letter->right_count) {
		m->rights = pool_of(POOL_VECTORS, letter->right_count * (unsigned)sizeof *m->rights);
		error = m->rights ? 0 : -ENOMEM;
	}
	if (error) {
		message_forget(m);
		return error;
	}
	if (m->rights) {
		m->right_count = letter->right_count;
		memcpy(m->rights, letter->rights, m->right_count * sizeof *m->rights);
		rights_fly(m);
	}
	m->cost = OVERHEAD + length;
	s->sent += m->cost;
	*made = m;
	return 0;
}

static void post(struct socket *to, struct message *m)
{
	if (to->last)
		to->last->next = m;
	else
		to->first = m;
	to->last = m;
	to->waiting++;
	to->moved.came++;
	wake(to);
}

static void take_out_first(struct socket *s)
{
	struct message *m = s->first;

	s->first = m->next;
	if (!s->first)
		s->last = 0;
	s->waiting--;
	message_forget(m);
	wake(s);
}

/* ---- sending ---- */

static int take_error(struct socket *s)
{
	int error = s->error;

	s->error = 0;
	return -error;
}

/* To wait for what happens to a socket: WAIT, or -EAGAIN when one must not, or no longer. */
int wait_socket(struct process *p, struct socket *what, int may_wait, nanoseconds length)
{
	if (!may_wait || (length && timer_wait(p, length) != WAIT))
		return -EAGAIN;
	return sleep_on(p, what);
}

int may_wait(struct socket *s, u32 flags)
{
	return !(flags & MSG_DONTWAIT) && !(s->file->flags & O_NONBLOCK);
}

static int broken(struct process *p, u32 done, u32 flags)
{
	if (done)
		return (int)done;
	if (!(flags & MSG_NOSIGNAL))
		signal_send(p, SIGPIPE);
	return -EPIPE;
}

static int send_stream(struct process *p, struct socket *s, const struct letter *letter)
{
	u32 done = p->progress, part;
	struct message *m;
	int error;

	p->progress = 0;
	if (!s->peer && !inet_is(s))
		return -ENOTCONN;
	if (s->error && inet_is(s) && !done)
		return take_error(s);
	if (!s->peer || s->shut & SHUT_OUT)
		return broken(p, done, letter->flags);
	if (s->peer->state == ENDED) { /* of AF_INET: what is sent first goes nowhere, and the next one hears of it */
		s->shut = SHUT_IN | SHUT_OUT;
		socket_turned(s);
		return (int)letter->total;
	}
	while (done < letter->total) {
		if (s->sent >= s->room) {
			error = wait_socket(p, s, may_wait(s, letter->flags), s->send_wait);
			if (error == WAIT)
				p->progress = done;
			else if (done)
				return (int)done;
			return error;
		}
		part = s->room / 2 - 64 < STREAM_PART ? s->room / 2 - 64 : STREAM_PART;
		if (part > letter->total - done)
			part = letter->total - done;
		error = write_message(p, s, letter, done, part, !done, &m);
		if (error)
			return done ? (int)done : error;
		post(s->peer, m);
		done += part;
	}
	return (int)done;
}

/* To a port that nobody has, or who has no room: as if it had gone. */
static int send_nowhere(struct socket *s, const struct letter *letter)
{
	int error = take_error(s);

	if (error)
		return error;
	if (s->shut & SHUT_OUT)
		return -EPIPE;
	if (letter->refused) {
		s->error = ECONNREFUSED;
		socket_turned(s);
	}
	return (int)letter->total;
}

/* A packet goes as a whole or not at all. */
static int send_packet(struct process *p, struct socket *s, const struct letter *letter)
{
	struct socket *to = letter->target ? letter->target : s->peer;
	struct message *m;
	int error;

	if (!to)
		return inet_is(s) ? send_nowhere(s, letter) : -ENOTCONN;
	if (letter->total > s->room - 32)
		return -EMSGSIZE;
	error = take_error(s);
	if (error)
		return error;
	if (s->shut & SHUT_OUT)
		return -EPIPE;
	if (s->sent >= s->room)
		return wait_socket(p, s, may_wait(s, letter->flags), s->send_wait);
	if (s->style == DATAGRAM && to->peer && to->peer != s)
		return -EPERM;
	if (to->state == ENDED && s->style == DATAGRAM) {
		s->peer = 0; /* no target has ended: it was found among those that live */
		socket_let_go(to);
		while (s->first) /* as Linux: what the other had sent goes with it */
			take_out_first(s);
		return -ECONNREFUSED;
	}
	if (to->shut & SHUT_IN)
		return -EPIPE;
	if (to->peer != s && to->waiting > SOCKET_QUEUE && !inet_is(s))
		return wait_socket(p, to, may_wait(s, letter->flags), s->send_wait);
	error = write_message(p, s, letter, 0, letter->total, 1, &m);
	if (error)
		return error;
	post(to, m);
	return (int)letter->total;
}

/* What was set for the time that a call may wait is over with it. */
static int finished(struct process *p, int result)
{
	if (result != WAIT) {
		p->timed = 0;
		p->deadline = 0;
	}
	return result;
}

int letter_send(struct process *p, struct socket *s, const struct letter *letter)
{
	return finished(p, s->style == STREAM ? send_stream(p, s, letter) : send_packet(p, s, letter));
}

/* ---- receiving ---- */

void rights_drop(struct arrival *from)
{
	while (from->right_count)
		file_drop(from->rights[--from->right_count]);
}

static void note_sender(struct arrival *to, struct message *m)
{
	if (to->any)
		return;
	to->any = 1;
	to->sender = m->sender;
	to->source = m->source;
	to->name_length = m->from->name_length;
	memcpy(to->name, m->from->name, sizeof to->name);
}

/* The descriptions of a message: it keeps them, if it is only looked at. */
static void take_rights(struct message *m, struct arrival *to, int peek)
{
	u32 i;

	memcpy(to->rights, m->rights, m->right_count * sizeof *m->rights);
	to->right_count = m->right_count;
	if (peek) {
		for (i = 0; i < m->right_count; i++)
			file_keep(m->rights[i]);
		return;
	}
	rights_land(m);
	pool_back(POOL_VECTORS, m->rights, m->right_count * (unsigned)sizeof *m->rights);
	m->rights = 0;
	m->right_count = 0;
}

/* Bytes of a message, to a place among the pieces. 0 or -EFAULT. */
static int copy_out(struct process *p, struct message *m, u32 from, u32 length, struct cursor *c)
{
	u32 part;
	char *at;

	for (; length; length -= part, from += part) {
		at = byte_in(m, from, &part);
		if (part > length)
			part = length;
		if (cursor_move(p, c, at, part, 1))
			return -EFAULT;
	}
	return 0;
}

/* Bytes of a stream, over the borders of messages, but not beyond one that brings descriptions, nor, for who asked for credentials, to another sender. */
static int receive_stream(struct process *p, struct socket *s, u32 total, u32 flags, struct arrival *to)
{
	u32 done = p->progress, wanted = flags & MSG_WAITALL ? total : s->low_water < total ? s->low_water : total, part;
	struct cursor c = cursor_at(done);
	struct message *m = s->first;
	int error, peek = flags & MSG_PEEK ? 1 : 0;

	p->progress = 0;
	if (s->state != CONNECTED && inet_is(s))
		return s->error ? take_error(s) : -ENOTCONN;
	if (s->state != CONNECTED)
		return -EINVAL;
	if (!total)
		return 0;
	while (done < total) {
		if (!m) {
			if (done >= wanted || (peek && done))
				break;
			error = done ? 0 : take_error(s);
			if (error)
				return error;
			if (s->shut & SHUT_IN)
				break;
			error = wait_socket(p, s, may_wait(s, flags), s->receive_wait);
			if (error == WAIT)
				p->progress = done;
			if (error == WAIT || !done)
				return error;
			break;
		}
		if (to->any && s->pass_credentials && (m->sender.pid != to->sender.pid || m->sender.uid != to->sender.uid || m->sender.gid != to->sender.gid))
			break;
		part = m->length - m->taken < total - done ? m->length - m->taken : total - done;
		if (copy_out(p, m, m->taken, part, &c)) {
			if (!done)
				return -EFAULT;
			break;
		}
		note_sender(to, m);
		done += part;
		if (m->right_count)
			take_rights(m, to, peek);
		if (peek) {
			m = m->next;
		} else {
			m->taken += part;
			if (m->taken < m->length)
				break;
			take_out_first(s);
			m = s->first;
		}
		if (to->right_count)
			break;
	}
	to->count = to->whole = done;
	return 0;
}

static int receive_packet(struct process *p, struct socket *s, u32 total, u32 flags, struct arrival *to)
{
	struct cursor c = cursor_at(0);
	struct message *m = s->first;
	int error, peek = flags & MSG_PEEK ? 1 : 0;

	if (s->style == SEQPACKET && s->state != CONNECTED)
		return -ENOTCONN;
	error = take_error(s);
	if (error)
		return error;
	if (!m) {
		if (s->shut & SHUT_IN && (s->style == SEQPACKET || may_wait(s, flags)))
			return 0;
		return wait_socket(p, s, may_wait(s, flags), s->receive_wait);
	}
	to->whole = m->length;
	to->count = m->length < total ? m->length : total;
	if (copy_out(p, m, 0, to->count, &c))
		return -EFAULT;
	note_sender(to, m);
	if (m->right_count)
		take_rights(m, to, peek);
	if (!peek)
		take_out_first(s);
	return 0;
}

int letter_receive(struct process *p, struct socket *s, u32 total, u32 flags, struct arrival *to)
{
	to->count = to->whole = to->right_count = to->name_length = 0;
	to->any = 0;
	return finished(p, s->style == STREAM ? receive_stream(p, s, total, flags, to) : receive_packet(p, s, total, flags, to));
}
