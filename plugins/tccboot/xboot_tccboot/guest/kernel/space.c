/* space.c: address spaces: page tables, zeroed pages on demand, copy on write, and checked copies from and to user memory. */

#include "kernel.h"

unsigned kernel_directory[1024] __attribute__((aligned(4096)));

#define TABLE(entry) ((unsigned *)(((entry) & ~PAGE_MASK) + VIRTUAL))
#define FRAME(entry) ((void *)(((entry) & ~PAGE_MASK) + VIRTUAL))
#define USER_TABLES (USER_TOP >> 22)
#define HAS_FRAME(entry) (((entry) & (P_PRESENT | P_HIDDEN)) && !((entry) & P_FOREIGN))

static void flush(struct machine_space *space)
{
	unsigned current;

	asm volatile("mov %%cr3, %0" : "=r"(current));
	if (current == TO_PHYSICAL(space))
		asm volatile("mov %0, %%cr3" : : "r"(current));
}

struct machine_space *machine_space_new(void)
{
	struct machine_space *space = frame_of(FRAME_TABLE);

	if (space)
		memcpy(&space->directory[512], &kernel_directory[512], 2048);
	return space;
}

/* The entry of a page; its table is made when make is set. 0: none. */
static unsigned *entry_of(struct machine_space *space, address at, int make)
{
	unsigned *slot = &space->directory[at >> 22];
	unsigned *table;

	if (!*slot) {
		if (!make)
			return 0;
		table = frame_of(FRAME_TABLE);
		if (!table)
			return 0;
		*slot = TO_PHYSICAL(table) | P_PRESENT | P_WRITE | P_USER;
	}
	table = TABLE(*slot);
	frame_is(FRAME_TABLE, table);
	return table + (at >> 12 & 1023);
}

/* The entry of a page that is not mapped yet. 0: no memory for its table. */
static unsigned *free_entry(struct machine_space *space, address at)
{
	unsigned *entry = entry_of(space, at, 1);

	if (entry && *entry)
		machine_panic("defect: a page is mapped twice");
	return entry;
}

static void clear(unsigned *entry)
{
	if (HAS_FRAME(*entry))
		machine_frame_drop(FRAME(*entry));
	*entry = 0;
}

void machine_space_free(struct machine_space *space)
{
	unsigned i, j, *table;
	unsigned current;

	asm volatile("mov %%cr3, %0" : "=r"(current));
	if (current == TO_PHYSICAL(space))
		asm volatile("mov %0, %%cr3" : : "r"(TO_PHYSICAL(kernel_directory)));
	for (i = 0; i < USER_TABLES; i++) {
		if (!space->directory[i])
			continue;
		table = TABLE(space->directory[i]);
		for (j = 0; j < 1024; j++)
			if (table[j])
				clear(&table[j]);
		frame_back(FRAME_TABLE, table);
	}
	frame_back(FRAME_TABLE, space);
}

struct machine_space *machine_space_copy(struct machine_space *space)
{
	struct machine_space *copy = machine_space_new();
	unsigned i, entry, *from, *end, *to;

	if (!copy)
		return 0;
	for (i = 0; i < USER_TABLES; i++) {
		if (!space->directory[i])
			continue;
		to = frame_of(FRAME_TABLE);
		if (!to) {
			machine_space_free(copy);
			flush(space);
			return 0;
		}
		copy->directory[i] = TO_PHYSICAL(to) | P_PRESENT | P_WRITE | P_USER;
		from = TABLE(space->directory[i]);
		for (end = from + 1024; from < end; from++, to++) {
			entry = *from;
			if (!entry)
				continue;
			if (HAS_FRAME(entry)) {
				if (entry & P_WRITE && !(entry & P_SHARED)) {
					entry = (entry & ~P_WRITE) | P_COPY;
					*from = entry;
				}
				machine_frame_keep(FRAME(entry));
			}
			*to = entry;
		}
	}
	flush(space);
	return copy;
}

static unsigned rights(unsigned protection)
{
	if (!(protection & (PROTECT_READ | PROTECT_WRITE | PROTECT_EXECUTE)))
		return P_HIDDEN;
	return P_PRESENT | P_USER | (protection & PROTECT_WRITE ? P_COPY : 0);
}

static unsigned shared_rights(unsigned protection)
{
	unsigned r = rights(protection);

	return (r & ~P_COPY) | (r & P_COPY ? P_WRITE : 0) | P_SHARED;
}

int machine_space_zero(struct machine_space *space, address at, unsigned pages, unsigned protection)
{
	unsigned *entry;
	unsigned r = rights(protection), value = P_LAZY | (r & P_USER) | (r & P_COPY);

	range_check(at, pages);
	for (; pages; pages--, at += PAGE_SIZE) {
		entry = free_entry(space, at);
		if (!entry)
			return -1;
		*entry = value;
	}
	return 0;
}

int machine_space_frames(struct machine_space *space, address at, void **frames, unsigned pages, unsigned protection)
{
	unsigned *entry;
	unsigned r = rights(protection);

	range_check(at, pages);
	for (; pages; pages--, at += PAGE_SIZE, frames++) {
		entry = free_entry(space, at);
		if (!entry)
			return -1;
		machine_frame_keep(*frames);
		*entry = TO_PHYSICAL(*frames) | r;
	}
	return 0;
}

int machine_space_share(struct machine_space *space, address at, void *frame, unsigned protection)
{
	unsigned *entry;

	range_check(at, 1);
	entry = free_entry(space, at);
	if (!entry)
		return -1;
	machine_frame_keep(frame);
	*entry = TO_PHYSICAL(frame) | shared_rights(protection);
	return 0;
}

void machine_frame_touch(void *frame)
{
	(void)frame; /* spaces map frames themselves: there is nothing to bring up to date */
}

int machine_space_physical(struct machine_space *space, address at, unsigned pages, unsigned long physical)
{
	unsigned *entry;

	range_check(at, pages);
	if (physical < memory_top || physical > ~0u - pages * PAGE_SIZE)
		return -1; /* only what the kernel does not use: the export window */
	for (; pages; pages--, at += PAGE_SIZE, physical += PAGE_SIZE) {
		entry = free_entry(space, at);
		if (!entry)
			return -1;
		*entry = physical | P_PRESENT | P_WRITE | P_USER | P_FOREIGN;
	}
	return 0;
}

void machine_space_protect(struct machine_space *space, address at, unsigned pages, unsigned protection)
{
	unsigned *entry;
	unsigned r = rights(protection);

	range_check(at, pages);
	for (; pages; pages--, at += PAGE_SIZE) {
		entry = entry_of(space, at, 0);
		if (!entry || !*entry)
			continue;
		if (IS_LAZY(*entry))
			*entry = P_LAZY | (r & P_USER) | (r & P_COPY);
		else if (*entry & P_SHARED)
			*entry = (*entry & ~PAGE_MASK) | shared_rights(protection);
		else
			*entry = (*entry & (~PAGE_MASK | P_FOREIGN)) | r;
	}
	flush(space);
}

void machine_space_unmap(struct machine_space *space, address at, unsigned pages)
{
	unsigned *entry;

	range_check(at, pages);
	for (; pages; pages--, at += PAGE_SIZE) {
		entry = entry_of(space, at, 0);
		if (entry && *entry)
			clear(entry);
	}
	flush(space);
}

/* The tables of the new place are made first, so that nothing can fail half way. */
int machine_space_move(struct machine_space *space, address from, address to, unsigned pages)
{
	unsigned *entry, i;

	range_check(from, pages);
	range_check(to, pages);
	for (i = 0; i < pages; i++)
		if (!free_entry(space, to + i * PAGE_SIZE))
			return -1;
	for (i = 0; i < pages; i++) {
		entry = entry_of(space, from + i * PAGE_SIZE, 0);
		if (!entry)
			continue;
		*entry_of(space, to + i * PAGE_SIZE, 0) = *entry;
		*entry = 0;
	}
	flush(space);
	return 0;
}

int machine_space_has(struct machine_space *space, address at)
{
	unsigned *entry;

	range_check(at, 1);
	entry = entry_of(space, at, 0);
	return entry && *entry;
}

/* A page fault, or a copy that met one. The mended entry is loaded by the processor itself: only a right that was taken away needs a flush, and here rights
   grow; but a read-only entry may still be cached, hence invlpg. */
int space_fault(struct machine_space *space, address at, int write)
{
	unsigned *entry, value;
	void *frame;

	if (at >= USER_TOP)
		return 1;
	entry = entry_of(space, at, 0);
	if (!entry || !(*entry & P_USER))
		return 1;
	value = *entry;
	if (IS_LAZY(value)) {
		if (write && !(value & P_COPY))
			return 1;
		frame = machine_frame(0);
		if (!frame)
			return 2;
		*entry = TO_PHYSICAL(frame) | P_PRESENT | P_USER | (value & P_COPY ? P_WRITE : 0);
		return 0;
	}
	if (!write || value & P_WRITE)
		return 0; /* nothing wrong (any more) */
	if (!(value & P_COPY))
		return 1;
	if (value & P_FOREIGN || machine_frame_users(FRAME(value)) == 1) {
		*entry = (value & ~P_COPY) | P_WRITE;
	} else {
		frame = frame_raw(0);
		if (!frame)
			return 2;
		memcpy(frame, FRAME(value), PAGE_SIZE);
		machine_frame_drop(FRAME(value));
		*entry = TO_PHYSICAL(frame) | P_PRESENT | P_WRITE | P_USER;
	}
	asm volatile("invlpg (%0)" : : "r"(at));
	return 0;
}

/* The kernel's own pointer to a user's byte, good to the end of its page. 0: the user has no such right. */
static char *user_byte(struct machine_space *space, address at, int write)
{
	unsigned slot, *entry;

	if (at >= USER_TOP)
		return 0;
	slot = space->directory[at >> 22];
	if (!slot)
		return 0;
	entry = TABLE(slot) + (at >> 12 & 1023);
	if ((*entry & (P_PRESENT | P_USER)) != (P_PRESENT | P_USER) || (write && !(*entry & P_WRITE)))
		if (space_fault(space, at, write))
			return 0;
	if (*entry & P_FOREIGN) /* may lie above the direct map */
		return 0;
	return (char *)FRAME(*entry) + (at & PAGE_MASK);
}

int machine_read(struct machine_space *space, void *to, address from, unsigned length)
{
	unsigned part;
	char *user;

	while (length) {
		user = user_byte(space, from, 0);
		if (!user)
			return -1;
		part = PAGE_SIZE - (from & PAGE_MASK);
		if (part > length)
			part = length;
		if (part == 1)
			*(char *)to = *user;
		else
			memcpy(to, user, part);
		to = (char *)to + part;
		from += part;
		length -= part;
	}
	return 0;
}

int machine_write(struct machine_space *space, address to, const void *from, unsigned length)
{
	unsigned part;
	char *user;

	while (length) {
		user = user_byte(space, to, 1);
		if (!user)
			return -1;
		part = PAGE_SIZE - (to & PAGE_MASK);
		if (part > length)
			part = length;
		if (part == 1)
			*user = *(const char *)from;
		else
			memcpy(user, from, part);
		from = (const char *)from + part;
		to += part;
		length -= part;
	}
	return 0;
}
