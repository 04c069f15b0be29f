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

/* Words, not bytes: TCC unrolls nothing, and rep movs is slow under emulation. */
void *memcpy(void *to, const void *from, size_t length)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	while (length >= 16) {
		((unsigned *)t)[0] = ((unsigned *)f)[0];
		((unsigned *)t)[1] = ((unsigned *)f)[1];
		((unsigned *)t)[2] = ((unsigned *)f)[2];
		((unsigned *)t)[3] = ((unsigned *)f)[3];
		t += 16;
		f += 16;
		length -= 16;
	}
	while (length--)
		*t++ = *f++;
	return to;
}

void *memmove(void *to, const void *from, size_t length)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	if (t <= f || t >= f + length)
		return memcpy(to, from, length);
	while (length--)
		t[length] = f[length];
	return to;
}

void *memset(void *to, int byte, size_t length)
{
	unsigned char *t = to;
	unsigned word = (unsigned char)byte * 0x01010101u;

	while (length >= 16) {
		((unsigned *)t)[0] = word;
		((unsigned *)t)[1] = word;
		((unsigned *)t)[2] = word;
		((unsigned *)t)[3] = word;
		t += 16;
		length -= 16;
	}
	while (length--)
		*t++ = byte;
	return to;
}

int memcmp(const void *a, const void *b, size_t length)
{
	const unsigned char *x = a, *y = b;

	for (; length; length--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}
