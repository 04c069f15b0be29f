/* memory.c: page frames out of the server's own memory, and the account of what is left.

   Frames come in chunks of 4 MiB that Mach provides page by page when they are touched; a chunk without used frames
   goes back. Mach without a pager stops for ever when about a tenth of all memory is left, without a word. So the
   server asks how much is free, at most every 10 ms, and refuses well before. */

#include "server.h"

#define FRAMES 0x20000000u
#define FRAMES_END 0x80000000u
#define CHUNK 0x400000u
#define CHUNKS ((FRAMES_END - FRAMES) / CHUNK)
#define IN_CHUNK (CHUNK / PAGE_SIZE)
#define RESERVE 2048u      /* frames for process 1's own needs */
#define INTERVAL 10000000u /* ns */

struct chunk {
	void *freed;    /* list through the frames' first words */
	unsigned fresh; /* frames never used since Mach gave the chunk */
	unsigned used;
	int present;
};

static struct chunk chunks[CHUNKS];
static unsigned users[CHUNKS * IN_CHUNK];
static unsigned current;             /* the chunk that frames are taken from */
static unsigned total, limit;        /* pages at the start; how many stay untouched */
static unsigned available;           /* pages that Mach has free, as far as is known */
static nanoseconds asked;

static void ask(void)
{
	available = vm_free_pages();
	asked = machine_clock();
}

void memory_setup(void)
{
	ask();
	total = available;
	limit = total / 8 + 4096;
	if (total < 4 * limit / 3 + 2 * RESERVE)
		machine_panic("limit: memory is too small");
}

void *memory_reserve(unsigned place, unsigned size)
{
	return vm_allocate(self, &place, size, 0) ? 0 : (void *)place;
}

int memory_exhausted(int first)
{
	if (machine_clock() - asked >= INTERVAL)
		ask();
	return available < (first ? limit - limit / 16 : limit - limit / 32);
}

static struct chunk *chunk_with_room(void)
{
	unsigned i, at;

	for (i = 0; i < CHUNKS; i++)
		if (chunks[i].present && chunks[i].used < IN_CHUNK)
			break;
	if (i == CHUNKS)
		for (i = 0; i < CHUNKS; i++) {
			at = FRAMES + i * CHUNK;
			if (!chunks[i].present && !vm_allocate(self, &at, CHUNK, 0)) {
				chunks[i].present = 1;
				chunks[i].freed = 0;
				chunks[i].fresh = IN_CHUNK;
				break;
			}
		}
	if (i == CHUNKS)
		return 0;
	current = i;
	return &chunks[i];
}

void *machine_frame(int reserve)
{
	struct chunk *c = &chunks[current];
	unsigned floor = limit + (reserve ? 0 : RESERVE);
	void *frame;

	if (!c->present || c->used == IN_CHUNK)
		c = chunk_with_room();
	if (!c)
		return 0;
	if (c->freed) {
		frame = c->freed;
		c->freed = *(void **)frame;
		memset(frame, 0, PAGE_SIZE);
	} else {
		if (available <= floor || !(available & 255))
			ask();
		if (available <= floor)
			return 0;
		available--;
		frame = (void *)(FRAMES + current * CHUNK + (IN_CHUNK - c->fresh--) * PAGE_SIZE);
	}
	c->used++;
	users[((unsigned)frame - FRAMES) / PAGE_SIZE] = 1;
	return frame;
}

static unsigned number(const void *frame)
{
	unsigned n = ((unsigned)frame - FRAMES) / PAGE_SIZE;

	if (n >= CHUNKS * IN_CHUNK || users[n] == 0)
		machine_panic("defect: a frame that is none");
	return n;
}

void machine_frame_keep(void *frame)
{
	if (++users[number(frame)] > 0x3fffffff)
		machine_panic("defect: a frame's count has no end");
}

void machine_frame_drop(void *frame)
{
	unsigned n = number(frame);
	struct chunk *c = &chunks[n / IN_CHUNK];

	if (--users[n])
		return;
	*(void **)frame = c->freed;
	c->freed = frame;
	if (--c->used == 0 && n / IN_CHUNK != current) {
		vm_deallocate(self, FRAMES + n / IN_CHUNK * CHUNK, CHUNK);
		c->present = 0;
	}
}

unsigned machine_frame_users(const void *frame)
{
	return users[number(frame)];
}

unsigned machine_frames_free(void)
{
	if (machine_clock() - asked >= INTERVAL)
		ask();
	return available > limit + RESERVE ? available - limit - RESERVE : 0;
}

unsigned machine_frames_total(void)
{
	return total - limit;
}
