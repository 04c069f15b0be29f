/* count.c: counts of what uses a node, a description, a memory. A count that would wrap, or fall below nothing, means that one of its users was not counted: what it
   counts would be freed while it is in use. The machine ends instead. */

#include "personality.h"

#define MOST 0x3fffffffu /* more than memory can hold of anything */

void count_more(u32 *count)
{
	if (*count >= MOST)
		machine_panic("defect: a count has no end");
	++*count;
}

/* What is left. */
u32 count_less(u32 *count)
{
	if (!*count || *count > MOST)
		machine_panic("defect: a count falls below nothing");
	return --*count;
}
