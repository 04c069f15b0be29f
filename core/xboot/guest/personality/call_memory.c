/* call_memory.c: a process's memory: break, mappings, TLS. */

#include "call.h"

#define MEM 0x101
#define ZERO 0x105

CALL(brk)
{
	struct memory *m = p->memory;
	address wanted = r->ebx, old = (m->brk + PAGE_MASK) & ~PAGE_MASK, end, told = machine_thread_break(p->thread);

	if (told > m->brk && told <= old)
		m->brk = told;
	if (wanted < m->brk_start)
		return (long)m->brk;
	end = wanted > MMAP_TOP ? 0 : (wanted + PAGE_MASK) & ~PAGE_MASK; /* no wrap: MMAP_TOP is a page */
	if (!end || (end > old && !region_free(m, old, end))) {
		address_space_full();
		return (long)m->brk;
	}
	if (end > old) {
		if (region_map(m, old, end, rights_of(p->personality, PROT_READ | PROT_WRITE), 0, 0))
			return (long)m->brk;
	} else if (end < old && region_unmap(m, end, old)) {
		return (long)m->brk;
	}
	m->brk = wanted;
	return (long)wanted;
}

/* The export window: process 1 alone has such a descriptor. */
static long map_window(struct process *p, address at, machine_word size, u32 page)
{
	struct view view = { PROTECT_READ | PROTECT_WRITE, PROTECT_READ | PROTECT_WRITE, 0, 0, 0 };
	int error;

	if (page >> 20)
		return -EINVAL; /* no such physical address */
	error = region_add(p->memory, at, at + size, &view);
	if (error)
		return error;
	if (machine_space_physical(p->memory->space, at, size / PAGE_SIZE, (unsigned long)page << 12)) {
		region_unmap(p->memory, at, at + size);
		return -EPERM;
	}
	return (long)at;
}

/* What an open file may be mapped as. 0, or an error. */
static int view_file(struct file *f, u32 protection, struct view *view)
{
	u32 mode = f->flags & O_ACCMODE;

	if (mode == O_WRONLY || (view->shared && protection & PROT_WRITE && mode != O_RDWR))
		return -EACCES;
	if (f->pipe || (KIND(f->node) != S_IFREG && KIND(f->node) != S_IFCHR))
		return -ENODEV;
	if (KIND(f->node) == S_IFCHR && f->node->device != MEM && f->node->device != ZERO)
		return -ENODEV;
	if (view->shared && mode == O_RDWR && seal_stops_view(f->node, protection, view))
		return -EPERM;
	if (view->shared && mode != O_RDWR)
		view->most &= ~PROTECT_WRITE;
	view->node = f->node;
	return 0;
}

static long map(struct process *p, address at, machine_word size, u32 protection, u32 flags, int fd, u32 page)
{
	struct memory *m = p->memory;
	struct view view = { rights_of(p->personality, protection), PROTECT_READ | PROTECT_WRITE | PROTECT_EXECUTE, 0, 0, 0 };
	struct file *f = flags & MAP_ANONYMOUS ? 0 : file_of(p, fd);
	struct node *made = 0;
	u32 kind = flags & 15;
	int error = 0;

	if (!(flags & MAP_ANONYMOUS) && (!f || f->flags & O_PATH))
		return -EBADF;
	if (!size)
		return -EINVAL;
	view.shared = kind != MAP_PRIVATE;
	size = range_end(0, size, USER_TOP); /* whole pages */
	if (!size) {
		address_space_full();
		return -ENOMEM;
	}
	if (f && page > ~0u - size / PAGE_SIZE)
		return -EOVERFLOW;
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if (at & PAGE_MASK)
			return -EINVAL;
		if (at < USER_BOTTOM)
			return -EPERM;
		if (!range_end(at, size, USER_TOP))
			return -ENOMEM;
		if (flags & MAP_FIXED_NOREPLACE && !region_free(m, at, at + size))
			return -EEXIST;
	}
	if (!kind || kind > (f ? 3 : 2)) /* MAP_SHARED_VALIDATE is for files */
		return -EINVAL;
	view.page = f ? page : 0;
	error = f ? view_file(f, protection, &view) : 0;
	if (error)
		return error;
	if (flags & MAP_FIXED) {
		if (region_unmap(m, at, at + size))
			return -ENOMEM;
	} else if (!(flags & MAP_FIXED_NOREPLACE)) {
		at = region_gap(m, (at + PAGE_MASK) & ~PAGE_MASK, size);
		if (!at)
			return -ENOMEM;
	}
	if (view.node && KIND(view.node) == S_IFCHR && view.node->device == MEM)
		return map_window(p, at, size, page);
	if (view.node && KIND(view.node) == S_IFCHR) { /* zeros: no file behind them */
		view.node = 0;
		view.page = 0;
	}
	if (!view.node && view.shared) { /* a file without a name, for all who will share it */
		view.node = made = node_nameless(p, S_IFREG | 0600);
		if (!made)
			return -ENOMEM;
		made->size = size;
	}
	error = region_view(m, at, at + size, &view);
	if (!error && f && view.node)
		stamp_access(p, view.node);
	if (made)
		node_drop(made);
	return error ? error : (long)at;
}

/* A wide program says the offset in bytes. */
CALL(mmap2)
{
	if (WIDE(p)) {
		if (r->ebp & PAGE_MASK)
			return -EINVAL;
		r->ebp = (u64)r->ebp >> 12;
		if ((u64)r->ebp >> 32)
			return -EOVERFLOW;
	}
	return map(p, r->ebx, r->ecx, r->edx, r->esi, (int)r->edi, r->ebp);
}

/* The old call: its six arguments lie in memory, the offset is in bytes. */
CALL(mmap)
{
	u32 a[6];

	if (user_read(p, a, r->ebx, sizeof a))
		return -EFAULT;
	if (a[5] & PAGE_MASK)
		return -EINVAL;
	return map(p, a[0], a[1], a[2], a[3], (int)a[4], a[5] >> 12);
}

CALL(munmap)
{
	address end = range_end(r->ebx, r->ecx, USER_TOP);

	return end ? region_unmap(p->memory, r->ebx, end) : -EINVAL;
}

CALL(mprotect)
{
	address at = r->ebx, end = range_end(at, r->ecx, USER_TOP);
	struct region *q;

	if (at & PAGE_MASK || r->edx & ~(7u | PROT_GROWSDOWN))
		return -EINVAL;
	if (!r->ecx)
		return 0;
	if (!end)
		return -ENOMEM;
	if (r->edx & PROT_GROWSDOWN) { /* all of the stack up to here */
		q = region_at(p->memory, at);
		if (!q || !q->stack)
			return q ? -EINVAL : -ENOMEM;
		at = q->start;
	}
	return region_protect(p->memory, at, end, rights_of(p->personality, r->edx));
}

/* More of what a region shows: what follows `offset` bytes behind `from`, at a free place. 0, ENOMEM, or EINVAL: there are no such pages. */
static int extend(struct memory *m, struct region *q, address from, machine_word offset, address at, address end)
{
	struct view view = q->view;
	u32 skip = (u32)((from - q->start + offset) / PAGE_SIZE); /* no wrap: these lie in one space */

	if (view.node && view.page > ~0u - skip - (end - at) / PAGE_SIZE)
		return -EINVAL;
	view.page += skip;
	return region_view(m, at, end, &view);
}

/* To another place: a given one (fixed), or any. The place, or an error that leaves everything as it was (but what lay in a fixed place, and what the new size has no
   room for, is gone, as in Linux). */
static long move_to(struct memory *m, address at, address end, machine_word size, int fixed, address to)
{
	struct region *q;
	int error;

	if (fixed) {
		if (to & PAGE_MASK || to < USER_BOTTOM || !range_end(to, size, MMAP_TOP) || (to < end && at < to + size))
			return -EINVAL;
		if (region_unmap(m, to, to + size) || (size < end - at && region_unmap(m, at + size, end)))
			return -ENOMEM;
		if (size < end - at)
			end = at + size;
	}
	q = region_at(m, at);
	if (!q || q->end < end)
		return -EFAULT;
	if (!fixed) {
		to = region_gap(m, 0, size);
		if (!to)
			return -ENOMEM;
	}
	if (size > end - at && (error = extend(m, q, at, end - at, to + (end - at), to + size)))
		return error;
	error = region_move(m, at, end, to);
	if (error && size > end - at)
		region_unmap(m, to + (end - at), to + size);
	return error ? error : (long)to;
}

/* As in Linux, a size that shrinks may reach over several regions and holes; one that grows is of one region. */
CALL(mremap)
{
	struct memory *m = p->memory;
	struct region *q;
	address end = range_end(r->ebx, r->ecx, USER_TOP), wanted = range_end(r->ebx, r->edx, MMAP_TOP);
	machine_word size = range_end(0, r->edx, MMAP_TOP);
	int error;

	if (r->ebx & PAGE_MASK || !r->ecx || !r->edx || r->esi & ~3u || r->esi == 2)
		return -EINVAL;
	region_join(m, r->ebx); /* it may have been moved, or grown, or been under other rights before */
	q = region_at(m, r->ebx);
	if (!q || !end)
		return -EFAULT;
	if (!size)
		return -ENOMEM;
	if (r->esi & 2)
		return move_to(m, r->ebx, end, size, 1, r->edi);
	if (wanted && wanted <= end) {
		error = wanted < end ? region_unmap(m, wanted, end) : 0;
		return error ? error : (long)r->ebx;
	}
	if (q->end < end)
		return -EFAULT;
	if (wanted && q->end == end && region_free(m, end, wanted)) {
		error = extend(m, q, r->ebx, end - r->ebx, end, wanted);
		return error ? error : (long)r->ebx;
	}
	return r->esi & 1 ? move_to(m, r->ebx, end, size, 0, 0) : -ENOMEM;
}

#define DONTNEED 4u

/* Advice need not be taken, but for the one that drops pages. Advice that changes what a fork does, or what is kept (REMOVE, DONTFORK, WIPEONFORK), is
   refused: it would have to be obeyed. */
CALL(madvise)
{
	u32 advice = r->edx;
	address end;

	if (r->ebx & PAGE_MASK || !(advice <= 4 || advice == 8 || (advice >= 11 && advice <= 17) || (advice >= 20 && advice <= 23)))
		return -EINVAL;
	if (!r->ecx)
		return 0;
	end = range_end(r->ebx, r->ecx, USER_TOP);
	if (!end)
		return -ENOMEM;
	if (advice == DONTNEED) /* what comes after the pages shows */
		return region_forget(p->memory, r->ebx, end);
	return region_covers(p->memory, r->ebx, end) ? 0 : -ENOMEM;
}

/* Nothing is ever swapped out. */
CALL(mincore)
{
	static const u8 ones[64] = {
		1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
		1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	};
	address end;
	u32 pages, part, done;

	if (r->ebx & PAGE_MASK)
		return -EINVAL;
	if (!r->ecx)
		return 0;
	end = range_end(r->ebx, r->ecx, USER_TOP);
	if (!end || !region_covers(p->memory, r->ebx, end))
		return -ENOMEM;
	pages = (u32)((end - r->ebx) / PAGE_SIZE);
	for (done = 0; done < pages; done += part) {
		part = pages - done < sizeof ones ? pages - done : (u32)sizeof ones;
		if (user_write(p, r->edx + done, ones, part))
			return -EFAULT;
	}
	return 0;
}

/* Files are memory: there is nothing to bring anywhere. */
CALL(msync)
{
	address end = range_end(r->ebx, r->ecx, USER_TOP);

	if (r->ebx & PAGE_MASK || r->edx & ~7u || (r->edx & 5) == 5)
		return -EINVAL;
	if (!r->ecx)
		return 0;
	return end && region_covers(p->memory, r->ebx, end) ? 0 : -ENOMEM;
}

CALL(set_thread_area)
{
	u32 d[4];
	int entry;

	if (user_read(p, d, r->ebx, 16))
		return -EFAULT;
	entry = machine_thread_segment(p->thread, (int)d[0], d[1], d[2], (int)(d[3] >> 4 & 1));
	if (entry < 0)
		return -EINVAL;
	d[0] = (u32)entry;
	return user_write(p, r->ebx, d, 4);
}
