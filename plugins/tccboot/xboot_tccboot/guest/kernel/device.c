/* device.c: what only bare metal has: interrupts and ticks, the exit, idling. All else: i386/device.c. */

#include "kernel.h"

#define TICKS_PER_SECOND 100

void device_setup(void)
{
	unsigned divisor = PIT_RATE / TICKS_PER_SECOND;

	serial_setup();
	out8(0x20, 0x11); /* interrupt controllers: vectors from 32 on */
	out8(0xa0, 0x11);
	out8(0x21, 32);
	out8(0xa1, 40);
	out8(0x21, 4);
	out8(0xa1, 2);
	out8(0x21, 1);
	out8(0xa1, 1);
	out8(0x21, 0xf6); /* only 0 (clock) and 3 (second serial port) */
	out8(0xa1, 0xff);
	clock_setup();
	out8(0x43, 0x34); /* channel 0: ticks */
	out8(0x40, divisor & 255);
	out8(0x40, divisor >> 8);
	out8(CHANNEL + 1, 1); /* interrupt on input, to end idling */
}

void machine_exit(unsigned status)
{
	out8(EXIT_PORT, status);
	say_no_exit(status);
	for (;;)
		asm volatile("cli; hlt");
}

/* One turn of waiting: till the next tick or the next byte of the result channel. */
void machine_idle(nanoseconds until)
{
	if (!channel_ready())
		asm volatile("sti; hlt; cli");
}
