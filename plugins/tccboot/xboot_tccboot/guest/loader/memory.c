/* memory.c: memory for the loader and for TCC.

   TCC frees little that matters and the loader is gone within a second, so blocks are laid one behind the other; only the last one can grow in place or
   be given back. The heap's end is a limit with a name. */

#include "libc.h"

static unsigned char *heap, *heap_end, *heap_start;
static unsigned char *last; /* the block allocated last: it may grow in place */

void loader_heap(void *start, size_t size)
{
	heap_start = heap = start;
	heap_end = heap + size;
}

size_t loader_heap_used(void)
{
	return heap - heap_start;
}

/* Each block stands behind 16 bytes that hold its size. */
void *malloc(size_t size)
{
	size = (size + 15) & ~15u;
	if (size > 0x40000000u || (size_t)(heap_end - heap) < size + 16)
		loader_die("limit: the loader's heap is exhausted", "the kernel tree is too large to be compiled here");
	*(size_t *)heap = size;
	last = heap + 16;
	heap = last + size;
	return last;
}

void *realloc(void *block, size_t size)
{
	size_t old;
	void *fresh;

	if (!block)
		return malloc(size);
	old = ((size_t *)block)[-4];
	if (size <= old)
		return block;
	if (block == last) { /* grow in place: the common case, TCC's section data */
		heap = last;
		size = (size + 15) & ~15u;
		if ((size_t)(heap_end - heap) < size)
			loader_die("limit: the loader's heap is exhausted", "the kernel tree is too large to be compiled here");
		((size_t *)block)[-4] = size;
		heap += size;
		return block;
	}
	fresh = malloc(size);
	return memcpy(fresh, block, old);
}

void *calloc(size_t count, size_t size)
{
	void *block = malloc(count * size);
	return memset(block, 0, count * size);
}

void free(void *block)
{
	if (block && block == last) {
		heap = last - 16;
		last = 0;
	}
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
