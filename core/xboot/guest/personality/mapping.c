/* mapping.c: what regions show: files and zeros, provided at once or when they are touched; and the way to a user's memory.

   A region that shows a file maps the file's own frames: a private one as copies on write, a shared one as they are. Pages that the file has at the time come at
   once when the region is private, since programs are about to run them; all others when they are touched, so a hole gets its frame, and what lies behind the end
   of the file is SIGBUS, as in Linux, also after a truncation (region_cut). */

#include "personality.h"

/* The frame of a file's page as it is now, for mapping; made where there is none. 0: no memory. */
static void *frame_of(struct node *node, u32 page)
{
	void *frame = content_frame(node, page);

	if (!frame)
		return content_make(node, page);
	if (node->shared)
		machine_frame_touch(frame);
	return frame;
}

static u32 pages_of(struct node *node)
{
	return (u32)((node->size + PAGE_MASK) >> 12);
}

/* Runs of pages that a file has, at once; its holes and what lies behind it, later. 0, or -1. */
static int map_private(struct memory *m, address at, address end, const struct view *view)
{
	void *frames[64];
	u32 n, page = view->page, have = pages_of(view->node);

	while (at < end && page < have) {
		for (n = 0; at + n * PAGE_SIZE < end && n < 64 && page + n < have && content_frame(view->node, page + n); n++)
			frames[n] = frame_of(view->node, page + n);
		if (n && machine_space_frames(m->space, at, frames, n, view->protection))
			return -1;
		n += !n; /* a hole */
		at += n * PAGE_SIZE;
		page += n;
	}
	return 0;
}

/* So many bytes more are more than the process may have mapped. */
static int too_much(struct memory *m, machine_word more)
{
	u64 most = current ? current->crew->limits[LIMIT_SPACE].soft : NO_LIMIT, all = more;
	struct region *r;

	for (r = most == NO_LIMIT ? 0 : m->regions; r; r = r->next)
		all += r->end - r->start;
	return all > most;
}

/* 0, or ENOMEM: nothing has changed. */
int region_view(struct memory *m, address at, address end, const struct view *view)
{
	int error = 0;

	if (too_much(m, end - at))
		return -ENOMEM;
	if (!view->node)
		error = machine_space_zero(m->space, at, (end - at) / PAGE_SIZE, view->protection);
	else if (!view->shared && view->protection)
		error = map_private(m, at, end, view);
	if (!error && !region_add(m, at, end, view))
		return 0;
	machine_space_unmap(m->space, at, (end - at) / PAGE_SIZE); /* what was mapped of it: there is no region for it yet */
	return -ENOMEM;
}

int region_map(struct memory *m, address at, address end, u32 protection, struct node *node, u32 page)
{
	struct view view;

	view.protection = protection;
	view.most = PROTECT_READ | PROTECT_WRITE | PROTECT_EXECUTE;
	view.node = node;
	view.page = page;
	view.shared = 0;
	return region_view(m, at, end, &view);
}

/* A fault, or a copy, below the stack: it grows down to there, 16 pages at a time at least. 1 when it did. */
static int grow(struct memory *m, address at)
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
	if (before && to < before->end + PAGE_SIZE)
		to = before->end + PAGE_SIZE; /* a page that is never mapped lies between them */
	if (to > (at & ~PAGE_MASK) || too_much(m, r->start - to))
		return 0;
	if (machine_space_zero(m->space, to, (r->start - to) / PAGE_SIZE, r->view.protection)) {
		machine_space_unmap(m->space, to, (r->start - to) / PAGE_SIZE);
		return 0;
	}
	r->start = to;
	return 1;
}

/* A page that is not there, or a right that is not given. 0: it is there now; else the signal. A file that many see changes when a page is written first. */
int region_fault(struct memory *m, address at, int write)
{
	struct region *r = region_at(m, at);
	void *frame;
	u32 page;

	if (!r)
		return grow(m, at) ? 0 : SIGSEGV;
	at &= ~PAGE_MASK;
	if (!r->view.protection || machine_space_has(m->space, at))
		return SIGSEGV;
	if (!r->view.node) { /* zeros that have been forgotten (region_forget) */
		if (!machine_space_zero(m->space, at, 1, r->view.protection))
			return 0;
		machine_space_unmap(m->space, at, 1);
		return SIGBUS;
	}
	page = r->view.page + (u32)((at - r->start) / PAGE_SIZE);
	if (page >= pages_of(r->view.node))
		return SIGBUS;
	frame = frame_of(r->view.node, page);
	if (!frame)
		return SIGBUS;
	if (r->view.shared ? machine_space_share(m->space, at, frame, r->view.protection) : machine_space_frames(m->space, at, &frame, 1, r->view.protection)) {
		machine_space_unmap(m->space, at, 1);
		return SIGBUS;
	}
	if (write && r->view.shared && r->view.protection & PROTECT_WRITE) {
		stamp_now(&r->view.node->modify);
		r->view.node->change = r->view.node->modify;
	}
	return 0;
}

/* All memories are those of processes; one that two share is done twice, which does no harm. */
void region_cut(struct node *node, u32 page)
{
	struct memory *m;
	struct region *r;
	u32 i, skip;

	for (i = 0; i < PROCESSES && node->mapped; i++) {
		m = processes[i] ? processes[i]->memory : 0;
		for (r = m ? m->regions : 0; r; r = r->next) {
			if (r->view.node != node)
				continue;
			skip = page > r->view.page ? page - r->view.page : 0;
			if (skip < (r->end - r->start) / PAGE_SIZE)
				machine_space_unmap(m->space, r->start + skip * PAGE_SIZE, (r->end - r->start) / PAGE_SIZE - skip);
		}
	}
}

/* ---- a user's memory ---- */

/* Provides what is not there yet of this memory. 1: something came, so a copy may be tried again. */
static int provide(struct memory *m, address at, unsigned length, int write)
{
	unsigned part;
	int some = 0;

	for (; length; length -= part, at += part) {
		part = PAGE_SIZE - (unsigned)(at & PAGE_MASK);
		if (part > length)
			part = length;
		if (at < USER_BOTTOM || at >= USER_TOP)
			return some;
		if (!machine_space_has(m->space, at & ~PAGE_MASK)) {
			if (region_fault(m, at, write))
				return some;
			some = 1;
		}
	}
	return some;
}

int memory_read(struct memory *m, void *to, address from, unsigned length)
{
	if (!machine_read(m->space, to, from, length))
		return 0;
	return provide(m, from, length, 0) && !machine_read(m->space, to, from, length) ? 0 : -1;
}

int memory_write(struct memory *m, address to, const void *from, unsigned length)
{
	if (!machine_write(m->space, to, from, length))
		return 0;
	return provide(m, to, length, 1) && !machine_write(m->space, to, from, length) ? 0 : -1;
}

int user_read(struct process *p, void *to, address from, unsigned length)
{
	return memory_read(p->memory, to, from, length) ? -EFAULT : 0;
}

int user_write(struct process *p, address to, const void *from, unsigned length)
{
	return memory_write(p->memory, to, from, length) ? -EFAULT : 0;
}

u32 word_of_user(u64 word)
{
	return word >> 32 ? ~0u : (u32)word;
}

int user_words(struct process *p, u32 *to, address from, u32 count)
{
	u64 word;

	if (!WIDE(p))
		return user_read(p, to, from, count * 4);
	for (; count; count--, from += 8, to++) {
		if (user_read(p, &word, from, 8))
			return -EFAULT;
		*to = word_of_user(word);
	}
	return 0;
}

int user_numbers(struct process *p, long long *to, address from, u32 count)
{
	int narrow = 0;

	for (; count; count--, from += WORD(p), to++) {
		if (WIDE(p) ? user_read(p, to, from, 8) : user_read(p, &narrow, from, 4))
			return -EFAULT;
		if (!WIDE(p))
			*to = narrow;
	}
	return 0;
}

int user_give(struct process *p, address to, const u32 *words, u32 count)
{
	u64 word;

	if (!WIDE(p))
		return user_write(p, to, words, count * 4);
	for (; count; count--, to += 8, words++) {
		word = *words;
		if (user_write(p, to, &word, 8))
			return -EFAULT;
	}
	return 0;
}
