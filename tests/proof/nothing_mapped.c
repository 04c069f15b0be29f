/* nothing_mapped.c: for proofs about files that map no memory of their own. */
#include "linux.h"

long map(unsigned long size)
{
    (void)size;
    return -12;
}

void unmap(void *memory)
{
    (void)memory;
}
