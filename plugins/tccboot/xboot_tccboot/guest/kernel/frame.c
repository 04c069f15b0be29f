/* frame.c: page frames, each with a count of its users.

   Frames never used lie above `fresh`; freed ones are linked through their first word. So the start touches no memory, however much there is. */

#include "kernel.h"

static unsigned *users;           /* by frame number */
static void *freed;               /* list */
static unsigned fresh, fresh_end; /* physical: the run that is being used up */
static unsigned later, later_end; /* the run behind the payload */
static unsigned available, total;
unsigned memory_top;              /* physical: what lies above is not ours */

/* top: end of memory; the hole is the payload. */
void frames_setup(unsigned top, unsigned hole_start, unsigned hole_end)
{
	unsigned size = (top / PAGE_SIZE * sizeof *users + PAGE_MASK) & ~PAGE_MASK;

	hole_start &= ~PAGE_MASK;
	hole_end = (hole_end + PAGE_MASK) & ~PAGE_MASK;
	if (hole_start < POOL_START + size || hole_end > top)
		machine_panic("limit: memory is too small for this payload");
	memory_top = top;
	users = TO_VIRTUAL(POOL_START);
	memset(users, 0, size);
	fresh = POOL_START + size;
	fresh_end = hole_start;
	later = hole_end;
	later_end = top;
	available = total = (fresh_end - fresh + later_end - later) / PAGE_SIZE;
	if (total < 4 * RESERVE_FRAMES)
		machine_panic("limit: memory is too small");
}

/* Makes frames of memory that was put to another use until now. */
void frames_release(unsigned start, unsigned end)
{
	start &= ~PAGE_MASK;
	end = (end + PAGE_MASK) & ~PAGE_MASK;
	while (start < end) {
		end -= PAGE_SIZE;
		*(void **)TO_VIRTUAL(end) = freed;
		freed = TO_VIRTUAL(end);
		available++;
		total++;
	}
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
		if (fresh == fresh_end) {
			fresh = later;
			fresh_end = later_end;
			later = later_end;
		}
		frame = TO_VIRTUAL(fresh);
		fresh += PAGE_SIZE;
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

static void broken(void)
{
	machine_panic("defect: a frame that is none, that nobody uses, or whose count has no end");
}

/* One comparison finds a count of 0, which is no frame's in use, and one that is too large. Written out where it is needed: a fork does it for every page. */
void machine_frame_keep(void *frame)
{
	unsigned at = TO_PHYSICAL(frame);

	if (at >= memory_top || users[at >> 12] - 1 >= MOST)
		broken();
	users[at >> 12]++;
}

void machine_frame_drop(void *frame)
{
	unsigned at = TO_PHYSICAL(frame);

	if (at >= memory_top || users[at >> 12] - 1 >= MOST)
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
	unsigned at = TO_PHYSICAL(frame);

	if (at >= memory_top)
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
