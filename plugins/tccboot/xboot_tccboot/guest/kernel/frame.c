/* frame.c: page frames, each with a count of its users.

   Frames never used lie above `fresh`; freed ones are linked through their first word. So the start touches no memory, however much there is.

   Page tables and threads come from the end of memory, which nothing else is given, and stay what they are: whatever still points at a frame that was a file's or a user's
   finds no table there, and a table is never what a user once wrote. When that place is used up they come from frames never used, while there are any. */

#include "kernel.h"

static unsigned *users;           /* by frame number */
static void *freed;               /* list */
static struct run { unsigned long start, end; } runs[3]; /* physical: never used; above 4 GiB, before the payload, behind it */
static unsigned available, total;
static unsigned long kept, kept_end;      /* physical: for tables and threads, never used */
static void *kept_freed[FRAME_KINDS];
unsigned long memory_top;                 /* physical: what lies above is not ours, up to 4 GiB */
static unsigned long memory_end;          /* nor from here on */

/* top: end of memory below 4 GiB; high_end: and above, or 0; the hole is the payload. */
void frames_setup(unsigned long top, unsigned long high_end, unsigned long hole_start, unsigned long hole_end)
{
	unsigned long size;
	struct run *r, *largest = runs;

	memory_top = top;
	memory_end = high_end ? high_end : top;
	size = (memory_end / PAGE_SIZE * sizeof *users + PAGE_MASK) & ~PAGE_MASK;
	hole_start &= ~(unsigned long)PAGE_MASK;
	hole_end = (hole_end + PAGE_MASK) & ~(unsigned long)PAGE_MASK;
	if (hole_start < POOL_START + size || hole_end > top)
		machine_panic("limit: memory is too small for this payload");
	users = TO_VIRTUAL(POOL_START);
	memset(users, 0, size);
#ifdef MACHINE_WIDE
	runs[0].start = HIGH_START;
	runs[0].end = high_end ? high_end : HIGH_START;
#endif
	runs[1].start = POOL_START + size;
	runs[1].end = hole_start;
	runs[2].start = hole_end;
	runs[2].end = top;
	for (r = runs; r < runs + 3; r++)
		if (r->end - r->start > largest->end - largest->start)
			largest = r;
	kept_end = largest->end; /* a thirty-second */
	kept = largest->end -= (largest->end - largest->start) / 32 & ~(unsigned long)PAGE_MASK;
	for (r = runs; r < runs + 3; r++)
		total += (unsigned)((r->end - r->start) / PAGE_SIZE);
	available = total;
	if (total < 4 * RESERVE_FRAMES)
		machine_panic("limit: memory is too small");
}

/* Makes frames of memory that was put to another use until now. */
void frames_release(unsigned long start, unsigned long end)
{
	start &= ~(unsigned long)PAGE_MASK;
	end = (end + PAGE_MASK) & ~(unsigned long)PAGE_MASK;
	while (start < end) {
		end -= PAGE_SIZE;
		*(void **)TO_VIRTUAL(end) = freed;
		freed = TO_VIRTUAL(end);
		available++;
		total++;
	}
}

/* Where the next lies that was never used; 0: there is none. */
static struct run *unused(void)
{
	struct run *r;

	for (r = runs; r < runs + 3; r++)
		if (r->start < r->end)
			return r;
	return 0;
}

/* The next that was never used; the caller knows that there is one. */
static void *next_fresh(void)
{
	struct run *r = unused();

	r->start += PAGE_SIZE;
	return TO_VIRTUAL(r->start - PAGE_SIZE);
}

void *frame_raw(int reserve)
{
	void *frame;

	if (available <= (reserve ? 0 : RESERVE_FRAMES))
		return 0;
	available--;
	if (freed) {
		frame = freed;
		freed = *(void **)frame;
	} else {
		frame = next_fresh();
	}
	users[TO_PHYSICAL(frame) >> 12] = 1;
	return frame;
}

void *machine_frame(int reserve)
{
	void *frame = frame_raw(reserve);

	if (frame)
		memset(frame, 0, PAGE_SIZE);
	return frame;
}

#define MOST 0x3fffffffu /* users of one frame */
#define KEPT 0x80000000u /* and its kind: what stands for the users of a table or thread */

static void broken(void)
{
	machine_panic("defect: a frame that is none, that nobody uses, or whose count has no end");
}

void frame_is(enum frame_kind kind, const void *frame)
{
	unsigned long at = TO_PHYSICAL(frame);

	if (at >= memory_end || at & PAGE_MASK || users[at >> 12] != KEPT + kind)
		machine_panic("defect: a table or thread that is none");
}

void *frame_of(enum frame_kind kind)
{
	void *frame = kept_freed[kind];

	if (frame) {
		kept_freed[kind] = *(void **)frame;
	} else if (kept < kept_end) {
		kept_end -= PAGE_SIZE;
		frame = TO_VIRTUAL(kept_end);
	} else if (available > RESERVE_FRAMES && unused()) {
		frame = next_fresh();
		available--;
		total--;
	} else {
		return 0;
	}
	users[TO_PHYSICAL(frame) >> 12] = KEPT + kind;
	memset(frame, 0, PAGE_SIZE);
	return frame;
}

void frame_back(enum frame_kind kind, void *frame)
{
	frame_is(kind, frame);
	users[TO_PHYSICAL(frame) >> 12] = 0;
	*(void **)frame = kept_freed[kind];
	kept_freed[kind] = frame;
}

/* One comparison finds a count of 0, which is no frame's in use, and one that is too large. Written out where it is needed: a fork does it for every page. */
void machine_frame_keep(void *frame)
{
	unsigned long at = TO_PHYSICAL(frame);

	if (at >= memory_end || users[at >> 12] - 1 >= MOST)
		broken();
	users[at >> 12]++;
}

void machine_frame_drop(void *frame)
{
	unsigned long at = TO_PHYSICAL(frame);

	if (at >= memory_end || users[at >> 12] - 1 >= MOST)
		broken();
	if (--users[at >> 12])
		return;
	if (at & PAGE_MASK)
		broken();
	*(void **)frame = freed;
	freed = frame;
	available++;
}

unsigned machine_frame_users(const void *frame)
{
	unsigned long at = TO_PHYSICAL(frame);

	if (at >= memory_end)
		broken();
	return users[at >> 12];
}

unsigned machine_frames_free(void)
{
	return available > RESERVE_FRAMES ? available - RESERVE_FRAMES : 0;
}

unsigned machine_frames_total(void)
{
	return total;
}
