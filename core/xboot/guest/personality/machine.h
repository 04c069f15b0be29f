/* machine.h: everything that the Linux personality asks of the machine below it.

   The personality (this folder) holds files, processes, pipes, signals and the meaning of every system call. A *machine* holds page frames, address
   spaces, threads of user code, the console, the result channel, the clock and the exit. There are three machines: tccboot's kernel (bare i386), the
   hurd backend's server (GNU Mach tasks), and a fake one for tests on the host. Layering, rules and a walk through one call: README.md.

   All functions below are called from one thread only, are never re-entered, and never call back into the personality (but hurd's window.c looks
   at what is open and moves single bytes as read and write do). A word is as wide as a register of
   the machine; user addresses, and sizes in user memory, are words. What a program gives that is narrower has zeros above. */

#ifndef MACHINE_H
#define MACHINE_H

typedef unsigned long machine_word;
typedef machine_word address; /* an address in a user's space */
typedef unsigned long long nanoseconds;

#define PAGE_SIZE 4096u
#define PAGE_MASK 4095u

/* User programs live in [USER_BOTTOM, USER_TOP). The machine may refuse what is outside, the personality never asks for it. */
#define USER_BOTTOM 0x00001000u
#define USER_TOP 0x7f000000u

/* ---- life ------------------------------------------------------------------------------------------------------------------------------------- */

void machine_put(const char *text, unsigned length); /* to the console; never fails */
void machine_exit(unsigned status);                  /* contract section 6: 0x31, 0x21, 0x11; does not return */
void machine_panic(const char *why);                 /* says why on the console, then machine_exit(0x11); does not return */
nanoseconds machine_clock(void);                     /* since the start; never goes back */
void machine_idle(nanoseconds until);                /* nothing can run: wait till then, or (0) till the result channel has input; may return early */

/* ---- the result channel: only process 1 ever gets here ---------------------------------------------------------------------------------------- */

int machine_result_read(char *to, unsigned room);           /* bytes read; 0: nothing there yet */
void machine_result_write(const char *from, unsigned length);

/* ---- page frames ------------------------------------------------------------------------------------------------------------------------------ */
/* A frame is PAGE_SIZE bytes, aligned, named by the address at which the personality itself sees it. It counts its users: a file that has it as
   content, and every space in which it is mapped. The rule that makes sharing safe: *a space never writes a frame that it has as a private copy and that has
   another user*; it takes a copy first. The personality writes to a file's frames in place, so what a file holds is what later faults, and shared mappings, see.
   A machine that cannot map the frame itself (Mach) maps copies, and keeps account of them: machine_frame_touch. */

void *machine_frame(int reserve);              /* a zeroed frame with one user; 0: none left. reserve: may use the frames kept for the kernel's own needs */
void machine_frame_keep(void *frame);          /* one user more */
void machine_frame_drop(void *frame);          /* one user less; without users it is free */
unsigned machine_frame_users(const void *frame);
void machine_frame_touch(void *frame);         /* before the personality reads or writes what a space may have mapped as shared, or writes what one has mapped */
unsigned machine_frames_free(void);            /* without the reserve */
unsigned machine_frames_total(void);

/* ---- address spaces --------------------------------------------------------------------------------------------------------------------------- */
/* The personality keeps the list of regions and asks for whole pages: it never maps over what is mapped, never unmaps half a page. Zeroed and copied pages
   may be provided lazily. Functions that return int give 0, or -1 when memory is short (the space may then hold part of what was asked: the caller unmaps).
   Every machine checks again that the pages are a user's (i386/range.c), and panics if they are not, or if a page would be mapped twice. */

struct machine_space;

#define PROTECT_READ 1u
#define PROTECT_WRITE 2u
#define PROTECT_EXECUTE 4u /* a machine without such a bit takes it as READ */

struct machine_space *machine_space_new(void);                                   /* empty; 0: no memory */
struct machine_space *machine_space_copy(struct machine_space *space);           /* fork: same content, copied on write by either; 0: no memory */
void machine_space_free(struct machine_space *space);                            /* no thread runs in it any more */
int machine_space_zero(struct machine_space *space, address at, unsigned pages, unsigned protection);
int machine_space_frames(struct machine_space *space, address at, void **frames, unsigned pages, unsigned protection); /* copied on write */
int machine_space_share(struct machine_space *space, address at, void *frame, unsigned protection);                     /* one frame itself: all see what one writes */
int machine_space_physical(struct machine_space *space, address at, unsigned pages, unsigned long physical);            /* /dev/mem: shared, read and write */
void machine_space_protect(struct machine_space *space, address at, unsigned pages, unsigned protection);
int machine_space_move(struct machine_space *space, address from, address to, unsigned pages); /* pages with their rights; -1: as before. `to` is not mapped */
int machine_space_has(struct machine_space *space, address at);                                /* is this page mapped, be it lazily? */
void machine_space_unmap(struct machine_space *space, address at, unsigned pages);

/* Copies between the personality and a user's memory. Every byte is checked: mapped, and readable or writable *by the user*. 0, or -1: bad address
   (some bytes may have been copied); a lazy page that cannot be provided is -1 too. Any address and length are safe to pass. */
int machine_read(struct machine_space *space, void *to, address from, unsigned length);
int machine_write(struct machine_space *space, address to, const void *from, unsigned length);

/* ---- threads of user code --------------------------------------------------------------------------------------------------------------------- */

struct machine_registers {
	machine_word ebx, ecx, edx, esi, edi, ebp, eax; /* the order of a system call's arguments, then its number and result */
	machine_word eip, esp, eflags, fs, gs;          /* the machine forces the other segments, and every flag that a user may not set */
#ifdef MACHINE_WIDE
	machine_word r8, r9, r10, r11, r12, r13, r14, r15;
	machine_word code, fs_base, gs_base;            /* the machine's own: see machine_thread_base */
	machine_word wide;                              /* it runs 64-bit code; set after machine_thread_exec, by exec alone */
#endif
};

/* A machine with MACHINE_WIDE runs programs of either width, one beside the other; those of 64 bits call by `syscall`, which is 2 bytes as well. */
#ifdef MACHINE_WIDE
#define WIDE(p) ((p)->r->wide)
#else
#define WIDE(p) 0
#endif

struct machine_thread;

struct machine_thread *machine_thread_new(struct machine_space *space); /* all registers 0, fresh floating point; 0: no memory */
struct machine_thread *machine_thread_copy(struct machine_thread *thread, struct machine_space *space); /* registers, floating point and TLS; space may be the same */
void machine_thread_free(struct machine_thread *thread);
void machine_thread_exec(struct machine_thread *thread, struct machine_space *space); /* moves to another space, everything as after machine_thread_new */

/* The registers of a thread that is not running: read and written in place. The pointer is good as long as the thread. */
struct machine_registers *machine_thread_registers(struct machine_thread *thread);

/* A machine may answer brk by itself where it moves the end of the heap up within its last page. This is the end that the thread was told last, when its
   call of brk has come here; 0: the machine told none. It is the user's word, if anybody's: to be believed within that page only. */
address machine_thread_break(struct machine_thread *thread);

/* set_thread_area: a flat 32-bit data segment with this base. entry: GDT index as Linux numbers them, -1: any free. The index, or -1: not one of ours. */
int machine_thread_segment(struct machine_thread *thread, int entry, address base, unsigned limit, int limit_in_pages);

#ifdef MACHINE_WIDE
void machine_thread_base(struct machine_thread *thread, int gs, address base); /* arch_prctl, of a wide thread; an address below USER_TOP */
#endif

/* Floating point state in the layout of FXSAVE, for signal frames. */
void machine_thread_float_get(struct machine_thread *thread, void *area512);
void machine_thread_float_set(struct machine_thread *thread, const void *area512);

/* ---- running ---------------------------------------------------------------------------------------------------------------------------------- */

enum machine_event {
	MACHINE_CALL,    /* int $0x80: eax is the number, eip stands after the instruction (2 bytes: a call is made again by taking 2 off) */
	MACHINE_FAULT,   /* an exception that the machine has no remedy for: see struct machine_fault */
	MACHINE_TICK,    /* the thread has computed for about 10 ms without a call: let others run */
	MACHINE_MEMORY   /* a lazy page could not be provided: memory is exhausted */
};

struct machine_fault {
	int signal;       /* Linux number: SIGSEGV, SIGILL, SIGFPE, SIGTRAP, SIGBUS */
	int code;         /* si_code */
	unsigned trap;    /* x86 vector, for sigcontext */
	unsigned error;   /* x86 error code */
	int write;        /* a page was to be written; also where the machine cannot tell that from reading */
	address at;       /* the address that faulted, if any */
};

/* Let this thread run until something happens. Only one thread runs at a time. Page faults that copy on write or zero-fill mends are not events. */
enum machine_event machine_run(struct machine_thread *thread, struct machine_fault *fault);

/* ---- memory routines, under their usual names (compilers call them too): fast ones matter, see README.md --------------------------------------- */

#ifndef MACHINE_HOSTED
void *memcpy(void *to, const void *from, unsigned long length);
void *memmove(void *to, const void *from, unsigned long length);
void *memset(void *to, int byte, unsigned long length);
int memcmp(const void *a, const void *b, unsigned long length);
#endif

/* ---- the way up: what a machine calls once, after it has set itself up --------------------------------------------------------------------------- */

/* cpio: the payload of docs/contract.md section 2. Its content is copied: the machine may reuse that memory when this returns. Panics on a bad archive. */
void personality_start(const void *cpio, unsigned long size);

/* Starts /init as process 1 and serves until the machine ends; does not return. */
void personality_run(void);

#endif
