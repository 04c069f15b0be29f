/* pool.c: memory for the personality's own structures: blocks of at most a page, of a kind and a class of size each, carved from frames.

   A frame that held blocks of one kind holds no other kind while any builder lives: what was a file's description is only ever one again, so a pointer that
   outlives its block meets no bytes that a builder chose. Between steps (pool_settle) empty frames go back. A block that is free is filled with a pattern, which
   must still be there when the block is given again; which blocks are free stands in the head of their frame, not in them. Whatever does not fit is a defect, and
   the machine ends: a run that fails proves nothing wrong. */

#include "personality.h"

#define CLASSES 11
#define POISON 0xffffffffu /* as an address: no kernel maps anything there, nor in the first page, where its fields would lie */
#define MARK 0x706f6f6cu

static const unsigned sizes[CLASSES] = { 32, 48, 64, 96, 128, 192, 256, 336, 576, 992, 2016 };

struct page { /* the head of a frame full of blocks */
	struct page *next, *previous; /* frames of this kind and class with a free block */
	unsigned mark;                /* MARK, mixed with the frame's own address */
	u16 kind, class;
	unsigned used;
	unsigned taken[4];            /* a bit for each block */
};

struct whole { /* a free block that is a frame of its own: poison follows */
	struct whole *next;
};

#define HEAD ((sizeof(struct page) + 15) & ~15ul)

static struct page *partial[POOL_KINDS][CLASSES];
static struct whole *wholes[POOL_KINDS];

static unsigned mark_of(const void *page)
{
	return MARK ^ (unsigned)(unsigned long)page;
}

static unsigned class_of(unsigned size)
{
	unsigned c = 0;

	while (sizes[c] < size)
		c++;
	return c;
}

static void list_in(struct page *page)
{
	struct page **list = &partial[page->kind][page->class];

	page->next = *list;
	page->previous = 0;
	if (page->next)
		page->next->previous = page;
	*list = page;
}

static void list_out(struct page *page)
{
	if (page->next)
		page->next->previous = page->previous;
	if (page->previous)
		page->previous->next = page->next;
	else
		partial[page->kind][page->class] = page->next;
}

static unsigned blocks_in(const struct page *page)
{
	return (unsigned)((PAGE_SIZE - HEAD) / sizes[page->class]);
}

/* Panics unless these bytes are as they were left when they became free. */
static void still_free(const void *from, unsigned size)
{
	const unsigned *word = from, *end = word + size / 4;

	while (word < end)
		if (*word++ != POISON)
			machine_panic("defect: memory was written after it was given back");
}

/* A frame for blocks of a kind that are larger than all classes. 0: no memory. */
static void *whole_get(enum pool_kind kind)
{
	struct whole *w = wholes[kind];

	if (!w)
		return machine_frame(privileged());
	wholes[kind] = w->next;
	still_free(w + 1, PAGE_SIZE - sizeof *w);
	memset(w, 0, PAGE_SIZE);
	return w;
}

static void whole_put(enum pool_kind kind, void *block)
{
	struct whole *w = block;

	if ((unsigned long)block & PAGE_MASK || machine_frame_users(block) != 1)
		machine_panic("defect: a frame that is none of the pool's was given back to it");
	memset(w, 0xff, PAGE_SIZE);
	w->next = wholes[kind];
	wholes[kind] = w;
}

/* Zeroed; 0: no memory. */
void *pool_of(enum pool_kind kind, unsigned size)
{
	struct page *page;
	unsigned c, i, n;
	char *block;

	if (size > sizes[CLASSES - 1])
		return size > PAGE_SIZE ? 0 : whole_get(kind);
	c = class_of(size);
	page = partial[kind][c];
	if (!page) {
		page = machine_frame(privileged());
		if (!page)
			return 0;
		memset(page, 0xff, PAGE_SIZE);
		memset(page, 0, HEAD);
		page->mark = mark_of(page);
		page->kind = (u16)kind;
		page->class = (u16)c;
		list_in(page);
	}
	for (i = 0; page->taken[i] == ~0u; i++)
		;
	for (n = i * 32; page->taken[i] >> (n & 31) & 1; n++)
		;
	page->taken[i] |= 1u << (n & 31);
	if (++page->used == blocks_in(page))
		list_out(page);
	block = (char *)page + HEAD + n * sizes[c];
	still_free(block, sizes[c]);
	memset(block, 0, sizes[c]);
	return block;
}

void pool_back(enum pool_kind kind, void *block, unsigned size)
{
	struct page *page;
	unsigned n, offset;

	if (!block)
		return;
	if (size > sizes[CLASSES - 1]) {
		whole_put(kind, block);
		return;
	}
	page = (struct page *)((unsigned long)block & ~(unsigned long)PAGE_MASK);
	if (page->mark != mark_of(page) || page->kind != kind || page->class != class_of(size))
		machine_panic("defect: a block that is none of the pool's, or of another kind, was given back to it");
	offset = (unsigned)((unsigned long)block & PAGE_MASK) - (unsigned)HEAD;
	n = offset / sizes[page->class];
	if (offset % sizes[page->class] || n >= blocks_in(page) || !(page->taken[n / 32] >> (n & 31) & 1))
		machine_panic("defect: a block was given back twice");
	page->taken[n / 32] &= ~(1u << (n & 31));
	memset(block, 0xff, sizes[page->class]);
	if (page->used-- == blocks_in(page))
		list_in(page);
}

static void check_free(const struct page *page)
{
	unsigned n;

	for (n = 0; n < blocks_in(page); n++)
		if (!(page->taken[n / 32] >> (n & 31) & 1))
			still_free((const char *)page + HEAD + n * sizes[page->class], sizes[page->class]);
}

/* No builder lives: frames without a block in use may become anything. What its last moments wrote to blocks that were free is found here. */
void pool_settle(void)
{
	struct page *page, *next;
	struct whole *w;
	unsigned kind, c;

	for (kind = 0; kind < POOL_KINDS; kind++) {
		for (c = 0; c < CLASSES; c++)
			for (page = partial[kind][c]; page; page = next) {
				next = page->next;
				check_free(page);
				if (page->used)
					continue;
				list_out(page);
				page->mark = 0;
				machine_frame_drop(page);
			}
		while ((w = wholes[kind])) {
			wholes[kind] = w->next;
			still_free(w + 1, PAGE_SIZE - sizeof *w);
			machine_frame_drop(w);
		}
	}
}
