/* signal.c: sending signals, and giving them to processes: the frames that handlers return through have Linux's i386 layout. */

#include "personality.h"

#define BIT(number) (1ull << ((number) - 1))

struct context { /* struct sigcontext */
	u32 gs, fs, es, ds, edi, esi, ebp, esp, ebx, edx, ecx, eax, trap, error, eip, cs, eflags, esp_at_signal, ss, floating, old_mask, cr2;
};

struct plain_frame {
	u32 return_to, number;
	struct context context;
	u32 mask_high;
	u8 code[8];
	u8 floating[512];
};

struct info_frame {
	u32 return_to, number, info_at, user_at;
	u32 info[32];
	u32 flags, link, stack[3];
	struct context context;
	u64 mask;
	u8 code[8];
	u8 floating[512];
};

static int ignored_by_default(int number)
{
	return number == SIGCHLD || number == SIGCONT || number == SIGURG || number == SIGWINCH;
}

static int stops_by_default(int number)
{
	return number == SIGSTOP || number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

static int is_ignored(struct process *p, int number)
{
	address handler = p->actions[number - 1].handler;

	if (p->group->first == p->leader && handler == SIG_DFL && number != SIGKILL)
		return 1; /* process 1 of a namespace has no default actions */
	return handler == SIG_IGN || (handler == SIG_DFL && ignored_by_default(number));
}

struct origin *signal_origin(struct process *p, int number)
{
	return &p->handlers->origins[number < 32 ? number : 0];
}

void origin_tell(struct process *p, u32 info[32], int number, const struct origin *origin)
{
	(void)p; /* unused but by WIDE, where programs have two widths */
	memset(info, 0, 32 * sizeof *info);
	info[0] = (u32)number;
	if (WIDE(p)) {
		info[2] = (u32)origin->code;
		memcpy(info + 4, &origin->pid, 12);
	} else {
		memcpy(info + 2, origin, sizeof *origin);
	}
}

u64 signals_pending(struct process *p)
{
	return p->pending | p->crew->pending;
}

/* What may be delivered to a thread now. A signal to the process is its leader's, as long as that one lives and does not block it.
   What sigtimedwait waits for is that call's. */
static u64 deliverable(struct process *p)
{
	u64 all = p->crew->pending;

	if (p != p->leader && p->leader->state != ZOMBIE)
		all &= p->leader->blocked;
	all |= p->pending;
	return (all & ~p->blocked & ~p->awaited) | (signals_pending(p) & UNBLOCKABLE);
}

int signal_waiting(struct process *p)
{
	return deliverable(p) != 0;
}

static int first_of(u64 set)
{
	int number = 1;

	for (; !(set & BIT(number)); number++)
		;
	return number;
}

/* ---- signals from 32 on come as often as they were sent, in that order, each with its own origin ---- */

#define QUEUE_MOST 1024u /* of all processes; more: sigqueue fails, kill's signal comes once without its origin */

struct queued {
	struct queued *next;
	int number;
	struct origin origin;
};

static u32 queue_length;

int signals_full(void)
{
	static unsigned once;

	if (queue_length < QUEUE_MOST)
		return 0;
	limit_reached(&once, "1024 real-time signals that wait (EAGAIN)");
	return 1;
}

static void queue_in(struct queued **list, int number, const struct origin *origin)
{
	struct queued *q = signals_full() ? 0 : pool_get(sizeof *q);

	if (!q)
		return;
	q->number = number;
	q->origin = *origin;
	for (; *list; list = &(*list)->next)
		;
	*list = q;
	queue_length++;
}

void signals_drop(struct queued **list, int number)
{
	struct queued *q;

	while ((q = *list)) {
		if (number && q->number != number) {
			list = &q->next;
			continue;
		}
		*list = q->next;
		pool_put(q, sizeof *q);
		queue_length--;
	}
}

/* Takes the first of this number out and tells its origin. 1: one more waits. */
static int queue_next(struct queued **list, int number, struct origin *origin)
{
	struct queued *q;

	memset(origin, 0, sizeof *origin);
	for (; (q = *list) && q->number != number; list = &q->next)
		;
	if (!q)
		return 0;
	*origin = q->origin;
	*list = q->next;
	pool_put(q, sizeof *q);
	queue_length--;
	for (q = *list; q && q->number != number; q = q->next)
		;
	return q != 0;
}

static void forget(struct process *p, int number)
{
	int own = p->pending & BIT(number) ? 1 : 0;

	if (number >= 32 && queue_next(own ? &p->queue : &p->crew->queue, number, signal_origin(p, number)))
		; /* another waits */
	else if (own)
		p->pending &= ~BIT(number);
	else
		p->crew->pending &= ~BIT(number);
	timer_taken(p, number, signal_origin(p, number));
}

int signal_take(struct process *p, u64 set)
{
	int number;

	set &= signals_pending(p);
	if (!set)
		return 0;
	number = first_of(set & p->pending ? set & p->pending : set); /* a thread's own come first, as in Linux */
	forget(p, number);
	return number;
}

/* Goes on when this signal is for it: signal_deliver settles what becomes of its call. */
static int stirred(struct process *p, int number)
{
	if (p->state != WAITING || !(p->again || number == SIGKILL) || !(signal_waiting(p) || p->awaited & BIT(number)))
		return 0;
	make_runnable(p);
	return 1;
}

static const u64 stops = BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU);

/* What a signal does to the whole process at once: SIGCONT and SIGKILL end a stop, and undo those that are on their way. */
static void to_all(struct process *p, int number)
{
	u32 i;

	if (number != SIGCONT && number != SIGKILL)
		return;
	p->crew->pending &= ~stops;
	for (i = 0; i < PROCESSES; i++)
		if (processes[i] && processes[i]->leader == p->leader)
			processes[i]->pending &= ~stops;
	process_continue(p);
}

void signal_send_from(struct process *p, int number, const struct origin *origin)
{
	struct process *leader = p->leader, *q;
	u32 i;

	if (!p->crew->living)
		return;
	to_all(p, number);
	if (is_ignored(p, number) && !(leader->state != ZOMBIE && leader->blocked & BIT(number)))
		return;
	if (number >= 32)
		queue_in(&p->crew->queue, number, origin);
	else if (!(p->crew->pending & BIT(number)))
		*signal_origin(p, number) = *origin;
	p->crew->pending |= BIT(number);
	if (leader->state == ZOMBIE || !stirred(leader, number))
		for (i = 0; i < PROCESSES; i++) {
			q = processes[i];
			if (q && q != leader && q->leader == leader && q->state != ZOMBIE && stirred(q, number))
				break;
		}
	p->crew->signalled++;
	wake(&signals_come);
}

void signal_send_thread(struct process *p, int number, const struct origin *origin)
{
	if (p->state == ZOMBIE)
		return;
	to_all(p, number);
	if (!(p->blocked & BIT(number)) && is_ignored(p, number))
		return;
	if (number >= 32)
		queue_in(&p->queue, number, origin);
	else if (!(p->pending & BIT(number)))
		*signal_origin(p, number) = *origin;
	p->pending |= BIT(number);
	stirred(p, number);
	p->crew->signalled++;
	wake(&signals_come);
}

void signal_send(struct process *p, int number)
{
	struct origin origin = { 0x80, 0, 0, 0 }; /* SI_KERNEL */

	if (number == SIGPIPE) { /* as if it had sent it itself */
		origin.code = 0;
		origin.pid = p->leader->local;
		origin.uid = p->uid;
	}
	signal_send_from(p, number, &origin);
}

static int may_signal(struct process *p, struct process *q)
{
	return !p->euid || p->euid == q->uid || p->uid == q->uid || p->euid == q->suid;
}

/* A namespace's first process is safe from its own. */
static int is_safe(struct process *p, struct process *q, int number)
{
	return q->group->first == q->leader && q->group == p->group && (number == SIGKILL || number == SIGSTOP);
}

int signal_kill(struct process *p, int pid, int number, const struct origin *origin)
{
	struct origin own = { 0, 0, 0, 0 };
	struct process *q;
	u32 i;
	int found = 0, allowed = 0;

	if (number < 0 || number > SIGNALS)
		return -EINVAL;
	if (pid < -0x40000000)
		return -ESRCH; /* no group has such a number */
	for (i = 0; i < PROCESSES; i++) {
		q = processes[i];
		if (!q || !process_number(p, q) || (q->leader != q && pid <= 0))
			continue;
		if (pid > 0 ? process_number(p, q) != (u32)pid : pid == -1 ? q == p->leader || q == p->group->first : q->pgid != (pid ? (u32)-pid : p->pgid) || q->group != p->group)
			continue;
		found = 1;
		if (!may_signal(p, q))
			continue;
		allowed = 1;
		if (number && !is_safe(p, q, number)) {
			own.pid = process_number(q, p->leader);
			own.uid = p->uid;
			signal_send_from(q, number, origin ? origin : &own);
		}
	}
	return !found ? -ESRCH : allowed ? 0 : -EPERM;
}

/* tgkill: to one thread; leader 0: of whichever process. */
int signal_kill_thread(struct process *p, u32 leader, u32 number, int signal)
{
	struct process *q = process_by_number(p, number);
	struct origin own = { -6, 0, 0, 0 }; /* SI_TKILL */

	if (signal < 0 || signal > SIGNALS)
		return -EINVAL;
	if (!q || q->state == ZOMBIE || (leader && process_number(p, q->leader) != leader))
		return -ESRCH;
	if (!may_signal(p, q))
		return -EPERM;
	own.pid = process_number(q, p->leader);
	own.uid = p->uid;
	if (signal && !is_safe(p, q, signal))
		signal_send_thread(q, signal, &own);
	return 0;
}

static void context_get(struct process *p, struct context *c)
{
	struct machine_registers *r = p->r;

	memset(c, 0, sizeof *c);
	c->gs = r->gs;
	c->fs = r->fs;
	c->es = c->ds = c->ss = 0x2b;
	c->cs = 0x23;
	c->edi = r->edi;
	c->esi = r->esi;
	c->ebp = r->ebp;
	c->esp = c->esp_at_signal = r->esp;
	c->ebx = r->ebx;
	c->edx = r->edx;
	c->ecx = r->ecx;
	c->eax = r->eax;
	c->eip = r->eip;
	c->eflags = r->eflags;
	c->cr2 = p->last_fault;
}

static void context_set(struct process *p, const struct context *c)
{
	struct machine_registers *r = p->r;

	r->gs = c->gs;
	r->fs = c->fs;
	r->edi = c->edi;
	r->esi = c->esi;
	r->ebp = c->ebp;
	r->esp = c->esp;
	r->ebx = c->ebx;
	r->edx = c->edx;
	r->ecx = c->ecx;
	r->eax = c->eax;
	r->eip = c->eip;
	r->eflags = c->eflags;
}

/* "mov $number, %eax; int $0x80", for programs without a restorer; popl first for the plain frame */
static void return_code(u8 code[8], int with_info)
{
	static const u8 plain[8] = { 0x58, 0xb8, 119, 0, 0, 0, 0xcd, 0x80 }, info[8] = { 0xb8, 173, 0, 0, 0, 0xcd, 0x80, 0 };

	memcpy(code, with_info ? info : plain, 8);
}

static int push_plain(struct process *p, int number, struct action *a, address sp, u64 mask)
{
	static struct plain_frame frame;
	address at = ((sp - sizeof frame + 4) & ~15u) - 4;

	frame.number = (u32)number;
	context_get(p, &frame.context);
	frame.context.old_mask = (u32)mask;
	frame.mask_high = (u32)(mask >> 32);
	return_code(frame.code, 0);
	frame.return_to = a->flags & SA_RESTORER ? a->restorer : at + (u32)((char *)frame.code - (char *)&frame);
	machine_thread_float_get(p->thread, frame.floating);
	if (user_write(p, at, &frame, sizeof frame))
		return -EFAULT;
	p->r->esp = at;
	p->r->eax = (u32)number;
	p->r->edx = p->r->ecx = 0;
	return 0;
}

static int push_info(struct process *p, int number, struct action *a, address sp, u64 mask, const struct machine_fault *fault)
{
	static struct info_frame frame;
	address at = ((sp - sizeof frame + 4) & ~15u) - 4;

	frame.number = (u32)number;
	origin_tell(p, frame.info, number, signal_origin(p, number));
	if (fault) {
		memset(frame.info + 3, 0, 12);
		frame.info[2] = (u32)fault->code;
		frame.info[3] = fault->at;
	}
	frame.stack[0] = p->alternate;
	frame.stack[1] = p->alternate_size ? 0 : 2;
	frame.stack[2] = p->alternate_size;
	frame.info_at = at + (u32)((char *)frame.info - (char *)&frame);
	frame.user_at = at + (u32)((char *)&frame.flags - (char *)&frame);
	context_get(p, &frame.context);
	frame.mask = mask;
	return_code(frame.code, 1);
	frame.return_to = a->flags & SA_RESTORER ? a->restorer : at + (u32)((char *)frame.code - (char *)&frame);
	machine_thread_float_get(p->thread, frame.floating);
	if (user_write(p, at, &frame, sizeof frame))
		return -EFAULT;
	p->r->esp = at;
	p->r->eax = (u32)number;
	p->r->edx = frame.info_at;
	p->r->ecx = frame.user_at;
	return 0;
}

/* The thread runs on the stack that sigaltstack named. */
int signal_on_alternate(struct process *p)
{
	return p->r->esp > p->alternate && p->r->esp - p->alternate <= p->alternate_size;
}

/* Calls that a handler always interrupts: pause, nanosleep, poll, select, rt_sigsuspend and their kin wait for time or signals. */
static int never_restarted(u32 number)
{
	return number == 29 || number == 72 || number == 142 || number == 162 || number == 168 || number == 179 || number == 267 || number == 308 || number == 309 ||
	       number == 407 || number == 413 || number == 414 || number == 177 || number == 421 || number == 256 || number == 319 || number == 441 || number == 117 || number == 420;
}

/* A call that waits is ended or made again, now that a handler runs. */
static void settle_call(struct process *p, struct action *a)
{
	int interrupted = -EINTR;

	if (!p->again)
		return;
	if (p->timed)
		interrupted = sleep_interrupted(p);
	p->again = 0;
	p->wait = 0;
	p->timed = 0;
	p->deadline = 0;
	p->awaited = 0;
	p->futex_base = 0;
	p->lock_owner = 0;
	if (p->opening)
		file_drop(p->opening);
	p->opening = 0;
	if (p->attempt) {
		p->r->eax = (machine_word)(long)attempt_end(p, -EINTR);
	} else if (p->futex_woken) {
		p->futex_woken = 0;
		p->r->eax = 0;
	} else if (p->progress) {
		p->r->eax = p->progress;
		p->progress = 0;
	} else if (a->flags & SA_RESTART && !never_restarted(p->call)) {
		p->r->eip -= 2;
	} else {
		p->r->eax = (machine_word)(long)interrupted;
	}
}

static int pushed(struct process *p, int number, const struct machine_fault *fault)
{
	struct action *a = &p->actions[number - 1];
	address handler = a->handler;
	address sp;
	u64 mask = p->mask_saved ? p->saved_mask : p->blocked;

	settle_call(p, a);
	sp = p->r->esp;
	if (a->flags & SA_ONSTACK && p->alternate_size && !signal_on_alternate(p))
		sp = p->alternate + p->alternate_size;
#ifdef MACHINE_WIDE
	if (WIDE(p) ? wide_push(p, number, a, sp, mask, fault) : a->flags & SA_SIGINFO ? push_info(p, number, a, sp, mask, fault) : push_plain(p, number, a, sp, mask))
#else
	if (a->flags & SA_SIGINFO ? push_info(p, number, a, sp, mask, fault) : push_plain(p, number, a, sp, mask))
#endif
		return 0;
	p->mask_saved = 0;
	p->r->eip = handler;
	p->r->eflags &= ~0x500u; /* direction, trap */
	p->blocked |= a->mask & ~UNBLOCKABLE;
	if (!(a->flags & SA_NODEFER))
		p->blocked |= BIT(number);
	if (a->flags & SA_RESETHAND)
		a->handler = SIG_DFL;
	return 1;
}

/* One deliverable signal: a handler is entered, or the process ends, stops, or goes on. */
void signal_deliver(struct process *p)
{
	u64 ready = deliverable(p);
	int number;

	if (!ready)
		return;
	number = ready & BIT(SIGKILL) ? SIGKILL : first_of(ready & p->pending ? ready & p->pending : ready);
	forget(p, number);
	if (number != SIGKILL && number != SIGSTOP && is_ignored(p, number))
		return;
	if (number != SIGKILL && number != SIGSTOP && p->actions[number - 1].handler != SIG_DFL) {
		if (!pushed(p, number, 0))
			process_exit(p, SIGSEGV);
		return;
	}
	if (stops_by_default(number)) {
		if (number == SIGSTOP || !process_orphaned(p))
			process_stop(p, number);
	} else
		process_exit(p, number);
}

/* What the processor raised in a program's own code: cannot be ignored or blocked. */
void signal_fault(struct process *p, const struct machine_fault *fault)
{
	struct action *a = &p->actions[fault->signal - 1];

	p->last_fault = fault->at;
	if (a->handler == SIG_DFL || a->handler == SIG_IGN || p->blocked & BIT(fault->signal) || !pushed(p, fault->signal, fault))
		process_exit(p, fault->signal);
}

int signal_return(struct process *p, int with_info)
{
	static struct plain_frame plain;
	static struct info_frame info;

#ifdef MACHINE_WIDE
	if (WIDE(p)) {
		if (wide_return(p))
			goto bad;
		return KEEP;
	}
#endif
	if (with_info) {
		if (user_read(p, &info, p->r->esp - 4, sizeof info))
			goto bad;
		p->blocked = info.mask & ~UNBLOCKABLE;
		context_set(p, &info.context);
		machine_thread_float_set(p->thread, info.floating);
	} else {
		if (user_read(p, &plain, p->r->esp - 8, sizeof plain))
			goto bad;
		p->blocked = ((u64)plain.mask_high << 32 | plain.context.old_mask) & ~UNBLOCKABLE;
		context_set(p, &plain.context);
		machine_thread_float_set(p->thread, plain.floating);
	}
	return KEEP;
bad:
	process_exit(p, SIGSEGV);
	return KEEP;
}

/* A handler without a restorer returns to code in its frame (Linux: in a page of its own), which a stack that cannot be run does not run. */
int signal_return_code(struct process *p)
{
	u8 found[8], code[8];
	int with_info;

	if (WIDE(p) || user_read(p, found, p->r->eip, sizeof found))
		return 0;
	for (with_info = 0; with_info < 2; with_info++) {
		return_code(code, with_info);
		if (memcmp(found, code, sizeof code))
			continue;
		p->r->esp += with_info ? 0 : 4; /* its popl */
		signal_return(p, with_info);
		return 1;
	}
	return 0;
}
