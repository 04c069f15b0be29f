/* The base layer: what the OCaml side stands on.
 *
 * Physical memory  all of it is seen at HHDM (writable, not executable by user mode, never mapped user-accessible).
 * Frames           4 KiB pages of physical memory with a reference count; OCaml names them by number (address >> 12).
 * Address spaces   four-level page tables; the lower half belongs to a program, the upper half is the same for all.
 * Contexts         one frame each: the registers of a ring-3 process (see enum ctx).
 *
 * Map of the upper half:
 *   0xffff800000000000  HHDM: physical memory
 *   0xffffc00000000000  HEAP: malloc's (the OCaml heap), and the stack with its guard page
 *   0xffffffff80200000  the image, loaded at 2 MiB
 */
#ifndef BASE_H
#define BASE_H
#include <stddef.h>
#include <stdint.h>

typedef uint64_t u64;
typedef uint32_t u32;
typedef uint16_t u16;
typedef uint8_t u8;

#define PAGE 4096ul
#ifdef XBOOT_HOST /* unit tests on the host: an arena plays physical memory */
extern u8 *host_arena;
#define HHDM ((u64)host_arena)
#else
#define HHDM 0xffff800000000000ul
#endif
#define HEAP_BASE 0xffffc00000000000ul
#define HEAP_LIMIT 0xffffc07fc0000000ul
#define USER_LIMIT 0x7ffffffff000ul
#define IMAGE_BASE 0xffffffff80000000ul /* where the image's physical address 0 is seen */

static inline void *phys(u64 address) { return (void *)(HHDM + address); }

/* Page table bits. The last three are the base's own. */
#define P_PRESENT 1ul
#define P_WRITE 2ul
#define P_USER 4ul
#define P_LARGE 0x80ul
#define P_COW 0x200ul    /* may be written once the frame is the owner's alone */
#define P_SHARED 0x400ul /* fork shares this page instead of copying it */
#define P_HELD 0x800ul   /* a frame is here, though no access is allowed (PROT_NONE) */
#define P_NX (1ul << 63)
#define P_ADDR 0x000ffffffffff000ul

/* Protection as OCaml gives it. */
#define PROT_R 1
#define PROT_W 2
#define PROT_X 4
#define PROT_SHARED 8

/* Slots of a context frame, 8 bytes each; the FPU's state (fxsave) is at byte 512. trap.S knows these numbers. */
enum ctx {
    C_RAX, C_RBX, C_RCX, C_RDX, C_RSI, C_RDI, C_RBP, C_RSP, C_R8, C_R9, C_R10, C_R11, C_R12, C_R13, C_R14, C_R15,
    C_RIP, C_RFLAGS, C_MODE /* 0: i386, 1: x86_64 */, C_FSBASE, C_GSBASE, C_DS, C_ES, C_FS, C_GS, C_VECTOR, C_ERROR, C_CR2,
    C_TLS0, C_TLS1, C_TLS2 /* GDT descriptors of set_thread_area */, C_AS /* the page table, set by run */,
    C_SLOTS = 64
};
#define C_FPU 512

#define VECTOR_SYSCALL 256
#define VECTOR_TIMER 32

/* frames.c: kinds of frames, which never turn into one another */
enum { FRAME_PAGE, FRAME_TABLE, FRAME_CONTEXT, FRAME_KINDS };
extern u64 frames_free_count, frames_reserve;
void frames_add(u64 start, u64 end);
void frames_init(u64 limit);
void frames_ready(void);
u64 frame_alloc(int user); /* a page: its number, zeroed; 0: none left (user requests leave the reserve alone) */
u64 frame_alloc_raw(int user);
u64 frame_alloc_kind(int kind);
void frame_free_kind(u64 frame, int kind);
struct frame_info { u32 count, link; u8 kind; };
extern struct frame_info *frame_infos;
extern u64 frame_limit;
_Noreturn void frame_wrong(u64 frame);

/* The memory of a frame that is in use as this kind, or a panic. Every address that leads to programs' memory or tables comes through here. */
static inline void *frame_memory(u64 frame, int kind) {
    if (frame - 1 >= frame_limit - 1 || frame_infos[frame].count == 0 || frame_infos[frame].kind != kind) frame_wrong(frame);
    return phys(frame * PAGE);
}
void frame_ref(u64 frame);
void frame_unref(u64 frame);
void frame_give(u64 frame);
u32 frame_refs(u64 frame);
void page_copy(void *to, const void *from);
void page_zero(void *page);
int page_is_zero(const void *page);

/* onebyte.c */
extern u64 calls_fast;
void window_set(int writes, u64 descriptor, u64 at, u64 stop);
int window_byte(u64 as, int writes, u64 descriptor, u64 va);
void window_end(void);
u64 window_moved(int writes);

/* digest.c: SHA-256 */
struct sum {
    u32 state[8];
    u64 length; /* in bytes, of all that was given */
    u8 block[64]; /* the last length % 64 of them */
};
void sum_start(struct sum *sum);
void sum_more(struct sum *sum, const u8 *bytes, u64 length);
void sum_end(struct sum *sum); /* the digest is then the first 32 bytes */

/* nonce.c */
void nonce_hide(void);
void nonce_put(u64 index, u8 c);
void nonce_say(void);

/* aspace.c */
u64 as_new(void);
void as_free(u64 as);
int as_map(u64 as, u64 va, u64 frame, int prot);
void as_unmap(u64 as, u64 start, u64 end);
int as_protect(u64 as, u64 start, u64 end, int prot);
int as_fork(u64 to, u64 from);
u64 *as_entry(u64 as, u64 va);
int as_break_cow(u64 *entry, u64 va);
u64 user_move(u64 as, u64 va, u8 *kernel, u64 length, int to_user);
extern u64 current_as;

/* serial.c */
void serial_init(void);
void console_put(const u8 *text, u64 length);
void channel_put(const u8 *text, u64 length);
int channel_get(void);
void say(const char *text);
void say_hex(u64 value);
_Noreturn void machine_exit(int byte);
_Noreturn void panic(const char *why);

/* cpu.c */
void cpu_init(u64 stack_top);
u64 run_user(u64 *ctx);
u64 trap_fast(u64 *ctx);
extern u64 ticks;
void idle_tick(void);
void idle_any(void);

/* heap.c */
u64 heap_map_pages(u64 pages);

/* protect.c */
extern u64 kernel_pml4[512];
void protect_kernel(void);
u64 *kernel_entry(u64 va); /* null: nothing is mapped there by 4 KiB */

/* main.c */
extern u64 initrd_start, initrd_size, memory_end;
extern char command_line[1024];

/* trap.S */
u64 run(u64 *ctx);

static inline void outb(u16 port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static inline u8 inb(u16 port) { u8 v; __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port)); return v; }
static inline void wrmsr(u32 msr, u64 v) { __asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32))); }
static inline void flush_page(u64 va) { __asm__ volatile("invlpg (%0)" : : "r"(va) : "memory"); }
static inline void load_cr3(u64 as) { __asm__ volatile("mov %0, %%cr3" : : "r"(as) : "memory"); }
#endif
