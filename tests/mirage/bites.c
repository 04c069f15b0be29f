/* One defect of the kernel a number, made on purpose on the host over fake_base.c: each must end in the panic that test_mirage_hardening.py names, and not go on. Linked with the
   base layer as it is. */
#include <stdio.h>
#include <stdlib.h>
#include "base.h"

static u64 page_of(u64 as, u64 va) {
    u64 frame = frame_alloc(1);
    if (!as_map(as, va, frame, PROT_R | PROT_W)) abort();
    return frame;
}

int main(int argc, char **argv) {
    u64 frame = frame_alloc(1), as = as_new();
    u8 byte = 1;
    (void)argc;
    switch (atoi(argv[1])) {
    case 0: frame_unref(frame), frame_unref(frame); break;
    case 1: frame_unref(frame), frame_ref(frame); break;
    case 2: frame_infos[frame].count = ~0u - 1, frame_ref(frame); break;
    case 3: as_free(as), *(u8 *)phys(as + 100) = 1, as_new(); break; /* a stale write, found when the frame is given out */
    case 4: as_map(as, 0x10000, as / PAGE, PROT_R | PROT_W); break;                       /* a page table as a program's page */
    case 5: frame_unref(as / PAGE); break;
    case 6: as_free(as), as_map(as, 0x10000, frame, PROT_R); break;                       /* a table that was given back */
    case 7: as_map(frame * PAGE, 0x10000, frame, PROT_R); break;                          /* a page as a table */
    case 8: page_of(as, 0x10000), *as_entry(as, 0x10000) = as | P_PRESENT | P_USER | P_WRITE, user_move(as, 0x10000, &byte, 1, 1); break;
    case 9: page_of(as, 0x10000), *as_entry(as, 0x10000) = 1ul << 40 | P_PRESENT | P_USER | P_WRITE, user_move(as, 0x10000, &byte, 1, 1); break;
    case 10: window_set(1, 3, frame * PAGE + 10, frame * PAGE + PAGE + 1); break;         /* over the page's end */
    case 11: frame_unref(frame), window_set(1, 3, frame * PAGE, frame * PAGE + 1); break;
    case 12: window_set(1, 3, as, as + 1); break;                                         /* a window on a page table */
    case 13: frame_ref(0); break;
    case 14: frame_ref(1ul << 40); break;
    case 15: frame_give(frame); break;
    case 16: page_of(as, 0x10000), frame_unref((*as_entry(as, 0x10000) & P_ADDR) / PAGE), user_move(as, 0x10000, &byte, 1, 0); break;
    case 17: { /* no defect: a table's frame comes back as a table, and never as a page */
        u64 other = as_new(), table = other / PAGE;
        as_free(other);
        for (u64 f; (f = frame_alloc(0));)
            if (f == table) puts("a page table became a page");
        if (as_new() != table * PAGE) puts("the pool of tables is not first in, last out");
        puts("no defect");
        return 0;
    }
    }
    puts("went on");
    return 0;
}
