/* segment.c: System V's shared memory. A segment is a file without a name, which those who attach it map; how many do is counted by the file. One that was removed
   goes with the last of them. */

#include "ipc.h"

#define SHM_RDONLY 010000u
#define SHM_RND 020000u
#define SHM_REMAP 040000u
#define SHM_EXEC 0100000u
#define SHM_HUGETLB 04000u
#define SHM_DEST 01000u       /* of the mode: it was removed */
#define SHM_LOCKED 02000u

struct segment {
	struct ipc ipc;
	struct node *node;        /* its memory, held */
	u32 size, attached, detached, maker, last;
};

static struct segment *segment_by(struct process *p, u32 id)
{
	return (struct segment *)ipc_by(p, IPC_SEGMENTS, id);
}

int segment_get(struct process *p, u32 key, u32 size, u32 flags)
{
	struct ipc *found;
	struct segment *s;
	int error = ipc_find(p, IPC_SEGMENTS, key, flags, &found);

	if (error)
		return error;
	if (found) {
		if (size > ((struct segment *)found)->size)
			return -EINVAL;
		error = ipc_may(p, found, flags);
		return error ? error : (int)found->id;
	}
	if (!size || flags & SHM_HUGETLB)
		return -EINVAL;
	if ((size - 1) / PAGE_SIZE >= machine_frames_total())
		return -ENOMEM;
	s = pool_of(POOL_SEGMENTS, sizeof *s);
	if (!s)
		return -ENOMEM;
	s->node = node_nameless(p, S_IFREG | (flags & 0777));
	error = s->node ? ipc_add(p, IPC_SEGMENTS, key, flags, &s->ipc) : -ENOMEM;
	if (error < 0) {
		if (s->node)
			node_drop(s->node);
		pool_back(POOL_SEGMENTS, s, sizeof *s);
		return error;
	}
	s->node->size = s->size = size;
	s->node->segment = s;
	s->maker = p->leader->local;
	return error;
}

void segment_free(struct ipc *ipc)
{
	struct segment *s = (struct segment *)ipc;

	ipc_out(IPC_SEGMENTS, ipc);
	s->node->segment = 0;
	node_drop(s->node);
	pool_back(POOL_SEGMENTS, s, sizeof *s);
}

/* One region less shows this file, which is a segment's. The caller still holds the file. */
void segment_left(struct node *node)
{
	struct segment *s = node->segment;

	s->detached = ipc_now();
	if (current)
		s->last = current->leader->local;
	if (s->ipc.mode & SHM_DEST && !node->mapped)
		segment_free(&s->ipc);
}

/* The place, or an error. Read-only is for good. */
long segment_attach(struct process *p, u32 id, address at, u32 flags)
{
	struct memory *m = p->memory;
	struct segment *s;
	struct view view = { 0, PROTECT_READ | PROTECT_WRITE | PROTECT_EXECUTE, 0, 0, 1 };
	machine_word size;
	u32 protection = PROT_READ | (flags & SHM_RDONLY ? 0 : PROT_WRITE) | (flags & SHM_EXEC ? PROT_EXEC : 0);
	int error;

	if (at & PAGE_MASK && flags & SHM_RND)
		at &= ~PAGE_MASK;
	else if (at & PAGE_MASK)
		return -EINVAL;
	if (!at && flags & SHM_REMAP)
		return -EINVAL;
	s = segment_by(p, id);
	if (!s)
		return -EINVAL;
	if (ipc_may(p, &s->ipc, IPC_READ | (flags & SHM_RDONLY ? 0 : IPC_WRITE) | (flags & SHM_EXEC ? 0111 : 0)))
		return -EACCES;
	size = range_end(0, s->size, USER_TOP);
	if (!size)
		return at ? -EINVAL : -ENOMEM;
	if (at) {
		if (!range_end(at, size, USER_TOP) || (!(flags & SHM_REMAP) && !region_free(m, at, at + size)))
			return -EINVAL;
		if (at < USER_BOTTOM)
			return -EPERM;
	} else {
		at = region_gap(m, 0, size);
		if (!at)
			return -ENOMEM;
	}
	count_more(&s->node->mapped); /* so that what goes from here, if it is the last that shows it, does not take it along */
	error = region_unmap(m, at, at + size) ? -ENOMEM : 0;
	view.protection = rights_of(p->personality, protection);
	view.node = s->node;
	if (flags & SHM_RDONLY)
		view.most &= ~PROTECT_WRITE;
	if (!error)
		error = region_view(m, at, at + size, &view);
	count_less(&s->node->mapped);
	if (error) {
		if (s->ipc.mode & SHM_DEST && !s->node->mapped)
			segment_free(&s->ipc);
		return error;
	}
	s->attached = ipc_now();
	s->last = p->leader->local;
	return (long)at;
}

/* A piece of a segment that was attached at this address. */
static struct region *piece_of(struct memory *m, address at, struct node *node)
{
	struct region *r;

	for (r = m->regions; r; r = r->next)
		if (r->start >= at && r->view.node && r->view.node->segment && (!node || r->view.node == node) && (r->start - at) / PAGE_SIZE == r->view.page)
			return r;
	return 0;
}

/* As Linux: the first segment that lies as if it had been attached here, with all pieces of it that do. 0, or EINVAL: there is none. */
int segment_detach(struct process *p, address at)
{
	struct region *r = at & PAGE_MASK ? 0 : piece_of(p->memory, at, 0);
	struct node *node;

	if (!r)
		return -EINVAL;
	node = r->view.node;
	node_keep(node);
	for (; r; r = node->segment ? piece_of(p->memory, at, node) : 0)
		region_unmap(p->memory, r->start, r->end); /* a whole region: nothing is cut */
	node_drop(node);
	return 0;
}

/* struct shmid64_ds, with what is attached; of 64 bits its head is 3 words longer, and its size one */
static int tell(struct process *p, struct segment *s, address to)
{
	u32 w[28], more = WIDE(p) ? 4 : 0;

	if (ipc_may(p, &s->ipc, IPC_READ))
		return -EACCES;
	memset(w, 0, sizeof w);
	ipc_tell(&s->ipc, w);
	w[more ? 12 : 9] = s->size;
	w[10 + more] = s->attached;
	w[12 + more] = s->detached;
	w[14 + more] = s->ipc.changed;
	w[16 + more] = s->maker;
	w[17 + more] = s->last;
	w[18 + more] = s->node->mapped;
	return user_write(p, to, w, more ? 112 : 84);
}

/* struct shminfo64: Linux's limits, in words of the program's */
static int tell_segment_limits(struct process *p, address to)
{
	u32 w[18], word = WIDE(p) ? 2 : 1;
	int error;

	memset(w, 0, sizeof w);
	w[1] = w[4 * word + 1] = WIDE(p) ? ~0u : 0;
	w[0] = w[4 * word] = 0xfeffffffu; /* bytes of a segment, pages of all */
	w[word] = 1;
	w[2 * word] = w[3 * word] = 4096;
	error = user_write(p, to, w, 36 * word);
	return error ? error : ipc_highest(p, IPC_SEGMENTS);
}

int segment_control(struct process *p, u32 id, u32 command, address buffer)
{
	struct segment *s = segment_by(p, id);

	if (command == (IPC_INFO | IPC_64) && (int)id >= 0)
		return tell_segment_limits(p, buffer);
	if (!s || (!(command & IPC_64) && (command == IPC_SET || command == IPC_STAT)))
		return -EINVAL;
	switch (command & ~IPC_64) {
	case IPC_STAT:
		return tell(p, s, buffer);
	case IPC_SET:
		return ipc_set(p, &s->ipc, buffer);
	case IPC_RMID:
		if (ipc_owns(p, &s->ipc))
			return -EPERM;
		s->ipc.key = 0; /* who has its number may still attach it, until nobody does */
		s->ipc.mode |= SHM_DEST;
		if (!s->node->mapped)
			segment_free(&s->ipc);
		return 0;
	case 11: /* SHM_LOCK, SHM_UNLOCK: no memory ever leaves */
	case 12:
		if (ipc_owns(p, &s->ipc))
			return -EPERM;
		s->ipc.mode = (command & ~IPC_64) == 11 ? s->ipc.mode | SHM_LOCKED : s->ipc.mode & ~SHM_LOCKED;
		return 0;
	default:
		return -EINVAL;
	}
}
