/* fork.c: processes and threads are made here, and get their numbers.

   Every thread is a struct process. Threads of one process share a crew (descriptors, handlers, signals sent to the process), their memory, and a leader: the
   thread that the process began with, which stands for it towards its parent and its children, and stays, as a zombie if need be, until the last one ends. */

#include "personality.h"

#define THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)
#define ALONE (CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC) /* namespaces of one's own */

static u32 last_pid = 1;

u32 process_number(struct process *seen_by, struct process *p)
{
	if (seen_by->group == p->group)
		return p->local;
	return seen_by->group == first_group ? p->pid : 0;
}

struct process *process_by_number(struct process *p, u32 number)
{
	u32 i;

	for (i = 0; number && i < PROCESSES; i++)
		if (processes[i] && process_number(p, processes[i]) == number)
			return processes[i];
	return 0;
}

struct process *thread_by_number(struct process *p, u32 number)
{
	struct process *q = process_by_number(p, number);

	return q && q->group == p->group ? q : 0;
}

/* ---- crews ---- */

struct crew *crew_new(void)
{
	struct crew *crew = pool_get(sizeof *crew);
	u32 i;

	if (!crew)
		return 0;
	crew->handlers = pool_get(sizeof *crew->handlers);
	if (!crew->handlers) {
		pool_put(crew, sizeof *crew);
		return 0;
	}
	for (i = 0; i < LIMITS; i++)
		crew->limits[i].soft = crew->limits[i].hard = i == LIMIT_STACK ? STACK_LIMIT : i == LIMIT_FILES ? DESCRIPTORS : i == LIMIT_PROCESSES ? PROCESSES : i == LIMIT_CORE || i == LIMIT_NICE || i == LIMIT_PRIORITY ? 0 : NO_LIMIT;
	return crew;
}

void crew_join(struct process *p, struct crew *crew)
{
	p->crew = crew;
	p->files = crew->files;
	p->close_on_exec = crew->close_on_exec;
	p->handlers = crew->handlers;
	p->actions = crew->handlers->actions;
	crew->users++;
	crew->living++;
}

/* Its descriptors have been closed, when its last thread ended (ending.c). */
void crew_drop(struct crew *crew)
{
	if (--crew->users)
		return;
	pool_put(crew->handlers, sizeof *crew->handlers);
	pool_put(crew, sizeof *crew);
}

static struct crew *crew_copy(struct crew *from)
{
	struct crew *crew = crew_new();

	if (!crew)
		return 0;
	memcpy(crew->handlers, from->handlers, sizeof *crew->handlers);
	memcpy(crew->limits, from->limits, sizeof crew->limits);
	memcpy(crew->files, from->files, sizeof crew->files);
	memcpy(crew->close_on_exec, from->close_on_exec, sizeof crew->close_on_exec);
	return crew;
}

/* ---- making ---- */

static int place(struct process *p)
{
	static unsigned once;
	u32 i;

	/* the last places are for process 1's own children, so that a fork bomb does not hinder the executor */
	for (i = 0; i < PROCESSES - (privileged() ? 0 : 16); i++)
		if (!processes[i]) {
			processes[i] = p;
			p->slot = i;
			return 0;
		}
	limit_reached(&once, "512 processes and threads (EAGAIN)");
	return -EAGAIN;
}

/* May p's user have one process or thread more? Those that nobody has waited for count. */
static int one_more(struct process *p)
{
	u64 most = p->crew->limits[LIMIT_PROCESSES].soft;
	u32 i, n = 0;

	if (most >= PROCESSES || !p->uid || !p->euid)
		return 1;
	for (i = 0; i < PROCESSES; i++)
		n += processes[i] && processes[i]->uid == p->uid;
	return n < most;
}

static int allowed(struct process *p, u32 flags)
{
	if (flags & CLONE_THREAD) {
		if ((flags & THREAD) != THREAD || flags & (ALONE | CLONE_VFORK | CLONE_PARENT | CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWCGROUP))
			return -EINVAL;
		return one_more(p) ? 0 : -EAGAIN;
	}
	if (flags & (CLONE_SIGHAND | CLONE_FILES | CLONE_FS | CLONE_PARENT)) /* half a thread: nobody asks for one */
		return -EINVAL;
	if (flags & CLONE_VM && !(flags & CLONE_VFORK))
		return -EINVAL;
	if (flags & (CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWCGROUP))
		return -EINVAL;
	if (flags & ALONE && p->euid)
		return -EPERM;
	return one_more(p) ? 0 : -EAGAIN;
}

/* What a new one does not take over. */
static void fresh(struct process *c, struct process *p, u32 flags)
{
	*c = *p;
	c->state = ZOMBIE; /* until it is whole */
	c->queued = 0;
	c->again = c->timed = 0;
	c->wait = 0;
	c->deadline = c->cpu = 0;
	c->opening = 0;
	c->pending = c->awaited = 0;
	c->queue = 0;
	c->progress = 0;
	c->mask_saved = 0;
	c->stopped = c->continued = 0;
	c->futex_base = 0;
	c->futex_woken = 0;
	c->lock_owner = 0;
	c->attempt = 0;
	c->vfork_parent = 0;
	c->robust = 0;
	c->thread = 0;
	c->memory = 0;
	c->started = machine_clock();
	c->detached = 0;
	c->executed = 0;
	c->exit_signal = (flags & 255) <= SIGNALS ? (int)(flags & 255) : 0;
	c->leader = c;
	c->parent = p->leader;
	if (flags & CLONE_THREAD) {
		c->leader = p->leader;
		c->parent = p->leader->parent;
		c->exit_signal = 0;
		c->detached = 1; /* nobody waits for a thread */
	}
	if ((flags & (CLONE_VM | CLONE_VFORK)) == CLONE_VM)
		c->alternate = c->alternate_size = 0;
}

static void discard(struct process *c)
{
	if (c->thread)
		machine_thread_free(c->thread);
	if (c->memory)
		memory_drop(c->memory);
	c->crew->living--;
	process_free(c);
}

int process_fork(struct process *p, u32 flags, address stack, address parent_tid, address child_tid, address tls)
{
	struct process *c;
	struct group *group = p->group;
	struct crew *crew;
	u32 i, descriptor[4];
	int number, error = allowed(p, flags);

	if (error)
		return error;
	if (flags & CLONE_SETTLS && !WIDE(p) && user_read(p, descriptor, tls, 16))
		return -EFAULT;
	c = pool_get(sizeof *c);
	if (!c)
		return -ENOMEM;
	fresh(c, p, flags);
	c->clear_tid = flags & CLONE_CHILD_CLEARTID ? child_tid : 0;
	crew = flags & CLONE_THREAD ? p->crew : crew_copy(p->crew);
	if (flags & CLONE_NEWPID)
		group = pool_get(sizeof *group);
	if (!crew || !group || place(c)) {
		if (group != p->group)
			pool_put(group, sizeof *group);
		if (crew && crew != p->crew) {
			crew->users = 1;
			crew_drop(crew);
		}
		pool_put(c, sizeof *c);
		return -EAGAIN;
	}
	crew_join(c, crew);
	c->group = group;
	group->users++;
	if (flags & CLONE_VM) {
		c->memory = p->memory;
		c->memory->users++;
	} else {
		c->memory = memory_copy(p->memory);
	}
	c->thread = c->memory ? machine_thread_copy(p->thread, c->memory->space) : 0;
	error = c->thread ? 0 : -ENOMEM;
#ifdef MACHINE_WIDE
	if (!error && flags & CLONE_SETTLS && WIDE(p)) {
		if (tls < USER_TOP)
			machine_thread_base(c->thread, 0, tls);
		else
			error = -EPERM;
	} else
#endif
	if (!error && flags & CLONE_SETTLS && machine_thread_segment(c->thread, (int)descriptor[0], descriptor[1], descriptor[2], (int)(descriptor[3] >> 4 & 1)) < 0)
		error = -EINVAL;
	if (error) {
		discard(c);
		return error;
	}
	if (!group->first)
		group->first = c;
	c->r = machine_thread_registers(c->thread);
	c->r->eax = 0;
	if (stack)
		c->r->esp = stack;
	c->pid = ++last_pid;
	c->local = ++group->last;
	if (flags & CLONE_NEWPID)
		c->pgid = c->sid = 0; /* they lie outside */
	for (i = 0; i < DESCRIPTORS && crew != p->crew; i++)
		if (c->files[i])
			c->files[i]->users++;
	node_keep(c->root);
	node_keep(c->cwd);
	number = (int)process_number(p, c);
	if (flags & CLONE_PARENT_SETTID)
		user_write(p, parent_tid, &number, 4);
	if (flags & CLONE_CHILD_SETTID)
		user_write(c, child_tid, &c->local, 4);
	c->state = RUNNING;
	make_runnable(c);
	if (flags & CLONE_VFORK) { /* the parent's call has its result already; it just does not go on yet */
		c->vfork_parent = p;
		p->r->eax = (u32)number;
		p->state = WAITING;
		p->wait = &c->vfork_parent; /* of no other wait: a grandchild that ends wakes whoever waits for c */
		return KEEP;
	}
	return number;
}

void process_memory_released(struct process *p)
{
	struct process *parent = p->vfork_parent;

	p->vfork_parent = 0;
	if (parent && parent->state == WAITING && parent->wait == &p->vfork_parent)
		make_runnable(parent);
}
