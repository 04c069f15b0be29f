/* memory.c: memory for TCC and for what stands around it.

   Blocks are laid one behind the other and come in sizes of a power of two; freed ones are kept in a list for their size. The last block can grow in place,
   which is what TCC's growing sections do. The heap's end is a limit with a name. */

#include "libc.h"

static unsigned char *heap, *heap_end, *heap_start;
static unsigned char *last;  /* the block laid last */
static void *freed[32];      /* by size: 16 << n */

void libc_heap(void *start, size_t size)
{
	heap_start = heap = start;
	heap_end = heap + size;
}

size_t libc_heap_used(void)
{
	return heap - heap_start;
}

static size_t room(size_t size)
{
	if (size > (size_t)(heap_end - heap_start))
		libc_die("limit: the heap is exhausted", "what is compiled is too large");
	return size;
}

/* Each block stands behind 16 bytes, the first word of which is its class. */
void *malloc(size_t size)
{
	unsigned class = 0;
	void *block;

	room(size);
	while ((size_t)16 << class < size)
		class++;
	if (freed[class]) {
		block = freed[class];
		freed[class] = *(void **)block;
		return block;
	}
	size = (size_t)16 << class;
	if ((size_t)(heap_end - heap) < size + 16)
		room(~(size_t)0);
	*(unsigned *)heap = class;
	last = heap + 16;
	heap = last + size;
	return last;
}

void *realloc(void *block, size_t size)
{
	unsigned *class;
	size_t old;
	void *fresh;

	if (!block)
		return malloc(size);
	room(size);
	class = (unsigned *)block - 4;
	old = (size_t)16 << *class;
	if (size <= old)
		return block;
	if (block == last) {
		while ((size_t)16 << *class < size)
			++*class;
		heap = last + ((size_t)16 << *class);
		if (heap > heap_end)
			room(~(size_t)0);
		return block;
	}
	fresh = malloc(size);
	memcpy(fresh, block, old);
	free(block);
	return fresh;
}

void *calloc(size_t count, size_t size)
{
	void *block = malloc(count * size);
	return memset(block, 0, count * size);
}

void free(void *block)
{
	unsigned class;

	if (!block)
		return;
	class = ((unsigned *)block)[-4];
	*(void **)block = freed[class];
	freed[class] = block;
}

/* Words first: they are taken when they are the same, which they mostly are. */
int memcmp(const void *a, const void *b, size_t length)
{
	const unsigned char *x = a, *y = b;

	for (; length >= 4 && *(unsigned *)x == *(unsigned *)y; length -= 4)
		x += 4, y += 4;
	for (; length; length--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}
