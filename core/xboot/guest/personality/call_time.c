/* call_time.c: clocks. The date is what the executor sets it to, the same at the begin of each step: runs are alike. Processor time is all a user's: what a call
   takes is not told apart. */

#include "call.h"

#define SECOND 1000000000u

/* The processor time that a clock shows: of a process, of a thread, or (numbers below 0) of the one that the number names. 0: it shows none. */
static const nanoseconds *processor_time(struct process *p, u32 clock)
{
	u32 number = ~clock >> 3 & 0x1fffffff;
	struct process *q;

	if (clock == 2)
		return &p->crew->cpu;
	if (clock == 3)
		return &p->cpu;
	if (!(clock >> 31) || (clock & 3) == 3)
		return 0;
	q = number ? process_by_number(p, number) : clock & 4 ? p : p->leader;
	if (!q || (clock & 4 ? q->leader != p->leader : q->leader != q))
		return 0;
	return clock & 4 ? &q->cpu : &q->crew->cpu;
}

/* 0, or EINVAL: there is no such clock. */
static int clock_read(struct process *p, u32 clock, nanoseconds *value)
{
	const nanoseconds *cpu = processor_time(p, clock);

	if (cpu) {
		account();
		*value = *cpu;
		return 0;
	}
	switch (clock) {
	case 0:  /* real time */
	case 5:
	case 11:
		*value = machine_clock() + date_offset;
		return 0;
	case 1:  /* monotonic */
	case 4:
	case 6:
	case 7:
		*value = machine_clock();
		return 0;
	default:
		return -EINVAL;
	}
}

CALL(time)
{
	u32 now = (u32)((machine_clock() + date_offset) / SECOND);

	return r->ebx && user_give(p, r->ebx, &now, 1) ? -EFAULT : (long)now;
}

CALL(gettimeofday)
{
	nanoseconds now = machine_clock() + date_offset;
	u32 t[2], zone[2] = { 0, 0 };

	t[0] = (u32)(now / SECOND);
	t[1] = (u32)(now % SECOND) / 1000;
	if (r->ebx && user_give(p, r->ebx, t, 2))
		return -EFAULT;
	return r->ecx ? user_write(p, r->ecx, zone, 8) : 0;
}

CALL(clock_gettime)
{
	nanoseconds now;
	u32 t[2];

	if (clock_read(p, r->ebx, &now))
		return -EINVAL;
	t[0] = (u32)(now / SECOND);
	t[1] = (u32)(now % SECOND);
	return user_write(p, r->ecx, t, 8);
}

CALL(clock_gettime64)
{
	nanoseconds now;
	u64 t[2];

	if (clock_read(p, r->ebx, &now))
		return -EINVAL;
	t[0] = now / SECOND;
	t[1] = now % SECOND;
	return user_write(p, r->ecx, t, 16);
}

/* Only the executor sets a clock, and only the date. -EPERM for everybody else. */
CALL(clock_settime)
{
	u32 t[2];

	if (r->ebx)
		return -EINVAL;
	if (p->euid)
		return -EPERM;
	if (user_words(p, t, r->ecx, 2))
		return -EFAULT;
	if (t[0] >> 31 || t[1] >= SECOND)
		return -EINVAL;
	date_offset = (nanoseconds)t[0] * SECOND + t[1] - machine_clock();
	stamp_refresh();
	return 0;
}

CALL(clock_getres)
{
	u64 wide[2] = { 0, 1 };
	u32 t[2] = { 0, 1 };
	nanoseconds now;

	if (clock_read(p, r->ebx, &now))
		return -EINVAL;
	if (!r->ecx)
		return 0;
	return r->eax == 406 ? user_write(p, r->ecx, wide, 16) : user_write(p, r->ecx, t, 8);
}

/* Sleep so long, or until that moment, at most to the end of the century. */
static int sleep(struct process *p, int absolute, u32 clock, u64 seconds, u64 nano)
{
	nanoseconds wanted, now;

	if (nano >= SECOND || seconds >> 63)
		return -EINVAL;
	if (seconds > 4000000000u)
		seconds = 4000000000u; /* a moment lies beyond 2000 already, and the sum still fits */
	if (clock_read(p, clock, &now))
		return -EINVAL;
	if (processor_time(p, clock))
		return -EOPNOTSUPP; /* nobody waits for processor time but by a timer */
	wanted = seconds * SECOND + nano;
	if (absolute)
		wanted = wanted > now ? wanted - now : 0;
	return timer_wait(p, wanted ? wanted : 1); /* who looks again and again, after sleeps that are shorter than a call takes, lets others have their turn */
}

CALL(nanosleep)
{
	long long t[2];

	if (user_numbers(p, t, r->ebx, 2))
		return -EFAULT;
	return sleep(p, 0, 1, (u64)t[0], (u64)t[1]);
}

CALL(clock_nanosleep)
{
	u32 t[2];

	if (user_read(p, t, r->edx, 8))
		return -EFAULT;
	return sleep(p, r->ecx & 1, r->ebx, (u64)(long long)(int)t[0], t[1]);
}

CALL(clock_nanosleep64)
{
	u64 t[2];

	if (user_read(p, t, r->edx, 16))
		return -EFAULT;
	return sleep(p, r->ecx & 1, r->ebx, t[0], t[1]);
}

#ifdef MACHINE_WIDE
#define SLEEP_LEFT(r) (r)->r10
#else
#define SLEEP_LEFT(r) 0
#endif

/* A handler interrupts a call that has a deadline: of a sleep for so long, what is left is told where the program wants to know. -EINTR, or -EFAULT. */
int sleep_interrupted(struct process *p)
{
	nanoseconds now = machine_clock(), left = p->deadline > now ? p->deadline - now : 0;
	u32 call = p->call;
	address to = WIDE(p) ? (call == 162 ? p->r->esi : SLEEP_LEFT(p->r)) : call == 162 ? p->r->ecx : p->r->esi; /* 162: nanosleep, 267: clock_nanosleep, 407: the same in 64 bits */
	u64 wide[2];
	u32 t[2];

	if ((call != 162 && call != 267 && call != 407) || (call != 162 && (WIDE(p) ? p->r->esi : p->r->ecx) & 1) || !to)
		return -EINTR;
	wide[0] = left / SECOND;
	wide[1] = left % SECOND;
	t[0] = (u32)wide[0];
	t[1] = (u32)wide[1];
	return (call == 407 || WIDE(p) ? user_write(p, to, wide, 16) : user_write(p, to, t, 8)) ? -EFAULT : -EINTR;
}

static u32 seconds_left(struct process *p)
{
	nanoseconds now = machine_clock();

	return p->crew->alarms[0].at > now ? (u32)((p->crew->alarms[0].at - now + SECOND - 1) / SECOND) : 0;
}

CALL(alarm)
{
	u32 before = seconds_left(p);

	p->crew->alarms[0].at = r->ebx ? machine_clock() + (nanoseconds)r->ebx * SECOND : 0;
	p->crew->alarms[0].interval = 0;
	return (int)before;
}

/* The clock that such a timer is on: real time, or (ITIMER_VIRTUAL, ITIMER_PROF) processor time. */
static nanoseconds timer_now(struct process *p, u32 which)
{
	account();
	return which ? p->crew->cpu : machine_clock();
}

static void timer_text(struct process *p, u32 which, u32 t[4])
{
	nanoseconds now = timer_now(p, which), at = p->crew->alarms[which].at, interval = p->crew->alarms[which].interval, left = at > now ? at - now : 0;

	t[0] = (u32)(interval / SECOND);
	t[1] = (u32)(interval % SECOND) / 1000;
	t[2] = (u32)(left / SECOND);
	t[3] = (u32)(left % SECOND) / 1000;
}

CALL(getitimer)
{
	u32 t[4];

	if (r->ebx > 2)
		return -EINVAL;
	timer_text(p, r->ebx, t);
	return user_give(p, r->ecx, t, 4);
}

CALL(setitimer)
{
	u32 t[4], old[4];

	if (r->ebx > 2)
		return -EINVAL;
	timer_text(p, r->ebx, old);
	if (user_words(p, t, r->ecx, 4))
		return -EFAULT;
	if (t[1] >= 1000000 || t[3] >= 1000000)
		return -EINVAL;
	p->crew->alarms[r->ebx].interval = (nanoseconds)t[0] * SECOND + t[1] * 1000u;
	p->crew->alarms[r->ebx].at = t[2] | t[3] ? timer_now(p, r->ebx) + (nanoseconds)t[2] * SECOND + t[3] * 1000u : 0;
	return r->edx ? user_give(p, r->edx, old, 4) : 0;
}

#define TICKS 10000000u /* nanoseconds */

CALL(times)
{
	u32 t[4] = { 0, 0, 0, 0 };

	account();
	t[0] = (u32)(p->crew->cpu / TICKS);
	t[2] = (u32)(p->crew->children / TICKS);
	return r->ebx && user_give(p, r->ebx, t, 4) ? -EFAULT : (long)(u32)(machine_clock() / TICKS);
}

int usage_tell(struct process *p, address to, nanoseconds cpu)
{
	u32 usage[18];

	memset(usage, 0, sizeof usage);
	usage[0] = (u32)(cpu / SECOND);
	usage[1] = (u32)(cpu % SECOND) / 1000;
	return user_give(p, to, usage, 18);
}

/* getrusage(whose, struct rusage): -1 children that were waited for, 0 the process, 1 the thread */
CALL(getrusage)
{
	if (r->ebx != 0 && r->ebx != 1 && r->ebx != ~0u)
		return -EINVAL;
	account();
	return usage_tell(p, r->ecx, !r->ebx ? p->crew->cpu : r->ebx == 1 ? p->cpu : p->crew->children);
}
