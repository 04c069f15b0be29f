/* call_sched.c: scheduling policies, nice values, processors and locked memory. There is one order of processes on one processor, and no memory leaves for a disk: what
   needs no powers is granted and has no effect, what needs them is refused. */

#include "call.h"

enum { SCHED_OTHER = 0, SCHED_FIFO = 1, SCHED_RR = 2, SCHED_BATCH = 3, SCHED_IDLE = 5, SCHED_DEADLINE = 6, RESET_ON_FORK = 0x40000000 };

/* The thread that a call is about, 0 for the caller; or null, and why in `error`. */
static struct process *scheduled(struct process *p, u32 number, int *error)
{
	struct process *q = number ? process_by_number(p, number) : p;

	*error = (int)number < 0 ? -EINVAL : !q || q->state == ZOMBIE ? -ESRCH : 0;
	return *error ? 0 : q;
}

/* The most or the least that a policy's priority may be; EINVAL for no policy. */
static int bound(u32 policy, int of_priorities)
{
	switch (policy) {
	case SCHED_FIFO:
	case SCHED_RR:
		return of_priorities;
	case SCHED_OTHER:
	case SCHED_BATCH:
	case SCHED_IDLE:
	case SCHED_DEADLINE:
		return 0;
	default:
		return -EINVAL;
	}
}

CALL(sched_get_priority_max)
{
	UNUSED_PROCESS;
	return bound(r->ebx, 99);
}

CALL(sched_get_priority_min)
{
	UNUSED_PROCESS;
	return bound(r->ebx, 1);
}

CALL(sched_getscheduler)
{
	int error;
	struct process *q = scheduled(p, r->ebx, &error);

	return q ? (int)q->policy : error;
}

CALL(sched_getparam)
{
	int error, priority = 0;

	if (!r->ecx)
		return -EINVAL;
	if (!scheduled(p, r->ebx, &error))
		return error;
	return user_write(p, r->ecx, &priority, sizeof priority) ? -EFAULT : 0;
}

CALL(sched_setparam)
{
	int error, priority;

	if (!r->ecx)
		return -EINVAL;
	if (user_read(p, &priority, r->ecx, sizeof priority))
		return -EFAULT;
	return !scheduled(p, r->ebx, &error) ? error : priority ? -EINVAL : 0;
}

CALL(sched_setscheduler)
{
	int error, priority;
	u32 policy = r->ecx & ~(u32)RESET_ON_FORK;
	struct process *q;

	if (r->ecx >> 31 || !r->edx)
		return -EINVAL;
	if (user_read(p, &priority, r->edx, sizeof priority))
		return -EFAULT;
	q = scheduled(p, r->ebx, &error);
	if (!q)
		return error;
	if (policy == SCHED_FIFO || policy == SCHED_RR)
		return priority >= 1 && priority <= 99 ? -EPERM : -EINVAL;
	if (policy == SCHED_DEADLINE || bound(policy, 0) < 0 || priority)
		return -EINVAL;
	q->policy = policy;
	return 0;
}

/* sched_rr_get_interval, and the same in 64 bits: ten ticks, after which another has its turn. */
CALL(sched_rr_get_interval)
{
	u32 t[2] = { 0, 100000000 };
	u64 wide[2] = { 0, 100000000 };
	int error;

	if (!scheduled(p, r->ebx, &error))
		return error;
	return r->eax == 423 ? user_write(p, r->ecx, wide, 16) : user_write(p, r->ecx, t, 8);
}

/* The processor that there is. The number that the two begin with: -1 is no thread's, unlike above. */
static struct process *thread_placed(struct process *p, u32 number, int *error)
{
	*error = -ESRCH;
	return (int)number < 0 ? 0 : scheduled(p, number, error);
}

CALL(sched_getaffinity)
{
	u32 one = 1;
	int error;

	if (r->ecx < WORD(p) || r->ecx & (WORD(p) - 1))
		return -EINVAL;
	if (!thread_placed(p, r->ebx, &error))
		return error;
	return user_give(p, r->edx, &one, 1) ? -EFAULT : (long)WORD(p);
}

CALL(sched_setaffinity)
{
	u8 first = 0;
	int error;

	if (r->ecx && user_read(p, &first, r->edx, 1))
		return -EFAULT;
	return !thread_placed(p, r->ebx, &error) ? error : first & 1 ? 0 : -EINVAL;
}

/* ---- nice values, of threads. Nobody gets back what he gave up. ---- */

enum { OF_THREAD, OF_GROUP, OF_USER, NICE_MOST = 19, NICE_LEAST = -20 };

static int bounded(int value, int least, int most)
{
	return value < least ? least : value > most ? most : value;
}

/* Is q one of those whom a call of p's means: a thread, a process group, a user, each by number, 0: p's own? */
static int concerned(struct process *p, struct process *q, u32 kind, u32 number)
{
	if (!q || !process_number(p, q))
		return 0;
	if (kind == OF_THREAD)
		return number ? process_number(p, q) == number : q == p;
	if (kind == OF_GROUP)
		return q->group == p->group && q->leader->pgid == (number ? number : p->leader->pgid);
	return q->uid == (number ? number : p->uid);
}

/* 20 less the nice value, the best of them */
CALL(getpriority)
{
	int best = -ESRCH;
	u32 i;

	if (r->ebx > OF_USER)
		return -EINVAL;
	for (i = 0; i < PROCESSES; i++)
		if (concerned(p, processes[i], r->ebx, r->ecx) && 20 - processes[i]->nice > best)
			best = 20 - processes[i]->nice;
	return best;
}

CALL(setpriority)
{
	int value = bounded((int)r->edx, NICE_LEAST, NICE_MOST), result = -ESRCH;
	struct process *q;
	u32 i;

	if (r->ebx > OF_USER)
		return -EINVAL;
	for (i = 0; i < PROCESSES; i++) {
		q = processes[i];
		if (!concerned(p, q, r->ebx, r->ecx))
			continue;
		if (p->euid && p->euid != q->uid && p->euid != q->euid) {
			result = -EPERM;
		} else if (p->euid && value < q->nice) {
			result = -EACCES;
		} else {
			q->nice = value;
			if (result == -ESRCH)
				result = 0;
		}
	}
	return result;
}

CALL(nice)
{
	int value = bounded(p->nice + bounded((int)r->ebx, -40, 40), NICE_LEAST, NICE_MOST);

	if ((int)r->ebx < 0 && p->euid)
		return -EPERM;
	p->nice = value;
	return 0;
}

/* mlock and munlock: what is not mapped is an error, as on Linux. */
CALL(mlock)
{
	address first = r->ebx & ~PAGE_MASK, end;

	if (!r->ecx)
		return 0;
	end = range_end(first, r->ecx + (r->ebx & PAGE_MASK), USER_TOP);
	return r->ecx < 0u - PAGE_SIZE && end && region_covers(p->memory, first, end) ? 0 : -ENOMEM;
}

CALL(mlockall)
{
	UNUSED_PROCESS;
	return !r->ebx || r->ebx > 7 || r->ebx == 4 ? -EINVAL : 0;
}

/* getcpu(processor, node): there is one. */
CALL(getcpu)
{
	u32 zero = 0;

	if ((r->ebx && user_write(p, r->ebx, &zero, 4)) || (r->ecx && user_write(p, r->ecx, &zero, 4)))
		return -EFAULT;
	return 0;
}
