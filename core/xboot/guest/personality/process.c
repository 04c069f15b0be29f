/* process.c: the loop that runs processes and their threads, each of which is a struct process; process 1. */

#include "call.h"

#define TURN 10      /* ticks, while another could run: what sched_rr_get_interval says */
#define TICK 10000000u
#define CALLS 64     /* so often a process that does nothing but call is asked how long it has been at it */

struct process *processes[PROCESSES];
struct process *current;

struct group *first_group;
static struct process *queue, **queue_end = &queue;
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

void queue_out(struct process *p)
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

/* `again` says that it sleeps: a call's answer may be any number that a program chose, WAIT too. */
int sleep_on(struct process *p, void *what)
{
	p->again = 1;
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

/* ---- the loop ---- */

/* When the timers were last looked at, and calls since then: of all processes, since each of a chain of short ones makes too few to come to a look. */
static nanoseconds last_look;
static unsigned calls_since;

static nanoseconds since; /* when current was asked last what it has used */

void account(void)
{
	nanoseconds now = machine_clock();

	if (current) {
		current->cpu += now - since;
		current->crew->cpu += now - since;
	}
	since = now;
}

/* A call that waits is made once more before a signal ends it: what it waited for may have come together with the signal, as a child's end does. A futex's wait is
   not: its word may have another value by now, and who woke it has said so. */
static void once_more(struct process *p)
{
	if (!p->again || p->futex_base || p->futex_woken)
		return;
	p->again = 0;
	if (serve(p) != WAIT)
		return;
	p->state = RUNNING;
	p->wait = 0;
}

static void run(struct process *p)
{
	struct machine_fault fault;
	unsigned turn = 0;

	stamp_refresh();
	while (p->state == RUNNING) {
		if ((p->pending | p->crew->pending) && signal_waiting(p)) {
			once_more(p);
			if (p->state == RUNNING)
				signal_deliver(p);
			continue;
		}
		if (p->again) {
			p->again = 0;
			serve(p);
		} else {
			switch (machine_run(p->thread, &fault)) {
			case MACHINE_CALL:
				serve(p);
				if (++calls_since % CALLS || machine_clock() - last_look < TICK)
					break; /* else as good as a tick */
				/* fall through */
			case MACHINE_TICK:
				last_look = machine_clock();
				timers_check();
				stamp_refresh();
				if (++turn >= TURN && queue)
					yielding = 1;
				break;
			case MACHINE_FAULT:
				if (fault.signal == SIGSEGV && fault.trap == 14) {
					fault.signal = region_fault(p->memory, fault.at, fault.write);
					fault.code = region_at(p->memory, fault.at) ? 2 : 1; /* SEGV_ACCERR, SEGV_MAPERR; of SIGBUS 2 is BUS_ADRERR */
				}
				if (fault.signal && !(fault.at == p->r->eip && signal_return_code(p)))
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
				account();
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
	p->crew = crew_new();
	p->memory = memory_new();
	p->thread = p->memory ? machine_thread_new(p->memory->space) : 0;
	if (!p->crew || !p->thread)
		machine_panic("limit: memory is too small");
	crew_join(p, p->crew);
	p->r = machine_thread_registers(p->thread);
	p->group = first_group;
	first_group->users = 1;
	first_group->first = p;
	first_group->last = 1;
	p->pid = p->local = p->pgid = p->sid = 1;
	p->umask = 022;
	p->root = p->cwd = root_node;
	node_keep(root_node);
	node_keep(root_node);
	p->parent = p->leader = p;
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
		account();
		current = p;
		yielding = 0;
		run(p);
		account();
		current = 0;
		if (p->state == ZOMBIE && p->detached)
			process_free(p);
	}
}
