/* main.c: Mach starts the server here. Its arguments: the name of its right to open devices, which only the first
   task is given, whether the kernel's emulation of system calls may be used, and where the export window is. */

#include "server.h"

#define PAYLOAD 0x80000000u /* where the ELF file has the payload (image.py) */

struct payload { /* stands before it */
	char magic[8];
	unsigned size, unused;
};

port device_master;
unsigned window, window_size;

void check(unsigned error, const char *what)
{
	if (!error)
		return;
	say("Mach refuses ");
	say(what);
	say(": ");
	say_hex(error);
	say("\n");
	machine_panic("Mach gives the server too little");
}

/* The value of an argument such as --device-port=2. */
static unsigned argument(char **arguments, const char *name)
{
	unsigned i, value = 0;

	for (; *arguments; arguments++) {
		for (i = 0; name[i] && (*arguments)[i] == name[i]; i++)
			;
		if (name[i])
			continue;
		for (; (*arguments)[i] >= '0' && (*arguments)[i] <= '9'; i++)
			value = value * 10 + (*arguments)[i] - '0';
		return value;
	}
	return 0;
}

void server_main(unsigned *stack)
{
	struct payload *payload = (struct payload *)PAYLOAD;
	char **arguments = (char **)(stack + 1);
	unsigned size;

	mach_setup();
	device_master = argument(arguments, "--device-port=");
	window = argument(arguments, "--window=");
	window_size = argument(arguments, "--window-size=");
	device_setup();
	memory_setup();
	space_setup(argument(arguments, "--emulation="));
	if (memcmp(payload->magic, "payload\n", 8))
		machine_panic("the payload is not in its place");
	size = payload->size;
	personality_start(payload + 1, size);
	vm_deallocate(self, PAYLOAD, (size + sizeof *payload + PAGE_MASK) & ~PAGE_MASK);
	personality_run();
}
