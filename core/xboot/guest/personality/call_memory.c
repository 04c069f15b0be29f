/* call_memory.c: a process's memory: break, mappings, TLS. */

#include "call.h"

#define MEM 0x101

CALL(brk)
{
	struct memory *m = p->memory;
	address wanted = r->ebx, old = (m->brk + PAGE_MASK) & ~PAGE_MASK, end, told = machine_thread_break(p->thread);

	if (told > m->brk && told <= old)
		m->brk = told;
	if (wanted < m->brk_start || wanted > MMAP_TOP)
		return (int)m->brk;
	end = (wanted + PAGE_MASK) & ~PAGE_MASK; /* no wrap: MMAP_TOP is a page */
	if (end > old) {
		if (!region_free(m, old, end) || (end - old) / PAGE_SIZE > machine_frames_total() || region_map(m, old, end, PROTECT_READ | PROTECT_WRITE | PROTECT_EXECUTE, 0, 0))
			return (int)m->brk;
	} else if (end < old && region_unmap(m, end, old)) {
		return (int)m->brk;
	}
	m->brk = wanted;
	return (int)wanted;
}

static u32 rights(u32 protection)
{
	return (protection & PROT_READ ? PROTECT_READ : 0) | (protection & PROT_WRITE ? PROTECT_WRITE : 0) | (protection & PROT_EXEC ? PROTECT_EXECUTE : 0);
}

/* The export window: process 1 alone has such a descriptor. */
static int map_window(struct process *p, address at, u32 size, u32 page)
{
	int error;

	if (page >> 20)
		return -EINVAL; /* no such physical address */
	error = region_add(p->memory, at, at + size, PROTECT_READ | PROTECT_WRITE, 1);
	if (error)
		return error;
	if (machine_space_physical(p->memory->space, at, size / PAGE_SIZE, (unsigned long)page << 12)) {
		region_unmap(p->memory, at, at + size);
		return -EPERM;
	}
	return (int)at;
}

static int map(struct process *p, address at, u32 size, u32 protection, u32 flags, int fd, u32 page)
{
	static unsigned shared_once;
	struct memory *m = p->memory;
	struct file *f = 0;
	int error;

	if (!size || !(flags & (MAP_SHARED | MAP_PRIVATE)))
		return -EINVAL;
	size = range_end(0, size, USER_TOP); /* whole pages */
	if (!size)
		return -ENOMEM;
	if (!(flags & MAP_ANONYMOUS)) {
		if (page > ~0u - size / PAGE_SIZE)
			return -EOVERFLOW;
		f = file_of(p, fd);
		if (!f || f->flags & O_PATH)
			return -EBADF;
		if (f->pipe || (f->flags & O_ACCMODE) == O_WRONLY)
			return f->pipe ? -ENODEV : -EACCES;
		if (KIND(f->node) == S_IFCHR && f->node->device != MEM)
			return -ENODEV;
		if (KIND(f->node) == S_IFDIR)
			return -ENODEV;
		if ((flags & 3) == MAP_SHARED && protection & PROT_WRITE && (f->flags & O_ACCMODE) != O_RDWR)
			return -EACCES;
	}
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
	if ((flags & 3) == MAP_SHARED && protection & PROT_WRITE && !(f && KIND(f->node) == S_IFCHR)) {
		limit_reached(&shared_once, "shared writable mappings are not served (ENODEV)");
		return -ENODEV;
	}
	if (flags & MAP_FIXED) {
		if (region_unmap(m, at, at + size))
			return -ENOMEM;
	} else if (!(flags & MAP_FIXED_NOREPLACE)) {
		at = region_gap(m, (at + PAGE_MASK) & ~PAGE_MASK, size);
		if (!at)
			return -ENOMEM;
	}
	if (f && KIND(f->node) == S_IFCHR)
		return map_window(p, at, size, page);
	if (size / PAGE_SIZE > machine_frames_total() && protection)
		return -ENOMEM; /* could never be filled */
	error = region_map(m, at, at + size, rights(protection), f ? f->node : 0, page);
	return error ? error : (int)at;
}

CALL(mmap2)
{
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
	address end = range_end(r->ebx, r->ecx, USER_TOP);

	if (r->ebx & PAGE_MASK || r->edx & ~7u)
		return -EINVAL;
	if (!r->ecx)
		return 0;
	return end ? region_protect(p->memory, r->ebx, end, rights(r->edx)) : -ENOMEM;
}

/* Shrinks, or grows in place. What would have to move is refused: libraries then copy. */
CALL(mremap)
{
	struct memory *m = p->memory;
	struct region *q;
	address end = range_end(r->ebx, r->ecx, USER_TOP), wanted = range_end(r->ebx, r->edx, MMAP_TOP);
	int error = 0;

	if (r->ebx & PAGE_MASK || !r->ecx || !r->edx || r->esi & ~1u)
		return -EINVAL;
	for (q = m->regions; q && q->end <= r->ebx; q = q->next)
		;
	if (!q || q->start > r->ebx || !end || q->end < end)
		return -EFAULT;
	if (!wanted)
		return -ENOMEM;
	if (wanted < end)
		error = region_unmap(m, wanted, end);
	else if (wanted > end)
		error = region_free(m, end, wanted) ? region_map(m, end, wanted, q->protection, 0, 0) : -ENOMEM;
	return error ? error : (int)r->ebx;
}

#define DONTNEED 4u

/* Advice need not be taken, but for the one that promises zeros. Advice that changes what a fork does, or what is kept (REMOVE, DONTFORK, WIPEONFORK), is
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
	if (advice == DONTNEED)
		return region_clear(p->memory, r->ebx, end);
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
	pages = (end - r->ebx) / PAGE_SIZE;
	for (done = 0; done < pages; done += part) {
		part = pages - done < sizeof ones ? pages - done : (u32)sizeof ones;
		if (user_write(p, r->edx + done, ones, part))
			return -EFAULT;
	}
	return 0;
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
