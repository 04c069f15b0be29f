/* kernel.c: the machine layer as one unit, so that TCC reads its headers once (as i386/personality.c is for the personality). For this its files keep
   their static names distinct. A test holds that none is missing here. */

#include "i386/device.c"
#include "i386/range.c"
#include "kernel/device.c"
#include "kernel/frame.c"
#include "kernel/main.c"
#include "kernel/protect.c"
#include "kernel/space.c"
#include "kernel/thread.c"

#ifdef MACHINE_WIDE
#include "kernel/descriptors.c"
#endif
