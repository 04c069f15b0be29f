/* pool.c: memory for the personality's own structures: blocks of at most a page, in classes of size, carved from frames and given back as whole frames. */

#include "personality.h"

#define CLASSES 11
static const unsigned sizes[CLASSES] = { 32, 48, 64, 96, 128, 192, 256, 336, 576, 992, 2016 };

struct page { /* the head of a frame full of blocks */
	struct page *next, *previous; /* frames of this class with a free block */
	void *freed;
	unsigned used, class;
};

#define HEAD ((sizeof(struct page) + 31) & ~31ul)

static struct page *partial[CLASSES];

static unsigned class_of(unsigned size)
{
	unsigned c = 0;

	while (sizes[c] < size)
		c++;
	return c;
}

static void list_in(struct page *page)
{
	page->next = partial[page->class];
	page->previous = 0;
	if (page->next)
		page->next->previous = page;
	partial[page->class] = page;
}

static void list_out(struct page *page)
{
	if (page->next)
		page->next->previous = page->previous;
	if (page->previous)
		page->previous->next = page->next;
	else
		partial[page->class] = page->next;
}

void *pool_get(unsigned size)
{
	unsigned c, at;
	struct page *page;
	void *block;

	if (size > sizes[CLASSES - 1])
		return size > PAGE_SIZE ? 0 : machine_frame(privileged());
	c = class_of(size);
	page = partial[c];
	if (!page) {
		page = machine_frame(privileged());
		if (!page)
			return 0;
		page->class = c;
		for (at = HEAD; at + sizes[c] <= PAGE_SIZE; at += sizes[c]) {
			block = (char *)page + at;
			*(void **)block = page->freed;
			page->freed = block;
		}
		list_in(page);
	}
	block = page->freed;
	page->freed = *(void **)block;
	page->used++;
	if (!page->freed)
		list_out(page);
	memset(block, 0, sizes[c]);
	return block;
}

void pool_put(void *block, unsigned size)
{
	struct page *page;

	if (!block)
		return;
	if (size > sizes[CLASSES - 1]) {
		machine_frame_drop(block);
		return;
	}
	page = (struct page *)((unsigned long)block & ~(unsigned long)PAGE_MASK);
	if (!page->freed)
		list_in(page);
	*(void **)block = page->freed;
	page->freed = block;
	if (--page->used == 0) {
		list_out(page);
		machine_frame_drop(page);
	}
}
