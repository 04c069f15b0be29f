/* directory.c: names. One hash table for all directories; each directory also has its entries in an array, in the order of their making, for getdents. */

#include "personality.h"

#define BUCKETS 16384u

static struct vector buckets;

static u32 hash_of(struct node *directory, const char *name, unsigned length)
{
	u32 h = directory->number * 2654435761u;

	while (length--)
		h = (h ^ (u8)*name++) * 16777619u;
	return h ^ h >> 15;
}

struct entry *directory_find(struct node *directory, const char *name, unsigned length)
{
	u32 h = hash_of(directory, name, length);
	void **bucket = vector_slot(&buckets, h % BUCKETS, 0);
	struct entry *e;

	if (!bucket)
		return 0;
	for (e = *bucket; e; e = e->next)
		if (e->hash == h && e->directory == directory && e->length == length && !memcmp(e->name, name, length))
			return e;
	return 0;
}

struct entry *directory_names(struct node *node)
{
	struct entry *e = 0;
	void **bucket;
	u32 i;

	for (i = 0; i < BUCKETS && !e && node->links; i++) {
		bucket = vector_slot(&buckets, i, 0);
		for (e = bucket ? *bucket : 0; e && e->node != node; e = e->next)
			;
	}
	return e;
}

/* Removed names leave holes; they are closed up when nobody is reading the directory. */
static void compact(struct node *directory)
{
	u32 from, to = 0;
	struct entry *e;

	for (from = 0; from < directory->top; from++) {
		e = *vector_slot(&directory->slots, from, 0);
		if (!e)
			continue;
		*vector_slot(&directory->slots, from, 0) = 0;
		*vector_slot(&directory->slots, to, 0) = e;
		e->slot = to++;
	}
	directory->top = to;
}

int directory_add(struct node *directory, const char *name, unsigned length, struct node *node)
{
	struct entry *e;
	void **slot, **bucket;

	if (node->nameless)
		machine_panic("defect: a name for what can have none");
	if (directory->links == 0)
		return -ENOENT; /* it has been removed */
	if (directory->top > 2 * directory->entries + 64 && !directory->readers)
		compact(directory);
	e = pool_of(POOL_ENTRIES, sizeof *e + length);
	if (!e)
		return -ENOSPC;
	e->hash = hash_of(directory, name, length);
	slot = vector_slot(&directory->slots, directory->top, 1);
	bucket = vector_slot(&buckets, e->hash % BUCKETS, 1);
	if (!slot || !bucket) {
		pool_back(POOL_ENTRIES, e, sizeof *e + length);
		return -ENOSPC;
	}
	e->directory = directory;
	e->node = node;
	e->length = (u8)length;
	e->slot = directory->top++;
	memcpy(e->name, name, length);
	e->next = *bucket;
	*bucket = e;
	*slot = e;
	directory->entries++;
	directory->size += length + 12;
	stamp_now(&directory->modify);
	directory->change = directory->modify;
	return 0;
}

void directory_remove(struct entry *entry)
{
	struct node *directory = entry->directory;
	void **bucket = vector_slot(&buckets, entry->hash % BUCKETS, 0);
	struct entry **e = (struct entry **)bucket;

	while (*e != entry)
		e = &(*e)->next;
	*e = entry->next;
	*vector_slot(&directory->slots, entry->slot, 0) = 0;
	directory->entries--;
	directory->size -= entry->length + 12;
	if (!directory->entries && !directory->readers)
		directory->top = 0;
	stamp_now(&directory->modify);
	directory->change = directory->modify;
	pool_back(POOL_ENTRIES, entry, sizeof *entry + entry->length);
}
