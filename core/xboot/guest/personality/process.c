/* process.c: processes, their namespaces, and the loop that runs them. */

#include "call.h"

#define PATIENCE 10  /* ticks without a call, while another could run */
#define TURN 100     /* ticks in all */
#define TICK 10000000u
#define CALLS 64     /* so often a process that does nothing but call is asked how long it has been at it */

struct process *processes[PROCESSES];
struct process *current;

static struct group *first_group;
static struct process *queue, **queue_end = &queue;
static u32 last_pid;
static int yielding;

/* Process 1 and what it does for itself may use the frames kept in reserve, so that it can still report when a step has taken all the rest. */
int privileged(void)
{
	return !current || current->group == first_group;
}

/* ---- run queue ---- */

void make_runnable(struct process *p)
{
	if (p->state == ZOMBIE)
		return;
	p->state = RUNNING;
	p->wait = 0;
	if (p->queued || p == current)
		return;
	p->queued = 1;
	p->next = 0;
	*queue_end = p;
	queue_end = &p->next;
}

static struct process *queue_take(void)
{
	struct process *p = queue;

	if (p) {
		queue = p->next;
		if (!queue)
			queue_end = &queue;
		p->queued = 0;
	}
	return p;
}

static void queue_out(struct process *p)
{
	struct process **place;

	if (!p->queued)
		return;
	for (place = &queue; *place != p; place = &(*place)->next)
		;
	*place = p->next;
	if (!*place)
		queue_end = place;
	p->queued = 0;
}

int sleep_on(struct process *p, void *what)
{
	p->state = WAITING;
	p->wait = what;
	return WAIT;
}

void wake(void *what)
{
	u32 i;

	for (i = 0; i < PROCESSES; i++)
		if (processes[i] && (processes[i]->wait == what || processes[i]->wait == &any_pipe) && processes[i]->state == WAITING)
			make_runnable(processes[i]);
}

void yield(void)
{
	yielding = 1;
}

/* ---- making ---- */

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

static void group_drop(struct group *group)
{
	if (--group->users == 0)
		pool_put(group, sizeof *group);
}

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
	limit_reached(&once, "512 processes (EAGAIN)");
	return -EAGAIN;
}

static void free_process(struct process *p)
{
	u32 i;

	for (i = 0; i < PROCESSES; i++)
		if (processes[i] && processes[i]->vfork_parent == p)
			processes[i]->vfork_parent = 0;
	processes[p->slot] = 0;
	group_drop(p->group);
	pool_put(p->handlers, sizeof *p->handlers);
	pool_put(p, sizeof *p);
}

int process_fork(struct process *p, u32 flags, address stack, address parent_tid, address child_tid, address tls)
{
	struct process *c;
	struct group *group = p->group;
	u32 i, descriptor[4];
	int number;

	if (flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_FILES | CLONE_FS | CLONE_PARENT))
		return -EINVAL; /* no threads */
	if (flags & CLONE_VM && !(flags & CLONE_VFORK))
		return -EINVAL;
	if (flags & (CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWCGROUP))
		return -EINVAL;
	if (flags & (CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC) && p->euid)
		return -EPERM;
	c = pool_get(sizeof *c);
	if (!c)
		return -ENOMEM;
	*c = *p;
	c->state = ZOMBIE; /* until it is whole */
	c->queued = 0;
	c->again = c->timed = 0;
	c->deadline = c->alarm = c->alarm_interval = c->cpu = 0;
	c->opening = 0;
	c->pending = 0;
	c->progress = 0;
	c->mask_saved = 0;
	c->parent = p;
	c->vfork_parent = 0;
	c->clear_tid = flags & CLONE_CHILD_CLEARTID ? child_tid : 0;
	c->robust = 0;
	c->exit_signal = (flags & 255) <= SIGNALS ? (int)(flags & 255) : 0;
	c->started = machine_clock();
	c->handlers = pool_get(sizeof *c->handlers);
	if (flags & CLONE_NEWPID)
		group = pool_get(sizeof *group);
	if (!c->handlers || !group || place(c)) {
		if (group != p->group)
			pool_put(group, sizeof *group);
		pool_put(c->handlers, sizeof *c->handlers);
		pool_put(c, sizeof *c);
		return -EAGAIN;
	}
	memcpy(c->handlers, p->handlers, sizeof *c->handlers);
	c->actions = c->handlers->actions;
	c->awaited = 0;
	c->group = group;
	group->users++;
	if (!group->first)
		group->first = c;
	if (flags & CLONE_VM) {
		c->memory = p->memory;
		c->memory->users++;
	} else {
		c->memory = memory_copy(p->memory);
	}
	c->thread = c->memory ? machine_thread_copy(p->thread, c->memory->space) : 0;
	if (!c->thread) {
		if (c->memory)
			memory_drop(c->memory);
		free_process(c);
		return -ENOMEM;
	}
	c->r = machine_thread_registers(c->thread);
	c->r->eax = 0;
	if (stack)
		c->r->esp = stack;
	c->pid = ++last_pid;
	c->local = ++group->last;
	if (flags & CLONE_NEWPID)
		c->pgid = c->sid = 0; /* they lie outside */
	for (i = 0; i < DESCRIPTORS; i++)
		if (c->files[i])
			c->files[i]->users++;
	node_keep(c->root);
	node_keep(c->cwd);
	number = (int)process_number(p, c);
	if (flags & CLONE_PARENT_SETTID)
		user_write(p, parent_tid, &number, 4);
	if (flags & CLONE_CHILD_SETTID)
		user_write(c, child_tid, &c->local, 4);
	if (flags & CLONE_SETTLS && !user_read(p, descriptor, tls, 16))
		machine_thread_segment(c->thread, (int)descriptor[0], descriptor[1], descriptor[2], (int)(descriptor[3] >> 4 & 1));
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

/* ---- ending ---- */

static void end_group(struct group *group, struct process *but)
{
	u32 i;
	struct process *p;

	for (i = 0; i < PROCESSES; i++) {
		p = processes[i];
		if (!p || p->group != group || p == but)
			continue;
		p->detached = 1;
		if (p->state != ZOMBIE)
			process_exit(p, SIGKILL);
		else if (p != current)
			free_process(p);
	}
}

void process_exit(struct process *p, int code)
{
	struct process *parent, *c;
	struct origin origin;
	u32 i, zero = 0;

	if (p->pid == 1)
		machine_panic("process 1 ended");
	if (p->clear_tid && p->memory->users > 1)
		user_write(p, p->clear_tid, &zero, 4);
	queue_out(p);
	p->state = ZOMBIE;
	p->exit_code = code;
	p->again = 0;
	p->alarm = p->deadline = 0;
	if (p->opening)
		file_drop(p->opening);
	p->opening = 0;
	for (i = 0; i < DESCRIPTORS; i++)
		if (p->files[i]) {
			file_drop(p->files[i]);
			p->files[i] = 0;
		}
	machine_thread_free(p->thread);
	p->thread = 0;
	p->r = 0;
	memory_drop(p->memory);
	p->memory = 0;
	node_drop(p->root);
	node_drop(p->cwd);
	process_memory_released(p);
	if (p->group->first == p && p->group != first_group)
		end_group(p->group, p); /* process 1 of a namespace takes all others with it */
	for (i = 0; i < PROCESSES; i++) {
		c = processes[i];
		if (!c || c->parent != p)
			continue;
		c->parent = c->group->first && c->group->first != p ? c->group->first : first_group->first;
		c->exit_signal = SIGCHLD;
		if (c->state == ZOMBIE && !c->detached)
			wake(c->parent);
	}
	parent = p->parent;
	if (!p->detached && parent->actions[SIGCHLD - 1].handler == SIG_IGN)
		p->detached = 1;
	if (p->exit_signal && !p->detached && !(parent->group->first == parent && (p->exit_signal == SIGKILL || p->exit_signal == SIGSTOP))) {
		origin.code = code & 127 ? 2 : 1; /* killed, exited */
		origin.pid = process_number(parent, p);
		origin.uid = p->uid;
		origin.value = code & 127 ? code & 127 : code >> 8;
		signal_send_from(parent, p->exit_signal, &origin);
	}
	wake(parent);
	if (p->detached && p != current)
		free_process(p);
}

void out_of_memory(struct process *p)
{
	if (p->group == first_group)
		machine_panic("limit: memory is exhausted by the executor itself");
	note("limit: memory is exhausted; the step is ended\n");
	process_exit(p->group->first, SIGKILL); /* takes p along */
}

int process_wait(struct process *p, int pid, address status, u32 options, address usage)
{
	static const char no_usage[72];
	struct process *c;
	int children = 0, code, number;
	u32 i;

	if (pid < -0x40000000)
		return -ECHILD; /* no group has such a number */
	for (i = 0; i < PROCESSES; i++) {
		c = processes[i];
		if (!c || c->parent != p || c->detached)
			continue;
		if ((pid > 0 && process_number(p, c) != (u32)pid) || (pid == 0 && c->pgid != p->pgid) || (pid < -1 && c->pgid != (u32)-pid))
			continue;
		children++;
		if (c->state != ZOMBIE)
			continue;
		code = c->exit_code;
		number = (int)process_number(p, c);
		if (status && user_write(p, status, &code, 4))
			return -EFAULT;
		if (usage && user_write(p, usage, no_usage, 72))
			return -EFAULT;
		free_process(c);
		return number;
	}
	if (!children)
		return -ECHILD;
	if (options & WNOHANG) {
		yield();
		return 0;
	}
	return sleep_on(p, p);
}

/* ---- the loop ---- */

static void run(struct process *p)
{
	struct machine_fault fault;
	unsigned idle = 0, turn = 0, calls = 0;
	nanoseconds last = machine_clock();

	stamp_refresh();
	while (p->state == RUNNING) {
		if (p->pending && signal_waiting(p)) {
			signal_deliver(p);
			continue;
		}
		if (p->again) {
			p->again = 0;
			serve(p);
		} else {
			switch (machine_run(p->thread, &fault)) {
			case MACHINE_CALL:
				idle = 0;
				serve(p);
				if (++calls % CALLS || machine_clock() - last < TICK)
					break; /* else as good as a tick */
				/* fall through */
			case MACHINE_TICK:
				last = machine_clock();
				timers_check();
				stamp_refresh();
				if ((++idle >= PATIENCE || ++turn >= TURN) && queue)
					yielding = 1;
				break;
			case MACHINE_FAULT:
				if (fault.signal == SIGSEGV && fault.trap == 14)
					fault.signal = region_fault(p->memory, fault.at);
				if (fault.signal == SIGBUS)
					fault.code = 2; /* BUS_ADRERR */
				if (fault.signal)
					signal_fault(p, &fault);
				break;
			case MACHINE_MEMORY:
				out_of_memory(p);
				break;
			}
		}
		if (yielding && p->state == RUNNING) {
			yielding = 0;
			if (queue) {
				current = 0;
				make_runnable(p);
				return;
			}
		}
	}
}

static void idle(void)
{
	nanoseconds next = timers_check();

	if (queue)
		return;
	machine_idle(next);
	wake(&channel); /* the call finds out whether there is anything */
	timers_check();
}

void personality_start(const void *cpio, unsigned long size)
{
	root_node = node_new(S_IFDIR | 0755, 0, 0);
	if (!root_node)
		machine_panic("limit: memory is too small");
	root_node->links = 2;
	root_node->parent = root_node;
	cpio_unpack(cpio, size);
}

/* Descriptors 0, 1 and 2 of process 1 are the console. */
static void open_console(struct process *p)
{
	struct found found;
	struct file *f;
	int fd;

	if (path_walk(p, AT_FDCWD, "/dev/console", 1, &found) || !found.node || (found.node->mode & S_IFMT) != S_IFCHR)
		machine_panic("payload: no /dev/console");
	node_keep(found.node);
	f = file_new(found.node, O_RDWR);
	if (!f)
		machine_panic("limit: memory is too small");
	f->users = 3;
	for (fd = 0; fd < 3; fd++)
		p->files[fd] = f;
}

static void first_process(void)
{
	struct process *p = pool_get(sizeof *p);

	first_group = pool_get(sizeof *first_group);
	if (!p || !first_group)
		machine_panic("limit: memory is too small");
	p->handlers = pool_get(sizeof *p->handlers);
	p->memory = memory_new();
	p->thread = p->memory ? machine_thread_new(p->memory->space) : 0;
	if (!p->handlers || !p->thread)
		machine_panic("limit: memory is too small");
	p->actions = p->handlers->actions;
	p->r = machine_thread_registers(p->thread);
	p->group = first_group;
	first_group->users = 1;
	first_group->first = p;
	first_group->last = last_pid = 1;
	p->pid = p->local = p->pgid = p->sid = 1;
	p->umask = 022;
	p->root = p->cwd = root_node;
	node_keep(root_node);
	node_keep(root_node);
	p->parent = p;
	processes[0] = p;
	p->state = RUNNING;
	open_console(p);
	if (exec_init(p))
		machine_panic("payload: /init cannot be run as an i386 program");
	make_runnable(p);
}

void personality_run(void)
{
	struct process *p;

	first_process();
	for (;;) {
		p = queue_take();
		if (!p) {
			idle();
			continue;
		}
		current = p;
		yielding = 0;
		run(p);
		current = 0;
		if (p->state == ZOMBIE && p->detached)
			free_process(p);
	}
}
