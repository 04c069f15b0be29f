/* event.c: things that can be waited for like files: eventfd, timerfd, signalfd. Each is a node without a name and without a kind, which holds a struct event.
   The fourth of them is in epoll.c. */

#include "call.h"

#define SECOND 1000000000u
#define FAR (4000000000ull * SECOND) /* no sum of two such times is too large */

int signals_come;
static struct event *timers;

struct event *event_new(enum event_kind kind)
{
	struct event *e = pool_get(sizeof *e);

	if (!e)
		return 0;
	e->kind = kind;
	if (kind == EVENT_TIMER) {
		e->after = timers;
		timers = e;
	}
	return e;
}

void event_free(struct event *e)
{
	struct event **place;

	if (e->kind == EVENT_TIMER) {
		for (place = &timers; *place != e; place = &(*place)->after)
			;
		*place = e->after;
	}
	watches_drop(&e->watches);
	pool_put(e, sizeof *e);
}

int event_file(struct process *p, struct event *e, u32 flags)
{
	struct node *node = e ? node_nameless(p, 0600) : 0;
	struct file *f;

	if (!node) {
		if (e)
			event_free(e);
		return -ENOMEM;
	}
	node->event = e;
	f = file_new(node, O_RDWR | (flags & O_NONBLOCK));
	if (!f) {
		node_drop(node);
		return -ENOMEM;
	}
	return file_install(p, f, 0, flags & O_CLOEXEC ? 1 : 0);
}

/* What a timer's times are told by. */
static nanoseconds clock_of(struct event *e)
{
	if (!e->cpu)
		return machine_clock();
	account();
	return *e->cpu;
}

/* How often a timer's time has come by now. */
static u64 expirations(struct event *e, nanoseconds now)
{
	if (!e->next || now < e->next)
		return 0;
	return e->interval ? (now - e->next) / e->interval + 1 : 1;
}

u64 event_go_on(struct event *e)
{
	u64 times = expirations(e, clock_of(e));

	e->next = e->interval ? e->next + times * e->interval : 0;
	e->told = 0;
	return times;
}

int event_ready(struct file *f)
{
	struct event *e = f->node->event;

	switch (e->kind) {
	case EVENT_COUNT:
		return (e->count ? POLLIN : 0) | (e->count < ~0ull - 1 ? POLLOUT : 0);
	case EVENT_TIMER:
		return expirations(e, machine_clock()) ? POLLIN : 0;
	case EVENT_SIGNALS:
		return current && signals_pending(current) & e->set ? POLLIN : 0;
	default:
		return epoll_ready(e) ? POLLIN : 0;
	}
}

/* struct signalfd_siginfo, as many as there is room for */
static int read_signals(struct process *p, struct file *f, address to, unsigned length)
{
	u32 info[32];
	unsigned done;
	int number;

	if (length < sizeof info)
		return -EINVAL;
	for (done = 0; length - done >= sizeof info; done += sizeof info) {
		if (!(signals_pending(p) & f->node->event->set))
			break;
		number = signal_take(p, f->node->event->set);
		memset(info, 0, sizeof info);
		info[0] = (u32)number;
		info[2] = (u32)signal_origin(p, number)->code;
		info[3] = signal_origin(p, number)->pid;
		info[4] = signal_origin(p, number)->uid;
		info[10] = signal_origin(p, number)->value;
		if (user_write(p, to + done, info, sizeof info))
			return done ? (int)done : -EFAULT;
	}
	if (done)
		return (int)done;
	return f->flags & O_NONBLOCK ? -EAGAIN : sleep_on(p, &signals_come);
}

int event_read(struct process *p, struct file *f, address to, unsigned length)
{
	struct event *e = f->node->event;
	nanoseconds now;
	u64 value;

	if (e->kind == EVENT_WATCHES)
		return -EINVAL;
	if (e->kind == EVENT_SIGNALS)
		return read_signals(p, f, to, length);
	if (length < 8)
		return -EINVAL;
	now = e->kind == EVENT_TIMER ? machine_clock() : 0;
	value = e->kind == EVENT_TIMER ? expirations(e, now) : e->one_by_one && e->count ? 1 : e->count;
	if (!value)
		return f->flags & O_NONBLOCK ? -EAGAIN : sleep_on(p, e);
	if (user_write(p, to, &value, 8))
		return -EFAULT;
	if (e->kind == EVENT_TIMER) {
		event_go_on(e);
	} else {
		e->count -= value;
		e->moved.went++;
		wake(e);
	}
	return 8;
}

int event_write(struct process *p, struct file *f, address from, unsigned length)
{
	struct event *e = f->node->event;
	u64 value;

	if (e->kind != EVENT_COUNT || length < 8)
		return -EINVAL;
	if (user_read(p, &value, from, 8))
		return -EFAULT;
	if (value == ~0ull)
		return -EINVAL;
	if (value > ~0ull - 1 - e->count)
		return f->flags & O_NONBLOCK ? -EAGAIN : sleep_on(p, e);
	e->count += value;
	e->moved.came++;
	wake(e);
	return 8;
}

nanoseconds event_timers(void)
{
	nanoseconds next = 0;
	struct event *e;

	for (e = timers; e; e = e->after) {
		if (e->next && !e->told && e->next <= clock_of(e)) {
			e->told = 1;
			e->moved.came++;
			wake(e);
			if (e->owner)
				timer_fired(e->owner);
		}
		if (e->next && !e->cpu && !e->told && (!next || e->next < next))
			next = e->next;
	}
	return next;
}

/* ---- the calls ---- */

CALL(eventfd)
{
	struct event *e;
	u32 flags = r->eax == 323 ? 0 : r->ecx; /* the older call has none */

	if (flags & ~(1u | O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	e = event_new(EVENT_COUNT);
	if (e) {
		e->count = r->ebx;
		e->one_by_one = flags & 1;
	}
	return event_file(p, e, flags);
}

CALL(timerfd_create)
{
	struct event *e;

	if (r->ecx & ~(O_CLOEXEC | O_NONBLOCK) || !(r->ebx <= 1 || r->ebx == 7))
		return -EINVAL;
	e = event_new(EVENT_TIMER);
	if (e)
		e->real = r->ebx == 0;
	return event_file(p, e, r->ecx);
}

static struct event *timer_of(struct process *p, u32 fd, int *error)
{
	struct file *f = file_of(p, (int)fd);

	*error = !f ? -EBADF : f->node->event && f->node->event->kind == EVENT_TIMER ? 0 : -EINVAL;
	return *error ? 0 : f->node->event;
}

int event_tell(struct process *p, address to, struct event *e, int wide)
{
	nanoseconds now = clock_of(e), left = e->next, at;
	u64 w[4];
	u32 t[4], i;

	if (left && left <= now) {
		at = e->interval ? e->next + expirations(e, now) * e->interval : 0;
		left = at;
	}
	left = left ? left - now : 0;
	w[0] = e->interval / SECOND;
	w[1] = e->interval % SECOND;
	w[2] = left / SECOND;
	w[3] = left % SECOND;
	for (i = 0; i < 4; i++)
		t[i] = (u32)w[i];
	return wide ? user_write(p, to, w, 32) : user_write(p, to, t, 16);
}

int event_set(struct process *p, struct event *e, struct machine_registers *r, int wide)
{
	nanoseconds interval, length, now = clock_of(e);
	int error = time_get(p, r->edx, wide, &interval);

	if (!error)
		error = time_get(p, r->edx + (wide ? 16 : 8), wide, &length);
	if (!error && r->esi)
		error = event_tell(p, r->esi, e, wide);
	if (error)
		return error;
	if (length > FAR)
		length = FAR;
	if (interval > FAR)
		interval = FAR;
	if (r->ecx & 1 && length) { /* absolute; a time that is past has come */
		if (e->real)
			length = length > date_offset ? length - date_offset : 1;
		e->next = length;
	} else {
		e->next = length ? length + now : 0;
	}
	e->interval = interval;
	e->told = 0;
	wake(e); /* whoever waits looks again; the loop asks for the next time before it idles */
	return 0;
}

CALL(timerfd_settime)
{
	int error;
	struct event *e = timer_of(p, r->ebx, &error);

	if (error)
		return error;
	if (r->ecx & ~1u)
		return -EINVAL; /* TFD_TIMER_CANCEL_ON_SET: nobody sets the clock */
	return r->edx ? event_set(p, e, r, r->eax == 411) : -EFAULT;
}

CALL(timerfd_gettime)
{
	int error;
	struct event *e = timer_of(p, r->ebx, &error);

	return error ? error : event_tell(p, r->ecx, e, r->eax == 410);
}

/* signalfd4(descriptor, set, its size, flags): a new one for -1, else the set of that one changes */
CALL(signalfd)
{
	u32 flags = r->eax == 321 ? 0 : r->esi;
	struct event *e;
	struct file *f;
	u64 set;

	if (r->edx != 8 || flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	if (user_read(p, &set, r->ecx, 8))
		return -EFAULT;
	set &= ~UNBLOCKABLE;
	if (r->ebx == ~0u) {
		e = event_new(EVENT_SIGNALS);
		if (e)
			e->set = set;
		return event_file(p, e, flags);
	}
	f = file_of(p, (int)r->ebx);
	if (!f)
		return -EBADF;
	if (!f->node->event || f->node->event->kind != EVENT_SIGNALS)
		return -EINVAL;
	f->node->event->set = set;
	wake(&signals_come);
	return (int)r->ebx;
}
