/* region.c: what is mapped where in a process's memory. The list is sorted; the pages themselves are the machine's. */

#include "personality.h"

/* The end, rounded up to a page, of size bytes from a page on. 0: none at all, or they do not lie below limit, which is a page, too. Whatever a user asks to
   have mapped, unmapped, protected or moved passes here, so that no sum wraps around. */
address range_end(address at, u32 size, address limit)
{
	if (at & PAGE_MASK || at >= limit || !size || size > limit - at)
		return 0;
	return at + ((size + PAGE_MASK) & ~PAGE_MASK);
}

struct memory *memory_new(void)
{
	struct memory *m = pool_get(sizeof *m);

	if (!m)
		return 0;
	m->users = 1;
	m->space = machine_space_new();
	if (!m->space) {
		pool_put(m, sizeof *m);
		return 0;
	}
	return m;
}

struct memory *memory_copy(struct memory *m)
{
	struct memory *copy = pool_get(sizeof *copy);
	struct region *r, *c, **end;

	if (!copy)
		return 0;
	*copy = *m;
	copy->users = 1;
	copy->regions = 0;
	end = &copy->regions;
	for (r = m->regions; r; r = r->next) {
		c = pool_get(sizeof *c);
		if (!c)
			break;
		*c = *r;
		c->next = 0;
		*end = c;
		end = &c->next;
	}
	copy->space = r ? 0 : machine_space_copy(m->space);
	if (!copy->space) {
		memory_drop(copy);
		return 0;
	}
	return copy;
}

void memory_drop(struct memory *m)
{
	struct region *r;

	if (--m->users)
		return;
	while ((r = m->regions)) {
		m->regions = r->next;
		pool_put(r, sizeof *r);
	}
	if (m->space)
		machine_space_free(m->space);
	pool_put(m, sizeof *m);
}

static struct region *region_at(struct memory *m, address at)
{
	struct region *r;

	for (r = m->regions; r && r->end <= at; r = r->next)
		;
	return r && r->start <= at ? r : 0;
}

int region_free(struct memory *m, address at, address end)
{
	struct region *r;

	for (r = m->regions; r && r->end <= at; r = r->next)
		;
	return !r || r->start >= end;
}

/* The highest free place below the stack, or the hint. */
address region_gap(struct memory *m, address hint, u32 size)
{
	struct region *r;
	address best = 0, from = USER_BOTTOM, to;

	if (hint >= USER_BOTTOM && hint < MMAP_TOP && size <= MMAP_TOP - hint && region_free(m, hint, hint + size))
		return hint;
	for (r = m->regions;; r = r->next) {
		to = r && r->start < MMAP_TOP ? r->start : MMAP_TOP;
		if (to > from && to - from >= size)
			best = to - size;
		if (!r || r->start >= MMAP_TOP)
			break;
		from = r->end;
	}
	return best;
}

int region_add(struct memory *m, address at, address end, u32 protection, u32 backed)
{
	static unsigned once;
	struct region **place = &m->regions, *r, *before = 0;

	while (*place && (*place)->start < at) {
		before = *place;
		place = &before->next;
	}
	r = *place;
	if (before && before->end == at && before->protection == protection && before->backed == backed && !before->stack) { /* grows its neighbour: brk, ld.so */
		before->end = end;
		if (r && r->start == end && r->protection == protection && r->backed == backed && !r->stack) {
			before->end = r->end;
			before->next = r->next;
			pool_put(r, sizeof *r);
			m->region_count--;
		}
		return 0;
	}
	if (m->region_count >= REGIONS) {
		limit_reached(&once, "4096 regions in a process (ENOMEM)");
		return -ENOMEM;
	}
	r = pool_get(sizeof *r);
	if (!r)
		return -ENOMEM;
	r->start = at;
	r->end = end;
	r->protection = protection;
	r->backed = backed;
	r->next = *place;
	*place = r;
	m->region_count++;
	return 0;
}

int region_map(struct memory *m, address at, address end, u32 protection, struct node *node, u32 page)
{
	void *frames[64];
	u32 n, pages, have;
	address to = at;
	int error;

	have = node ? (u32)((node->size + PAGE_MASK) >> 12) : 0;
	while (to < end) {
		pages = (end - to) / PAGE_SIZE;
		for (n = 0; n < pages && n < 64 && node && page + n < have; n++) {
			frames[n] = content_frame(node, page + n);
			if (!frames[n])
				break;
		}
		if (n) {
			error = machine_space_frames(m->space, to, frames, n, protection);
		} else {
			n = node && page < have ? 1 : pages; /* one hole, or all that is no file */
			error = machine_space_zero(m->space, to, n, protection);
		}
		to += n * PAGE_SIZE;
		page += n;
		if (error)
			break;
	}
	if (to == end && !error && !region_add(m, at, end, protection, node != 0))
		return 0;
	machine_space_unmap(m->space, at, (to - at) / PAGE_SIZE); /* what was mapped of it: there is no region for it yet */
	return -ENOMEM;
}

/* Cuts a region in two at an address inside it. */
static int split(struct memory *m, address at)
{
	struct region *r = region_at(m, at), *upper;

	if (!r || r->start == at)
		return 0;
	upper = pool_get(sizeof *upper);
	if (!upper || m->region_count >= REGIONS) {
		pool_put(upper, sizeof *upper);
		return -ENOMEM;
	}
	*upper = *r;
	upper->start = at;
	upper->stack = 0;
	r->end = at;
	r->next = upper;
	m->region_count++;
	return 0;
}

int region_unmap(struct memory *m, address at, address end)
{
	struct region **place, *r;

	if (split(m, at) || split(m, end))
		return -ENOMEM;
	for (place = &m->regions; (r = *place);) {
		if (r->start >= at && r->end <= end) {
			machine_space_unmap(m->space, r->start, (r->end - r->start) / PAGE_SIZE);
			*place = r->next;
			pool_put(r, sizeof *r);
			m->region_count--;
		} else {
			place = &r->next;
		}
	}
	return 0;
}

int region_covers(struct memory *m, address at, address end)
{
	struct region *r;

	for (r = m->regions; r && at < end; r = r->next)
		if (r->start <= at && r->end > at)
			at = r->end;
	return at >= end;
}

int region_protect(struct memory *m, address at, address end, u32 protection)
{
	struct region *r;

	if (!region_covers(m, at, end))
		return -ENOMEM;
	if (split(m, at) || split(m, end))
		return -ENOMEM;
	for (r = m->regions; r; r = r->next)
		if (r->start >= at && r->end <= end) {
			r->protection = protection;
			machine_space_protect(m->space, r->start, (r->end - r->start) / PAGE_SIZE, protection);
		}
	return 0;
}

/* MADV_DONTNEED. A private mapping of a file would have to show the file again, which is not kept: refused. What lies between is passed over (-ENOMEM). */
int region_clear(struct memory *m, address at, address end)
{
	struct region *r;
	address from, to, next = at;

	for (r = m->regions; r; r = r->next)
		if (r->end > at && r->start < end && r->backed)
			return -EINVAL;
	for (r = m->regions; r; r = r->next) {
		if (r->end <= at || r->start >= end)
			continue;
		from = r->start > at ? r->start : at;
		to = r->end < end ? r->end : end;
		if (from == next)
			next = to;
		machine_space_unmap(m->space, from, (to - from) / PAGE_SIZE);
		if (machine_space_zero(m->space, from, (to - from) / PAGE_SIZE, r->protection)) {
			region_unmap(m, from, to);
			return -ENOMEM;
		}
	}
	return next == end ? 0 : -ENOMEM;
}

/* A fault, or a copy, below the stack: it grows down to there, 16 pages at a time at least. */
int region_grow(struct memory *m, address at)
{
	struct region *r, *before = 0;
	address to;

	for (r = m->regions; r && !r->stack; r = r->next)
		before = r;
	if (!r || at >= r->start || at < STACK_TOP - STACK_LIMIT)
		return 0;
	to = at & ~PAGE_MASK;
	if (r->start - to < 16 * PAGE_SIZE)
		to = r->start - 16 * PAGE_SIZE;
	if (to < STACK_TOP - STACK_LIMIT)
		to = STACK_TOP - STACK_LIMIT;
	if (before && to < before->end)
		to = before->end;
	if (to > (at & ~PAGE_MASK))
		return 0;
	if (machine_space_zero(m->space, to, (r->start - to) / PAGE_SIZE, r->protection)) {
		machine_space_unmap(m->space, to, (r->start - to) / PAGE_SIZE);
		return 0;
	}
	r->start = to;
	return 1;
}

int user_read(struct process *p, void *to, address from, unsigned length)
{
	if (!machine_read(p->memory->space, to, from, length))
		return 0;
	return region_grow(p->memory, from) && !machine_read(p->memory->space, to, from, length) ? 0 : -EFAULT;
}

int user_write(struct process *p, address to, const void *from, unsigned length)
{
	if (!machine_write(p->memory->space, to, from, length))
		return 0;
	return region_grow(p->memory, to) && !machine_write(p->memory->space, to, from, length) ? 0 : -EFAULT;
}
