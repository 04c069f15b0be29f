/* Boot: find memory, command line and payload in the PVH start info, then start OCaml. */
#include "base.h"

struct start_info {
    u32 magic, version, flags, modules;
    u64 module_list, command_line, rsdp, memory_map;
    u32 memory_entries, reserved;
};
struct module { u64 address, size, command_line, reserved; };
struct memory { u64 address, size; u32 type, reserved; };

extern char image_end[];
u64 initrd_start, initrd_size, memory_end;
char command_line[1024];
_Noreturn void enter_ocaml(void *stack);

#define IMAGE_PHYS 0x200000ul
#define STACK_PAGES 1024ul

/* The value of mem= in bytes (K, M or G), or all there is. */
static u64 memory_limit(void) {
    for (const char *p = command_line; *p; p++) {
        if ((p != command_line && p[-1] != ' ') || __builtin_strncmp(p, "mem=", 4)) continue;
        u64 n = 0;
        for (p += 4; *p >= '0' && *p <= '9'; p++) n = n * 10 + (u64)(*p - '0');
        return n << (*p == 'G' ? 30 : *p == 'M' ? 20 : *p == 'K' ? 10 : 0);
    }
    return ~0ul;
}

/* [start, end) without the image and the payload. */
static void add_without_reserved(u64 start, u64 end) {
    struct { u64 start, end; } hole[2] = {
        {IMAGE_PHYS, (u64)image_end - IMAGE_BASE},
        {initrd_start & -PAGE, (initrd_start + initrd_size + PAGE - 1) & -PAGE},
    };
    if (hole[1].start < hole[0].start) {
        u64 s = hole[0].start, e = hole[0].end;
        hole[0].start = hole[1].start, hole[0].end = hole[1].end;
        hole[1].start = s, hole[1].end = e;
    }
    for (int i = 0; i < 2; i++) {
        if (hole[i].end <= start || hole[i].start >= end) continue;
        if (hole[i].start > start) frames_add(start, hole[i].start);
        start = hole[i].end;
    }
    if (start < end) frames_add(start, end);
}

/* HHDM covers 4 GiB from the start; add 2 MiB pages for what lies above. */
static void map_high(u64 start, u64 end) {
    u64 *pdpt = phys(kernel_pml4[256] & P_ADDR);
    if (end > 512ul << 30) end = 512ul << 30;
    for (u64 a = start & -0x200000ul; a < end; a += 0x200000) {
        u64 *entry = pdpt + (a >> 30);
        if (!(*entry & P_PRESENT)) {
            u64 frame = frame_alloc_kind(FRAME_TABLE);
            if (!frame) panic("no memory for the page tables of physical memory");
            *entry = frame * PAGE | P_PRESENT | P_WRITE;
        }
        ((u64 *)phys(*entry & P_ADDR))[a >> 21 & 511] = a | P_PRESENT | P_WRITE | P_LARGE | P_NX;
    }
}

_Noreturn void base_main(u32 info_address) {
    serial_init();
    const struct start_info *info = phys(info_address);
    if (info->magic != 0x336ec578 || info->version < 1) panic("not started by the PVH protocol");
    if (info->command_line) {
        const char *from = phys(info->command_line);
        for (u64 i = 0; i + 1 < sizeof command_line && from[i]; i++) command_line[i] = from[i];
    }
    if (info->modules) {
        const struct module *m = phys(info->module_list);
        initrd_start = m->address, initrd_size = m->size;
    }
    u64 limit = memory_limit(), top = 0;
    const struct memory *map = phys(info->memory_map);
    for (int high = 0; high < 2; high++) { /* first what HHDM shows already; its frames then hold the tables for the rest */
        for (u32 i = 0; i < info->memory_entries; i++) {
            u64 start = map[i].address, end = start + map[i].size;
            if (map[i].type != 1) continue;
            if (start < 0x100000) start = 0x100000; /* firmware and the start info live below 1 MiB */
            if (end > limit) end = limit;
            if (end > 512ul << 30) end = 512ul << 30;
            if (end > top) top = end;
            u64 low = high ? 4ul << 30 : 0, ceiling = high ? ~0ul : 4ul << 30;
            if (start < low) start = low;
            if (end > ceiling) end = ceiling;
            if (start >= end) continue;
            if (high) map_high(start, end);
            add_without_reserved(start, end);
        }
        if (!high) frames_init((top + PAGE - 1) / PAGE);
    }
    memory_end = top > 4ul << 30 ? top : 4ul << 30;
    protect_kernel();
    u64 stack = heap_map_pages(STACK_PAGES);
    if (!stack) panic("no memory for the stack");
    cpu_init(stack - PAGE);
    nonce_hide();
    frames_ready();

    enter_ocaml((void *)(stack + STACK_PAGES * PAGE));
}
