/* thread.c: threads of user code: their floating point state, their segments, and running them. */

#include "kernel.h"

#define SIGILL 4
#define SIGTRAP 5
#define SIGBUS 7
#define SIGFPE 8
#define SIGSEGV 11

#define FLAGS_USER 0xdd5u    /* what a user may set: CF PF AF ZF SF TF DF OF */
#define FLAGS_FORCED 0x202u  /* interrupts on, IOPL 0 */
#define FIRST_SEGMENT 6

unsigned char kernel_stack[STACK_GUARD + STACK_SIZE + PAGE_SIZE] __attribute__((aligned(4096))); /* entry.S */
struct machine_registers *running;                              /* entry.S: where a trap stores the registers */
unsigned trap_error;

static struct machine_thread *loaded;   /* whose floating point state and segments the processor holds */
static unsigned char fresh_floating[512 + 16];

static void *aligned(unsigned char *area)
{
	return (void *)(((unsigned long)area + 15) & ~15ul);
}

static void float_save(struct machine_thread *thread)
{
	asm volatile("fxsave (%0)" : : "r"(aligned(thread->floating)) : "memory");
}

/* Leaves the processor's state in memory: after this, no thread is loaded. */
static void unload(void)
{
	if (loaded)
		float_save(loaded);
	loaded = 0;
}

static void reset(struct machine_thread *thread)
{
	unsigned *control = aligned(fresh_floating);

	if (!control[6]) { /* first use: x87 control word 0x37f, MXCSR 0x1f80, all else empty */
		control[0] = 0x37f;
		control[6] = 0x1f80;
	}
	memset(&thread->registers, 0, sizeof thread->registers);
	memset(thread->segments, 0, sizeof thread->segments);
	memcpy(aligned(thread->floating), control, 512);
}

struct machine_thread *machine_thread_new(struct machine_space *space)
{
	struct machine_thread *thread = frame_of(FRAME_THREAD); /* a frame each: the count of processes is bounded by the personality */

	if (thread) {
		reset(thread);
		thread->space = space;
	}
	return thread;
}

struct machine_thread *machine_thread_copy(struct machine_thread *thread, struct machine_space *space)
{
	struct machine_thread *copy = frame_of(FRAME_THREAD);

	if (!copy)
		return 0;
	if (loaded == thread)
		float_save(thread);
	memcpy(copy, thread, sizeof *copy); /* both are at the start of a page, so the aligned area is at the same place */
	copy->space = space;
	return copy;
}

void machine_thread_free(struct machine_thread *thread)
{
	if (loaded == thread)
		loaded = 0;
	frame_back(FRAME_THREAD, thread);
}

void machine_thread_exec(struct machine_thread *thread, struct machine_space *space)
{
	if (loaded == thread)
		loaded = 0;
	reset(thread);
	thread->space = space;
}

struct machine_registers *machine_thread_registers(struct machine_thread *thread)
{
	return &thread->registers;
}

address machine_thread_break(struct machine_thread *thread)
{
	(void)thread;
	return 0; /* every call of brk comes here */
}

int machine_thread_segment(struct machine_thread *thread, int entry, address base, unsigned limit, int limit_in_pages)
{
	unsigned i, low, high;

	if (entry == -1) {
		for (i = 0; i < 3 && thread->segments[i]; i++)
			;
		entry = FIRST_SEGMENT + i;
	}
	if (entry < FIRST_SEGMENT || entry >= FIRST_SEGMENT + 3)
		return -1;
	low = base << 16 | (limit & 0xffff);
	high = (base & 0xff000000u) | (limit & 0xf0000) | (base >> 16 & 0xff) | 0x40f200u | (limit_in_pages ? 0x800000u : 0); /* 32-bit data, DPL 3 */
	thread->segments[entry - FIRST_SEGMENT] = (unsigned long long)high << 32 | low;
	if (loaded == thread)
		unload();
	return entry;
}

void machine_thread_float_get(struct machine_thread *thread, void *area512)
{
	if (loaded == thread)
		float_save(thread);
	memcpy(area512, aligned(thread->floating), 512);
}

void machine_thread_float_set(struct machine_thread *thread, const void *area512)
{
	unsigned *control = aligned(thread->floating);

	if (loaded == thread)
		loaded = 0;
	memcpy(control, area512, 512);
	control[6] &= 0xffff; /* fxrstor faults on reserved bits of MXCSR */
}

/* A selector that a user may have: null, the flat segments, or a TLS segment that exists. Anything else would fault in the kernel: it becomes null. */
static unsigned selector(struct machine_thread *thread, unsigned wanted)
{
	unsigned i = (wanted >> 3) - FIRST_SEGMENT;

	wanted &= 0xffff;
	if (wanted == 0x23)
		return wanted;
	if (wanted > 3 && (wanted & 7) == 3 && i < 3 && thread->segments[i])
		return wanted;
	return 0;
}

static void load(struct machine_thread *thread)
{
	unload();
	memcpy(&kernel_gdt[FIRST_SEGMENT], thread->segments, sizeof thread->segments);
#ifdef MACHINE_WIDE /* a thread has code of its own width alone: a far jump into the other is a fault */
	kernel_gdt[CODE_NARROW] = thread->registers.wide ? 0 : code_narrow;
	kernel_gdt[CODE_WIDE] = thread->registers.wide ? code_wide : 0;
	thread->registers.code = (thread->registers.wide ? CODE_WIDE : CODE_NARROW) * 8 + 3;
	load_segments(0, 0);
	bases_load(thread);
#endif
	asm volatile("fxrstor (%0)" : : "r"(aligned(thread->floating)));
	loaded = thread;
}

#ifdef MACHINE_WIDE
void machine_thread_base(struct machine_thread *thread, int gs, address base)
{
	*(gs ? &thread->registers.gs_base : &thread->registers.fs_base) = base;
	if (loaded == thread)
		unload();
}

/* What 32-bit code leaves in the upper halves of registers is nobody's word. */
static void cut(struct machine_registers *r)
{
	machine_word *at;

	for (at = &r->ebx; at <= &r->eflags; at++)
		*at &= 0xffffffffu;
}
#endif

void interrupt_acknowledge(void)
{
	out8(0x20, 0x20);
}

static enum machine_event fault(struct machine_fault *f, int signal, int code, unsigned vector, address at)
{
	f->signal = signal;
	f->code = code;
	f->trap = vector;
	f->error = trap_error;
	f->write = trap_error >> 1 & 1;
	f->at = at;
	return MACHINE_FAULT;
}

/* The segments of data that a thread has: a wide one needs none, but what it loads spoils a base. */
#ifdef MACHINE_WIDE
static void segments_give(struct machine_thread *thread, struct machine_registers *r)
{
	load_segments(r->wide ? 0 : selector(thread, r->fs), r->wide ? 0 : selector(thread, r->gs));
	if (r->wide)
		bases_load(thread);
}
#else
#define segments_give(thread, r) load_segments(selector(thread, (r)->fs), selector(thread, (r)->gs))
#endif

enum machine_event machine_run(struct machine_thread *thread, struct machine_fault *f)
{
	unsigned vector;
	unsigned long at, cr3;
	unsigned fs, gs;
	int lenient = 0;
	struct machine_registers *r = &thread->registers;

	r->eflags = (r->eflags & FLAGS_USER) | FLAGS_FORCED;
#ifdef MACHINE_WIDE
	if (r->eip >= USER_TOP) { /* no address that an iret may be given */
		trap_error = FAULT_FETCH | 4;
		return fault(f, SIGSEGV, 1, 14, r->eip);
	}
#endif
	asm volatile("mov %%cr3, %0" : "=r"(cr3));
	if (cr3 != TO_PHYSICAL(thread->space))
		asm volatile("mov %0, %%cr3" : : "r"((unsigned long)TO_PHYSICAL(thread->space)));
	if (loaded != thread)
		load(thread);
	for (;;) {
		asm volatile("mov %%fs, %0" : "=r"(fs));
		asm volatile("mov %%gs, %0" : "=r"(gs));
		if (r->fs | r->gs | (fs & 0xffff) | (gs & 0xffff))
			segments_give(thread, r);
		if (lenient)
			kernel_reaches_users(1);
		vector = user_run(r);
		if (lenient)
			kernel_reaches_users(0);
#ifdef MACHINE_WIDE
		if (!r->wide)
			cut(r);
		if (vector == (r->wide ? 129 : 128))
			return MACHINE_CALL;
#else
		if (vector == 128)
			return MACHINE_CALL;
#endif
		asm volatile("mov %%cr2, %0" : "=r"(at));
		switch (vector) {
		case 0:
			return fault(f, SIGFPE, 1, vector, r->eip);
		case 1:
			return fault(f, SIGTRAP, 2, vector, r->eip);
		case 3:
			return fault(f, SIGTRAP, 0x80, vector, 0);
		case 6:
			return fault(f, SIGILL, 2, vector, r->eip);
		case 14:
			/* QEMU before 9.1 reads and writes the stack of a user's own iret, lret and lcall as if the kernel did, which SMAP forbids. Nothing is wrong with
			   the page, so that instruction is run again without SMAP; guard.c of the machine watches that it stays with the user's pages. */
			if (kernel_has_smap && (trap_error & 5) == 1 && !lenient) {
				lenient = 1;
				continue;
			}
			lenient = 0;
			switch (space_fault(thread->space, at, trap_error)) {
			case 0:
				continue;
			case 2:
				return MACHINE_MEMORY;
			}
			return fault(f, SIGSEGV, trap_error & 1 ? 2 : 1, vector, at);
		case 16:
		case 19:
			return fault(f, SIGFPE, 7, vector, r->eip);
		case 17:
			return fault(f, SIGBUS, 1, vector, 0);
		case 32:
		case 35:
			interrupt_acknowledge();
			if (vector == 32)
				return MACHINE_TICK;
			continue;
		default: /* 4 5 9 10 11 12 13 255: overflow, bound, segment trouble, privileged instructions */
			return fault(f, SIGSEGV, 0x80, vector, 0);
		}
	}
}
