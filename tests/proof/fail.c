/* fail.c: `fail` never returns, and reads what it is given. */
#include "xboot.h"

void fail(const char *kind, const char *why, const char *name)
{
    length(kind);
    length(why);
    length(name);
    for (;;)
        ;
}
