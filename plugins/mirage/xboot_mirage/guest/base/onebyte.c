/* The windows of one-byte reads and writes. Bootstrap tools read and write byte by byte, tens of millions of times; inside a window that is served
 * without OCaml: a piece of one page frame of one open file, from `at` up to `stop`.
 *
 * A window holds a physical address, so it lives for one entry into one program and no longer: OCaml sets it right before (window.ml, and only there), `run_user` ends it
 * when it returns, and no OCaml runs in between. So nothing can free, truncate, map or copy the frame under it.
 */
#include "base.h"

static struct window { u64 descriptor /* plus one; 0: none */, start, at, stop; } windows[2];
static u64 moved[2];
u64 calls_fast;

/* For the program that is entered next: one-byte calls on `descriptor` move through [at, stop), which must lie in one frame that is in use as a page. */
void window_set(int writes, u64 descriptor, u64 at, u64 stop) {
    if (at >= stop || at / PAGE != (stop - 1) / PAGE) panic("a window is not within one page");
    frame_memory(at / PAGE, FRAME_PAGE);
    windows[writes != 0] = (struct window){descriptor + 1, at, at, stop};
}

/* One byte between a program and its window. 0: not inside a window, OCaml serves the call. */
int window_byte(u64 as, int writes, u64 descriptor, u64 va) {
    struct window *w = windows + (writes != 0);
    if (w->descriptor != descriptor + 1 || w->at == w->stop) return 0;
    u64 *entry = as_entry(as, va), need = P_PRESENT | P_USER | (writes ? 0 : P_WRITE);
    if (!entry || (*entry & need) != need) return 0;
    u8 *user = (u8 *)frame_memory((*entry & P_ADDR) / PAGE, FRAME_PAGE) + (va & (PAGE - 1)), *file = phys(w->at++);
    if (writes) *file = *user; else *user = *file;
    calls_fast++;
    return 1;
}

/* The program has come back to the kernel: no window is open any more, only how far it came is known. */
void window_end(void) {
    for (int i = 0; i < 2; i++) {
        moved[i] = windows[i].at - windows[i].start;
        windows[i] = (struct window){0, 0, 0, 0};
    }
}

u64 window_moved(int writes) { return moved[writes != 0]; }
