/* space.c: address spaces: page tables, zeroed pages on demand, copy on write, and checked copies from and to user memory. */

#include "kernel.h"

#define FRAME(entry) TO_VIRTUAL(PHYSICAL(entry))
#define HAS_FRAME(entry) (((entry) & (P_PRESENT | P_HIDDEN)) && !((entry) & P_FOREIGN))

static struct entry *make_table(struct entry *slot);

static void entry_set(struct entry *entry, unsigned long physical, unsigned value, unsigned high)
{
	entry->value = (unsigned)physical | value;
	entry->high = high | UPPER(physical);
}

static void flush(struct machine_space *space)
{
	unsigned long current;

	asm volatile("mov %%cr3, %0" : "=r"(current));
	if (current == TO_PHYSICAL(space))
		asm volatile("mov %0, %%cr3" : : "r"(current));
}

struct machine_space *machine_space_new(void)
{
	struct machine_space *space = frame_of(FRAME_TABLE);
	struct entry *directory;
	unsigned i;

	if (!space)
		return 0;
#ifdef MACHINE_WIDE
	space->root[FIRST_LIST] = kernel_space->root[FIRST_LIST];
	directory = make_table(&space->root[0]);
	if (!directory) {
		machine_space_free(space);
		return 0;
	}
#else
	space->root[2] = kernel_space->root[2];
	space->root[3] = kernel_space->root[3];
#endif
	for (i = 0; i < SPACE_DIRECTORIES; i++) {
		directory = frame_of(FRAME_TABLE);
		if (!directory) {
			machine_space_free(space);
			return 0;
		}
		SET_DIRECTORY(space, i, directory);
	}
	return space;
}

/* The place in a directory of the table of a page. */
static struct entry *slot_of(struct machine_space *space, address at)
{
	return DIRECTORY(space, at >> 30) + (at >> 21 & (ENTRIES - 1));
}

/* A new table in an empty place of a directory. 0: no memory. */
static struct entry *make_table(struct entry *slot)
{
	struct entry *table = frame_of(FRAME_TABLE);

	if (table)
		entry_set(slot, TO_PHYSICAL(table), P_PRESENT | P_WRITE | P_USER, 0);
	return table;
}

/* The entry of a page; its table is made when make is set. 0: none. */
static struct entry *entry_of(struct machine_space *space, address at, int make)
{
	struct entry *slot = slot_of(space, at), *table;

	if (!slot->value && (!make || !make_table(slot)))
		return 0;
	table = TABLE(*slot);
	frame_is(FRAME_TABLE, table);
	return table + (at >> 12 & (ENTRIES - 1));
}

/* The entry of a page that is not mapped yet. 0: no memory for its table. */
static struct entry *free_entry(struct machine_space *space, address at)
{
	struct entry *entry = entry_of(space, at, 1);

	if (entry && entry->value)
		machine_panic("defect: a page is mapped twice");
	return entry;
}

static void clear(struct entry *entry)
{
	if (HAS_FRAME(entry->value))
		machine_frame_drop(FRAME(*entry));
	entry->value = entry->high = 0;
}

void machine_space_free(struct machine_space *space)
{
	struct entry *directory, *table;
	unsigned i, j, k;
	unsigned long current;

	asm volatile("mov %%cr3, %0" : "=r"(current));
	if (current == TO_PHYSICAL(space))
		asm volatile("mov %0, %%cr3" : : "r"((unsigned long)TO_PHYSICAL(kernel_space)));
	for (k = 0; k < SPACE_DIRECTORIES && HAS_DIRECTORY(space, k); k++) {
		directory = DIRECTORY(space, k);
		for (i = 0; i < ENTRIES; i++) {
			if (!directory[i].value)
				continue;
			table = TABLE(directory[i]);
			for (j = 0; j < ENTRIES; j++)
				if (table[j].value)
					clear(&table[j]);
			frame_back(FRAME_TABLE, table);
		}
		frame_back(FRAME_TABLE, directory);
	}
#ifdef MACHINE_WIDE
	if (space->root[0].value)
		frame_back(FRAME_TABLE, TABLE(space->root[0]));
#endif
	frame_back(FRAME_TABLE, space);
}

/* A table of a space that is copied. What can be written is copied on write by both from now on. */
static void copy_table(struct entry *from, struct entry *to)
{
	struct entry *end;
	unsigned value;

	for (end = from + ENTRIES; from < end; from++, to++) {
		value = from->value;
		if (!value)
			continue;
		if (HAS_FRAME(value)) {
			if (value & P_WRITE && !(value & P_SHARED)) {
				value = (value & ~P_WRITE) | P_COPY;
				from->value = value;
			}
			machine_frame_keep(FRAME(*from));
		}
		to->value = value;
		to->high = from->high;
	}
}

struct machine_space *machine_space_copy(struct machine_space *space)
{
	struct machine_space *copy = machine_space_new();
	struct entry *from, *to, *table;
	unsigned i;

	if (!copy)
		return 0;
	for (i = 0; i < SPACE_DIRECTORIES * ENTRIES; i++) {
		from = DIRECTORY(space, i / ENTRIES) + i % ENTRIES;
		if (!from->value)
			continue;
		to = DIRECTORY(copy, i / ENTRIES) + i % ENTRIES;
		table = make_table(to);
		if (!table) {
			machine_space_free(copy);
			flush(space);
			return 0;
		}
		copy_table(TABLE(*from), table);
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

static unsigned upper(unsigned protection)
{
	return protection & PROTECT_EXECUTE ? 0 : no_execute;
}

static unsigned shared_rights(unsigned protection)
{
	unsigned r = rights(protection);

	return (r & ~P_COPY) | (r & P_COPY ? P_WRITE : 0) | P_SHARED;
}

int machine_space_zero(struct machine_space *space, address at, unsigned pages, unsigned protection)
{
	struct entry *entry;
	unsigned r = rights(protection), value = P_LAZY | (r & P_USER) | (r & P_COPY), high = upper(protection);

	range_check(at, pages);
	for (; pages; pages--, at += PAGE_SIZE) {
		entry = free_entry(space, at);
		if (!entry)
			return -1;
		entry->value = value;
		entry->high = high;
	}
	return 0;
}

int machine_space_frames(struct machine_space *space, address at, void **frames, unsigned pages, unsigned protection)
{
	struct entry *entry;
	unsigned r = rights(protection), high = upper(protection);

	range_check(at, pages);
	for (; pages; pages--, at += PAGE_SIZE, frames++) {
		entry = free_entry(space, at);
		if (!entry)
			return -1;
		machine_frame_keep(*frames);
		entry_set(entry, TO_PHYSICAL(*frames), r, high);
	}
	return 0;
}

int machine_space_share(struct machine_space *space, address at, void *frame, unsigned protection)
{
	struct entry *entry;

	range_check(at, 1);
	entry = free_entry(space, at);
	if (!entry)
		return -1;
	machine_frame_keep(frame);
	entry_set(entry, TO_PHYSICAL(frame), shared_rights(protection), upper(protection));
	return 0;
}

void machine_frame_touch(void *frame)
{
	(void)frame; /* spaces map frames themselves: there is nothing to bring up to date */
}

int machine_space_physical(struct machine_space *space, address at, unsigned pages, unsigned long physical)
{
	struct entry *entry;

	range_check(at, pages);
#ifdef SCREEN_CELLS
	if (physical != SCREEN || pages != 1)
#endif
	if (physical < memory_top || physical > ~0u - pages * PAGE_SIZE)
		return -1; /* only what the kernel does not use: the export window */
	for (; pages; pages--, at += PAGE_SIZE, physical += PAGE_SIZE) {
		entry = free_entry(space, at);
		if (!entry)
			return -1;
		entry_set(entry, physical, P_PRESENT | P_WRITE | P_USER | P_FOREIGN, no_execute);
	}
	return 0;
}

void machine_space_protect(struct machine_space *space, address at, unsigned pages, unsigned protection)
{
	struct entry *entry;
	unsigned r = rights(protection), high = upper(protection);

	range_check(at, pages);
	for (; pages; pages--, at += PAGE_SIZE) {
		entry = entry_of(space, at, 0);
		if (!entry || !entry->value)
			continue;
		if (IS_LAZY(entry->value))
			entry->value = P_LAZY | (r & P_USER) | (r & P_COPY);
		else if (entry->value & P_SHARED)
			entry->value = (entry->value & ~PAGE_MASK) | shared_rights(protection);
		else
			entry->value = (entry->value & (~PAGE_MASK | P_FOREIGN)) | r;
		entry->high = (entry->high & ~0x80000000u) | high;
	}
	flush(space);
}

void machine_space_unmap(struct machine_space *space, address at, unsigned pages)
{
	struct entry *entry;

	range_check(at, pages);
	for (; pages; pages--, at += PAGE_SIZE) {
		entry = entry_of(space, at, 0);
		if (entry && entry->value)
			clear(entry);
	}
	flush(space);
}

/* The tables of the new place are made first, so that nothing can fail half way. */
int machine_space_move(struct machine_space *space, address from, address to, unsigned pages)
{
	struct entry *entry, *place;
	unsigned i;

	range_check(from, pages);
	range_check(to, pages);
	for (i = 0; i < pages; i++)
		if (!free_entry(space, to + i * PAGE_SIZE))
			return -1;
	for (i = 0; i < pages; i++) {
		entry = entry_of(space, from + i * PAGE_SIZE, 0);
		if (!entry)
			continue;
		place = entry_of(space, to + i * PAGE_SIZE, 0);
		place->value = entry->value;
		place->high = entry->high;
		entry->value = entry->high = 0;
	}
	flush(space);
	return 0;
}

int machine_space_has(struct machine_space *space, address at)
{
	struct entry *entry;

	range_check(at, 1);
	entry = entry_of(space, at, 0);
	return entry && entry->value;
}

/* A page fault, or a copy that met one. The mended entry is loaded by the processor itself: only a right that was taken away needs a flush, and here rights
   grow; but a read-only entry may still be cached, hence invlpg. */
int space_fault(struct machine_space *space, address at, unsigned error)
{
	struct entry *entry;
	unsigned value;
	void *frame;

	if (at >= USER_TOP)
		return 1;
	entry = entry_of(space, at, 0);
	if (!entry || !(entry->value & P_USER) || (error & FAULT_FETCH && entry->high & no_execute))
		return 1;
	value = entry->value;
	if (IS_LAZY(value)) {
		if (error & FAULT_WRITE && !(value & P_COPY))
			return 1;
		frame = machine_frame(0);
		if (!frame)
			return 2;
		entry_set(entry, TO_PHYSICAL(frame), P_PRESENT | P_USER | (value & P_COPY ? P_WRITE : 0), entry->high & no_execute);
		return 0;
	}
	if (!(error & FAULT_WRITE) || value & P_WRITE)
		return 0; /* nothing wrong (any more) */
	if (!(value & P_COPY))
		return 1;
	if (value & P_FOREIGN || machine_frame_users(FRAME(*entry)) == 1) {
		entry->value = (value & ~P_COPY) | P_WRITE;
	} else {
		frame = frame_raw(0);
		if (!frame)
			return 2;
		memcpy(frame, FRAME(*entry), PAGE_SIZE);
		machine_frame_drop(FRAME(*entry));
		entry_set(entry, TO_PHYSICAL(frame), P_PRESENT | P_WRITE | P_USER, entry->high & no_execute);
	}
	asm volatile("invlpg (%0)" : : "r"(at));
	return 0;
}

/* The kernel's own pointer to a user's byte, good to the end of its page. 0: the user has no such right. */
static char *user_byte(struct machine_space *space, address at, int write)
{
	struct entry *slot, *entry;

	if (at >= USER_TOP)
		return 0;
	slot = slot_of(space, at);
	if (!slot->value)
		return 0;
	entry = TABLE(*slot) + (at >> 12 & (ENTRIES - 1));
	if ((entry->value & (P_PRESENT | P_USER)) != (P_PRESENT | P_USER) || (write && !(entry->value & P_WRITE)))
		if (space_fault(space, at, write ? FAULT_WRITE : 0))
			return 0;
	if (entry->value & P_FOREIGN) /* may lie above the direct map */
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
