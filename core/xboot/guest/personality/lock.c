/* lock.c: locks on files that lock: of whole files by an open file (flock), and of ranges by a process or an open file (fcntl). They stand in a list at the
   node. A process's go when it closes any descriptor of the file, an open file's with its last descriptor. Whoever waits is told of circles (EDEADLK). */

#include "call.h"

#define SHARED 0
#define EXCLUSIVE 1
#define UNLOCK 2
#define LAST_BYTE (~0ull >> 1)

struct lock {
	struct lock *next;
	void *owner;      /* a crew, or an open file */
	int whole;        /* flock's: nothing to those of ranges */
	int type;
	u64 start, end;   /* end: the last byte */
	u32 number;       /* of the process; ~0: an open file's */
};

static struct lock *in_the_way(struct node *node, const struct lock *wanted)
{
	struct lock *l;

	for (l = node->locks; l; l = l->next)
		if (l->whole == wanted->whole && l->owner != wanted->owner && l->start <= wanted->end && wanted->start <= l->end && (l->type | wanted->type) == EXCLUSIVE)
			break;
	return l;
}

/* Takes the owner's hold on a range away. spare: for a range that falls in two; 1 when it was used. */
static int let_go_of(struct node *node, const struct lock *range, struct lock *spare)
{
	struct lock **place, *l;
	int used = 0;

	for (place = &node->locks; (l = *place);) {
		if (l->whole != range->whole || l->owner != range->owner || l->start > range->end || range->start > l->end) {
			place = &l->next;
		} else if (l->start < range->start && l->end > range->end) {
			*spare = *l;
			spare->start = range->end + 1;
			l->end = range->start - 1;
			l->next = spare;
			used = 1;
			break;
		} else if (l->start < range->start) {
			l->end = range->start - 1;
			place = &l->next;
		} else if (l->end > range->end) {
			l->start = range->end + 1;
			place = &l->next;
		} else {
			*place = l->next;
			pool_put(l, sizeof *l);
		}
	}
	wake(&node->locks);
	return used;
}

void locks_drop(struct node *node, void *owner)
{
	struct lock all = { 0, owner, 0, UNLOCK, 0, LAST_BYTE, 0 };

	let_go_of(node, &all, 0); /* never in two */
	all.whole = 1;
	let_go_of(node, &all, 0);
}

/* Would waiting for this owner be waiting for oneself? */
static int circle(struct process *p, void *owner)
{
	struct process *q;
	u32 i, steps;

	for (steps = 0; steps < PROCESSES; steps++) {
		if (owner == p->crew)
			return 1;
		for (i = 0, q = 0; i < PROCESSES && !q; i++)
			if (processes[i] && processes[i]->crew == owner && processes[i]->state == WAITING && processes[i]->lock_owner)
				q = processes[i];
		if (!q)
			return 0;
		owner = q->lock_owner;
	}
	return 1;
}

static int take(struct process *p, struct node *node, const struct lock *wanted, int wait)
{
	struct lock *other = wanted->type == UNLOCK ? 0 : in_the_way(node, wanted), *made, *spare;

	p->lock_owner = 0;
	if (other) {
		if (!wait)
			return -EAGAIN;
		if (!wanted->whole && wanted->owner == p->crew) {
			if (circle(p, other->owner))
				return -EDEADLK;
			p->lock_owner = other->owner;
		}
		return sleep_on(p, &node->locks);
	}
	made = pool_get(sizeof *made);
	spare = pool_get(sizeof *spare);
	if (!made || !spare) {
		pool_put(made, sizeof *made);
		pool_put(spare, sizeof *spare);
		return -ENOLCK;
	}
	if (!let_go_of(node, wanted, spare))
		pool_put(spare, sizeof *spare);
	if (wanted->type == UNLOCK) {
		pool_put(made, sizeof *made);
		return 0;
	}
	*made = *wanted;
	made->next = node->locks;
	node->locks = made;
	return 0;
}

CALL(flock)
{
	struct file *f = file_of(p, (int)r->ebx);
	struct lock wanted = { 0, f, 1, UNLOCK, 0, LAST_BYTE, ~0u };
	u32 what = r->ecx & ~4u;

	if (!f || f->flags & O_PATH)
		return -EBADF;
	if (what != 1 && what != 2 && what != 8)
		return -EINVAL;
	wanted.type = what == 1 ? SHARED : what == 2 ? EXCLUSIVE : UNLOCK;
	return take(p, f->node, &wanted, !(r->ecx & 4));
}

/* What struct flock says, or struct flock64: {type, from where, start, length, process}. */
static int range_get(struct process *p, struct file *f, address from, int wide, struct lock *wanted)
{
	short head[2];
	int narrow[2];
	long long given[2];
	u64 base;

	if (user_read(p, head, from, 4) || (wide ? user_read(p, given, from + WORD(p), 16) : user_read(p, narrow, from + 4, 8)))
		return -EFAULT;
	if (!wide) {
		given[0] = narrow[0];
		given[1] = narrow[1];
	}
	if (head[0] < 0 || head[0] > 2 || head[1] < 0 || head[1] > 2)
		return -EINVAL;
	wanted->type = head[0];
	if (given[0] > (long long)(LAST_BYTE >> 1) || given[0] < -(long long)(LAST_BYTE >> 1) || given[1] > (long long)(LAST_BYTE >> 1) || given[1] < -(long long)(LAST_BYTE >> 1))
		return -EOVERFLOW;
	if (head[1]) {
		base = head[1] == 1 ? f->offset : f->node->size;
		if (base > LAST_BYTE >> 1)
			return -EOVERFLOW;
		given[0] += (long long)base;
	}
	if (given[1] < 0) {
		given[0] += given[1];
		given[1] = -given[1];
	}
	if (given[0] < 0)
		return -EINVAL;
	if (given[1] - 1 > (long long)LAST_BYTE - given[0])
		return -EOVERFLOW; /* what ended behind the last byte would not be found when it is to be dropped */
	wanted->start = (u64)given[0];
	wanted->end = given[1] ? wanted->start + (u64)given[1] - 1 : LAST_BYTE;
	return 0;
}

/* Who is in the way, or that nobody is. */
static int tell_lock(struct process *p, address to, int wide, struct lock *other)
{
	short head[2];
	u64 given[2];
	u32 narrow[3];

	head[0] = UNLOCK;
	if (!other)
		return user_write(p, to, head, 2);
	head[0] = (short)other->type;
	head[1] = 0;
	given[0] = other->start;
	given[1] = other->end == LAST_BYTE ? 0 : other->end - other->start + 1;
	narrow[0] = (u32)given[0];
	narrow[1] = (u32)given[1];
	narrow[2] = other->number;
	if (user_write(p, to, head, 4))
		return -EFAULT;
	if (wide)
		return user_write(p, to + WORD(p), given, 16) || user_write(p, to + WORD(p) + 16, narrow + 2, 4) ? -EFAULT : 0;
	return user_write(p, to + 4, narrow, 12);
}

/* fcntl's commands: look, take, wait: 5 6 7, with 64-bit words 12 13 14, for an open file 36 37 38 */
int lock_command(struct process *p, struct file *f, u32 command, address at)
{
	int wide = command >= 12 || WIDE(p), by_file = command >= 36, error;
	u32 what = command - (by_file ? 36 : command >= 12 ? 12 : 5);
	struct lock wanted = { 0, 0, 0, 0, 0, 0, 0 };

	if (f->flags & O_PATH)
		return -EBADF;
	error = range_get(p, f, at, wide, &wanted);
	if (error)
		return error;
	wanted.owner = by_file ? (void *)f : (void *)p->crew;
	wanted.number = by_file ? ~0u : p->leader->local;
	if (!what)
		return wanted.type == UNLOCK ? -EINVAL : tell_lock(p, at, wide, in_the_way(f->node, &wanted));
	if ((wanted.type == SHARED && (f->flags & O_ACCMODE) == O_WRONLY) || (wanted.type == EXCLUSIVE && !(f->flags & O_ACCMODE)))
		return -EBADF;
	return take(p, f->node, &wanted, what == 2);
}
