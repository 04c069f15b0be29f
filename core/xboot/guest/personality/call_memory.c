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
	end = (wanted + PAGE_MASK) & ~PAGE_MASK;
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
	int error = region_add(p->memory, at, at + size, PROTECT_READ | PROTECT_WRITE);

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
	size = (size + PAGE_MASK) & ~PAGE_MASK;
	if (!size || size > USER_TOP)
		return -ENOMEM;
	if (!(flags & MAP_ANONYMOUS)) {
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
		if (at < USER_BOTTOM || at >= USER_TOP || size > USER_TOP - at)
			return at < USER_BOTTOM ? -EPERM : -ENOMEM;
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

static int range(address at, u32 *size)
{
	*size = (*size + PAGE_MASK) & ~PAGE_MASK;
	return at & PAGE_MASK || at >= USER_TOP || *size > USER_TOP - at ? -EINVAL : 0;
}

CALL(munmap)
{
	u32 size = r->ecx;

	if (range(r->ebx, &size) || !size)
		return -EINVAL;
	return region_unmap(p->memory, r->ebx, r->ebx + size);
}

CALL(mprotect)
{
	u32 size = r->ecx;

	if (r->ebx & PAGE_MASK || r->edx & ~7u)
		return -EINVAL;
	if (!size)
		return 0;
	if (range(r->ebx, &size))
		return -ENOMEM;
	return region_protect(p->memory, r->ebx, r->ebx + size, rights(r->edx));
}

/* Shrinks, or grows in place. What would have to move is refused: libraries then copy. */
CALL(mremap)
{
	struct memory *m = p->memory;
	struct region *q;
	u32 old = (r->ecx + PAGE_MASK) & ~PAGE_MASK, size = (r->edx + PAGE_MASK) & ~PAGE_MASK;
	int error;

	if (r->ebx & PAGE_MASK || !size || !old || r->esi & ~1u)
		return -EINVAL;
	for (q = m->regions; q && q->end <= r->ebx; q = q->next)
		;
	if (!q || q->start > r->ebx || q->end < r->ebx + old)
		return -EFAULT;
	if (size <= old)
		error = size < old ? region_unmap(m, r->ebx + size, r->ebx + old) : 0;
	else if (r->ebx + size > MMAP_TOP || !region_free(m, r->ebx + old, r->ebx + size))
		error = -ENOMEM;
	else
		error = region_map(m, r->ebx + old, r->ebx + size, q->protection, 0, 0);
	return error ? error : (int)r->ebx;
}

/* Advice is not taken; dropping pages is refused, since it would have to be obeyed. */
CALL(madvise)
{
	UNUSED_PROCESS;
	return r->edx == 4 || r->ebx & PAGE_MASK ? -EINVAL : 0;
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
