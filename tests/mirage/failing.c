/* The base layer's allocators with a failure that is planned: the n-th request of a frame finds none, whatever for. Linked with --wrap. */
#include "base.h"

static u64 left; /* requests until the one that fails; 0: none does */

static int fails(void) { return left && !--left; }

u64 __real_frame_alloc(int user);
u64 __real_frame_alloc_raw(int user);
u64 __real_frame_alloc_kind(int kind);
u64 __wrap_frame_alloc(int user) { return fails() ? 0 : __real_frame_alloc(user); }
u64 __wrap_frame_alloc_raw(int user) { return fails() ? 0 : __real_frame_alloc_raw(user); }
void __real_frame_free_kind(u64 frame, int kind);

static long live; /* tables and contexts in use */
u64 __wrap_frame_alloc_kind(int kind) {
    u64 frame = fails() ? 0 : __real_frame_alloc_kind(kind);
    live += frame != 0;
    return frame;
}
void __wrap_frame_free_kind(u64 frame, int kind) { live--, __real_frame_free_kind(frame, kind); }

/* units_calls.ml: plan it (0: nothing), how many requests are left until it, and how many tables and contexts there are. */
long xb_fail_at(long n) { left = (u64)n; return 0; }
long xb_fails_in(long unit) { (void)unit; return (long)left; }
long xb_live(long unit) { (void)unit; return live; }
