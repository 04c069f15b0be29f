/* words.c: memory functions beside plain loops, for every length, distance and alignment that matters; status 0 when all agree. Freestanding, i386. The functions
   come from xboot_hurd/mend.py or core/xboot/guest/libc/copy.S, as the assembler makes them. */

void *memcpy(void *to, const void *from, unsigned n);
void *memmove(void *to, const void *from, unsigned n);
void *memset(void *to, int byte, unsigned n);

static unsigned char is[4096 + 128], should[4096 + 128];

static void end(int status)
{
	asm volatile("int $0x80" : : "a"(1), "b"(status));
}

static void fresh(void)
{
	unsigned i;

	for (i = 0; i < sizeof is; i++)
		is[i] = should[i] = (unsigned char)(i * 7 + (i >> 8));
}

static void same(void *returned, void *to, int status)
{
	unsigned i, flags;

	asm volatile("pushf; pop %0" : "=r"(flags));
	if (returned != to || flags & 0x400) /* direction */
		end(status);
	for (i = 0; i < sizeof is; i++)
		if (is[i] != should[i])
			end(status + 1);
}

static void try(unsigned to, unsigned from, unsigned n)
{
	unsigned i;

	fresh();
	if (to <= from)
		for (i = 0; i < n; i++)
			should[to + i] = should[from + i];
	else
		for (i = n; i--;)
			should[to + i] = should[from + i];
	same(memmove(is + to, is + from, n), is + to, 10);
	fresh();
	for (i = 0; i < n; i++)
		should[to + i] = (unsigned char)(from + 0x80);
	same(memset(is + to, (int)(from + 0x80), n), is + to, 20);
	if (to + n > from && from + n > to)
		return; /* they overlap */
	fresh();
	for (i = 0; i < n; i++)
		should[to + i] = should[from + i];
	same(memcpy(is + to, is + from, n), is + to, 30);
}

void _start(void)
{
	static const unsigned lengths[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31};
	unsigned i, to, from;

	for (i = 0; i < sizeof lengths / sizeof *lengths; i++)
		for (to = 0; to < 48; to++)
			for (from = 0; from < 48; from++)
				try(to, from, lengths[i]);
	try(1, 2, 4096);
	try(2, 1, 4096);
	try(64, 60, 4096);
	end(0);
}
