/* range.h: what a machine checks again, whatever the personality has checked (range.c). */

#ifndef RANGE_H
#define RANGE_H

#include "personality/machine.h"

void range_check(address at, unsigned pages); /* panics unless these are whole pages of a user's memory */

#endif
