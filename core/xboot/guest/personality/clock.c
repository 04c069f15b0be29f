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

/* The timers of setitimer on processor time: a process has them until its last thread ends. */
static void alarms_check(struct process *p)
{
	nanoseconds now = p->crew->cpu;
	u32 i;

	for (i = 1; i < 3; i++)
		if (p->crew->alarms[i].at && p->crew->alarms[i].at <= now) {
			p->crew->alarms[i].at = p->crew->alarms[i].interval ? now + p->crew->alarms[i].interval : 0;
			signal_send(p, i == 1 ? SIGVTALRM : SIGPROF);
		}
}

nanoseconds timers_check(void)
{
	nanoseconds now = 0, next = 0, until;
	struct process *p;
	nanoseconds *alarm, none = 0;
	u32 i;

	account();
	if (current)
		alarms_check(current->leader);
	for (i = 0; i < PROCESSES; i++) {
		p = processes[i];
		if (!p)
			continue;
		alarm = p->leader == p ? &p->crew->alarms[0].at : &none;
		if (!*alarm && !(p->state == WAITING && p->deadline))
			continue;
		if (!now)
			now = machine_clock();
		if (*alarm && *alarm <= now) {
			*alarm = p->crew->alarms[0].interval ? now + p->crew->alarms[0].interval : 0;
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
