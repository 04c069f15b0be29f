/* device.c: the console (first serial port), the result channel (second), the clock, the last words: by the processor's
   own instructions, for every machine that may use these ports. */

#include "personality/machine.h"
#include "i386/device.h"

#define MEASUREMENTS 4

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

static void port_setup(unsigned port)
{
	out8(port + 1, 0);    /* no interrupts */
	out8(port + 3, 0x80); /* divisor 1: 115200 baud, 8N1 */
	out8(port, 1);
	out8(port + 1, 0);
	out8(port + 3, 3);
	out8(port + 2, 7);    /* FIFO on, emptied */
	out8(port + 4, 0xb);  /* DTR, RTS, OUT2 (interrupt line) */
}

void serial_setup(void)
{
	port_setup(CONSOLE);
	port_setup(CHANNEL);
}

static void serial_put(unsigned port, const char *text, unsigned length)
{
	for (; length; length--, text++) {
		while (!(in8(port + 5) & 0x20))
			;
		out8(port, *text);
	}
}

/* Ticks of the time stamp counter in 4 ms of the interval timer's channel 2. More when the machine is stopped meanwhile, never less. */
static unsigned measure(void)
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
	return (unsigned)(tsc() - before);
}

/* The least of several: a busy host stops the machine now and then, and a clock that was set by such a stop would run slow for the whole run. */
void clock_setup(void)
{
	unsigned least = ~0u, found, i;

	for (i = 0; i < MEASUREMENTS; i++) {
		found = measure();
		if (found < least)
			least = found;
	}
	tsc_per_us = least / 4000;
	if (!tsc_per_us)
		tsc_per_us = 1;
	start_tsc = tsc();
}

nanoseconds machine_clock(void)
{
	return (tsc() - start_tsc) / tsc_per_us * 1000;
}

void machine_put(const char *text, unsigned length)
{
	serial_put(CONSOLE, text, length);
}

int channel_ready(void)
{
#ifdef SCREEN_CELLS
	return 0; /* there is no channel; a port that is not there would read as if it had a byte */
#endif
	return in8(CHANNEL + 5) & 1;
}

int machine_result_read(char *to, unsigned room)
{
	unsigned n = 0;

	while (n < room && channel_ready())
		to[n++] = in8(CHANNEL);
	return n;
}

void machine_result_write(const char *from, unsigned length)
{
	serial_put(CHANNEL, from, length);
}

void say(const char *text)
{
	unsigned n = 0;

	while (text[n])
		n++;
	machine_put(text, n);
}

void say_hex(unsigned value)
{
	char digits[9];
	int i;

	for (i = 7; i >= 0; i--, value >>= 4)
		digits[i] = "0123456789abcdef"[value & 15];
	digits[8] = 0;
	say(digits);
}

void say_no_exit(unsigned status)
{
	say("xboot: this machine has no exit device; it is halted. What it was to end with: ");
	say_hex(status);
	say("\n");
}

void machine_panic(const char *why)
{
	say("panic: ");
	say(why);
	say("\n");
#ifdef SCREEN_CELLS
	screen_panic(why);
#endif
	machine_exit(0x11);
}
