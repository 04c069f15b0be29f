/* vector.c: sparse arrays of pointers: small ones in a block, large ones in a page of pages. */

#include "personality.h"

void **vector_slot(struct vector *v, unsigned i, int make)
{
	unsigned room, which = i / SLOTS / SLOTS;
	void **bigger, **leaf;

	if (!v->root[0] && i < SLOTS) {
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
	if (which >= ROOTS)
		return 0;
	if (!v->root[0]) {
		if (!make)
			return 0;
		if (v->small && v->room < SLOTS && !vector_slot(v, SLOTS - 1, 1)) /* make it a full page first */
			return 0;
		v->root[0] = pool_of(POOL_VECTORS, PAGE_SIZE);
		if (!v->root[0])
			return 0;
		v->root[0][0] = v->small;
		v->small = 0;
		v->room = 0;
	}
	if (!v->root[which]) {
		if (!make)
			return 0;
		v->root[which] = pool_of(POOL_VECTORS, PAGE_SIZE);
		if (!v->root[which])
			return 0;
	}
	leaf = v->root[which][i / SLOTS % SLOTS];
	if (!leaf) {
		if (!make)
			return 0;
		leaf = pool_of(POOL_VECTORS, PAGE_SIZE);
		if (!leaf)
			return 0;
		v->root[which][i / SLOTS % SLOTS] = leaf;
	}
	return &leaf[i % SLOTS];
}

void vector_free(struct vector *v)
{
	unsigned i, which;

	for (which = 0; which < ROOTS; which++) {
		for (i = 0; v->root[which] && i < SLOTS; i++)
			pool_back(POOL_VECTORS, v->root[which][i], PAGE_SIZE);
		pool_back(POOL_VECTORS, v->root[which], PAGE_SIZE);
		v->root[which] = 0;
	}
	if (v->small)
		pool_back(POOL_VECTORS, v->small, v->room * sizeof(void *));
	v->small = 0;
	v->room = 0;
}
