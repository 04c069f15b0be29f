/* panic.c: the last words of a kernel whose guest runs by itself, over what stands on the screen. SCREEN_CELLS is where this kernel sees the cells. */

#include "i386/device.h"

#define COLUMNS 80
#define LINES 4
#define BAD 0x4f00 /* white on red */

static volatile unsigned short *put(volatile unsigned short *cell, const volatile unsigned short *end, const char *text)
{
	for (; *text && cell < end; text++)
		*cell++ = BAD | (*text >= ' ' && *text <= '~' ? *text : ' ');
	return cell;
}

void screen_panic(const char *why)
{
	volatile unsigned short *cell = (volatile unsigned short *)SCREEN_CELLS, *end = cell + LINES * COLUMNS;

	cell = put(cell, end, "xboot: the kernel gave up. There is no result. ");
	cell = put(cell, end, why);
	while (cell < end)
		cell = put(cell, end, " ");
}
