/* option.c: options of sockets. Those that mean something between processes of one machine do it; those that are for networks are remembered, as Linux does for
   these sockets; all others are refused (ENOPROTOOPT). */

#include "socket.h"

#define SOL_SOCKET 1u
#define LEAST_ROOM 4608u
#define MICROSECOND 1000u
#define SECONDS 1000000000u
#define LONGEST 4000000000ull

enum {
	SO_TYPE = 3, SO_ERROR = 4, SO_DONTROUTE = 5, SO_BROADCAST = 6, SO_SNDBUF = 7, SO_RCVBUF = 8, SO_KEEPALIVE = 9, SO_OOBINLINE = 10, SO_LINGER = 13,
	SO_PASSCRED = 16, SO_PEERCRED = 17, SO_RCVLOWAT = 18, SO_SNDLOWAT = 19, SO_RCVTIMEO = 20, SO_SNDTIMEO = 21, SO_ACCEPTCONN = 30, SO_PROTOCOL = 38, SO_DOMAIN = 39,
	SO_RCVTIMEO_64 = 66, SO_SNDTIMEO_64 = 67
};

#define REMEMBERED (1u << SO_REUSEADDR | 1u << SO_REUSEPORT | 1u << SO_DONTROUTE | 1u << SO_BROADCAST | 1u << SO_KEEPALIVE | 1u << SO_OOBINLINE)

struct socket *socket_of(struct process *p, u32 fd, int *error)
{
	struct file *f = file_of(p, (int)fd);

	*error = !f ? -EBADF : f->socket ? 0 : -ENOTSOCK;
	return *error ? 0 : f->socket;
}

int credentials_of(struct process *p, struct credentials *c)
{
	c->pid = p->leader->local;
	c->uid = p->euid;
	c->gid = p->egid;
	return 0;
}

/* As much as there is room for, and how much that is. */
static int give(struct process *p, u32 *a, const void *value, u32 length)
{
	u32 room;

	if (user_read(p, &room, a[4], 4))
		return -EFAULT;
	if (room >> 31)
		return -EINVAL;
	if (room > length)
		room = length;
	return user_write(p, a[3], value, room) || user_write(p, a[4], &room, 4) ? -EFAULT : 0;
}

static int give_time(struct process *p, u32 *a, nanoseconds t, int wide)
{
	u64 w[2] = { t / SECONDS, t % SECONDS / MICROSECOND };
	u32 n[2] = { (u32)w[0], (u32)w[1] };

	return wide ? give(p, a, w, sizeof w) : give(p, a, n, sizeof n);
}

/* Of AF_INET and AF_INET6: there are no packets whose making they could change. */
static const struct { u32 level, name; int value; } tunings[TUNINGS] = {
	{ 6, 1, 0 }, /* TCP_NODELAY, CORK, KEEPIDLE, KEEPINTVL, KEEPCNT */
	{ 6, 3, 0 }, { 6, 4, 7200 }, { 6, 5, 75 }, { 6, 6, 9 },
	{ 0, 1, 0 }, /* IP_TOS, IP_TTL, IPV6_UNICAST_HOPS */
	{ 0, 2, 64 }, { 41, 16, 64 },
};

#define ONLY6_LEVEL 41u
#define ONLY6 26u

void options_begin(struct socket *s)
{
	u32 i;

	for (i = 0; i < TUNINGS; i++)
		s->tuning[i] = tunings[i].value;
}

/* Where it is remembered; 0: it is none of these. */
static int *tuning_of(struct socket *s, u32 level, u32 name)
{
	u32 i;

	for (i = 0; i < TUNINGS; i++)
		if (tunings[i].level == level && tunings[i].name == name && (level != 6 || s->style == STREAM))
			return &s->tuning[i];
	return 0;
}

static int tune(struct process *p, struct socket *s, u32 *a)
{
	int *to = tuning_of(s, a[1], a[2]), value;

	if (a[4] >> 31 || a[4] < 4)
		return -EINVAL;
	if (user_read(p, &value, a[3], 4))
		return -EFAULT;
	if (a[1] == ONLY6_LEVEL && a[2] == ONLY6 && s->family == AF_INET6) {
		if (s->own.port)
			return -EINVAL;
		s->only6 = value != 0;
		return 0;
	}
	if (!to)
		return -ENOPROTOOPT;
	*to = a[1] == 6 && a[2] <= 3 ? value != 0 : value;
	return 0;
}

static int tuned(struct process *p, struct socket *s, u32 *a)
{
	int *from = tuning_of(s, a[1], a[2]);

	if (a[1] == ONLY6_LEVEL && a[2] == ONLY6 && s->family == AF_INET6)
		return give(p, a, &s->only6, 4);
	return from ? give(p, a, from, 4) : -ENOPROTOOPT;
}

/* getsockopt(descriptor, level, name, value, length) */
int socket_get_option(struct process *p, u32 *a)
{
	int error;
	struct socket *s = socket_of(p, a[0], &error);
	u32 value;

	if (error)
		return error;
	if (a[1] != SOL_SOCKET)
		return inet_is(s) ? tuned(p, s, a) : -EOPNOTSUPP;
	if (a[2] < 32 && REMEMBERED >> a[2] & 1) {
		value = s->options >> a[2] & 1;
		return give(p, a, &value, 4);
	}
	switch (a[2]) {
	case SO_TYPE:
		value = s->style;
		break;
	case SO_ERROR:
		value = (u32)s->error;
		s->error = 0;
		break;
	case SO_SNDBUF:
		value = s->room;
		break;
	case SO_RCVBUF:
		value = s->told_room;
		break;
	case SO_LINGER:
		return give(p, a, s->linger, sizeof s->linger);
	case SO_PASSCRED:
		value = s->pass_credentials;
		break;
	case SO_PEERCRED:
		return give(p, a, &s->other, sizeof s->other);
	case SO_RCVLOWAT:
		value = s->low_water;
		break;
	case SO_SNDLOWAT:
		value = 1;
		break;
	case SO_RCVTIMEO:
	case SO_RCVTIMEO_64:
		return give_time(p, a, s->receive_wait, a[2] == SO_RCVTIMEO_64 || WIDE(p));
	case SO_SNDTIMEO:
	case SO_SNDTIMEO_64:
		return give_time(p, a, s->send_wait, a[2] == SO_SNDTIMEO_64 || WIDE(p));
	case SO_ACCEPTCONN:
		value = s->state == LISTENS;
		break;
	case SO_PROTOCOL:
		value = !inet_is(s) ? 0 : s->style == STREAM ? 6 : 17;
		break;
	case SO_DOMAIN:
		value = s->family;
		break;
	default:
		return -ENOPROTOOPT;
	}
	return give(p, a, &value, 4);
}

/* struct timeval, of two words of 32 or 64 bits; zero: no end. */
static int take_time(struct process *p, u32 *a, int wide, nanoseconds *t)
{
	long long w[2];
	int n[2];

	if (a[4] < (wide ? sizeof w : sizeof n))
		return -EINVAL;
	if (wide ? user_read(p, w, a[3], sizeof w) : user_read(p, n, a[3], sizeof n))
		return -EFAULT;
	if (!wide) {
		w[0] = n[0];
		w[1] = n[1];
	}
	if (w[1] < 0 || w[1] >= 1000000)
		return -EDOM;
	if (w[0] < 0) {
		*t = 1; /* it never waits */
		return 0;
	}
	*t = (u64)w[0] > LONGEST ? 0 : (u64)w[0] * SECONDS + (u64)w[1] * MICROSECOND;
	return 0;
}

/* Linux doubles what it is told, for what messages cost beside their bytes. */
static u32 room_of(u32 value)
{
	if (value > SOCKET_ROOM)
		value = SOCKET_ROOM;
	return value * 2 < LEAST_ROOM ? LEAST_ROOM : value * 2;
}

int socket_set_option(struct process *p, u32 *a)
{
	u32 two[2];
	int error, value;
	struct socket *s = socket_of(p, a[0], &error);

	if (error)
		return error;
	if (a[1] != SOL_SOCKET)
		return inet_is(s) ? tune(p, s, a) : -EOPNOTSUPP;
	if (a[4] >> 31 || a[4] < 4)
		return -EINVAL;
	if (user_read(p, &value, a[3], 4))
		return -EFAULT;
	if (a[2] < 32 && REMEMBERED >> a[2] & 1) {
		s->options = (s->options & ~(1u << a[2])) | (u32)(value != 0) << a[2];
		return 0;
	}
	switch (a[2]) {
	case SO_SNDBUF:
		s->room = room_of((u32)value);
		socket_turned(s);
		return 0;
	case SO_RCVBUF: /* counts for nothing here: who sends is counted */
		s->told_room = room_of((u32)value);
		return 0;
	case SO_LINGER: /* the same: nothing is under way once it is sent */
		if (a[4] < sizeof s->linger)
			return -EINVAL;
		if (user_read(p, two, a[3], sizeof two))
			return -EFAULT;
		s->linger[0] = two[0] != 0;
		if (two[0])
			s->linger[1] = two[1];
		return 0;
	case SO_PASSCRED:
		s->pass_credentials = value != 0 && !inet_is(s);
		return 0;
	case SO_RCVLOWAT:
		s->low_water = value < 0 ? 0x7fffffff : value ? (u32)value : 1;
		wake(s);
		return 0;
	case SO_RCVTIMEO:
	case SO_RCVTIMEO_64:
		return take_time(p, a, a[2] == SO_RCVTIMEO_64 || WIDE(p), &s->receive_wait);
	case SO_SNDTIMEO:
	case SO_SNDTIMEO_64:
		return take_time(p, a, a[2] == SO_SNDTIMEO_64 || WIDE(p), &s->send_wait);
	default:
		return -ENOPROTOOPT;
	}
}
