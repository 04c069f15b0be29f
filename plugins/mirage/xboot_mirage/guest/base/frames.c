/* Physical page frames with reference counts, in pools that never mix.
 *
 * A frame has a kind for good: a page (programs, files, the OCaml heap), a table (page tables), or a context (registers). A frame that was
 * given back is only ever given out again as the same kind, so whatever still points at it finds no page table and no registers there.
 *
 * Frames never used yet are taken in order from the ranges that boot found (so that a large machine costs nothing until it is used): pages from
 * the bottom, tables and contexts from the top. Both orders are the same in every run. What is known of a frame lies in tables of its own and
 * never in the frame. A page is zeroed before it is used again. A free table or context is zero, and that is checked when it is given out again: who wrote
 * to it meanwhile held a stale address, and the machine ends.
 *
 * The last `frames_reserve` frames are for the kernel alone: a program that takes all memory must not starve the OCaml heap, whose collector cannot
 * fail gracefully. `tables_left` frames never used are kept for tables and contexts.
 */
#include "base.h"

#define RANGES 32

static struct { u64 next, end; } ranges[RANGES];
static u64 range_count;
struct frame_info *frame_infos;
u64 frame_limit;
static struct { u64 head, length; } pools[FRAME_KINDS];
static u64 fresh, tables_left;
u64 frames_free_count, frames_reserve; /* pages that may be given out, those of the reserve included */

static void count_free(void) { frames_free_count = pools[FRAME_PAGE].length + (fresh > tables_left ? fresh - tables_left : 0); }

/* `limit`: one past the highest frame. The table is cut from the first range that holds it. */
void frames_init(u64 limit) {
    u64 need = (limit * sizeof *frame_infos + PAGE - 1) / PAGE;
    for (u64 i = 0; i < range_count; i++)
        if (ranges[i].end - ranges[i].next >= need) {
            frame_infos = phys(ranges[i].next * PAGE);
            for (u64 k = 0; k < need; k++) page_zero(phys((ranges[i].next + k) * PAGE));
            ranges[i].next += need;
            fresh -= need;
            frame_limit = limit;
            count_free();
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
    fresh += end - start;
    count_free();
}

/* All ranges are known: an eighth is the kernel's own, a thirty-second stays free for tables and contexts. */
void frames_ready(void) {
    tables_left = fresh / 32;
    count_free();
    frames_reserve = frames_free_count / 8;
}

static struct frame_info *info(u64 frame) {
    if (frame == 0 || frame >= frame_limit) panic("no such page frame");
    return frame_infos + frame;
}

/* A frame never used: from the bottom for pages, else from the top. 0: none left. */
static u64 take_fresh(int kind) {
    for (u64 i = 0; i < range_count; i++) {
        u64 n = kind == FRAME_PAGE ? i : range_count - 1 - i;
        if (ranges[n].next < ranges[n].end) {
            fresh--;
            return kind == FRAME_PAGE ? ranges[n].next++ : --ranges[n].end;
        }
    }
    return 0;
}

/* From a pool; a free table or context must be as it was left. */
static u64 take_pooled(int kind) {
    u64 frame = pools[kind].head;
    if (!frame) return 0;
    struct frame_info *i = info(frame);
    if (i->count || i->kind != kind) panic("a free page frame is in use");
    pools[kind].head = i->link;
    pools[kind].length--;
    if (kind != FRAME_PAGE && !page_is_zero(phys(frame * PAGE))) panic("a free page frame was written to");
    return frame;
}

static u64 hand_out(u64 frame, int kind) {
    struct frame_info *i = info(frame);
    i->count = 1;
    i->kind = (u8)kind;
    count_free();
    return frame;
}

/* A page for who writes all of it at once. 0: none left (programs leave the reserve alone). */
u64 frame_alloc_raw(int user) {
    if (frames_free_count <= (user ? frames_reserve : 0)) return 0;
    u64 frame = take_pooled(FRAME_PAGE);
    if (!frame) frame = take_fresh(FRAME_PAGE);
    return frame ? hand_out(frame, FRAME_PAGE) : 0;
}

/* A zeroed page. 0: none left. */
u64 frame_alloc(int user) {
    u64 frame = frame_alloc_raw(user);
    if (frame) page_zero(phys(frame * PAGE));
    return frame;
}

/* A zeroed frame for a table or a context. 0: none left. */
u64 frame_alloc_kind(int kind) {
    u64 frame = take_pooled(kind);
    if (!frame) {
        if (!tables_left && frames_free_count <= frames_reserve) return 0;
        frame = take_fresh(kind);
        if (!frame) return 0;
        if (tables_left) tables_left--;
        page_zero(phys(frame * PAGE));
    }
    return hand_out(frame, kind);
}

/* frame_memory refuses: says why, and ends the machine. */
_Noreturn void frame_wrong(u64 frame) {
    panic(info(frame)->count ? "a page frame is used as what it is not" : "a page frame is used after it was given back");
}

void frame_ref(u64 frame) {
    frame_memory(frame, FRAME_PAGE);
    if (++info(frame)->count == ~0u) panic("a page frame has too many users");
}

static void give_back(u64 frame, int kind) {
    struct frame_info *i = info(frame);
    if (i->count == 0) panic("a page frame was released twice");
    if (i->kind != kind) panic("a page frame is released as what it is not");
    if (--i->count) return;
    if (kind != FRAME_PAGE) page_zero(phys(frame * PAGE));
    i->link = (u32)pools[kind].head;
    pools[kind].head = frame;
    pools[kind].length++;
    count_free();
}

void frame_unref(u64 frame) { give_back(frame, FRAME_PAGE); }
void frame_free_kind(u64 frame, int kind) { give_back(frame, kind); }

/* A frame that was never in a range, or was cut out of one: the payload's, once it is read. Beyond the limit of mem= it is not ours. */
void frame_give(u64 frame) {
    if (frame == 0 || frame >= frame_limit) return;
    if (frame_infos[frame].count) panic("a page frame is given that is in use");
    hand_out(frame, FRAME_PAGE);
    frame_unref(frame);
}

u32 frame_refs(u64 frame) { return info(frame)->count; }

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

int page_is_zero(const void *page) {
    const u64 *f = page;
    u64 any = 0;
    for (int i = 0; i < 512; i += 8) any |= f[i] | f[i + 1] | f[i + 2] | f[i + 3] | f[i + 4] | f[i + 5] | f[i + 6] | f[i + 7];
    return !any;
}
