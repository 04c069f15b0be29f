/* clock.c: sleeping and alarms. */

#include "personality.h"

/* The common part of calls that wait for a time: the deadline is set when the call is made first, and stands while it is made again. */
int timer_wait(struct process *p, nanoseconds length)
{
	if (!p->timed) {
		if (!length)
			return 0;
		p->timed = 1;
		p->deadline = machine_clock() + length;
	} else if (machine_clock() >= p->deadline) {
		p->timed = 0;
		p->deadline = 0;
		return 0;
	}
	return sleep_on(p, &p->deadline);
}

nanoseconds timers_check(void)
{
	nanoseconds now = 0, next = 0, until;
	struct process *p;
	nanoseconds *alarm, none = 0;
	u32 i;

	for (i = 0; i < PROCESSES; i++) {
		p = processes[i];
		if (!p)
			continue;
		alarm = p->leader == p ? &p->crew->alarm : &none; /* a process has one, until its last thread ends */
		if (!*alarm && !(p->state == WAITING && p->deadline))
			continue;
		if (!now)
			now = machine_clock();
		if (*alarm && *alarm <= now) {
			*alarm = p->crew->alarm_interval ? now + p->crew->alarm_interval : 0;
			signal_send(p, SIGALRM);
		}
		if (p->state == WAITING && p->deadline && p->deadline <= now)
			make_runnable(p);
		if (*alarm && (!next || *alarm < next))
			next = *alarm;
		if (p->state == WAITING && p->deadline && (!next || p->deadline < next))
			next = p->deadline;
	}
	until = event_timers();
	return until && (!next || until < next) ? until : next;
}
