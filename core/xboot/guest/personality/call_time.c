/* call_time.c: clocks. The date is what the executor sets it to, the same at the begin of each step: runs are alike. */

#include "call.h"

#define SECOND 1000000000u

static int clock_read(u32 clock, nanoseconds *value)
{
	switch (clock) {
	case 0:  /* real time */
	case 5:
	case 11:
		*value = machine_clock() + date_offset;
		return 0;
	case 1:  /* monotonic */
	case 2:  /* processor time: only one runs at a time */
	case 3:
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

	return r->ebx && user_write(p, r->ebx, &now, 4) ? -EFAULT : (int)now;
}

CALL(gettimeofday)
{
	nanoseconds now = machine_clock() + date_offset;
	u32 t[2], zone[2] = { 0, 0 };

	t[0] = (u32)(now / SECOND);
	t[1] = (u32)(now % SECOND) / 1000;
	if (r->ebx && user_write(p, r->ebx, t, 8))
		return -EFAULT;
	return r->ecx ? user_write(p, r->ecx, zone, 8) : 0;
}

CALL(clock_gettime)
{
	nanoseconds now;
	u32 t[2];

	if (clock_read(r->ebx, &now))
		return -EINVAL;
	t[0] = (u32)(now / SECOND);
	t[1] = (u32)(now % SECOND);
	return user_write(p, r->ecx, t, 8);
}

CALL(clock_gettime64)
{
	nanoseconds now;
	u64 t[2];

	if (clock_read(r->ebx, &now))
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
	if (user_read(p, t, r->ecx, 8))
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

	if (clock_read(r->ebx, &now))
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
	if (clock_read(clock, &now))
		return -EINVAL;
	wanted = seconds * SECOND + nano;
	if (absolute)
		wanted = wanted > now ? wanted - now : 0;
	return p->timed || wanted ? timer_wait(p, wanted) : 0;
}

CALL(nanosleep)
{
	u32 t[2];

	if (user_read(p, t, r->ebx, 8))
		return -EFAULT;
	return sleep(p, 0, 1, (u64)(long long)(int)t[0], t[1]);
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

/* A handler interrupts a call that has a deadline: of a sleep for so long, what is left is told where the program wants to know. -EINTR, or -EFAULT. */
int sleep_interrupted(struct process *p)
{
	nanoseconds now = machine_clock(), left = p->deadline > now ? p->deadline - now : 0;
	u32 call = (u32)p->r->eax;
	address to = call == 162 ? p->r->ecx : p->r->esi; /* 162: nanosleep, 267: clock_nanosleep, 407: the same in 64 bits */
	u64 wide[2];
	u32 t[2];

	if ((call != 162 && call != 267 && call != 407) || (call != 162 && p->r->ecx & 1) || !to)
		return -EINTR;
	wide[0] = left / SECOND;
	wide[1] = left % SECOND;
	t[0] = (u32)wide[0];
	t[1] = (u32)wide[1];
	return (call == 407 ? user_write(p, to, wide, 16) : user_write(p, to, t, 8)) ? -EFAULT : -EINTR;
}

static u32 seconds_left(struct process *p)
{
	nanoseconds now = machine_clock();

	return p->crew->alarm > now ? (u32)((p->crew->alarm - now + SECOND - 1) / SECOND) : 0;
}

CALL(alarm)
{
	u32 before = seconds_left(p);

	p->crew->alarm = r->ebx ? machine_clock() + (nanoseconds)r->ebx * SECOND : 0;
	p->crew->alarm_interval = 0;
	return (int)before;
}

static void timer_text(struct process *p, u32 t[4])
{
	nanoseconds now = machine_clock(), left = p->crew->alarm > now ? p->crew->alarm - now : 0;

	t[0] = (u32)(p->crew->alarm_interval / SECOND);
	t[1] = (u32)(p->crew->alarm_interval % SECOND) / 1000;
	t[2] = (u32)(left / SECOND);
	t[3] = (u32)(left % SECOND) / 1000;
}

CALL(getitimer)
{
	u32 t[4] = { 0, 0, 0, 0 };

	if (r->ebx > 2)
		return -EINVAL;
	if (r->ebx == 0)
		timer_text(p, t);
	return user_write(p, r->ecx, t, 16);
}

CALL(setitimer)
{
	u32 t[4], old[4];

	if (r->ebx)
		return -EINVAL; /* only ITIMER_REAL */
	timer_text(p, old);
	if (user_read(p, t, r->ecx, 16))
		return -EFAULT;
	if (t[1] >= 1000000 || t[3] >= 1000000)
		return -EINVAL;
	p->crew->alarm_interval = (nanoseconds)t[0] * SECOND + t[1] * 1000u;
	p->crew->alarm = t[2] | t[3] ? machine_clock() + (nanoseconds)t[2] * SECOND + t[3] * 1000u : 0;
	return r->edx ? user_write(p, r->edx, old, 16) : 0;
}

CALL(times)
{
	u32 t[4] = { 0, 0, 0, 0 }, ticks = (u32)(machine_clock() / 10000000u);

	t[0] = ticks;
	return r->ebx && user_write(p, r->ebx, t, 16) ? -EFAULT : (int)ticks;
}
