/* vector.c: sparse arrays of pointers: small ones in a block, large ones in a page of pages. */

#include "personality.h"

void **vector_slot(struct vector *v, unsigned i, int make)
{
	unsigned room;
	void **bigger, **leaf;

	if (!v->root && i < SLOTS) {
		if (i < v->room)
			return &v->small[i];
		if (!make)
			return 0;
		for (room = v->room ? v->room : 4; room <= i; room *= 4)
			;
		if (room > SLOTS)
			room = SLOTS;
		bigger = pool_of(POOL_VECTORS, room * sizeof(void *));
		if (!bigger)
			return 0;
		if (v->small) {
			memcpy(bigger, v->small, v->room * sizeof(void *));
			pool_back(POOL_VECTORS, v->small, v->room * sizeof(void *));
		}
		v->small = bigger;
		v->room = room;
		return &v->small[i];
	}
	if (i / SLOTS >= SLOTS)
		return 0;
	if (!v->root) {
		if (!make)
			return 0;
		if (v->small && v->room < SLOTS && !vector_slot(v, SLOTS - 1, 1)) /* make it a full page first */
			return 0;
		v->root = pool_of(POOL_VECTORS, PAGE_SIZE);
		if (!v->root)
			return 0;
		v->root[0] = v->small;
		v->small = 0;
		v->room = 0;
	}
	leaf = v->root[i / SLOTS];
	if (!leaf) {
		if (!make)
			return 0;
		leaf = pool_of(POOL_VECTORS, PAGE_SIZE);
		if (!leaf)
			return 0;
		v->root[i / SLOTS] = leaf;
	}
	return &leaf[i % SLOTS];
}

void vector_free(struct vector *v)
{
	unsigned i;

	if (v->root) {
		for (i = 0; i < SLOTS; i++)
			pool_back(POOL_VECTORS, v->root[i], PAGE_SIZE);
		pool_back(POOL_VECTORS, v->root, PAGE_SIZE);
	}
	if (v->small)
		pool_back(POOL_VECTORS, v->small, v->room * sizeof(void *));
	v->root = 0;
	v->small = 0;
	v->room = 0;
}
