/* Physical page frames with reference counts.
 *
 * Frames never used yet are taken in order from the ranges that boot found (so that a large machine costs nothing until it is
 * used); frames given back go to a stack linked through the frames themselves. Both orders are the same in every run.
 *
 * The last `frames_reserve` frames are for the kernel alone: a program that takes all memory must not starve the OCaml heap,
 * whose collector cannot fail gracefully.
 */
#include "base.h"

#define RANGES 32

static struct { u64 next, end; } ranges[RANGES];
static u64 range_count, range_current;
static u64 free_head;
static u32 *counts;
static u64 count_limit;
u64 frames_free_count, frames_reserve;

/* `limit`: one past the highest frame. The table of counts is cut from the first range that holds it. */
void frames_init(u64 limit) {
    u64 need = (limit * sizeof(u32) + PAGE - 1) / PAGE;
    for (u64 i = 0; i < range_count; i++)
        if (ranges[i].end - ranges[i].next >= need) {
            counts = phys(ranges[i].next * PAGE);
            ranges[i].next += need;
            frames_free_count -= need;
            count_limit = limit;
            return;
        }
    panic("no memory for the table of page frames");
}

void frames_add(u64 start, u64 end) { /* whole frames of [start, end), in bytes */
    start = (start + PAGE - 1) / PAGE;
    end /= PAGE;
    if (start >= end || range_count == RANGES) return;
    ranges[range_count].next = start;
    ranges[range_count++].end = end;
    frames_free_count += end - start;
}

u64 frame_alloc_raw(int user) {
    if (frames_free_count <= (user ? frames_reserve : 0)) return 0;
    u64 frame = free_head;
    if (frame)
        free_head = *(u64 *)phys(frame * PAGE);
    else {
        while (range_current < range_count && ranges[range_current].next == ranges[range_current].end) range_current++;
        if (range_current == range_count) return 0;
        frame = ranges[range_current].next++;
    }
    frames_free_count--;
    counts[frame] = 1;
    return frame;
}

u64 frame_alloc(int user) {
    u64 frame = frame_alloc_raw(user);
    if (frame) page_zero(phys(frame * PAGE));
    return frame;
}

void frame_ref(u64 frame) { counts[frame]++; }

void frame_unref(u64 frame) {
    if (frame == 0 || frame >= count_limit || counts[frame] == 0) panic("a page frame was released twice");
    if (--counts[frame]) return;
    *(u64 *)phys(frame * PAGE) = free_head;
    free_head = frame;
    frames_free_count++;
}

/* A frame that was never in a range, or was cut out of one: the payload's, once it is read. Beyond the limit of mem= it is not ours. */
void frame_give(u64 frame) {
    if (frame == 0 || frame >= count_limit) return;
    counts[frame] = 1;
    frame_unref(frame);
}

u32 frame_refs(u64 frame) { return counts[frame]; }

/* Unrolled moves of general registers: under TCG several times faster than `rep`, and free of SSE, so usable before the
   program's FPU state is saved. */
void page_copy(void *to, const void *from) {
    u64 *t = to;
    const u64 *f = from;
    for (int i = 0; i < 512; i += 8) {
        t[i] = f[i]; t[i + 1] = f[i + 1]; t[i + 2] = f[i + 2]; t[i + 3] = f[i + 3];
        t[i + 4] = f[i + 4]; t[i + 5] = f[i + 5]; t[i + 6] = f[i + 6]; t[i + 7] = f[i + 7];
    }
}

void page_zero(void *page) {
    u64 *t = page;
    for (int i = 0; i < 512; i += 8) {
        t[i] = 0; t[i + 1] = 0; t[i + 2] = 0; t[i + 3] = 0; t[i + 4] = 0; t[i + 5] = 0; t[i + 6] = 0; t[i + 7] = 0;
    }
}
