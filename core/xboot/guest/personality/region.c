/* region.c: what is mapped where in a process's memory. The list is sorted; the pages themselves are the machine's. */

#include "personality.h"

/* The end, rounded up to a page, of size bytes from a page on. 0: none at all, or they do not lie below limit, which is a page, too. Whatever a user asks to
   have mapped, unmapped, protected or moved passes here, so that no sum wraps around. */
address range_end(address at, machine_word size, address limit)
{
	if (at & PAGE_MASK || at >= limit || !size || size > limit - at)
		return 0;
	return at + ((size + PAGE_MASK) & ~PAGE_MASK);
}

u32 rights_of(u32 personality, u32 protection)
{
	u32 rights = (protection & PROT_READ ? PROTECT_READ : 0) | (protection & PROT_WRITE ? PROTECT_WRITE : 0) | (protection & PROT_EXEC ? PROTECT_EXECUTE : 0);

	return rights & PROTECT_READ && personality & READ_IMPLIES_EXEC ? rights | PROTECT_EXECUTE : rights;
}

struct memory *memory_new(void)
{
	struct memory *m = pool_of(POOL_MEMORIES, sizeof *m);

	if (!m)
		return 0;
	m->users = 1;
	m->space = machine_space_new();
	if (!m->space) {
		pool_back(POOL_MEMORIES, m, sizeof *m);
		return 0;
	}
	return m;
}

/* ---- what regions hold of nodes ---- */

static u32 writes(const struct view *view)
{
	return view->shared && view->most & PROTECT_WRITE;
}

static void view_keep(const struct view *view)
{
	if (!view->node)
		return;
	node_keep(view->node);
	count_more(&view->node->mapped);
	view->node->shared += view->shared;
	view->node->writers += writes(view);
	view->node->written += writes(view);
}

static void view_drop(const struct view *view)
{
	if (!view->node)
		return;
	count_less(&view->node->mapped);
	view->node->shared -= view->shared;
	view->node->writers -= writes(view);
	view->node->written -= writes(view);
	if (view->node->segment)
		segment_left(view->node);
	node_drop(view->node);
}

void memory_runs(struct memory *m, struct node *program)
{
	if (program) {
		node_keep(program);
		count_more(&program->running);
	}
	if (m->program) {
		count_less(&m->program->running);
		node_drop(m->program);
	}
	m->program = program;
}

struct memory *memory_copy(struct memory *m)
{
	struct memory *copy = pool_of(POOL_MEMORIES, sizeof *copy);
	struct region *r, *c, **end;

	if (!copy)
		return 0;
	copy->users = 1;
	copy->region_count = m->region_count;
	copy->brk_start = m->brk_start;
	copy->brk = m->brk;
	memory_runs(copy, m->program);
	end = &copy->regions;
	for (r = m->regions; r; r = r->next) {
		c = pool_of(POOL_REGIONS, sizeof *c);
		if (!c)
			break;
		*c = *r;
		c->next = 0;
		view_keep(&c->view);
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

	if (count_less(&m->users))
		return;
	if (m->space)
		machine_space_free(m->space);
	while ((r = m->regions)) {
		m->regions = r->next;
		view_drop(&r->view);
		pool_back(POOL_REGIONS, r, sizeof *r);
	}
	memory_runs(m, 0);
	pool_back(POOL_MEMORIES, m, sizeof *m);
}

/* ---- the list ---- */

struct region *region_at(struct memory *m, address at)
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

int region_covers(struct memory *m, address at, address end)
{
	struct region *r;

	for (r = m->regions; r && at < end; r = r->next)
		if (r->start <= at && r->end > at)
			at = r->end;
	return at >= end;
}

void address_space_full(void)
{
	static unsigned once;

	limit_reached(&once, "no free range in a process's address space (ENOMEM)");
}

/* The highest free place below the stack, or the hint. */
address region_gap(struct memory *m, address hint, machine_word size)
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
	if (!best)
		address_space_full();
	return best;
}

/* Memory that begins as zeros grows its neighbour: brk, ld.so. */
static int same_view(struct region *r, const struct view *view)
{
	return !r->stack && !r->view.node && !view->node && r->view.protection == view->protection && r->view.most == view->most;
}

/* 0, or ENOMEM. */
int region_add(struct memory *m, address at, address end, const struct view *view)
{
	static unsigned once;
	struct region **place = &m->regions, *r, *before = 0;

	while (*place && (*place)->start < at) {
		before = *place;
		place = &before->next;
	}
	r = *place;
	if (before && before->end == at && same_view(before, view)) {
		before->end = end;
		if (r && r->start == end && same_view(r, view)) {
			before->end = r->end;
			before->next = r->next;
			pool_back(POOL_REGIONS, r, sizeof *r);
			m->region_count--;
		}
		return 0;
	}
	if (m->region_count >= REGIONS) {
		limit_reached(&once, "4096 regions in a process (ENOMEM)");
		return -ENOMEM;
	}
	r = pool_of(POOL_REGIONS, sizeof *r);
	if (!r)
		return -ENOMEM;
	r->start = at;
	r->end = end;
	r->view = *view;
	view_keep(view);
	r->next = *place;
	*place = r;
	m->region_count++;
	return 0;
}

/* Segments' pieces stay: they are counted. */
static int shows_next(struct region *r, struct region *next)
{
	struct view *view = &next->view;

	if (next->start != r->end || r->stack || next->stack || r->view.node != view->node || (view->node && view->node->segment))
		return 0;
	if (view->node && (view->page < r->view.page || view->page - r->view.page != (r->end - r->start) / PAGE_SIZE))
		return 0;
	return r->view.protection == view->protection && r->view.most == view->most && r->view.shared == view->shared;
}

void region_join(struct memory *m, address at)
{
	struct region *r = region_at(m, at), *next;

	while (r && (next = r->next) && shows_next(r, next)) {
		r->end = next->end;
		r->next = next->next;
		view_drop(&next->view);
		pool_back(POOL_REGIONS, next, sizeof *next);
		m->region_count--;
	}
}

/* Cuts a region in two at an address inside it. */
static int split(struct memory *m, address at)
{
	struct region *r = region_at(m, at), *upper;

	if (!r || r->start == at)
		return 0;
	upper = pool_of(POOL_REGIONS, sizeof *upper);
	if (!upper || m->region_count >= REGIONS) {
		pool_back(POOL_REGIONS, upper, sizeof *upper);
		return -ENOMEM;
	}
	*upper = *r;
	upper->start = at;
	upper->stack = 0;
	upper->view.page += (u32)((at - r->start) / PAGE_SIZE);
	view_keep(&upper->view);
	r->end = at;
	r->next = upper;
	m->region_count++;
	return 0;
}

/* 0, or ENOMEM: nothing has changed. */
int region_unmap(struct memory *m, address at, address end)
{
	struct region **place, *r;

	if (split(m, at) || split(m, end))
		return -ENOMEM;
	for (place = &m->regions; (r = *place) && r->start < end;) {
		if (r->start >= at) {
			machine_space_unmap(m->space, r->start, (r->end - r->start) / PAGE_SIZE);
			*place = r->next;
			view_drop(&r->view);
			pool_back(POOL_REGIONS, r, sizeof *r);
			m->region_count--;
		} else {
			place = &r->next;
		}
	}
	return 0;
}

/* As Linux: what lies before a hole, or before what may not have these rights, has got them when that is met. */
int region_protect(struct memory *m, address at, address end, u32 protection)
{
	struct region *r;

	if (split(m, at) || split(m, end))
		return -ENOMEM;
	for (r = m->regions; r && r->end <= at; r = r->next)
		;
	for (; at < end; at = r->end, r = r->next) {
		if (!r || r->start != at)
			return -ENOMEM;
		if (protection & ~r->view.most)
			return -EACCES;
		r->view.protection = protection;
		machine_space_protect(m->space, r->start, (r->end - r->start) / PAGE_SIZE, protection);
	}
	return 0;
}

/* 0, or ENOMEM: not all of it is mapped; what is, has forgotten. Zeros that there is no memory for now come when they are touched (region_fault). */
int region_forget(struct memory *m, address at, address end)
{
	struct region *r;
	address to;
	int error = 0;

	for (r = m->regions; r && r->end <= at; r = r->next)
		;
	for (; at < end; at = to, r = r->next) {
		if (!r || r->start > at) { /* what lies behind a hole forgets as well, as in Linux */
			error = -ENOMEM;
			if (!r || r->start >= end)
				break;
			at = r->start;
		}
		to = r->end < end ? r->end : end;
		machine_space_unmap(m->space, at, (to - at) / PAGE_SIZE);
		if (!r->view.node && machine_space_zero(m->space, at, (to - at) / PAGE_SIZE, r->view.protection))
			machine_space_unmap(m->space, at, (to - at) / PAGE_SIZE);
	}
	return error;
}

/* Pages of one region to a free place, which shows what they showed. 0, or ENOMEM: nothing has changed. The region itself goes along, so nothing can fail midway. */
int region_move(struct memory *m, address at, address end, address to)
{
	struct region **place, *r;

	if (split(m, at) || split(m, end))
		return -ENOMEM;
	for (place = &m->regions; (r = *place) && r->start < at; place = &r->next)
		;
	if (!r || r->start != at || r->end != end)
		machine_panic("defect: what is moved is not one region");
	if (machine_space_move(m->space, at, to, (end - at) / PAGE_SIZE))
		return -ENOMEM;
	*place = r->next;
	r->start = to;
	r->end = to + (end - at); /* no wrap: the caller has it from region_gap or range_end */
	r->stack = 0;
	for (place = &m->regions; *place && (*place)->start < to; place = &(*place)->next)
		;
	r->next = *place;
	*place = r;
	return 0;
}
