/* range.c: the machine's own check of ranges of user memory. The personality never asks for anything else; if it does, it is
   wrong about what it knows, and nothing that it says may be believed any more. */

#include "i386/range.h"

void range_check(address at, unsigned pages)
{
	if (at & PAGE_MASK || at < USER_BOTTOM || at >= USER_TOP || pages > (USER_TOP - at) / PAGE_SIZE)
		machine_panic("defect: pages that are no user's");
}
