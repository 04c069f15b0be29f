/* device.c: the console (first serial port), the result channel (second), the exit device, the clock. */

#include "kernel.h"

#define CONSOLE 0x3f8
#define CHANNEL 0x2f8
#define EXIT_PORT 0xf4
#define TICKS_PER_SECOND 100
#define PIT_RATE 1193182u

static unsigned long long start_tsc;
static unsigned tsc_per_us; /* at least 1 */

void out8(unsigned port, unsigned value)
{
	asm volatile("outb %b0, %w1" : : "a"(value), "Nd"(port));
}

unsigned in8(unsigned port)
{
	unsigned char value;
	asm volatile("inb %w1, %b0" : "=a"(value) : "Nd"(port));
	return value;
}

static unsigned long long tsc(void)
{
	unsigned low, high;
	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return (unsigned long long)high << 32 | low;
}

static void serial_setup(unsigned port)
{
	out8(port + 1, 0);    /* no interrupts */
	out8(port + 3, 0x80); /* divisor 1: 115200 baud, 8N1 */
	out8(port, 1);
	out8(port + 1, 0);
	out8(port + 3, 3);
	out8(port + 2, 7);    /* FIFO on, emptied */
	out8(port + 4, 0xb);  /* DTR, RTS, OUT2 (interrupt line) */
}

static void serial_put(unsigned port, const char *text, unsigned length)
{
	for (; length; length--, text++) {
		while (!(in8(port + 5) & 0x20))
			;
		out8(port, *text);
	}
}

/* The time stamp counter against 4 ms of the interval timer's channel 2. */
static void clock_setup(void)
{
	unsigned count = PIT_RATE / 250;
	unsigned long long before;

	out8(0x61, (in8(0x61) & ~2u) | 1); /* speaker off, gate on */
	out8(0x43, 0xb0);                  /* channel 2, one shot */
	out8(0x42, count & 255);
	before = tsc();
	out8(0x42, count >> 8);
	while (!(in8(0x61) & 0x20))
		;
	start_tsc = tsc();
	tsc_per_us = (unsigned)(start_tsc - before) / 4000;
	if (!tsc_per_us)
		tsc_per_us = 1;
}

void device_setup(void)
{
	unsigned divisor = PIT_RATE / TICKS_PER_SECOND;

	serial_setup(CONSOLE);
	serial_setup(CHANNEL);
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

void machine_put(const char *text, unsigned length)
{
	serial_put(CONSOLE, text, length);
}

int machine_result_read(char *to, unsigned room)
{
	unsigned n = 0;

	while (n < room && (in8(CHANNEL + 5) & 1))
		to[n++] = in8(CHANNEL);
	return n;
}

void machine_result_write(const char *from, unsigned length)
{
	serial_put(CHANNEL, from, length);
}

void machine_exit(unsigned status)
{
	out8(EXIT_PORT, status);
	for (;;)
		asm volatile("cli; hlt"); /* no exit device: the host's deadline ends the machine */
}

void machine_panic(const char *why)
{
	say("panic: ");
	say(why);
	say("\n");
	machine_exit(0x11);
}

nanoseconds machine_clock(void)
{
	return (tsc() - start_tsc) / tsc_per_us * 1000;
}

/* One turn of waiting: till the next tick or the next byte of the result channel. */
void machine_idle(nanoseconds until)
{
	if (in8(CHANNEL + 5) & 1)
		return;
	asm volatile("sti; hlt; cli");
}
