/* thread.c: threads of user code, as threads of Mach.

   One runs at a time: machine_run answers it, waits on its task's port, and returns when its call, its fault or the
   end of its time arrives. */

#include "thread.h"

#define SIGKILL 9

#define FLAGS_USER 0xdd5u /* what a user may set: CF PF AF ZF SF TF DF OF */
#define FLAG_TRAP 0x100u
#define USER_CODE 0x17u
#define USER_DATA 0x1fu
#define TICK 10        /* ms */
#define PATIENCE 200   /* ticks that a thread may take to come out of the gate */

static struct machine_thread *first;

static int in_gate(address eip)
{
	return eip - GATE_CODE < PAGE_SIZE;
}

/* ---- registers ---- */

/* A selector that a user may have; any other would fault in the kernel. */
static unsigned selector(struct machine_thread *thread, unsigned wanted)
{
	int i;

	wanted &= 0xffff;
	if (wanted == USER_DATA)
		return wanted;
	for (i = 0; i < 3; i++)
		if (thread->selectors[i] && (unsigned)thread->selectors[i] == (wanted | 3) && (wanted & 3) == 3)
			return wanted;
	return 0;
}

int registers_put(struct machine_thread *thread, address eip)
{
	struct machine_registers *r = &thread->registers;
	struct thread_state s;

	s.gs = selector(thread, r->gs);
	s.fs = selector(thread, r->fs);
	s.es = s.ds = s.ss = USER_DATA;
	s.cs = USER_CODE;
	s.edi = r->edi;
	s.esi = r->esi;
	s.ebp = r->ebp;
	s.unused = 0;
	s.ebx = r->ebx;
	s.edx = r->edx;
	s.ecx = r->ecx;
	s.eax = r->eax;
	s.eip = eip;
	s.eflags = (r->eflags & FLAGS_USER) | 0x202;
	if (in_gate(eip))
		s.eflags = 0x202;
	s.esp = r->esp;
	thread->known = *r;
	return thread_set_state(thread->thread, &s) ? -1 : 0;
}

int registers_get(struct machine_thread *thread)
{
	struct machine_registers *r = &thread->registers;
	struct thread_state s;

	if (thread_get_state(thread->thread, &s))
		return -1;
	r->ebx = s.ebx;
	r->ecx = s.ecx;
	r->edx = s.edx;
	r->esi = s.esi;
	r->edi = s.edi;
	r->ebp = s.ebp;
	r->eax = s.eax;
	r->eip = s.eip;
	r->esp = s.esp;
	r->eflags = s.eflags;
	r->fs = s.fs & 0xffff;
	r->gs = s.gs & 0xffff;
	thread->known = *r;
	return 0;
}

/* ---- in the gate ---- */

/* Waits for a thread that is in the gate to send, whatever its call. */
static int await(struct machine_thread *thread, int send)
{
	struct exception e;
	unsigned i;

	for (i = 0; i < PATIENCE; i++, send = 0)
		switch (message_receive(thread->space, send, TICK, &e)) {
		case ARRIVED_CALL:
			thread->state = AWAITING;
			return 0;
		case ARRIVED_EXCEPTION:
			if (fault_mend(thread, &e)) {
				thread->state = BROKEN;
				return -1;
			}
			break;
		case ARRIVED_NOTHING:
			break;
		default:
			i = PATIENCE;
		}
	thread->state = BROKEN;
	return -1;
}

int thread_exchange(struct machine_space *space, unsigned order, address from, unsigned length)
{
	message.registers = space->thread->registers;
	message.order = order;
	message.address = from;
	message.length = length;
	return await(space->thread, 1);
}

int thread_gate(struct machine_space *space)
{
	struct machine_thread *thread = space->thread;
	int error;

	copy_turn(space);
	if (!thread || thread->state == BROKEN || thread->state == FRESH)
		return 0;
	if (thread->state == AWAITING)
		return 1;
	if (message.patches)
		machine_panic("defect: patches for a thread that is not in the gate");
	if (thread->state == SUSPENDED)
		thread_abort(thread->thread);
	error = registers_put(thread, IN_GATE(gate_agent));
	if (thread->state == SUSPENDED)
		thread_resume(thread->thread);
	else
		fault_answer(thread);
	return !error && !await(thread, 0);
}

/* ---- making and ending ---- */

struct machine_thread *machine_thread_new(struct machine_space *space)
{
	struct machine_thread *thread = machine_frame(0);

	if (thread)
		thread->space = space;
	if (!first)
		first = thread;
	return thread;
}

/* Brings a thread out of the gate: it will go on by its registers alone. */
static void leave_gate(struct machine_thread *thread)
{
	if (thread->state != AWAITING)
		return;
	copy_settle(0);
	thread_suspend(thread->thread);
	thread_abort(thread->thread);
	thread->state = SUSPENDED;
	thread->known.eip = ~thread->registers.eip; /* not known */
}

/* The gate is for one thread at a time: this one takes it from whichever thread of its task ran last. */
static void take_turn(struct machine_thread *thread)
{
	struct machine_space *space = thread->space;

	if (!space->thread || space->thread == thread)
		return;
	leave_gate(space->thread);
	copy_settle(0);
	space->thread = thread->thread ? thread : 0;
}

struct machine_thread *machine_thread_copy(struct machine_thread *thread, struct machine_space *space)
{
	struct machine_thread *copy = machine_frame(0);

	if (!copy)
		return 0;
	if (space == thread->space) {
		machine_thread_float_get(thread, copy->floating);
		copy->with_floating = 1;
	}
	copy->registers = thread->registers;
	copy->space = space;
	memcpy(copy->selectors, thread->selectors, sizeof copy->selectors);
	memcpy(copy->segments, thread->segments, sizeof copy->segments);
	copy->child = thread->state == AWAITING && space != thread->space;
	copy->child_return = thread->registers.eip;
	if (space == thread->space)
		leave_gate(thread); /* the gate is for one thread at a time */
	return copy;
}

static void end(struct machine_thread *thread)
{
	if (thread->space->thread == thread) {
		copy_settle(0);
		thread->space->thread = 0;
	}
	if (thread->thread) {
		thread_terminate(thread->thread);
		mach_port_deallocate(self, thread->thread);
	}
	if (thread->fault_reply) /* not before: a thread that waits for an answer that cannot come any more takes its whole task along */
		mach_port_deallocate(self, thread->fault_reply);
}

void machine_thread_free(struct machine_thread *thread)
{
	end(thread);
	machine_frame_drop(thread);
}

void machine_thread_exec(struct machine_thread *thread, struct machine_space *space)
{
	end(thread);
	memset(thread, 0, sizeof *thread);
	thread->space = space;
}

struct machine_registers *machine_thread_registers(struct machine_thread *thread)
{
	return &thread->registers;
}

address machine_thread_break(struct machine_thread *thread)
{
	return thread->heap_end;
}

int machine_thread_segment(struct machine_thread *thread, int entry, address base, unsigned limit, int limit_in_pages)
{
	int i, chosen;

	for (i = 0; i < 3; i++)
		if (entry == -1 ? !thread->selectors[i] : thread->selectors[i] >> 3 == entry)
			break;
	if (i == 3)
		return -1;
	thread->segments[i][0] = base << 16 | (limit & 0xffff);
	/* 32-bit data, DPL 3 */
	thread->segments[i][1] = (base & 0xff000000u) | (limit & 0xf0000) | (base >> 16 & 0xff) | 0x40f200u | (limit_in_pages ? 0x800000u : 0);
	chosen = entry == -1 ? -1 : thread->selectors[i];
	if (thread->thread) {
		if (thread_set_descriptor(thread->thread, &chosen, thread->segments[i][0], thread->segments[i][1]))
			return -1;
	} else if (chosen == -1) {
		return -1;
	}
	thread->selectors[i] = chosen | 3;
	return chosen >> 3;
}

/* ---- floating point ---- */

void machine_thread_float_get(struct machine_thread *thread, void *area512)
{
	unsigned *control = area512;

	if (thread->with_floating) {
		memcpy(area512, thread->floating, 512);
		return;
	}
	memset(area512, 0, 512);
	take_turn(thread);
	if (thread->space->thread == thread && thread_gate(thread->space) &&
	    !thread_exchange(thread->space, ORDER_SAVE, G_FLOATING, 512) && message.length == 512) {
		memcpy(area512, message.data, 512);
		return;
	}
	control[0] = 0x37f; /* it has not run yet: x87 control word and MXCSR as at the start */
	control[6] = 0x1f80;
}

void machine_thread_float_set(struct machine_thread *thread, const void *area512)
{
	unsigned area[128];

	take_turn(thread);
	if (thread->space->thread != thread || !thread_gate(thread->space))
		return;
	memcpy(area, area512, 512);
	area[6] &= 0xffff; /* fxrstor faults on reserved bits of MXCSR */
	copy_patch(thread->space, G_FLOATING, area, 512);
	thread_exchange(thread->space, ORDER_LOAD, 0, 0);
}

/* ---- running ---- */

static enum machine_event broken(struct machine_thread *thread, struct machine_fault *f)
{
	thread->state = BROKEN;
	memset(f, 0, sizeof *f);
	f->signal = SIGKILL;
	return MACHINE_FAULT;
}

static int start(struct machine_thread *thread)
{
	struct machine_space *space = thread->space;
	int i, fork = thread->child && thread->registers.eip == thread->child_return;

	if (thread_create(space->task, &thread->thread))
		return -1;
	for (i = 0; i < 3; i++)
		if (thread->selectors[i] && thread_set_descriptor(thread->thread, &thread->selectors[i], thread->segments[i][0],
								  thread->segments[i][1]))
			return -1;
	if (thread_special_port(thread->thread, SPECIAL_KERNEL, 0) ||
	    registers_put(thread, thread->with_floating ? IN_GATE(gate_agent) : fork ? IN_GATE(gate_child) : thread->registers.eip))
		return -1;
	space->thread = thread;
	space->ran = 1;
	if (thread_resume(thread->thread))
		return -1;
	if (!thread->with_floating)
		return 0;
	thread->with_floating = 0; /* it comes to the gate, takes the state, and waits there for its first answer */
	if (await(thread, 0))
		return -1;
	copy_patch(space, G_FLOATING, thread->floating, 512);
	return thread_exchange(space, ORDER_LOAD, 0, 0) ? -1 : 1;
}

static int changed(struct machine_thread *thread)
{
	return memcmp(&thread->registers, &thread->known, sizeof thread->known) != 0;
}

/* Lets the thread go. 1: its answer is still to be sent. */
static int let_go(struct machine_thread *thread)
{
	int sent;

	if (thread->state == AWAITING && (thread->registers.fs != thread->known.fs || thread->registers.gs != thread->known.gs))
		leave_gate(thread); /* the gate does not load segments */
	switch (thread->state) {
	case FRESH:
		sent = start(thread);
		if (sent <= 0)
			return sent;
		/* fall through: it waits in the gate by now */
	case AWAITING:
		message.registers = thread->registers;
		message.registers.eflags = (thread->registers.eflags & FLAGS_USER & ~FLAG_TRAP) | 0x202;
		message.order = ORDER_RETURN;
		window_open(thread);
		return 1;
	case SUSPENDED:
		if (changed(thread) && registers_put(thread, thread->registers.eip))
			return -1;
		return thread_resume(thread->thread) ? -1 : 0;
	case FAULTED:
		if (changed(thread) && registers_put(thread, thread->registers.eip))
			return -1;
		fault_answer(thread);
		return 0;
	default:
		return -1;
	}
}

static int between(address eip, const char *from, const char *to)
{
	return eip - IN_GATE(from) < (unsigned)(to - from);
}

/* Where a thread that faulted or was stopped in the gate goes on, so that it makes its call after all; 0: as it was. */
static address call_instead(address eip, int fault)
{
	if (between(eip, gate_read, gate_moved))
		return IN_GATE(gate_read_call);
	if (between(eip, gate_write, gate_written))
		return IN_GATE(gate_write_call);
	if (fault)
		return between(eip, gate_fetch, gate_skip) ? IN_GATE(gate_skip) : 0;
	return between(eip, gate_code, gate_write) ? IN_GATE(gate_call) : 0;
}

static enum machine_event run(struct machine_thread *thread, struct machine_fault *f)
{
	struct machine_space *space = thread->space;
	struct exception e;
	unsigned stuck = 0;
	address on;
	int send, late = 0; /* its time is over, but for a call that it has been led to */

	take_turn(thread);
	copy_settle(thread);
	if (memory_exhausted(thread == first))
		return MACHINE_MEMORY;
	send = let_go(thread);
	if (send < 0)
		return broken(thread, f);
	space->thread = thread;
	for (;; send = 0) {
		switch (message_receive(space, send, TICK, &e)) {
		case ARRIVED_CALL:
			break;
		case ARRIVED_EXCEPTION:
			goto exception;
		case ARRIVED_RUBBISH:
			return broken(thread, f);
		case ARRIVED_NOTHING:
			if (thread_suspend(thread->thread))
				return broken(thread, f);
			switch (message_receive(space, 0, 0, &e)) {
			case ARRIVED_CALL:
				thread_resume(thread->thread);
				break;
			case ARRIVED_EXCEPTION:
				thread_resume(thread->thread);
				goto exception;
			case ARRIVED_RUBBISH:
				return broken(thread, f);
			case ARRIVED_NOTHING:
				thread->known = thread->registers;
				if (registers_get(thread))
					return broken(thread, f);
				if (in_gate(thread->registers.eip)) { /* a call is on its way, or answered there again and again */
					on = call_instead(thread->registers.eip, 0);
					if (on && (thread_abort(thread->thread) || registers_put(thread, on)))
						return broken(thread, f);
					late |= on != 0;
					thread_resume(thread->thread);
					if (++stuck > PATIENCE)
						return broken(thread, f);
					continue;
				}
				thread->state = SUSPENDED;
				return memory_exhausted(thread == first) ? MACHINE_MEMORY : MACHINE_TICK;
			}
		}
		thread->registers = message.registers;
		thread->registers.fs &= 0xffff;
		thread->registers.gs &= 0xffff;
		thread->known = thread->registers;
		thread->heap_end = message.order;
		thread->state = AWAITING;
		copy_called(space);
		if (!late || thread->registers.eax >= CALL_NUMBERS || thread->registers.eax == BRK)
			return MACHINE_CALL; /* brk tells what the gate has said: it is taken at once */
		thread->registers.eip -= 2; /* it is made once more */
		return MACHINE_TICK;
	exception:
		thread->fault_reply = e.h.remote;
		thread->state = FAULTED;
		if (registers_get(thread))
			return broken(thread, f);
		if (!in_gate(thread->registers.eip))
			return fault_interpret(thread, &e, f);
		on = call_instead(thread->registers.eip, 1);
		if (!on || registers_put(thread, on))
			return broken(thread, f);
		fault_answer(thread);
	}
}

enum machine_event machine_run(struct machine_thread *thread, struct machine_fault *f)
{
	enum machine_event event;

	message_moved = 0; /* if no message comes */
	event = run(thread, f);
	return window_close(thread) ? broken(thread, f) : event;
}
