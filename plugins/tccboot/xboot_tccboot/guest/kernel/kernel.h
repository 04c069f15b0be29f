/* kernel.h: the bare i386 machine below the Linux personality.

   Virtual memory, in every space:
       0x00001000 - 0x7effffff   user (page tables of 4 KiB pages)
       0x80000000 - 0xfeffffff   all physical memory from 0 on (4 MiB pages, kernel only); the kernel is linked at 0x80100000. The first 4 MiB are mapped by
                                 single pages: its code cannot be written, and what is not the kernel's is not there (main.c, protect_kernel)
   Physical memory:
       0x00000000 - 0x000fffff   unused (firmware, multiboot information)
       0x00100000 - 0x00dfffff   the kernel
       0x00e00000 - ...          frame counts, then frames; the payload, until it has been unpacked
   Interrupts are enabled only in user code and while the kernel idles, so the kernel itself is never interrupted. One kernel stack: a trap returns from
   user_run (entry.S) like a function. */

#ifndef KERNEL_H
#define KERNEL_H

#include "machine.h"
#include "i386/device.h"
#include "i386/range.h"

#define VIRTUAL 0x80000000u
#define POOL_START 0xe00000u
#define MEMORY_LIMIT 0x7f000000u /* what the direct map covers */
#define RESERVE_FRAMES 1024u     /* 4 MiB kept for the kernel's own structures */

#define TO_VIRTUAL(physical) ((void *)((physical) + VIRTUAL))
#define TO_PHYSICAL(pointer) ((unsigned)(pointer) - VIRTUAL)

/* page table entries */
#define P_PRESENT 1u
#define P_WRITE 2u
#define P_USER 4u
#define P_HIDDEN 0x100u  /* not present: holds a frame that may not be touched (PROT_NONE) */
#define P_COPY 0x200u    /* writable, but the frame may have other users: copy on write */
#define P_LAZY 0x400u    /* neither present nor hidden: a zeroed frame is given at the first touch */
#define P_SHARED 0x400u  /* present or hidden: the frame itself, never copied on write */
#define IS_LAZY(entry) (((entry) & (P_LAZY | P_PRESENT | P_HIDDEN)) == P_LAZY)
#define P_FOREIGN 0x800u /* not one of our frames (/dev/mem): not counted */

struct machine_space {
	unsigned directory[1024];
};

struct machine_thread {
	struct machine_registers registers; /* first: entry.S */
	struct machine_space *space;
	unsigned long long segments[3]; /* GDT 6..8 */
	unsigned char floating[512 + 16];
};

/* frame.c */
void frames_setup(unsigned top, unsigned hole_start, unsigned hole_end);
extern unsigned memory_top;
enum frame_kind { FRAME_TABLE, FRAME_THREAD, FRAME_KINDS };
void *frame_of(enum frame_kind kind); /* zeroed, from memory that never was a user's or a file's; 0: none left */
void frame_back(enum frame_kind kind, void *frame);
void frame_is(enum frame_kind kind, const void *frame); /* panics unless it is */
void frames_release(unsigned start, unsigned end);
void *frame_raw(int reserve); /* not zeroed */

/* space.c */
extern unsigned kernel_directory[1024]; /* the kernel's half of every space; none itself: it is never counted or freed */
int space_fault(struct machine_space *space, address at, int write); /* 0 mended, 1 no such right, 2 no memory */

/* main.c */
void kernel_reaches_users(int may);
extern int kernel_has_smap;

/* thread.c */
#define STACK_SIZE 65536u
extern unsigned char kernel_stack[STACK_SIZE + 2 * PAGE_SIZE]; /* between two pages that are not there */
void segment_load(struct machine_thread *thread);
void interrupt_acknowledge(void);
extern unsigned long long kernel_gdt[10];

/* entry.S */
unsigned user_run(struct machine_registers *registers);
void load_tables(void *gdt, void *idt);
void load_segments(unsigned fs, unsigned gs);
extern unsigned trap_error;

/* device.c */
void device_setup(void);

#endif
