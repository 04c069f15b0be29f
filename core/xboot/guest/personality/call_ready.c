/* call_ready.c: waiting until something is ready: poll, select and their kin, with each of Linux's ways of saying how long. */

#include "call.h"

#define SECOND 1000000000u

int any_pipe;

/* The other names of the same two. */
static int normal(int ready)
{
	return ready | (ready & POLLIN ? POLLRDNORM : 0) | (ready & POLLOUT ? POLLWRNORM : 0);
}

int file_ready(struct file *f)
{
	int ready = 0;
	u32 mode = f->flags & O_ACCMODE;

	if (f->node->event)
		return event_ready(f);
	if (f->socket)
		return normal(socket_ready(f));
	if (f->terminal)
		return normal(terminal_ready(f));
	if (!f->pipe)
		return normal(POLLIN | POLLOUT);
	if (mode != O_WRONLY)
		ready |= (f->pipe->length ? POLLIN : 0) | (f->pipe->writers ? 0 : POLLHUP);
	if (mode != 0)
		ready |= (f->pipe->readers ? 0 : POLLERR) | (f->pipe->length <= pipe_room(f->pipe) - PAGE_SIZE ? POLLOUT : 0);
	return normal(ready);
}

void file_motions(struct file *f, struct motions *to)
{
	static const struct motions none;
	struct event *e = f->node->event;

	*to = e ? e->moved : f->pipe ? f->pipe->moved : none;
	if (e && e->kind == EVENT_SIGNALS)
		to->came = current->crew->signalled;
	if (f->socket)
		socket_motions(f, to);
	if (f->terminal)
		terminal_motions(f, to);
}

/* WAIT, or 0 when the time is over. */
int wait_ready(struct process *p, nanoseconds length)
{
	int result;

	if (length == 0)
		return 0;
	if (length != ENDLESS) {
		result = timer_wait(p, length);
		if (result != WAIT)
			return result;
	}
	return sleep_on(p, &any_pipe);
}

/* A struct timespec, of two 32-bit or two 64-bit words; 0: endless. */
int time_get(struct process *p, address from, int wide, nanoseconds *length)
{
	u32 t[2];
	u64 w[2];

	*length = ENDLESS;
	if (!from)
		return 0;
	if (wide ? user_read(p, w, from, 16) : user_read(p, t, from, 8))
		return -EFAULT;
	if (!wide) {
		w[0] = (u64)(long long)(int)t[0];
		w[1] = t[1];
	}
	w[1] &= 0xffffffffu; /* a 32-bit program's upper half is padding */
	if (w[0] >> 63 || w[1] >= SECOND)
		return -EINVAL;
	*length = w[0] > 4000000000u ? ENDLESS : w[0] * SECOND + w[1];
	return 0;
}

/* The mask that holds while such a call waits: it comes back when the call ends, or after the handler that ended it. */
int mask_begin(struct process *p, address set, u32 size)
{
	u64 mask;

	if (!set || p->mask_saved)
		return 0;
	if (size != 8)
		return -EINVAL;
	if (user_read(p, &mask, set, 8))
		return -EFAULT;
	p->saved_mask = p->blocked;
	p->mask_saved = 1;
	p->blocked = mask & ~UNBLOCKABLE;
	return 0;
}

/* The end of such a call: a waiting one keeps its mask, unless a signal may come through now. */
int mask_end(struct process *p, int result)
{
	if (result == WAIT) {
		if (signal_waiting(p))
			make_runnable(p);
		return WAIT;
	}
	if (p->mask_saved) {
		p->blocked = p->saved_mask;
		p->mask_saved = 0;
	}
	return result;
}

static int poll(struct process *p, address items, u32 number, nanoseconds length)
{
	struct { int fd; short events, revents; } item;
	struct file *f;
	u32 i;
	int count = 0, ready;

	if (number > DESCRIPTORS)
		return -EINVAL;
	for (i = 0; i < number; i++) {
		if (user_read(p, &item, items + i * 8, 8))
			return -EFAULT;
		f = file_of(p, item.fd);
		ready = item.fd < 0 ? 0 : f ? file_ready(f) & (item.events | POLLERR | POLLHUP) : POLLNVAL;
		item.revents = (short)ready;
		if (ready)
			count++;
		if (user_write(p, items + i * 8, &item, 8))
			return -EFAULT;
	}
	if (count) {
		p->timed = 0;
		p->deadline = 0;
		return count;
	}
	return wait_ready(p, length);
}

CALL(poll)
{
	return poll(p, r->ebx, r->ecx, (int)r->edx < 0 ? ENDLESS : (nanoseconds)r->edx * 1000000u);
}

/* ppoll(items, number, timespec, mask, size of the mask). What is left of the time is not written back. */
CALL(ppoll)
{
	nanoseconds length;
	int error = time_get(p, r->edx, r->eax == 414, &length);

	if (!error)
		error = mask_begin(p, r->esi, r->edi);
	return error ? error : mask_end(p, poll(p, r->ebx, r->ecx, length));
}

static int select(struct process *p, struct machine_registers *r, nanoseconds length)
{
	u32 sets[3][DESCRIPTORS / 32], out[3][DESCRIPTORS / 32], i, k, n = r->ebx, bytes, bit;
	address at[3];
	int count = 0, ready;
	struct file *f;

	if ((int)n < 0)
		return -EINVAL;
	if (n > DESCRIPTORS)
		n = DESCRIPTORS;
	bytes = (n + 8 * WORD(p) - 1) / (8 * WORD(p)) * WORD(p);
	at[0] = r->ecx;
	at[1] = r->edx;
	at[2] = r->esi;
	memset(sets, 0, sizeof sets);
	memset(out, 0, sizeof out);
	for (k = 0; k < 3; k++)
		if (at[k] && user_read(p, sets[k], at[k], bytes))
			return -EFAULT;
	for (i = 0; i < n; i++) {
		bit = 1u << (i & 31);
		if (!((sets[0][i / 32] | sets[1][i / 32] | sets[2][i / 32]) & bit))
			continue;
		f = file_of(p, (int)i);
		if (!f)
			return -EBADF;
		ready = file_ready(f);
		if (sets[0][i / 32] & bit && ready & (POLLIN | POLLHUP | POLLERR))
			out[0][i / 32] |= bit, count++;
		if (sets[1][i / 32] & bit && ready & (POLLOUT | POLLERR))
			out[1][i / 32] |= bit, count++;
	}
	if (!count) {
		ready = wait_ready(p, length);
		if (ready)
			return ready;
	}
	p->timed = 0;
	p->deadline = 0;
	for (k = 0; k < 3; k++)
		if (at[k] && user_write(p, at[k], out[k], bytes))
			return -EFAULT;
	return count;
}

/* _newselect(n, read, write, except, timeval) */
CALL(select)
{
	long long time[2];
	nanoseconds length = ENDLESS;

	if (r->edi) {
		if (user_numbers(p, time, r->edi, 2))
			return -EFAULT;
		if (time[0] < 0 || time[1] < 0)
			return -EINVAL;
		length = time[0] >> 32 || time[1] >> 32 ? ENDLESS : (nanoseconds)time[0] * SECOND + (nanoseconds)time[1] * 1000u;
	}
	return select(p, r, length);
}

/* pselect6(n, read, write, except, timespec, {mask, size}) */
CALL(pselect6)
{
	nanoseconds length;
	u32 mask[2] = { 0, 0 };
	int error = time_get(p, r->edi, r->eax == 413, &length);

	if (!error && r->ebp && user_words(p, mask, r->ebp, 2))
		error = -EFAULT;
	if (!error)
		error = mask_begin(p, mask[0], mask[1]);
	return error ? error : mask_end(p, select(p, r, length));
}
