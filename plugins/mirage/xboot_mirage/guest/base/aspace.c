/* Address spaces: four-level page tables, copy on write, and the only ways to reach a program's memory.
 *
 * User pointers are never dereferenced: user_move walks the tables by hand and demands the user bit (and the right to write),
 * so a bad pointer is a short count and not a fault. With SMAP on, a mistake here would be a fault in the kernel, which panics.
 */
#include "base.h"

u64 current_as;

/* The table that an entry, or an address space, leads to. */
static u64 *table_at(u64 entry) { return frame_memory((entry & P_ADDR) / PAGE, FRAME_TABLE); }

static void flush(u64 as, u64 va) {
#ifndef XBOOT_HOST
    if (as == current_as) flush_page(va);
#else
    (void)as, (void)va;
#endif
}

/* 0: no memory. */
u64 as_new(void) {
    u64 frame = frame_alloc_kind(FRAME_TABLE);
    if (!frame) return 0;
#ifndef XBOOT_HOST
    u64 *table = phys(frame * PAGE);
    for (int i = 256; i < 512; i++) table[i] = kernel_pml4[i];
#endif
    return frame * PAGE;
}

/* The entry that maps `va`, or null where no table reaches it. */
u64 *as_entry(u64 as, u64 va) {
    if (va >= USER_LIMIT) return 0;
    u64 *table = table_at(as);
    for (int shift = 39; shift > 12; shift -= 9) {
        u64 entry = table[va >> shift & 511];
        if (!(entry & P_PRESENT)) return 0;
        table = table_at(entry);
    }
    return table + (va >> 12 & 511);
}

/* The entry for `va`, with the tables on the way to it. Null: no memory, or not a program's address. */
static u64 *entry_make(u64 as, u64 va) {
    if (va >= USER_LIMIT) return 0;
    u64 *table = table_at(as);
    for (int shift = 39; shift > 12; shift -= 9) {
        u64 *entry = table + (va >> shift & 511);
        if (!(*entry & P_PRESENT)) {
            u64 frame = frame_alloc_kind(FRAME_TABLE);
            if (!frame) return 0;
            *entry = frame * PAGE | P_PRESENT | P_WRITE | P_USER;
        }
        table = table_at(*entry);
    }
    return table + (va >> 12 & 511);
}

static u64 entry_for(u64 frame, int prot) {
    frame_memory(frame, FRAME_PAGE); /* a program never gets to see a page table */
    u64 e = frame * PAGE | (prot & PROT_SHARED ? P_SHARED : 0);
    if (!(prot & (PROT_R | PROT_W | PROT_X))) return e | P_HELD;
    e |= P_PRESENT | P_USER;
    if (!(prot & PROT_X)) e |= P_NX;
    if (prot & PROT_W) e |= prot & PROT_SHARED || frame_refs(frame) == 1 ? P_WRITE : P_COW;
    return e;
}

static void drop(u64 as, u64 va, u64 *entry) {
    if (*entry & (P_PRESENT | P_HELD)) {
        u64 frame = (*entry & P_ADDR) / PAGE;
        *entry = 0;
        flush(as, va);
        frame_unref(frame);
    }
}

/* Map a frame; the caller's reference goes to the address space. 0: no memory for a table (the reference stays with the caller). */
int as_map(u64 as, u64 va, u64 frame, int prot) {
    u64 *entry = entry_make(as, va);
    if (!entry) return 0;
    drop(as, va, entry);
    *entry = entry_for(frame, prot);
    return 1;
}

/* Calls `each` for every entry in use in [start, end). Stops when it returns 0. */
static int walk(u64 as, u64 start, u64 end, int (*each)(u64 as, u64 va, u64 *entry, u64 argument), u64 argument) {
    if (end > USER_LIMIT) end = USER_LIMIT;
    while (start < end) {
        u64 *table = table_at(as);
        int shift = 39;
        for (; shift > 12; shift -= 9) {
            u64 entry = table[start >> shift & 511];
            if (!(entry & P_PRESENT)) break;
            table = table_at(entry);
        }
        if (shift > 12) { /* nothing below this table: go on at the next one */
            start = ((start >> shift) + 1) << shift;
            continue;
        }
        u64 stop = (start | 0x1fffff) + 1;
        if (stop > end) stop = end;
        for (; start < stop; start += PAGE) {
            u64 *entry = table + (start >> 12 & 511);
            if (*entry & (P_PRESENT | P_HELD) && !each(as, start, entry, argument)) return 0;
        }
    }
    return 1;
}

static int each_drop(u64 as, u64 va, u64 *entry, u64 unused) { (void)unused; drop(as, va, entry); return 1; }

void as_unmap(u64 as, u64 start, u64 end) { walk(as, start, end, each_drop, 0); }

static int each_protect(u64 as, u64 va, u64 *entry, u64 prot) {
    *entry = entry_for((*entry & P_ADDR) / PAGE, (int)prot | (*entry & P_SHARED ? PROT_SHARED : 0));
    flush(as, va);
    return 1;
}

int as_protect(u64 as, u64 start, u64 end, int prot) { return walk(as, start, end, each_protect, (u64)prot); }

static int each_fork(u64 as, u64 va, u64 *entry, u64 to) {
    (void)as;
    u64 *copy = entry_make(to, va);
    if (!copy) return 0;
    if (!(*entry & P_SHARED) && *entry & P_WRITE) *entry = (*entry & ~P_WRITE) | P_COW;
    frame_ref((*entry & P_ADDR) / PAGE);
    *copy = *entry;
    return 1;
}

/* `to` gets everything that `from` maps, copied on write. 0: out of memory, `to` must be freed. */
int as_fork(u64 to, u64 from) {
    int done = walk(from, 0, USER_LIMIT, each_fork, to);
#ifndef XBOOT_HOST
    if (from == current_as) load_cr3(from);
#endif
    return done;
}

void as_free(u64 as) {
#ifndef XBOOT_HOST
    if (as == current_as) {
        current_as = (u64)kernel_pml4 - IMAGE_BASE;
        load_cr3(current_as);
    }
#endif
    as_unmap(as, 0, USER_LIMIT);
    u64 *l4 = table_at(as);
    for (int i = 0; i < 256; i++) {
        if (!(l4[i] & P_PRESENT)) continue;
        u64 *l3 = table_at(l4[i]);
        for (int j = 0; j < 512; j++) {
            if (!(l3[j] & P_PRESENT)) continue;
            u64 *l2 = table_at(l3[j]);
            for (int k = 0; k < 512; k++)
                if (l2[k] & P_PRESENT) frame_free_kind((l2[k] & P_ADDR) / PAGE, FRAME_TABLE);
            frame_free_kind((l3[j] & P_ADDR) / PAGE, FRAME_TABLE);
        }
        frame_free_kind((l4[i] & P_ADDR) / PAGE, FRAME_TABLE);
    }
    frame_free_kind(as / PAGE, FRAME_TABLE);
}

/* Make a page that is shared by copy-on-write the owner's own. 0: no memory. */
int as_break_cow(u64 *entry, u64 va) {
    u64 frame = (*entry & P_ADDR) / PAGE;
    if (frame_refs(frame) > 1) {
        u64 own = frame_alloc_raw(1);
        if (!own) return 0;
        page_copy(phys(own * PAGE), frame_memory(frame, FRAME_PAGE));
        frame_unref(frame);
        *entry = (*entry & ~P_ADDR) | own * PAGE;
    }
    *entry = (*entry & ~P_COW) | P_WRITE;
#ifndef XBOOT_HOST
    flush_page(va); /* harmless when another address space is current */
#else
    (void)va;
#endif
    return 1;
}

/* Move bytes between a program and the kernel. Returns how many were moved before the first page that is absent or forbidden. */
u64 user_move(u64 as, u64 va, u8 *kernel, u64 length, int to_user) {
    u64 done = 0;
    while (done < length) {
        u64 *entry = as_entry(as, va);
        if (!entry || (*entry & (P_PRESENT | P_USER)) != (P_PRESENT | P_USER)) break;
        if (to_user && !(*entry & P_WRITE) && (!(*entry & P_COW) || !as_break_cow(entry, va))) break;
        u64 offset = va & (PAGE - 1), part = PAGE - offset;
        if (part > length - done) part = length - done;
        u8 *page = frame_memory((*entry & P_ADDR) / PAGE, FRAME_PAGE);
        if (to_user)
            __builtin_memcpy(page + offset, kernel + done, part);
        else
            __builtin_memcpy(kernel + done, page + offset, part);
        done += part;
        va += part;
    }
    return done;
}
