/* socket_file.c: sockets as files: read, write, readv, writev, poll, sendfile. */

#include "socket.h"

/* One call at a time. */
struct arrival *arrival_of_call(void)
{
	static struct arrival arrival;

	return &arrival;
}

/* The pieces have been named. Descriptions that come with the bytes have no place here: they are closed. */
static int read_pieces(struct process *p, struct file *f, u32 total)
{
	struct arrival *to = arrival_of_call();
	int error = total ? letter_receive(p, f->socket, total, 0, to) : 0;

	if (error || !total)
		return error;
	rights_drop(to);
	return (int)to->count;
}

static int write_pieces(struct process *p, struct file *f, u32 total, const char *own)
{
	struct letter letter = { total, 0, 0, own, 0, 0, 0 };
	int error = inet_is(f->socket) ? inet_target(p, f->socket, 0, 0, &letter) : 0;

	return error ? error : letter_send(p, f->socket, &letter);
}

int socket_move(struct process *p, struct file *f, address at, u32 length, int write)
{
	u32 total;

	pieces_one(at, length, &total);
	return write ? write_pieces(p, f, total, 0) : read_pieces(p, f, total);
}

int socket_move_many(struct process *p, struct file *f, address vector, u32 count, int write)
{
	u32 total;
	int error = pieces_many(p, vector, count, &total);

	if (error)
		return error;
	return write ? write_pieces(p, f, total, 0) : read_pieces(p, f, total);
}

int socket_append(struct process *p, struct file *f, const char *from, u32 length)
{
	return write_pieces(p, f, length, from);
}

int socket_room(struct process *p, struct file *f, int wait)
{
	struct socket *s = f->socket;

	if (s->sent < s->room || s->shut & SHUT_OUT)
		return PAGE_SIZE; /* or the error, when it is tried */
	return wait_socket(p, s, wait && may_wait(s, 0), 0);
}

int socket_ready(struct file *f)
{
	struct socket *s = f->socket, *q = s->peer;
	int ready = s->error ? POLLERR : 0, full = s->state == LISTENS || (s->sent > s->room / 4 && !(inet_is(s) && s->style == DATAGRAM));

	if (s->shut == (SHUT_IN | SHUT_OUT))
		ready |= POLLHUP;
	if (s->shut & SHUT_IN)
		ready |= POLLIN | POLLRDHUP;
	if (s->first || s->connections)
		ready |= POLLIN;
	if (s->style != DATAGRAM && s->state == CLOSED)
		ready |= POLLHUP;
	if (s->style == DATAGRAM && q && q->peer != s && q->waiting > SOCKET_QUEUE)
		full = 1;
	return full ? ready : ready | POLLOUT;
}

void socket_motions(struct file *f, struct motions *to)
{
	*to = f->socket->moved;
}

/* FIONREAD: the bytes of a stream, or of the next packet. */
int socket_waiting(struct file *f)
{
	struct socket *s = f->socket;
	struct message *m;
	u32 n = 0;

	if (s->state == LISTENS)
		return -EINVAL;
	for (m = s->first; m; m = s->style == DATAGRAM ? 0 : m->next)
		n += m->length - m->taken;
	return (int)n;
}
