/* device.c: the ports that Mach opens for the server's task alone, physical memory, the exit, idling. How serial ports
   and clock are used: i386/device.c. Mach's drivers for the same serial ports are never opened; Mach's own words at the
   start go to the first, too. */

#include "server.h"

#define IDLE 10 /* ms */

static port nothing; /* no message ever comes here */

void device_setup(void)
{
#ifdef SCREEN_CELLS
	port cells;
#endif
	if (io_permission(device_master, EXIT_PORT, EXIT_PORT))
		for (;;)
			; /* without the exit device nothing can be said: the host's deadline ends the machine */
	check(io_permission(device_master, CONSOLE, CONSOLE + 7), "i386_io_perm_create");
	check(io_permission(device_master, CHANNEL, CHANNEL + 7), "i386_io_perm_create");
	check(io_permission(device_master, 0x42, 0x43), "i386_io_perm_create");
	check(io_permission(device_master, 0x61, 0x61), "i386_io_perm_create");
#ifdef SCREEN_CELLS
	cells = device_memory(SCREEN, PAGE_SIZE);
	if (!cells || vm_map(self, SCREEN_CELLS, PAGE_SIZE, cells, 0))
		machine_exit(0x11); /* there is nowhere to say it */
#endif
	serial_setup();
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

void machine_exit(unsigned status)
{
	out8(EXIT_PORT, status);
	say_no_exit(status);
	for (;;)
		machine_idle(0); /* there is no way to stop Mach: its other tasks are stopped by nobody running them */
}

/* One turn of waiting: till the next byte of the result channel, or for one of Mach's ticks. A byte that is expected
   mostly comes at once. */
void machine_idle(nanoseconds until)
{
	nanoseconds end = machine_clock() + 2000000;
	char m[64];

	while (machine_clock() < end)
		if (channel_ready() || (until && machine_clock() >= until))
			return;
	mach_msg(m, MACH_RECEIVE | MACH_RECEIVE_TIMEOUT, 0, sizeof m, nothing, IDLE, 0);
}
