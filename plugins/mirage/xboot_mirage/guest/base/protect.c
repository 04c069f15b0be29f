/* Who may do what with the kernel's own memory. Boot maps everything writable and executable; here the final tables are made:
 *
 *   image     code is executed, constants are read, data is written, and no page is two of these; nothing else is mapped beside it
 *   HHDM      all physical memory, never executed; where it shows the image's code and constants, not written
 *
 * A page that is not mapped here is reached by nobody: the page of the nonce (nonce.c).
 */
#include "base.h"

extern char image_start[], code_end[], text_end[], image_end[];
extern u64 boot_pdpt[512], boot_pdpt_top[512], boot_pd[4 * 512];
/* Two tables of 2 MiB for each of the image's two views: it begins at 2 MiB (link.ld), and must end within the next 4. */
#define VIEWS 2
static u64 image_pd[512] __attribute__((aligned(4096))), image_tables[2][VIEWS][512] __attribute__((aligned(4096)));

static u64 physical(const void *at) { return (u64)at - IMAGE_BASE; }

/* The entry of a page of 4 KiB in the kernel's half; null where there is none. */
u64 *kernel_entry(u64 va) {
    u64 *table = kernel_pml4;
    for (int shift = 39; shift > 12; shift -= 9) {
        u64 entry = table[va >> shift & 511];
        if (!(entry & P_PRESENT) || entry & P_LARGE) return 0;
        table = phys(entry & P_ADDR);
    }
    return table + (va >> 12 & 511);
}

void protect_kernel(void) {
    u64 start = physical(image_start), code = physical(code_end), text = physical(text_end), end = physical(image_end), first = start >> 21;
    if (start & 0x1fffff || (end - 1) >> 21 >= first + 2) panic("the image is larger than its tables");
    for (int view = 0; view < VIEWS; view++)
        for (u64 page = 0; page < 1024; page++) {
            u64 a = start + page * PAGE, entry = a | P_PRESENT | P_NX | (a >= text || a < start ? P_WRITE : 0);
            if (view == 1) /* the image's own: nothing beside it, and its code is executed */
                entry = a >= end ? 0 : a < code ? a | P_PRESENT : entry;
            image_tables[page / 512][view][page % 512] = entry;
        }
    for (u64 i = 0; i < 4 * 512; i++) boot_pd[i] |= P_NX;
    for (u64 i = 0; i < 2; i++) {
        boot_pd[first + i] = physical(image_tables[i][0]) | P_PRESENT | P_WRITE;
        image_pd[first + i] = physical(image_tables[i][1]) | P_PRESENT | P_WRITE;
    }
    boot_pdpt_top[510] = physical(image_pd) | P_PRESENT | P_WRITE;
    kernel_pml4[0] = 0;
    load_cr3(physical(kernel_pml4));
}
