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
	u32 i;

	for (i = 0; i < PROCESSES; i++) {
		p = processes[i];
		if (!p || p->state == ZOMBIE)
			continue;
		if (!p->alarm && !(p->state == WAITING && p->deadline))
			continue;
		if (!now)
			now = machine_clock();
		if (p->alarm && p->alarm <= now) {
			p->alarm = p->alarm_interval ? now + p->alarm_interval : 0;
			signal_send(p, SIGALRM);
		}
		if (p->state == WAITING && p->deadline && p->deadline <= now)
			make_runnable(p);
		if (p->alarm && (!next || p->alarm < next))
			next = p->alarm;
		if (p->state == WAITING && p->deadline && (!next || p->deadline < next))
			next = p->deadline;
	}
	until = event_timers();
	return until && (!next || until < next) ? until : next;
}
