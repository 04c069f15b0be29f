/* timer.c: the timers of timer_create. Each sends its signal when its time comes, and counts until that signal is taken. When it comes, an event of event.c knows. */

#include "call.h"

#define SI_TIMER (-2)
#define TIMERS 256u /* of a process */

struct timer {
	struct timer *after;     /* of the same crew */
	struct event *event;
	struct process *leader;
	u32 number, thread, value; /* thread: whose signal it is, by its first number; 0: the process's */
	int signal, overrun;       /* signal 0: none is sent */
};

static struct timer *timer_by(struct crew *crew, u32 number)
{
	struct timer *t;

	for (t = crew->timers; t && t->number != number; t = t->after)
		;
	return t;
}

static void timer_drop(struct crew *crew, struct timer *t)
{
	struct timer **place;

	for (place = &crew->timers; *place != t; place = &(*place)->after)
		;
	*place = t->after;
	event_free(t->event);
	pool_put(t, sizeof *t);
}

void timers_drop(struct crew *crew)
{
	while (crew->timers)
		timer_drop(crew, crew->timers);
}

void timers_stand(struct process *p)
{
	static const nanoseconds last;
	struct timer *t;

	for (t = p->crew->timers; t; t = t->after)
		if (t->event->cpu == &p->cpu) {
			t->event->cpu = &last;
			t->event->next = 0;
		}
}

static struct process *timer_thread(struct timer *t)
{
	u32 i;

	for (i = 0; i < PROCESSES; i++)
		if (processes[i] && processes[i]->pid == t->thread && processes[i]->leader == t->leader)
			return processes[i];
	return 0;
}

/* Its time has come. Where the signal does not wait now with the timer's own origin (it is ignored, or one waits already), nobody will take it: the timer goes on. */
void timer_fired(struct timer *t)
{
	struct process *to = t->thread ? timer_thread(t) : t->leader;
	struct origin origin = { SI_TIMER, 0, 0, 0 };
	u64 bit = t->signal ? 1ull << (t->signal - 1) : 0, *pending;
	int waits = 0;

	origin.pid = t->number;
	origin.value = t->value;
	if (t->signal && to) {
		pending = t->thread ? &to->pending : &t->leader->crew->pending;
		waits = t->signal < 32 && *pending & bit;
		if (t->thread)
			signal_send_thread(to, t->signal, &origin);
		else
			signal_send_from(to, t->signal, &origin);
		waits = !waits && *pending & bit;
	}
	if (!waits)
		event_go_on(t->event);
}

void timer_taken(struct process *p, int signal, struct origin *origin)
{
	struct timer *t = origin->code == SI_TIMER ? timer_by(p->crew, origin->pid) : 0;
	u64 times;

	if (!t || t->signal != signal || !t->event->told)
		return;
	times = event_go_on(t->event);
	t->overrun = times > 0x7fffffff ? 0x7fffffff : times ? (int)times - 1 : 0;
	origin->uid = (u32)t->overrun;
}

/* struct sigevent: value, signal, kind, thread. None: SIGALRM with the timer's number. */
static int timer_event(struct process *p, address from, struct timer *t)
{
	struct process *q;
	u32 e[4];

	t->value = t->number;
	t->signal = SIGALRM;
	if (!from)
		return 0;
	if (user_read(p, e, from, 4) || user_read(p, e + 1, from + WORD(p), 3 * sizeof *e)) /* the value is an int, or an address below 4 GiB */
		return -EFAULT;
	t->value = e[0];
	t->signal = 0;
	if (e[2] == 1) /* SIGEV_NONE */
		return 0;
	if (e[2] == 4) { /* SIGEV_THREAD_ID */
		q = process_by_number(p, e[3]);
		if (!q || q->leader != p->leader || q->state == ZOMBIE)
			return -EINVAL;
		t->thread = q->pid;
	}
	if ((e[2] != 0 && e[2] != 2 && e[2] != 4) || e[1] < 1 || e[1] > SIGNALS)
		return -EINVAL;
	t->signal = (int)e[1];
	return 0;
}

/* 0: a timer may follow this clock */
static int timer_clock(u32 clock)
{
	if (clock <= 3 || clock == 7 || clock == 11)
		return 0;
	return clock <= 6 ? -EOPNOTSUPP : clock <= 9 ? -EPERM /* they would wake the machine */ : -EINVAL;
}

CALL(timer_create)
{
	static unsigned once;
	struct timer *t;
	u32 number = 0;
	int error = timer_clock(r->ebx);

	if (error)
		return error;
	for (t = p->crew->timers; t; t = t->after)
		number++;
	if (number >= TIMERS) {
		limit_reached(&once, "256 timers of a process (EAGAIN)");
		return -EAGAIN;
	}
	t = pool_get(sizeof *t);
	if (!t)
		return -EAGAIN;
	do /* no number comes again soon, as in Linux */
		number = p->crew->timer_next++ & 0x7fffffff;
	while (timer_by(p->crew, number));
	t->number = number;
	t->leader = p->leader;
	error = timer_event(p, r->ecx, t);
	if (!error)
		error = user_write(p, r->edx, &number, 4);
	t->event = error ? 0 : event_new(EVENT_TIMER);
	if (!t->event) {
		pool_put(t, sizeof *t);
		return error ? error : -EAGAIN;
	}
	t->event->real = r->ebx == 0 || r->ebx == 11;
	t->event->cpu = r->ebx == 2 ? &p->crew->cpu : r->ebx == 3 ? &p->cpu : 0;
	t->event->owner = t;
	t->after = p->crew->timers;
	p->crew->timers = t;
	return 0;
}

CALL(timer_settime)
{
	struct timer *t = timer_by(p->crew, r->ebx);
	int error;

	if (!t || !r->edx)
		return -EINVAL;
	error = event_set(p, t->event, r, r->eax == 409);
	if (!error)
		t->overrun = 0;
	return error;
}

CALL(timer_gettime)
{
	struct timer *t = timer_by(p->crew, r->ebx);

	return t ? event_tell(p, r->ecx, t->event, r->eax == 408) : -EINVAL;
}

CALL(timer_getoverrun)
{
	struct timer *t = timer_by(p->crew, r->ebx);

	return t ? t->overrun : -EINVAL;
}

CALL(timer_delete)
{
	struct timer *t = timer_by(p->crew, r->ebx);

	if (!t)
		return -EINVAL;
	timer_drop(p->crew, t);
	return 0;
}
