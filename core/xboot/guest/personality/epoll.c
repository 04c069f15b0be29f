/* epoll.c: sets of descriptors that are watched together. A watch belongs to its set and to the description that it watches, and stands in the list of either;
   it is gone when one of them is. An edge is that something came or went (file_motions). Sets of sets are refused. */

#include "call.h"

#define WATCHES 4096u      /* in one set: ENOSPC */
#define EVENT_BITS (POLLIN | 2u | POLLOUT | POLLERR | POLLHUP | 0x2fc0u)
#define ONE_SHOT (1u << 30)
#define WAKE_UP (1u << 29) /* nothing ever sleeps here */
#define EDGES (1u << 31)
#define ROOM_BITS (POLLOUT | POLLWRNORM | 0x200u)

struct watch {
	struct watch *in_set, *of_file; /* the next ones */
	struct event *set;
	struct file *file;
	int fd;
	u32 events;
	u32 fresh;               /* nothing was told of it yet; else, with EDGES, it moved so often before: */
	struct motions told;
	u64 data;
};

static void take_out(struct watch *w)
{
	struct watch **place;

	for (place = &w->set->watches; *place != w; place = &(*place)->in_set)
		;
	*place = w->in_set;
	for (place = &w->file->watches; *place != w; place = &(*place)->of_file)
		;
	*place = w->of_file;
	w->set->count--;
	pool_put(w, sizeof *w);
}

void watches_drop(struct watch **list)
{
	while (*list)
		take_out(*list);
}

/* What there is to tell: all that is ready, but with EDGES only if something moved, in a way that is asked for, since it was told. */
static int seen(struct watch *w)
{
	u32 events = w->events & ~(ONE_SHOT | EDGES);
	int ready = w->events & ~ONE_SHOT ? file_ready(w->file) & (int)(events | POLLERR | POLLHUP) : 0;
	struct motions now;

	if (!ready || !(w->events & EDGES) || w->fresh)
		return ready;
	file_motions(w->file, &now);
	return (now.came != w->told.came && (!events || events & ~ROOM_BITS)) || (now.went != w->told.went && events & ROOM_BITS) ? ready : 0;
}

int epoll_ready(struct event *e)
{
	struct watch *w;

	for (w = e->watches; w; w = w->in_set)
		if (seen(w))
			return 1;
	return 0;
}

CALL(epoll_create)
{
	u32 flags = r->eax == 329 ? r->ebx : 0;

	if (r->eax == 254 ? (int)r->ebx <= 0 : flags & ~O_CLOEXEC)
		return -EINVAL;
	return event_file(p, event_new(EVENT_WATCHES), flags);
}

static struct event *set_of(struct process *p, u32 fd, int *error)
{
	struct file *f = file_of(p, (int)fd);

	*error = !f ? -EBADF : f->node->event && f->node->event->kind == EVENT_WATCHES ? 0 : -EINVAL;
	return *error ? 0 : f->node->event;
}

/* epoll_ctl(set, 1 add 2 delete 3 modify, descriptor, {events, data}) */
CALL(epoll_ctl)
{
	struct event *e;
	struct file *f = file_of(p, (int)r->edx);
	struct watch *w, **end;
	u32 given[3] = { 0, 0, 0 };
	int error;

	e = set_of(p, r->ebx, &error);
	if (r->ecx != 2 && user_read(p, given, r->esi, 12))
		return -EFAULT;
	if (error == -EBADF || !f)
		return -EBADF;
	if (!f->node->event && !f->pipe && !f->socket && (KIND(f->node) != S_IFCHR || device_placeless(f->node)))
		return -EPERM; /* nobody ever waits for such a one */
	if (error)
		return error;
	if (r->ecx < 1 || r->ecx > 3 || (f->node->event && f->node->event->kind == EVENT_WATCHES) || given[0] & ~(EVENT_BITS | ONE_SHOT | WAKE_UP | EDGES))
		return -EINVAL;
	for (end = &e->watches; (w = *end); end = &w->in_set)
		if (w->file == f && w->fd == (int)r->edx)
			break;
	if (r->ecx == 1 ? w != 0 : !w)
		return w ? -EEXIST : -ENOENT;
	if (r->ecx == 2) {
		take_out(w);
		return 0;
	}
	if (!w) {
		w = e->count < WATCHES ? pool_get(sizeof *w) : 0;
		if (!w)
			return e->count < WATCHES ? -ENOMEM : -ENOSPC;
		w->set = e;
		w->file = f;
		w->fd = (int)r->edx;
		*end = w; /* in the order in which they were added */
		w->of_file = f->watches;
		f->watches = w;
		e->count++;
	}
	w->events = given[0] & ~WAKE_UP;
	w->fresh = 1;
	memcpy(&w->data, given + 1, 8);
	wake(e); /* it may be ready already */
	return 0;
}

/* As many as there is room for, those that were told go to the end of the set, so that all have their turn. */
static int wait_set(struct process *p, struct machine_registers *r, nanoseconds length)
{
	struct event *e;
	struct watch *w, *next, *told = 0, **end, **place;
	u32 out[3];
	int error, count = 0, room = (int)r->edx, ready;

	e = set_of(p, r->ebx, &error);
	if (error)
		return error;
	if (room <= 0 || room > 0x7fffffff / 12)
		return -EINVAL;
	end = &told;
	for (place = &e->watches; (w = *place) && count < room; ) {
		ready = seen(w);
		if (!ready) {
			place = &w->in_set;
			continue;
		}
		out[0] = (u32)ready;
		memcpy(out + 1, &w->data, 8);
		if (user_write(p, r->ecx + (u32)count * 12, out, 12)) {
			if (!count)
				error = -EFAULT;
			break;
		}
		if (w->events & ONE_SHOT)
			w->events = ONE_SHOT;
		w->fresh = 0;
		file_motions(w->file, &w->told);
		count++;
		next = w->in_set;
		w->in_set = 0;
		*end = w;
		end = &w->in_set;
		*place = next;
	}
	for (place = &e->watches; *place; place = &(*place)->in_set)
		;
	*place = told;
	if (count || error) {
		p->timed = 0;
		p->deadline = 0;
		return error ? error : count;
	}
	return wait_ready(p, length);
}

CALL(epoll_wait)
{
	return wait_set(p, r, (int)r->esi < 0 ? ENDLESS : (nanoseconds)r->esi * 1000000u);
}

/* epoll_pwait(set, events, room, milliseconds, mask, its size); epoll_pwait2 has a struct timespec of 64-bit words for the time */
CALL(epoll_pwait)
{
	nanoseconds length = (int)r->esi < 0 ? ENDLESS : (nanoseconds)r->esi * 1000000u;
	int error = r->eax == 441 ? time_get(p, r->esi, 1, &length) : 0;

	if (!error)
		error = mask_begin(p, r->edi, r->ebp);
	return error ? error : mask_end(p, wait_set(p, r, length));
}
