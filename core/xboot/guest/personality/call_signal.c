/* call_signal.c: signals as calls. */

#include "call.h"

CALL(kill)
{
	return signal_kill(p, (int)r->ebx, (int)r->ecx, 0);
}

CALL(tkill)
{
	return (int)r->ebx <= 0 ? -EINVAL : signal_kill_thread(p, 0, r->ebx, (int)r->ecx);
}

CALL(tgkill)
{
	return (int)r->ebx <= 0 || (int)r->ecx <= 0 ? -EINVAL : signal_kill_thread(p, r->ebx, r->ecx, (int)r->edx);
}

/* A signal that is ignored from now on, and stands there, is forgotten. */
static void forget_ignored(struct process *p, u32 number)
{
	address handler = p->actions[number - 1].handler;
	u32 i;

	if (handler == SIG_IGN || (handler == SIG_DFL && (number == SIGCHLD || number == SIGCONT || number == SIGURG || number == SIGWINCH))) {
		p->crew->pending &= ~(1ull << (number - 1));
		signals_drop(&p->crew->queue, (int)number);
		for (i = 0; i < PROCESSES; i++) {
			if (!processes[i] || processes[i]->crew != p->crew)
				continue;
			processes[i]->pending &= ~(1ull << (number - 1));
			signals_drop(&processes[i]->queue, (int)number);
		}
	}
}

static int valid(u32 number)
{
	return number >= 1 && number <= SIGNALS;
}

CALL(signal)
{
	address before;

	if (!valid(r->ebx) || r->ebx == SIGKILL || r->ebx == SIGSTOP)
		return -EINVAL;
	before = p->actions[r->ebx - 1].handler;
	p->actions[r->ebx - 1].handler = r->ecx;
	p->actions[r->ebx - 1].flags = SA_RESETHAND | SA_NODEFER;
	p->actions[r->ebx - 1].mask = 0;
	forget_ignored(p, r->ebx);
	return (long)before;
}

/* wide: rt_sigaction: handler, flags, restorer, 8-byte mask; else handler, 4-byte mask, flags, restorer */
static int action(struct process *p, struct machine_registers *r, int wide)
{
	struct action *a;
	u32 given[4], old[4], words = wide ? 3 : 4;
	u64 mask, kept = 0;

	if (!valid(r->ebx))
		return -EINVAL;
	a = &p->actions[r->ebx - 1];
	old[0] = a->handler;
	if (wide) {
		old[1] = a->flags;
		old[2] = a->restorer;
		kept = a->mask;
	} else {
		old[1] = (u32)a->mask;
		old[2] = a->flags;
		old[3] = a->restorer;
	}
	if (r->ecx) {
		if (r->ebx == SIGKILL || r->ebx == SIGSTOP)
			return -EINVAL;
		if (user_words(p, given, r->ecx, words) || (wide && (user_read(p, given + 1, r->ecx + WORD(p), 4) || user_read(p, &mask, r->ecx + 3 * WORD(p), 8))))
			return -EFAULT; /* flags are the lower half of their word: C libraries fill it from an int */
		a->handler = given[0];
		if (wide) {
			a->flags = given[1];
			a->restorer = given[2];
			a->mask = mask;
		} else {
			a->mask = given[1];
			a->flags = given[2];
			a->restorer = given[3];
		}
		a->mask &= ~UNBLOCKABLE;
		forget_ignored(p, r->ebx);
	}
	if (r->edx && (user_give(p, r->edx, old, words) || (wide && user_write(p, r->edx + 3 * WORD(p), &kept, 8))))
		return -EFAULT;
	return 0;
}

CALL(sigaction)
{
	return action(p, r, 0);
}

CALL(rt_sigaction)
{
	return r->esi == 8 ? action(p, r, 1) : -EINVAL;
}

static int mask(struct process *p, struct machine_registers *r, u32 size)
{
	u64 set = 0, old = p->blocked;

	if (r->ecx) {
		if (user_read(p, &set, r->ecx, size))
			return -EFAULT;
		if (r->ebx == SIG_BLOCK)
			p->blocked |= set;
		else if (r->ebx == SIG_UNBLOCK)
			p->blocked &= ~set;
		else if (r->ebx == SIG_SETMASK)
			p->blocked = size == 8 ? set : (p->blocked & ~0xffffffffull) | set;
		else
			return -EINVAL;
		p->blocked &= ~UNBLOCKABLE;
	}
	return r->edx ? user_write(p, r->edx, &old, size) : 0;
}

CALL(sigprocmask)
{
	return mask(p, r, 4);
}

CALL(rt_sigprocmask)
{
	return r->esi == 8 ? mask(p, r, 8) : -EINVAL;
}

CALL(rt_sigpending)
{
	u64 set = signals_pending(p) & p->blocked;

	return r->ecx > 8 ? -EINVAL : user_write(p, r->ebx, &set, r->ecx);
}

/* rt_sigqueueinfo(process, number, info): only what could not be taken for the kernel's or for kill's, unless to oneself. A signal that is pending is not
   queued once more, whatever its number. */
CALL(rt_sigqueueinfo)
{
	u32 info[7];
	struct origin origin;

	if (user_read(p, info, r->edx, WIDE(p) ? 28 : 24))
		return -EFAULT;
	memcpy(&origin, info + 2, sizeof origin);
	if (WIDE(p))
		memcpy(&origin.pid, info + 4, 12);
	if ((origin.code >= 0 || origin.code == -6) && r->ebx != p->leader->local)
		return -EPERM;
	if ((int)r->ebx <= 0)
		return -ESRCH;
	if ((int)r->ecx >= 32 && signals_full())
		return -EAGAIN;
	return signal_kill(p, (int)r->ebx, (int)r->ecx, &origin);
}

/* rt_sigtimedwait(set, info, timespec, size) */
CALL(rt_sigtimedwait)
{
	nanoseconds length;
	u32 info[32];
	u64 set;
	int number, result;

	p->awaited = 0;
	if (r->esi != 8)
		return -EINVAL;
	if (user_read(p, &set, r->ebx, 8))
		return -EFAULT;
	result = time_get(p, r->edx, r->eax == 421, &length);
	if (result)
		return result;
	set &= ~UNBLOCKABLE;
	number = signal_take(p, set);
	if (number) {
		p->timed = 0;
		p->deadline = 0;
		origin_tell(p, info, number, signal_origin(p, number));
		return r->ecx && user_write(p, r->ecx, info, sizeof info) ? -EFAULT : number;
	}
	if (!length)
		return -EAGAIN;
	if (length != ENDLESS) {
		result = timer_wait(p, length);
		if (result != WAIT)
			return -EAGAIN;
	} else {
		sleep_on(p, &p->pending);
	}
	p->awaited = set;
	return WAIT;
}

CALL(rt_sigsuspend)
{
	u64 set;

	if (!p->mask_saved) {
		if (r->ecx != 8)
			return -EINVAL;
		if (user_read(p, &set, r->ebx, 8))
			return -EFAULT;
		p->saved_mask = p->blocked;
		p->mask_saved = 1;
		p->blocked = set & ~UNBLOCKABLE;
	}
	sleep_on(p, &p->pending);
	if (signal_waiting(p))
		make_runnable(p);
	return WAIT;
}

CALL(pause)
{
	UNUSED_REGISTERS;
	return sleep_on(p, &p->pending);
}

CALL(sigreturn)
{
	UNUSED_REGISTERS;
	return signal_return(p, 0);
}

CALL(rt_sigreturn)
{
	UNUSED_REGISTERS;
	return signal_return(p, 1);
}

#define SS_ONSTACK 1u
#define SS_DISABLE 2u

/* SS_AUTODISARM, a bit among the flags, is not served. */
CALL(sigaltstack)
{
	u32 old[3], given[3];

	old[0] = p->alternate;
	old[1] = !p->alternate_size ? SS_DISABLE : signal_on_alternate(p) ? SS_ONSTACK : 0;
	old[2] = p->alternate_size;
	if (r->ebx) {
		if (user_words(p, given, r->ebx, 1) || user_read(p, given + 1, r->ebx + WORD(p), 4) || user_words(p, given + 2, r->ebx + 2 * WORD(p), 1))
			return -EFAULT;
		if (signal_on_alternate(p))
			return -EPERM;
		if (given[1] > SS_DISABLE)
			return -EINVAL;
		if (given[1] == SS_DISABLE) {
			p->alternate = p->alternate_size = 0;
		} else {
			if (given[2] < 2048)
				return -ENOMEM;
			p->alternate = given[0];
			p->alternate_size = given[2];
		}
	}
	return r->ecx ? user_give(p, r->ecx, old, 3) : 0;
}
