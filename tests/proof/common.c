/* common.c: what stands around the executor's functions in a proof. Memory never runs out; `fail` never returns, and reads what it is given. */
#include "xboot.h"

#include "__fc_builtin.h"

void *malloc(size_t);

void *allocate(unsigned long size)
{
    return malloc(size);
}

void fail(const char *kind, const char *why, const char *name)
{
    length(kind);
    length(why);
    length(name);
    for (;;)
        ;
}
