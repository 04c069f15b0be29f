/* ending.c: threads and processes end here, and are waited for.

   A thread that ends gives back all it held at once; its struct process stays until it is no longer `current`. A process is over when its last thread has
   ended: then its descriptors are closed, its children find another parent, and its own parent hears of it. */

#include "personality.h"

static void group_drop(struct group *group)
{
	if (--group->users)
		return;
	if (group->proc)
		node_drop(group->proc);
	if (group->terminals)
		node_drop(group->terminals);
	ipc_end(group);
	pool_put(group, sizeof *group);
	sockets_collect(); /* what travels now arrives nowhere */
	pool_settle(); /* a step is over: its last process is gone */
}

void process_free(struct process *p)
{
	u32 i;

	for (i = 0; i < PROCESSES; i++)
		if (processes[i] && processes[i]->vfork_parent == p)
			processes[i]->vfork_parent = 0;
	if (current && current != p && current->leader == p)
		current->leader = current; /* the loop stands on a thread of it that has ended */
	timers_stand(p);
	processes[p->slot] = 0;
	group_drop(p->group);
	crew_drop(p->crew);
	pool_put(p, sizeof *p);
}

static void thread_end(struct process *p, int code)
{
	u32 i, zero = 0;

	if (p->pid == 1)
		machine_panic("process 1 ended");
	futex_robust(p);
	if (p->clear_tid && p->memory->users > 1 && !user_write(p, p->clear_tid, &zero, 4))
		futex_wake(p, p->clear_tid, 1, ~0u);
	queue_out(p);
	p->state = ZOMBIE;
	p->exit_code = code;
	p->again = 0;
	p->wait = 0;
	p->deadline = 0;
	p->futex_base = 0;
	if (p->attempt)
		attempt_end(p, 0);
	if (p->opening)
		file_drop(p->opening);
	p->opening = 0;
	signals_drop(&p->queue, 0);
	if (!--p->crew->living) {
		signals_drop(&p->crew->queue, 0);
		memset(p->crew->alarms, 0, sizeof p->crew->alarms);
		sets_undo(p);
		timers_drop(p->crew);
		for (i = 0; i < DESCRIPTORS; i++)
			if (p->files[i])
				file_close(p, (int)i);
	}
	machine_thread_free(p->thread);
	p->thread = 0;
	p->r = 0;
	memory_drop(p->memory);
	p->memory = 0;
	node_drop(p->root);
	node_drop(p->cwd);
	process_memory_released(p);
}

/* Frees a thread other than a leader that has ended, unless the loop still stands on it: then the loop does (it is detached). */
static void thread_gone(struct process *p)
{
	if (p->leader != p && p != current)
		process_free(p);
}

static void end_group(struct group *group, struct process *but)
{
	u32 i;
	struct process *p;

	for (i = 0; i < PROCESSES; i++) {
		p = processes[i];
		if (!p || p->group != group || p->leader == but)
			continue;
		if (p->crew->living) {
			p->leader->detached = 1;
			process_exit(p, SIGKILL);
			continue;
		}
		p->detached = 1; /* a zombie; or the thread that the loop stands on, whose leader is no more */
		if (p != current)
			process_free(p);
	}
}

void tell_parent(struct process *leader, int code, u32 value)
{
	struct process *parent = leader->parent;
	struct origin origin;

	origin.code = code;
	origin.pid = process_number(parent, leader);
	origin.uid = leader->uid;
	origin.value = value;
	if (leader->exit_signal && !(parent->group->first == parent && (leader->exit_signal == SIGKILL || leader->exit_signal == SIGSTOP)))
		signal_send_from(parent, leader->exit_signal, &origin);
	wake(parent);
}

/* A process of a group that was somebody's job, and now is nobody's: if one of them is stopped, all are told, and go on. */
static void orphaned(struct process *member)
{
	struct process *q;
	u32 i, stopped = 0, pass;

	if (!process_orphaned(member))
		return;
	for (pass = 0; pass < 3; pass++)
		for (i = 0; i < PROCESSES; i++) {
			q = processes[i];
			if (!q || q->leader != q || q->group != member->group || q->pgid != member->pgid)
				continue;
			if (!pass)
				stopped |= q->state == STOPPED;
			else if (stopped)
				signal_send(q, pass == 1 ? SIGHUP : SIGCONT);
		}
}

/* The last thread of a process has ended. */
static void process_over(struct process *leader, int code)
{
	struct process *c;
	u32 i;

	leader->exit_code = code;
	leader->stopped = leader->continued = 0;
	terminal_leader_ends(leader);
	if (leader->group->first == leader && leader->group != first_group)
		end_group(leader->group, leader); /* process 1 of a namespace takes all others with it */
	for (i = 0; i < PROCESSES; i++) {
		c = processes[i];
		if (!c || c->parent != leader)
			continue;
		c->parent = c->group->first && c->group->first != leader ? c->group->first : first_group->first;
		if (c->leader != c)
			continue;
		c->exit_signal = SIGCHLD;
		if (c->state == ZOMBIE && !c->detached)
			wake(c->parent);
		if (c->group == leader->group && c->sid == leader->sid && c->pgid != leader->pgid)
			orphaned(c);
	}
	if (leader->parent->group == leader->group && leader->parent->sid == leader->sid && leader->parent->pgid != leader->pgid)
		orphaned(leader);
	if (leader->parent->actions[SIGCHLD - 1].handler == SIG_IGN || leader->parent->actions[SIGCHLD - 1].flags & SA_NOCLDWAIT)
		leader->detached = leader->detached || leader->exit_signal == SIGCHLD;
	if (leader->detached)
		wake(leader->parent);
	else
		tell_parent(leader, code & 127 ? 2 : 1, (u32)(code & 127 ? code & 127 : code >> 8));
	if (leader->detached && leader != current)
		process_free(leader);
}

void process_exit(struct process *p, int code)
{
	struct process *leader = p->leader, *q;
	u32 i;

	for (i = 0; i < PROCESSES; i++) {
		q = processes[i];
		if (!q || q->leader != leader || q->state == ZOMBIE)
			continue;
		thread_end(q, code);
		thread_gone(q);
	}
	process_over(leader, code);
}

void thread_exit(struct process *p, int code)
{
	if (p->crew->living == 1) {
		process_exit(p, code);
		return;
	}
	thread_end(p, code);
	thread_gone(p);
}

/* Before exec: all other threads end, and this one takes its leader's place and number. */
void thread_alone(struct process *p)
{
	struct process *leader = p->leader, *q;
	u32 i;

	timers_drop(p->crew);
	for (i = 0; i < PROCESSES; i++) {
		q = processes[i];
		if (!q || q == p || q->leader != leader)
			continue;
		if (q->state != ZOMBIE)
			thread_end(q, 0);
		thread_gone(q);
	}
	if (p == leader)
		return;
	p->pid = leader->pid;
	p->local = leader->local;
	p->parent = leader->parent;
	p->exit_signal = leader->exit_signal;
	p->detached = leader->detached;
	p->stopped = leader->stopped;
	p->continued = leader->continued;
	p->leader = p;
	if (p->group->first == leader)
		p->group->first = p;
	for (i = 0; i < PROCESSES; i++)
		if (processes[i] && processes[i]->parent == leader)
			processes[i]->parent = p;
	process_free(leader);
}

/* ---- stopping ---- */

void process_stop(struct process *p, int number)
{
	struct process *leader = p->leader, *q;
	u32 i;

	for (i = 0; i < PROCESSES; i++) {
		q = processes[i];
		if (!q || q->leader != leader || !(q->state == RUNNING || (q->state == WAITING && q->again)))
			continue;
		queue_out(q);
		q->state = STOPPED;
	}
	leader->stopped = number;
	leader->continued = 0;
	if (leader->parent->actions[SIGCHLD - 1].flags & SA_NOCLDSTOP)
		wake(leader->parent);
	else
		tell_parent(leader, 5, (u32)number);
}

void process_continue(struct process *p)
{
	struct process *leader = p->leader, *q;
	u32 i, was = 0;

	for (i = 0; i < PROCESSES; i++) {
		q = processes[i];
		if (!q || q->leader != leader || q->state != STOPPED)
			continue;
		was = 1;
		make_runnable(q); /* a call that waited is made again */
	}
	if (!was)
		return;
	leader->stopped = 0;
	leader->continued = 1;
	if (leader->parent->actions[SIGCHLD - 1].flags & SA_NOCLDSTOP)
		wake(leader->parent);
	else
		tell_parent(leader, 6, SIGCONT);
}

void out_of_memory(struct process *p)
{
	if (p->group == first_group)
		machine_panic("limit: memory is exhausted by the executor itself");
	note("limit: memory is exhausted; the step is ended\n");
	process_exit(p->group->first, SIGKILL); /* takes p along */
}

/* ---- waiting ---- */

/* Has this child something to tell that is asked for? code: si_code, 0: nothing. */
static int news(struct process *c, u32 options, u32 *status)
{
	if (c->state == ZOMBIE && !c->crew->living && options & WEXITED) {
		*status = (u32)c->exit_code;
		return c->exit_code & 127 ? 2 : 1;
	}
	if (c->stopped && options & WUNTRACED) {
		*status = (u32)c->stopped << 8 | 0x7f;
		return 5;
	}
	if (c->continued && options & WCONTINUED) {
		*status = 0xffff;
		return 6;
	}
	return 0;
}

/* kind: 1 the child with this number, 2 a child of this process group, 0 any. A child's number, 0 for WNOHANG, WAIT, or an error. */
int process_wait(struct process *p, u32 kind, u32 wanted, u32 options, struct news *found)
{
	struct process *c;
	int children = 0;
	u32 i;

	memset(found, 0, sizeof *found);
	for (i = 0; i < PROCESSES; i++) {
		c = processes[i];
		if (!c || c->leader != c || c->parent != p->leader || c->detached)
			continue;
		if ((kind == 1 && process_number(p, c) != wanted) || (kind == 2 && c->pgid != wanted))
			continue;
		children++;
		found->code = news(c, options, &found->status);
		if (!found->code)
			continue;
		found->child = c;
		found->uid = c->uid;
		return (int)process_number(p, c);
	}
	if (!children)
		return -ECHILD;
	if (options & WNOHANG) {
		yield();
		return 0;
	}
	return sleep_on(p, p->leader);
}

/* What was found has been told. */
void process_waited(struct news *found)
{
	if (found->code <= 2) {
		found->child->parent->crew->children += found->child->crew->cpu + found->child->crew->children;
		process_free(found->child);
	} else if (found->code == 5)
		found->child->stopped = 0;
	else
		found->child->continued = 0;
}
