/* share.c: frames that builders have mapped as shared.

   Mach shares no page between tasks that are no parent and child, so a shared page lies in one place at a time: in the task that touched it last, or
   in the server. Only one thread runs at a time, so that is as good as sharing: whoever touches the page next, a task by a fault or the server by
   machine_frame_touch, has it fetched from where it lies. One thing is lost: an instruction that needs one page at two addresses at once never gets
   both, and its step ends by its limit. */

#include "server.h"

#define BUCKETS 1024u

struct place { /* where a frame lies */
	struct place *next, *next_at; /* same hash of the frame; same hash of space and address; `next` also links unused ones */
	void *frame;
	struct machine_space *space;
	address at;
};

static struct place *by_frame[BUCKETS], *by_address[BUCKETS], *unused;

static struct place **frame_bucket(const void *frame)
{
	return &by_frame[(unsigned)frame / PAGE_SIZE % BUCKETS];
}

static struct place **address_bucket(struct machine_space *space, address at)
{
	return &by_address[((unsigned)space / PAGE_SIZE * 31 + at / PAGE_SIZE) % BUCKETS];
}

/* 0: no memory. */
static struct place *new_place(void)
{
	struct place *p = unused;
	unsigned i;

	if (!p) {
		p = machine_frame(1);
		for (i = 0; p && i < PAGE_SIZE / sizeof *p; i++) {
			p[i].next = unused;
			unused = &p[i];
		}
		p = unused;
	}
	if (p)
		unused = p->next;
	return p;
}

static struct place *find(struct machine_space *space, address at)
{
	struct place *p;

	for (p = *address_bucket(space, at); p; p = p->next_at)
		if (p->space == space && p->at == at)
			return p;
	machine_panic("defect: a shared page that lies nowhere");
	return 0;
}

static void forget(struct place *p)
{
	struct place **link;

	for (link = frame_bucket(p->frame); *link != p; link = &(*link)->next)
		;
	*link = p->next;
	for (link = address_bucket(p->space, p->at); *link != p; link = &(*link)->next_at)
		;
	*link = p->next_at;
	p->space->shared--;
	machine_frame_drop(p->frame);
	p->space = 0;
	p->frame = 0;
	p->next = unused;
	unused = p;
}

/* The page's content comes back into the frame; the task has it no more. */
static void fetch(struct place *p)
{
	void *data;

	if (machine_frame_users(p->frame) > 1) { /* else nobody will look at it again */
		if (vm_protect(p->space->task, p->at, PAGE_SIZE, 0, PROTECT_READ) || vm_read(p->space->task, p->at, PAGE_SIZE, &data))
			machine_panic("defect: a shared page cannot be read");
		memcpy(p->frame, data, PAGE_SIZE);
		vm_deallocate(self, (unsigned)data, PAGE_SIZE);
	}
	vm_deallocate(p->space->task, p->at, PAGE_SIZE);
	space_clear(p->space, p->at);
	forget(p);
}

/* Whatever is mapped as shared in these pages comes back. */
void share_return(struct machine_space *space, address at, unsigned pages)
{
	for (; pages && space->shared; pages--, at += PAGE_SIZE)
		if (space_rights(space, at) & RIGHT_SHARED)
			fetch(find(space, at));
}

/* A space that is to be copied, or freed: all that it has as shared comes back. */
void share_return_all(struct machine_space *space)
{
	unsigned i, n;

	for (i = 0; i <= USER_TOP >> 24 && space->shared; i++)
		for (n = 0; space->rights[i] && n < 4096 && space->shared; n++)
			if (space->rights[i][n] & RIGHT_SHARED)
				fetch(find(space, i << 24 | n << 12));
}

void machine_frame_touch(void *frame)
{
	struct place *p, *next;

	image_forget(frame);
	for (p = *frame_bucket(frame); p; p = next) {
		next = p->next;
		if (p->frame == frame) {
			copy_settle(0);
			fetch(p);
			return; /* it lay in no other place */
		}
	}
}

/* 0, or -1: no memory. */
int machine_space_share(struct machine_space *space, address at, void *frame, unsigned protection)
{
	struct place *p, **bucket;
	void *transfer;
	unsigned to = at;

	machine_frame_touch(frame);
	p = new_place();
	if (!p)
		return -1;
	p->frame = frame;
	p->space = space;
	p->at = at;
	bucket = frame_bucket(frame);
	p->next = *bucket;
	*bucket = p;
	bucket = address_bucket(space, at);
	p->next_at = *bucket;
	*bucket = p;
	space->shared++;
	machine_frame_keep(frame);
	transfer = space_new_shared(space, at, protection) ? 0 : memory_reserve(TRANSFER, PAGE_SIZE);
	if (transfer) {
		memcpy(transfer, frame, PAGE_SIZE);
		if (!vm_allocate(space->task, &to, PAGE_SIZE, 0) && !vm_write(space->task, at, transfer, PAGE_SIZE, 1) && !space_reprotect(space, at, 1, protection))
			return 0;
		vm_deallocate(self, TRANSFER, PAGE_SIZE);
		vm_deallocate(space->task, at, PAGE_SIZE);
	}
	space_clear(space, at);
	forget(p);
	return -1;
}
