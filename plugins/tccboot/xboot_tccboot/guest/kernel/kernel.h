/* kernel.h: the bare i386 machine below the Linux personality.

   Virtual memory, in every space:
       0x00001000 - 0x7effffff   user (page tables of 4 KiB pages)
       0x80000000 - 0xfeffffff   all physical memory from 0 on (2 MiB pages, kernel only); the kernel is linked at 0x80100000. The first 2 MiB are mapped by
                                 single pages: its code cannot be written, all else not be executed, and what is not the kernel's is not there (protect.c)
   Physical memory:
       0x00000000 - 0x000fffff   unused (firmware, multiboot information)
       0x00100000 - 0x00dfffff   the kernel
       0x00e00000 - ...          frame counts, then frames; the payload, until it has been unpacked; in long mode up to 0xdfffffff, and again from 4 GiB on
   Interrupts are enabled only in user code and while the kernel idles, so the kernel itself is never interrupted. One kernel stack: a trap returns from
   user_run (entry.S) like a function. */

#ifndef KERNEL_H
#define KERNEL_H

#include "machine.h"
#include "i386/device.h"
#include "i386/range.h"

#ifdef MACHINE_WIDE
#define VIRTUAL 0xffff800000000000ul
#define MEMORY_LIMIT 0xe0000000u /* devices lie above, up to 4 GiB */
#define KERNEL_DIRECTORIES 17u   /* the frames' counts have their place below the loader (main.c): enough for so much */
#define HIGH_START 0x100000000ul /* where memory goes on */
#define HIGH_LIMIT ((unsigned long)KERNEL_DIRECTORIES << 30)
#define FIRST_LIST 256u          /* in the root: the list of the kernel's directories */
#else
#define VIRTUAL 0x80000000u
#define MEMORY_LIMIT 0x7f000000u /* what the direct map covers */
#define KERNEL_DIRECTORIES 2u
#define HIGH_START 0ul           /* nothing is used there */
#endif
#define POOL_START 0xe00000u
#define RESERVE_FRAMES 1024u     /* 4 MiB kept for the kernel's own structures */

#define TO_VIRTUAL(physical) ((void *)((physical) + VIRTUAL))
#ifdef MACHINE_WIDE
#define UPPER(physical) ((unsigned)((physical) >> 32))
#define PHYSICAL(e) ((unsigned long)((e).high & 0xfffff) << 32 | ((e).value & ~PAGE_MASK))
#else
#define UPPER(physical) 0
#define PHYSICAL(e) ((e).value & ~PAGE_MASK)
#endif
#define TO_PHYSICAL(pointer) ((unsigned long)(pointer) - VIRTUAL)

/* Page tables have three levels (PAE) and entries of 64 bits, since only these know no-execute. */
struct entry {
	unsigned value, high; /* high: no_execute, or 0; and in long mode the upper part of an address */
};

#define ENTRIES 512u /* of a table; a directory maps 1 GiB, a table 2 MiB */
#define TABLE(e) ((struct entry *)TO_VIRTUAL(PHYSICAL(e)))

#define P_PRESENT 1u
#define P_WRITE 2u
#define P_USER 4u
#define P_LARGE 0x80u    /* of a directory: 2 MiB */
#define P_HIDDEN 0x100u  /* not present: holds a frame that may not be touched (PROT_NONE) */
#define P_COPY 0x200u    /* writable, but the frame may have other users: copy on write */
#define P_LAZY 0x400u    /* neither present nor hidden: a zeroed frame is given at the first touch */
#define P_SHARED 0x400u  /* present or hidden: the frame itself, never copied on write */
#define IS_LAZY(entry) (((entry) & (P_LAZY | P_PRESENT | P_HIDDEN)) == P_LAZY)
#define P_FOREIGN 0x800u /* not one of our frames (/dev/mem): not counted */

#define SPACE_DIRECTORIES 2u /* a space's own; the other two are the kernel's, which all have */

/* What CR3 points at. In long mode a list of lists of directories: the first list is the user's own. */
#ifdef MACHINE_WIDE
struct machine_space {
	struct entry root[512];
};
#define DIRECTORY(space, i) TABLE(TABLE((space)->root[0])[i])
#define HAS_DIRECTORY(space, i) ((space)->root[0].value && TABLE((space)->root[0])[i].value)
#define SET_DIRECTORY(space, i, directory) entry_set(&TABLE((space)->root[0])[i], TO_PHYSICAL(directory), P_PRESENT | P_WRITE | P_USER, 0)
#else
struct machine_space {
	struct entry root[4]; /* directories, of 1 GiB each */
};
#define DIRECTORY(space, i) TABLE((space)->root[i])
#define HAS_DIRECTORY(space, i) (space)->root[i].value
#define SET_DIRECTORY(space, i, directory) entry_set(&(space)->root[i], TO_PHYSICAL(directory), P_PRESENT, 0)
#endif

struct machine_thread {
	struct machine_registers registers; /* first: entry.S */
	struct machine_space *space;
	unsigned long long segments[3]; /* GDT 6..8 */
	unsigned char floating[512 + 16];
};

/* frame.c */
void frames_setup(unsigned long top, unsigned long high_end, unsigned long hole_start, unsigned long hole_end);
extern unsigned long memory_top;
enum frame_kind { FRAME_TABLE, FRAME_THREAD, FRAME_KINDS };
void *frame_of(enum frame_kind kind); /* zeroed, from memory that never was a user's or a file's; 0: none left */
void frame_back(enum frame_kind kind, void *frame);
void frame_is(enum frame_kind kind, const void *frame); /* panics unless it is */
void frames_release(unsigned long start, unsigned long end);
void *frame_raw(int reserve); /* not zeroed */

/* space.c */
#define FAULT_WRITE 2u  /* of a page fault's error code */
#define FAULT_FETCH 16u
int space_fault(struct machine_space *space, address at, unsigned error); /* 0 mended, 1 no such right, 2 no memory */

/* protect.c */
extern struct machine_space *const kernel_space; /* the kernel's half of every space; none itself: it is never counted or freed */
extern unsigned no_execute;                      /* the bit in an entry's upper half; 0: this processor has none */
void kernel_reaches_users(int may);
extern int kernel_has_smap;
void protect_from_users(void);
void protect_kernel(const void *unwritten); /* besides code and tables, this page cannot be written */

/* main.c */
extern char _etext[], _end[];
extern unsigned long long kernel_idt[]; /* a page or more of its own, which cannot be written */

/* thread.c */
#define STACK_SIZE 65536u
#define STACK_GUARD 16384u /* below it, more than any function's own: there is nothing there */
extern unsigned char kernel_stack[STACK_GUARD + STACK_SIZE + PAGE_SIZE]; /* nor behind it */
void segment_load(struct machine_thread *thread);
void interrupt_acknowledge(void);
extern unsigned long long kernel_gdt[];

#ifdef MACHINE_WIDE
/* descriptors.c */
#define CODE_NARROW 3 /* in the GDT; a thread has one of the two */
#define CODE_WIDE 5
void descriptors_setup(void);
void bases_load(struct machine_thread *thread); /* of fs and gs, of a wide thread */
extern unsigned long long code_narrow, code_wide;
#endif

/* entry.S */
unsigned user_run(struct machine_registers *registers);
void load_tables(void *gdt, void *idt);
void load_segments(unsigned fs, unsigned gs);
extern unsigned trap_error;

/* device.c */
void device_setup(void);

#endif
