/* call_message.c: the calls that send and receive: their addresses, pieces and control messages. What travels is in message.c. */

#include "socket.h"

/* Of who sent something: none, if it had none. */
static int give_sender(struct process *p, struct socket *s, address to, address length_at, const struct arrival *from)
{
	u32 none = 0;

	if (inet_is(s) && s->style == DATAGRAM && from->any)
		return inet_give(p, s->family, to, length_at, &from->source);
	if (!from->name_length)
		return user_write(p, length_at, &none, 4);
	return name_give(p, to, length_at, from->name, from->name_length);
}

/* Whom it is for, and from whom: a datagram may say it, a connection has it said. */
static int target_of(struct process *p, struct socket *s, address at, u32 length, struct letter *letter)
{
	letter->target = 0;
	if (inet_is(s))
		return inet_target(p, s, at, length, letter);
	if (!at || !length || s->style == SEQPACKET)
		return name_own(s);
	if (s->style == STREAM)
		return s->state == CONNECTED ? -EISCONN : -EOPNOTSUPP;
	return name_leads(p, s, at, length, &letter->target);
}

static int send_letter(struct process *p, struct socket *s, address to, u32 length, struct letter *letter)
{
	int error;

	if (letter->flags & MSG_OOB)
		return -EOPNOTSUPP;
	error = target_of(p, s, to, length, letter);
	return error ? error : letter_send(p, s, letter);
}

int socket_send_to(struct process *p, u32 *a)
{
	struct letter letter = { 0, a[3], 0, 0, 0, 0, 0 };
	int error;
	struct socket *s = socket_of(p, a[0], &error);

	if (error)
		return error;
	pieces_one(a[1], a[2], &letter.total);
	return send_letter(p, s, a[4], a[5], &letter);
}

int socket_receive_from(struct process *p, u32 *a)
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
	if (a[4] && give_sender(p, s, a[4], a[5], from))
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
	u32 words[6];

	if (user_words(p, words, at, 1) || user_read(p, words + 1, at + WORD(p), 4) || user_words(p, words + 2, at + 2 * WORD(p), 4))
		return -EFAULT;
	h->name = words[0];
	h->name_length = words[1];
	h->pieces = words[2];
	h->piece_count = words[3];
	h->control = words[4];
	h->control_length = words[5];
	if (h->piece_count > 1024)
		return -EMSGSIZE;
	return pieces_many(p, h->pieces, h->piece_count, total);
}

struct control { /* struct cmsghdr */
	u32 length, level, kind;
};

#define CONTROL_HEAD(p) (WORD(p) + 8u)                             /* bytes of it before its words */
#define CONTROL_SPACE(p, length) (((length) + WORD(p) - 1) & ~(WORD(p) - 1))

/* 0 or -EFAULT. */
static int control_get(struct process *p, struct control *c, address at)
{
	return user_words(p, &c->length, at, 1) || user_read(p, &c->level, at + WORD(p), 8) ? -EFAULT : 0;
}

/* The words of a control message's head; how many. */
static u32 control_head(struct process *p, u32 *words, u32 length, u32 kind)
{
	u32 n = WORD(p) / 4;

	UNUSED_PROCESS; /* but by WORD, where programs have two widths */
	words[1] = 0;
	words[0] = length;
	words[n] = 1;
	words[n + 1] = kind;
	return n + 2;
}

/* One control message of a letter, its words at `at`: descriptions, or the credentials that the sender has anyhow. 0 or an error. */
static int take_control(struct process *p, const struct control *c, address at, struct letter *letter)
{
	u32 words[3], i, n = (c->length - CONTROL_HEAD(p)) / 4;
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
	while ((left = h->control_length - at) >= CONTROL_HEAD(p)) {
		if (control_get(p, &c, h->control + at))
			return -EFAULT;
		if (c.length < CONTROL_HEAD(p) || c.length > left)
			return -EINVAL;
		error = take_control(p, &c, h->control + at + CONTROL_HEAD(p), letter);
		if (error)
			return error;
		if (CONTROL_SPACE(p, c.length) >= left)
			break;
		at += CONTROL_SPACE(p, c.length);
	}
	return letter->right_count ? flying_room(letter->right_count) : 0;
}

/* A call that waits with a part of it sent has sent the descriptions with that. */
int socket_send_message(struct process *p, u32 *a)
{
	struct letter letter = { 0, a[2], 0, 0, 0, 0, 0 };
	struct header h;
	int error;
	struct socket *s = socket_of(p, a[0], &error);

	if (!error)
		error = take_header(p, a[1], &h, &letter.total);
	if (!error && !p->progress && !inet_is(s)) /* no descriptions travel there, whatever a message says */
		error = take_controls(p, &h, &letter);
	return error ? error : send_letter(p, s, h.name, h.name_length, &letter);
}

/* A control message of these words, as much of it as there is room for. `used` grows. */
static int give_control(struct process *p, struct header *h, u32 *used, u32 kind, const u32 *words, u32 count)
{
	u32 left = h->control ? h->control_length - *used : 0, message[4 + 3], length;

	if (left < CONTROL_HEAD(p)) {
		h->flags |= MSG_CTRUNC;
		return 0;
	}
	length = CONTROL_HEAD(p) + count * 4;
	if (left < length) {
		h->flags |= MSG_CTRUNC;
		length = left;
	}
	memcpy(message + control_head(p, message, length, kind), words, count * 4);
	if (user_write(p, h->control + *used, message, length))
		return -EFAULT;
	*used += CONTROL_SPACE(p, length) < left ? CONTROL_SPACE(p, length) : left;
	return 0;
}

/* Descriptors for those that fit; the others are closed, and the flags tell. */
static int give_rights(struct process *p, struct header *h, u32 *used, struct arrival *from, u32 close_on_exec)
{
	u32 left = h->control ? h->control_length - *used : 0, fit = left > CONTROL_HEAD(p) ? (left - CONTROL_HEAD(p)) / 4 : 0, i, head[4];
	address at = h->control + *used;
	struct file *f;
	int fd = 0;

	for (i = 0; i < from->right_count && i < fit; i++) {
		f = from->rights[i];
		file_keep(f);
		fd = file_install(p, f, 0, close_on_exec != 0);
		if (fd >= 0 && user_write(p, at + CONTROL_HEAD(p) + i * 4, &fd, 4)) {
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
	if (user_write(p, at, head, control_head(p, head, CONTROL_HEAD(p) + i * 4, 1) * 4))
		return -EFAULT;
	*used += CONTROL_SPACE(p, CONTROL_HEAD(p) + i * 4) < left ? CONTROL_SPACE(p, CONTROL_HEAD(p) + i * 4) : left;
	return 0;
}

int socket_receive_message(struct process *p, u32 *a)
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
	if (h.name && give_sender(p, s, h.name, a[1] + WORD(p), from))
		return -EFAULT;
	if (user_give(p, a[1] + 5 * WORD(p), &used, 1) || user_write(p, a[1] + 6 * WORD(p), &h.flags, 4))
		return -EFAULT;
	return (int)(a[2] & MSG_TRUNC ? from->whole : from->count);
}
