/* semaphore.c: System V's sets of semaphores. A call makes all its changes at once or waits. Who waits stands in his set's queue, in the order in which they came, and
   whoever changes a value makes the changes of those who can go on in their place, as Linux does: so nobody overtakes them. */

#include "ipc.h"

#define VALUE_MOST 32767
#define COUNT_MOST 32000u     /* semaphores of a set */
#define OPERATIONS 500u       /* of a call */
#define SEM_UNDO 010000

struct operation { /* struct sembuf */
	u16 number;
	short change, flags;
};

struct undo { /* what the end of a process gives back */
	struct undo *next;
	struct crew *crew;
	struct vector adjust;     /* a number for each semaphore */
};

struct set {
	struct ipc ipc;
	u32 count, operated;      /* the second of the last operation */
	struct vector values, users; /* a number for each semaphore: its value, and who changed it last */
	struct attempt *first;    /* who waits */
	struct undo *undos;
};

struct attempt { /* a call that waits, or that was made for one who does not know it yet */
	struct attempt *next;
	struct set *set;          /* 0: it stands in no queue any more, and there is a result */
	struct process *process;
	struct operation *operations;
	u32 count, blocking;      /* blocking: the operation that it waits at */
	int result;
};

static int number_at(struct vector *v, u32 i)
{
	return (int)(long)*vector_slot(v, i, 0); /* all of a set's were made with it */
}

static void number_put(struct vector *v, u32 i, int value)
{
	*vector_slot(v, i, 0) = (void *)(long)value;
}

/* 0, or ENOMEM, and there are none. */
static int numbers_make(struct vector *v, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (!vector_slot(v, i, 1)) {
			vector_free(v);
			return -ENOMEM;
		}
	return 0;
}

static struct set *set_by(struct process *p, u32 id)
{
	return (struct set *)ipc_by(p, IPC_SETS, id);
}

int set_get(struct process *p, u32 key, u32 count, u32 flags)
{
	struct ipc *found;
	struct set *s;
	int error;

	if (count > COUNT_MOST)
		return -EINVAL;
	error = ipc_find(p, IPC_SETS, key, flags, &found);
	if (error)
		return error;
	if (found) {
		if (count > ((struct set *)found)->count)
			return -EINVAL;
		error = ipc_may(p, found, flags);
		return error ? error : (int)found->id;
	}
	if (!count)
		return -EINVAL;
	s = pool_of(POOL_SETS, sizeof *s);
	if (!s)
		return -ENOMEM;
	s->count = count;
	error = numbers_make(&s->values, count) || numbers_make(&s->users, count) ? -ENOMEM : ipc_add(p, IPC_SETS, key, flags, &s->ipc);
	if (error < 0) {
		vector_free(&s->values);
		vector_free(&s->users);
		pool_back(POOL_SETS, s, sizeof *s);
	}
	return error;
}

/* ---- who waits ---- */

/* Out of the queue, with a result that the one who waits takes when he runs. */
static void settle(struct attempt *a, int result)
{
	struct attempt **place;

	for (place = &a->set->first; *place != a; place = &(*place)->next)
		;
	*place = a->next;
	a->set = 0;
	a->result = result;
	if (a->process->state == WAITING)
		make_runnable(a->process);
}

/* The wait is over: by a result, a signal, its time, or the end of the one who waited. `result` is what the call answers if nobody made its changes. */
int attempt_end(struct process *p, int result)
{
	struct attempt *a = p->attempt;

	if (a->set)
		settle(a, result);
	result = a->result;
	p->attempt = 0;
	p->timed = 0;
	p->deadline = 0;
	pool_put(a->operations, a->count * sizeof *a->operations);
	pool_put(a, sizeof *a);
	return result;
}

static int attempt_begin(struct process *p, struct set *s, const struct operation *operations, u32 count, u32 blocking)
{
	struct attempt *a = pool_get(sizeof *a), **end;

	if (a)
		a->operations = pool_get(count * sizeof *operations);
	if (!a || !a->operations) {
		pool_put(a, sizeof *a);
		return -ENOMEM;
	}
	memcpy(a->operations, operations, count * sizeof *operations);
	a->count = count;
	a->blocking = blocking;
	a->process = p;
	a->set = s;
	for (end = &s->first; *end; end = &(*end)->next)
		;
	*end = a;
	p->attempt = a;
	return 0;
}

/* ---- operations ---- */

/* What this process has to give back to a set; made if `make`. 0: nothing, or no memory. */
static struct undo *undo_of(struct set *s, struct crew *crew, int make)
{
	struct undo *u;

	for (u = s->undos; u && u->crew != crew; u = u->next)
		;
	if (u || !make)
		return u;
	u = pool_get(sizeof *u);
	if (!u || numbers_make(&u->adjust, s->count)) {
		pool_put(u, sizeof *u);
		return 0;
	}
	u->crew = crew;
	u->next = s->undos;
	s->undos = u;
	return u;
}

static void undo_free(struct set *s, struct undo *u)
{
	struct undo **place;

	for (place = &s->undos; *place != u; place = &(*place)->next)
		;
	*place = u->next;
	vector_free(&u->adjust);
	pool_put(u, sizeof *u);
}

/* One operation. 0, 1: it must wait, or an error. */
static int operate(struct set *s, const struct operation *o, struct undo *u)
{
	int value = number_at(&s->values, o->number), adjust;

	if ((!o->change && value) || value + o->change < 0)
		return o->flags & IPC_NOWAIT ? -EAGAIN : 1;
	if (value + o->change > VALUE_MOST)
		return -ERANGE;
	if (o->flags & SEM_UNDO) {
		adjust = number_at(&u->adjust, o->number) - o->change;
		if (adjust < -VALUE_MOST - 1 || adjust > VALUE_MOST)
			return -ERANGE;
		number_put(&u->adjust, o->number, adjust);
	}
	number_put(&s->values, o->number, value + o->change);
	return 0;
}

/* All or none. 0, 1: `blocking` is the one that must wait, or an error. */
static int operate_all(struct process *p, struct set *s, const struct operation *o, u32 count, u32 *blocking)
{
	struct undo *u = undo_of(s, p->crew, 0); /* it is there if an operation asks for it */
	int result = 0;
	u32 i;

	for (i = 0; i < count && !result; i++)
		result = operate(s, &o[i], u);
	if (result) {
		for (*blocking = --i; i--;) {
			number_put(&s->values, o[i].number, number_at(&s->values, o[i].number) - o[i].change);
			if (o[i].flags & SEM_UNDO)
				number_put(&u->adjust, o[i].number, number_at(&u->adjust, o[i].number) + o[i].change);
		}
		return result;
	}
	while (i--)
		number_put(&s->users, o[i].number, (int)p->leader->local);
	s->operated = ipc_now();
	return 0;
}

static int alters(const struct operation *o, u32 count)
{
	while (count--)
		if (o[count].change)
			return 1;
	return 0;
}

/* Values have changed: first those who wait for nothing but zeros, then the others, each time from the first one on. */
static void go_on(struct set *s)
{
	struct attempt *a;
	int pass, result = 1;

	for (pass = 0; pass < 2; pass++)
		for (a = s->first; a; a = result == 1 ? a->next : s->first) {
			result = alters(a->operations, a->count) == pass ? operate_all(a->process, s, a->operations, a->count, &a->blocking) : 1;
			if (result == 1)
				continue;
			settle(a, result);
			if (!result && pass)
				pass = 0;
		}
}

static int operate_begin(struct process *p, u32 id, address from, u32 count)
{
	static struct operation o[OPERATIONS];
	struct set *s;
	u32 i, undoes = 0, blocking;
	int result;

	if (user_read(p, o, from, count * (u32)sizeof *o))
		return -EFAULT;
	s = set_by(p, id);
	if (!s)
		return -EINVAL;
	for (i = 0; i < count; i++) {
		if (o[i].number >= s->count)
			return -EFBIG;
		undoes |= o[i].flags & SEM_UNDO;
	}
	if (ipc_may(p, &s->ipc, alters(o, count) ? IPC_WRITE : IPC_READ))
		return -EACCES;
	if (undoes && !undo_of(s, p->crew, 1))
		return -ENOMEM;
	result = operate_all(p, s, o, count, &blocking);
	if (!result && alters(o, count))
		go_on(s);
	return result == 1 ? attempt_begin(p, s, o, count, blocking) : result;
}

int set_operate(struct process *p, u32 id, address from, u32 count, address time, int wide)
{
	nanoseconds length = ENDLESS;
	int error;

	if (!p->attempt) {
		if (!count || (int)id < 0)
			return -EINVAL;
		if (count > OPERATIONS)
			return -E2BIG;
		error = time_get(p, time, wide, &length);
		if (!error)
			error = operate_begin(p, id, from, count);
		if (error || !p->attempt)
			return error;
		if (length != ENDLESS)
			return timer_wait(p, length) == WAIT ? WAIT : attempt_end(p, -EAGAIN);
	} else if (!p->attempt->set) {
		return attempt_end(p, 0);
	} else if (p->timed) {
		return timer_wait(p, 1) == WAIT ? WAIT : attempt_end(p, -EAGAIN);
	}
	return sleep_on(p, &p->attempt);
}

/* ---- the end of a process, and of a set ---- */

void sets_undo(struct process *p)
{
	struct ipc *ipc;
	struct undo *u;
	struct set *s;
	int value, adjust;
	u32 i;

	for (ipc = p->group->ipc[IPC_SETS]; ipc; ipc = ipc->next) {
		s = (struct set *)ipc;
		u = undo_of(s, p->crew, 0);
		if (!u)
			continue;
		for (i = 0; i < s->count; i++) {
			adjust = number_at(&u->adjust, i);
			if (!adjust)
				continue;
			value = number_at(&s->values, i) + adjust;
			number_put(&s->values, i, value < 0 ? 0 : value > VALUE_MOST ? VALUE_MOST : value);
			number_put(&s->users, i, (int)p->leader->local);
		}
		undo_free(s, u);
		go_on(s);
	}
}

void set_free(struct ipc *ipc)
{
	struct set *s = (struct set *)ipc;

	ipc_out(IPC_SETS, ipc);
	while (s->first)
		settle(s->first, -EIDRM);
	while (s->undos)
		undo_free(s, s->undos);
	vector_free(&s->values);
	vector_free(&s->users);
	pool_back(POOL_SETS, s, sizeof *s);
}

/* ---- control ---- */

/* A value that is set counts anew for whoever would undo what he did. */
static void set_value(struct process *p, struct set *s, u32 number, int value)
{
	struct undo *u;

	for (u = s->undos; u; u = u->next)
		number_put(&u->adjust, number, 0);
	number_put(&s->values, number, value);
	number_put(&s->users, number, (int)p->leader->local);
}

static int set_all(struct process *p, struct set *s, address from)
{
	u16 value;
	u32 i;

	for (i = 0; i < s->count; i++) {
		if (user_read(p, &value, from + 2 * i, 2))
			return -EFAULT;
		if (value > VALUE_MOST)
			return -ERANGE;
	}
	for (i = 0; i < s->count && !user_read(p, &value, from + 2 * i, 2); i++)
		set_value(p, s, i, value);
	s->ipc.changed = ipc_now();
	go_on(s);
	return 0;
}

static int get_all(struct process *p, struct set *s, address to)
{
	u16 value;
	u32 i;

	for (i = 0; i < s->count; i++) {
		value = (u16)number_at(&s->values, i);
		if (user_write(p, to + 2 * i, &value, 2))
			return -EFAULT;
	}
	return 0;
}

/* How many wait for this semaphore: to become zero, or more. */
static int waiters(struct set *s, u32 number, int zero)
{
	struct attempt *a;
	struct operation *o;
	int n = 0;

	for (a = s->first; a; a = a->next) {
		o = &a->operations[a->blocking];
		n += o->number == number && (zero ? !o->change : o->change < 0);
	}
	return n;
}

/* struct semid64_ds */
static int tell_set(struct process *p, struct set *s, address to)
{
	u32 w[26], wide = WIDE(p);

	memset(w, 0, sizeof w);
	ipc_tell(&s->ipc, w);
	w[wide ? 12 : 9] = s->operated;
	w[wide ? 16 : 11] = s->ipc.changed;
	w[wide ? 20 : 13] = s->count;
	return user_write(p, to, w, wide ? 104 : 64);
}

enum { GETPID = 11, GETVAL, GETALL, GETNCNT, GETZCNT, SETVAL, SETALL, SEM_INFO = 19 };

/* struct seminfo: Linux's limits; or with what there is in two places. */
static int tell_set_limits(struct process *p, u32 command, address to)
{
	u32 w[10] = { 1024000000, 32000, 1024000000, 1024000000, COUNT_MOST, OPERATIONS, OPERATIONS, 20, VALUE_MOST, VALUE_MOST };
	struct ipc *ipc;
	int error;

	if (command == SEM_INFO) {
		w[7] = p->group->ipc_count[IPC_SETS];
		w[9] = 0;
		for (ipc = p->group->ipc[IPC_SETS]; ipc; ipc = ipc->next)
			w[9] += ((struct set *)ipc)->count;
	}
	error = user_write(p, to, w, sizeof w);
	return error ? error : ipc_highest(p, IPC_SETS);
}

int set_control(struct process *p, u32 id, u32 number, u32 command, u32 argument)
{
	struct set *s = set_by(p, id);
	u32 what = command & ~IPC_64;

	if (what == SETVAL && argument > VALUE_MOST)
		return -ERANGE;
	if ((what == IPC_INFO || what == SEM_INFO) && (int)id >= 0)
		return tell_set_limits(p, what, argument);
	if (!s || what == IPC_INFO || what > SETALL || (!(command & IPC_64) && (what == IPC_SET || what == IPC_STAT)))
		return -EINVAL;
	if (what == IPC_SET)
		return ipc_set(p, &s->ipc, argument);
	if (what == IPC_RMID) {
		if (ipc_owns(p, &s->ipc))
			return -EPERM;
		set_free(&s->ipc);
		return 0;
	}
	if (what == SETVAL && number >= s->count)
		return -EINVAL;
	if (ipc_may(p, &s->ipc, what == SETVAL || what == SETALL ? IPC_WRITE : IPC_READ))
		return -EACCES;
	switch (what) {
	case IPC_STAT:
		return tell_set(p, s, argument);
	case GETALL:
		return get_all(p, s, argument);
	case SETALL:
		return set_all(p, s, argument);
	}
	if (number >= s->count)
		return -EINVAL;
	switch (what) {
	case GETPID:
		return number_at(&s->users, number);
	case GETVAL:
		return number_at(&s->values, number);
	case GETNCNT:
	case GETZCNT:
		return waiters(s, number, what == GETZCNT);
	case SETVAL:
		set_value(p, s, number, (int)argument);
		s->ipc.changed = ipc_now();
		go_on(s);
		return 0;
	default:
		return -EINVAL;
	}
}
