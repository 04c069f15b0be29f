/* The memory of OCaml's heap and of its runtime's tables: malloc.
 *
 * It comes from HEAP (base.h) and is mapped as it is asked for; addresses of large pieces are never used twice, there are 510 GiB of them. A small
 * piece is a power of two in size, and goes back to a list of its size; a large one has pages of its own, and gives them back.
 */
#include <stdlib.h>
#include "base.h"

static u64 heap_next = HEAP_BASE;

/* The kernel's tables below HEAP are the heap's own: they are made here and never given back. 0: no memory. */
static int kernel_map(u64 va, u64 frame) {
    u64 *table = kernel_pml4;
    for (int shift = 39; shift > 12; shift -= 9) {
        u64 *entry = table + (va >> shift & 511);
        if (!(*entry & P_PRESENT)) {
            u64 fresh = frame_alloc_kind(FRAME_TABLE);
            if (!fresh) return 0;
            *entry = fresh * PAGE | P_PRESENT | P_WRITE;
        }
        table = phys(*entry & P_ADDR);
    }
    table[va >> 12 & 511] = frame * PAGE | P_PRESENT | P_WRITE | P_NX;
    return 1;
}

/* Only pages of the heap. */
static void kernel_unmap(u64 va, u64 end) {
    if (va < HEAP_BASE || end > HEAP_LIMIT || end < va) panic("what is not the heap's was to be unmapped");
    for (; va < end; va += PAGE) {
        u64 *entry = kernel_entry(va);
        if (!entry || !(*entry & P_PRESENT)) continue;
        u64 frame = (*entry & P_ADDR) / PAGE;
        *entry = 0;
        flush_page(va);
        frame_unref(frame);
    }
}

/* Fresh zeroed pages in the heap, preceded by an unmapped one. 0: out of memory. */
u64 heap_map_pages(u64 pages) {
    u64 start = heap_next + PAGE;
    if (pages > (HEAP_LIMIT - start) / PAGE || pages >= frames_free_count) return 0;
    for (u64 i = 0; i < pages; i++) {
        u64 frame = frame_alloc(0);
        if (!frame || !kernel_map(start + i * PAGE, frame)) {
            if (frame) frame_unref(frame);
            kernel_unmap(start, start + i * PAGE);
            return 0;
        }
    }
    heap_next = start + pages * PAGE;
    return start;
}

/* Before each piece. */
struct piece {
    u64 size; /* with this header: a power of two below LARGE, or whole pages */
    struct piece *next; /* of the free ones; USED: it is not free */
};
#define SMALLEST 32ul
#define LARGE 0x8000ul
#define SLAB_PAGES 16ul
#define USED ((struct piece *)1)
static struct piece *free_pieces[16];

static u64 class_of(u64 size) { return 63 - (u64)__builtin_clzl(size); }

static void give(struct piece *piece) {
    struct piece **list = free_pieces + class_of(piece->size);
    piece->next = *list;
    *list = piece;
}

void *malloc(size_t wanted) {
    if (wanted > HEAP_LIMIT - HEAP_BASE) return 0;
    u64 size = wanted + sizeof(struct piece);
    struct piece *piece;
    if (size > LARGE) {
        size = (size + PAGE - 1) & -PAGE;
        u64 start = heap_map_pages(size / PAGE);
        if (!start) return 0;
        piece = (struct piece *)start;
        piece->size = size;
    } else {
        size = size <= SMALLEST ? SMALLEST : 2ul << class_of(size - 1);
        struct piece **list = free_pieces + class_of(size);
        if (!*list) {
            u64 slab = heap_map_pages(SLAB_PAGES);
            if (!slab) return 0;
            for (u64 at = slab; at < slab + SLAB_PAGES * PAGE; at += size) {
                ((struct piece *)at)->size = size;
                give((struct piece *)at);
            }
        }
        piece = *list;
        *list = piece->next;
    }
    piece->next = USED;
    return piece + 1;
}

static struct piece *piece_of(void *memory) {
    struct piece *piece = (struct piece *)memory - 1;
    if ((u64)memory < HEAP_BASE || (u64)memory >= HEAP_LIMIT || (u64)memory % 16 || piece->next != USED) panic("memory is given back that nobody has");
    return piece;
}

void free(void *memory) {
    if (!memory) return;
    struct piece *piece = piece_of(memory);
    if (piece->size > LARGE) kernel_unmap((u64)piece, (u64)piece + piece->size);
    else give(piece);
}

void *realloc(void *old, size_t wanted) {
    if (!old) return malloc(wanted);
    u64 room = piece_of(old)->size - sizeof(struct piece);
    if (wanted <= room) return old;
    void *fresh = malloc(wanted);
    if (!fresh) return 0;
    __builtin_memcpy(fresh, old, room);
    free(old);
    return fresh;
}
