/* device.c: the console (first serial port), the result channel (second), the exit device, the clock: by the
   processor's own instructions, on ports that Mach has opened for the server's task alone. Mach's drivers for the
   same serial ports are never opened; Mach's own words at the start go to the first, too. */

#include "server.h"

#define CONSOLE 0x3f8
#define CHANNEL 0x2f8
#define EXIT_PORT 0xf4
#define PIT_RATE 1193182u
#define IDLE 10 /* ms */

static unsigned long long start_tsc;
static unsigned tsc_per_us; /* at least 1 */
static port nothing;        /* no message ever comes here */

static void out8(unsigned port, unsigned value)
{
	asm volatile("outb %b0, %w1" : : "a"(value), "Nd"(port));
}

static unsigned in8(unsigned port)
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
	out8(port + 4, 0xb);  /* DTR, RTS, OUT2 */
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
	if (io_permission(device_master, EXIT_PORT, EXIT_PORT))
		for (;;)
			; /* without the exit device nothing can be said: the host's deadline ends the machine */
	check(io_permission(device_master, CONSOLE, CONSOLE + 7), "i386_io_perm_create");
	check(io_permission(device_master, CHANNEL, CHANNEL + 7), "i386_io_perm_create");
	check(io_permission(device_master, 0x42, 0x43), "i386_io_perm_create");
	check(io_permission(device_master, 0x61, 0x61), "i386_io_perm_create");
	serial_setup(CONSOLE);
	serial_setup(CHANNEL);
	clock_setup();
	nothing = mach_reply_port();
}

port device_memory(unsigned physical, unsigned size)
{
	static port memory;
	port object;

	if (!memory && mach_device_open(device_master, "mem", &memory))
		return 0;
	return mach_device_map(memory, physical, size, &object) ? 0 : object;
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
		; /* no exit device: the host's deadline ends the machine */
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

/* One turn of waiting: till the next byte of the result channel, or for one of Mach's ticks. A byte that is expected
   mostly comes at once. */
void machine_idle(nanoseconds until)
{
	nanoseconds end = machine_clock() + 2000000;
	char m[64];

	while (machine_clock() < end)
		if (in8(CHANNEL + 5) & 1 || (until && machine_clock() >= until))
			return;
	mach_msg(m, MACH_RECEIVE | MACH_RECEIVE_TIMEOUT, 0, sizeof m, nothing, IDLE, 0);
}
