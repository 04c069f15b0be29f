/* thread.c: threads of user code, as threads of Mach.

   One runs at a time: machine_run answers it, waits on its task's port, and returns when its call, its fault or the
   end of its time arrives. What comes in is whatever a builder cares to send, so nothing in it is believed: the
   registers are the builder's own affair, and a message of any other form ends its thread. A builder that goes on
   without waiting for its answer gains nothing but its own confusion: calls are taken one by one, and all state is in
   the server. */

#include "server.h"

#define SIGILL 4
#define SIGTRAP 5
#define SIGFPE 8
#define SIGKILL 9
#define SIGSEGV 11

#define FLAGS_USER 0xdd5u /* what a user may set: CF PF AF ZF SF TF DF OF */
#define FLAG_TRAP 0x100u
#define USER_CODE 0x17u
#define USER_DATA 0x1fu
#define TICK 10        /* ms */
#define PATIENCE 200   /* ticks that a thread may take to come out of the gate */
#define EXCEPTION_ID 2400u
#define PORT_ARGUMENT 0x10012011u /* types in a message from Mach */
#define WORD_ARGUMENT 0x10012002u

struct exception {
	struct header h;
	unsigned thread_type;
	port thread;
	unsigned task_type;
	port task;
	unsigned exception_type, exception, code_type, code, subcode_type, subcode;
};

struct gate_message outgoing;
static struct machine_thread *first;

extern char gate_code[], gate_code_end[], gate_skip[], gate_agent[], gate_child[], gate_fetch[];

#define IN_GATE(label) (GATE_CODE + (unsigned)((label) - gate_code))

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

static int put_state(struct machine_thread *thread, address eip)
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

static int get_state(struct machine_thread *thread)
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

/* ---- messages ---- */

/* Throws away what a message brought along: rights and memory. Mach has checked that the descriptors are well formed. */
static void discard(struct header *h)
{
	unsigned *at = (unsigned *)(h + 1), *end = (unsigned *)((char *)h + h->size), name, size, number, head, bytes, i, *rights;

	if (h->remote)
		mach_port_deallocate(self, h->remote);
	if (!(h->bits & MACH_COMPLEX))
		return;
	while (at < end) {
		head = *at++;
		name = head & 255;
		size = head >> 8 & 255;
		number = head >> 16 & 4095;
		if (head & 0x20000000u) { /* long form */
			name = *at & 0xffff;
			size = *at++ >> 16;
			number = *at++;
		}
		bytes = (number * size + 7) / 8;
		rights = head & 0x10000000u ? at : (unsigned *)*at;
		if (name >= MOVE_RECEIVE && name <= MAKE_SEND_ONCE)
			for (i = 0; i < number; i++)
				if (name == MOVE_RECEIVE)
					port_destroy(rights[i]);
				else
					mach_port_deallocate(self, rights[i]);
		if (head & 0x10000000u) {
			at += (bytes + 3) / 4;
		} else {
			if (bytes)
				vm_deallocate(self, *at, bytes);
			at++;
		}
	}
}

static void answer_fault(struct machine_thread *thread)
{
	struct {
		struct header h;
		unsigned type, result;
	} m;

	if (!thread->fault_reply)
		return;
	m.h.bits = 18; /* MACH_MSG_TYPE_MOVE_SEND_ONCE */
	m.h.remote = thread->fault_reply;
	m.h.local = 0;
	m.h.id = EXCEPTION_ID + 100;
	m.type = WORD_ARGUMENT;
	m.result = 0;
	if (mach_msg(&m, MACH_SEND | MACH_SEND_TIMEOUT, sizeof m, 0, 0, 0, 0))
		mach_port_deallocate(self, thread->fault_reply);
	thread->fault_reply = 0;
}

enum arrival { ARRIVED_CALL, ARRIVED_EXCEPTION, ARRIVED_NOTHING, ARRIVED_RUBBISH };

/* Sends `outgoing` if asked to, and waits for a message of the space's task. */
static enum arrival receive(struct machine_space *space, int send, unsigned timeout, struct exception *e)
{
	unsigned option = MACH_RECEIVE | MACH_RECEIVE_TIMEOUT, size = 0, error;

	if (send) {
		option |= MACH_SEND | MACH_SEND_TIMEOUT;
		size = (DATA_OFFSET + outgoing.patches + 3) & ~3u;
		outgoing.h.bits = COPY_SEND;
		outgoing.h.remote = space->answer;
		outgoing.h.local = 0;
		outgoing.h.id = CALL_ID;
	}
	error = mach_msg(&outgoing, option, size, sizeof outgoing, space->request, timeout, 0);
	if (error == MACH_TIMED_OUT) {
		outgoing.patches = 0;
		return ARRIVED_NOTHING;
	}
	if (!error && outgoing.h.id == CALL_ID && !(outgoing.h.bits & MACH_COMPLEX) && !outgoing.h.remote &&
	    outgoing.h.size >= DATA_OFFSET && outgoing.h.size <= sizeof outgoing) {
		if (outgoing.length > PAGE_SIZE || outgoing.length > outgoing.h.size - DATA_OFFSET)
			outgoing.length = 0;
		outgoing.patches = 0;
		return ARRIVED_CALL;
	}
	memcpy(e, &outgoing, sizeof *e);
	if (!error && e->h.id == EXCEPTION_ID && e->h.size == sizeof *e && e->h.bits & MACH_COMPLEX &&
	    e->thread_type == PORT_ARGUMENT && e->task_type == PORT_ARGUMENT && e->exception_type == WORD_ARGUMENT &&
	    e->code_type == WORD_ARGUMENT && e->subcode_type == WORD_ARGUMENT) {
		mach_port_deallocate(self, e->thread);
		mach_port_deallocate(self, e->task);
		outgoing.patches = 0;
		return ARRIVED_EXCEPTION;
	}
	if (!error)
		discard(&outgoing.h);
	outgoing.patches = 0;
	return ARRIVED_RUBBISH;
}

/* After an exception inside the gate: a fetch that met a bad address is given up; all else is no fault of the gate.
   0: the gate goes on. */
static int mend(struct machine_thread *thread, struct exception *e)
{
	struct machine_registers call = thread->registers;
	int error = -1;

	thread->fault_reply = e->h.remote;
	if (!get_state(thread) && thread->registers.eip - IN_GATE(gate_fetch) < (unsigned)(gate_skip - gate_fetch))
		error = put_state(thread, IN_GATE(gate_skip));
	thread->registers = call;
	thread->known.fs = call.fs;
	thread->known.gs = call.gs;
	if (!error)
		answer_fault(thread);
	return error;
}

/* Waits for a thread that is in the gate to send, whatever its call. */
static int await(struct machine_thread *thread, int send)
{
	struct exception e;
	unsigned i;

	for (i = 0; i < PATIENCE; i++, send = 0)
		switch (receive(thread->space, send, TICK, &e)) {
		case ARRIVED_CALL:
			thread->state = WAITING;
			return 0;
		case ARRIVED_EXCEPTION:
			if (mend(thread, &e)) {
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
	outgoing.registers = space->thread->registers;
	outgoing.order = order;
	outgoing.address = from;
	outgoing.length = length;
	return await(space->thread, 1);
}

int thread_gate(struct machine_space *space)
{
	struct machine_thread *thread = space->thread;
	unsigned patches = outgoing.patches;
	int error;

	if (!thread || thread->state == BROKEN || thread->state == FRESH)
		return 0;
	if (thread->state == WAITING)
		return 1;
	if (patches)
		machine_panic("defect: patches for a thread that is not in the gate");
	if (thread->state == STOPPED)
		thread_abort(thread->thread);
	error = put_state(thread, IN_GATE(gate_agent));
	if (thread->state == STOPPED)
		thread_resume(thread->thread);
	else
		answer_fault(thread);
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
	if (thread->state != WAITING)
		return;
	copy_settle(0);
	thread_suspend(thread->thread);
	thread_abort(thread->thread);
	thread->state = STOPPED;
	thread->known.eip = ~thread->registers.eip; /* not known */
}

struct machine_thread *machine_thread_copy(struct machine_thread *thread, struct machine_space *space)
{
	struct machine_thread *copy = machine_frame(0);

	if (!copy)
		return 0;
	copy->registers = thread->registers;
	copy->space = space;
	memcpy(copy->selectors, thread->selectors, sizeof copy->selectors);
	memcpy(copy->segments, thread->segments, sizeof copy->segments);
	copy->child = thread->state == WAITING;
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
	if (thread->fault_reply)
		mach_port_deallocate(self, thread->fault_reply);
	if (thread->thread) {
		thread_terminate(thread->thread);
		mach_port_deallocate(self, thread->thread);
	}
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

	memset(area512, 0, 512);
	if (thread->space->thread == thread && thread_gate(thread->space) &&
	    !thread_exchange(thread->space, ORDER_SAVE, G_FLOATING, 512) && outgoing.length == 512) {
		memcpy(area512, outgoing.data, 512);
		return;
	}
	control[0] = 0x37f; /* it has not run yet: x87 control word and MXCSR as at the start */
	control[6] = 0x1f80;
}

void machine_thread_float_set(struct machine_thread *thread, const void *area512)
{
	unsigned area[128];

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

static enum machine_event fault(struct machine_fault *f, int signal, int code, unsigned trap, unsigned error, address at)
{
	f->signal = signal;
	f->code = code;
	f->trap = trap;
	f->error = error;
	f->at = at;
	return MACHINE_FAULT;
}

/* Whether the thread stands behind an `int $0x80`. */
static int behind_call(struct machine_thread *thread)
{
	unsigned char before[2];
	void *data;
	address from = thread->registers.eip - 2;

	if ((from & PAGE_MASK) == PAGE_MASK || vm_read(thread->space->task, from & ~PAGE_MASK, PAGE_SIZE, &data))
		return 0;
	memcpy(before, (char *)data + (from & PAGE_MASK), 2);
	vm_deallocate(self, (unsigned)data, PAGE_SIZE);
	return before[0] == 0xcd && before[1] == 0x80;
}

/* A call whose number Mach's emulation does not have comes as an invalid instruction behind it. So does what is
   really one there: it comes again, with the answer. */
static int call_without_number(struct machine_thread *thread)
{
	struct machine_registers *r = &thread->registers;

	if (r->eax < CALL_NUMBERS || (r->eip == thread->odd_return && r->eax == (unsigned)-38) || !behind_call(thread)) {
		thread->odd_return = 0;
		return 0;
	}
	thread->odd_return = r->eip;
	return 1;
}

/* What Mach says of a thread (mach/exception.h, mach/i386/exception.h), in Linux's words. */
static enum machine_event interpret(struct machine_thread *thread, struct exception *e, struct machine_fault *f)
{
	address eip = thread->registers.eip;

	switch (e->exception) {
	case 1: /* bad access: Mach's result, and the address */
		/* Mach could not push on the program's stack */
		if (e->subcode == thread->registers.esp - 8 && behind_call(thread))
			return MACHINE_CALL;
		return fault(f, SIGSEGV, e->code == 2 ? 2 : 1, 14, e->code == 2 ? 5 : 4, e->subcode);
	case 2: /* bad instruction: the processor's exception */
		if (e->code == 13 && e->subcode == 0x402) { /* int $0x80 with a number that the vector does not have */
			thread->registers.eip += 2;
			return MACHINE_CALL;
		}
		if ((e->code == 6 || e->code == 1) && call_without_number(thread))
			return MACHINE_CALL;
		return e->code == 6 || e->code == 1 ? fault(f, SIGILL, 2, 6, 0, eip) : fault(f, SIGSEGV, 0x80, e->code, e->subcode, 0);
	case 3: /* arithmetic */
		if (e->code == 1)
			return fault(f, SIGFPE, 1, 0, 0, eip);
		if (e->code == 2 || e->code == 7)
			return fault(f, SIGSEGV, 0x80, e->code == 2 ? 4 : 5, 0, 0);
		return fault(f, SIGFPE, 7, 16, 0, eip);
	case 6: /* breakpoint */
		return e->code == 1 ? fault(f, SIGTRAP, 2, 1, 0, eip) : fault(f, SIGTRAP, 0x80, 3, 0, 0);
	default:
		return fault(f, SIGSEGV, 0x80, 13, 0, 0);
	}
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
	    put_state(thread, fork ? IN_GATE(gate_child) : thread->registers.eip))
		return -1;
	space->thread = thread;
	space->ran = 1;
	return thread_resume(thread->thread) ? -1 : 0;
}

static int changed(struct machine_thread *thread)
{
	return memcmp(&thread->registers, &thread->known, sizeof thread->known) != 0;
}

/* Lets the thread go. 1: its answer is still to be sent. */
static int let_go(struct machine_thread *thread)
{
	if (thread->state == WAITING && (thread->registers.fs != thread->known.fs || thread->registers.gs != thread->known.gs))
		leave_gate(thread); /* the gate does not load segments */
	switch (thread->state) {
	case FRESH:
		return start(thread) ? -1 : 0;
	case WAITING:
		outgoing.registers = thread->registers;
		outgoing.registers.eflags = (thread->registers.eflags & FLAGS_USER & ~FLAG_TRAP) | 0x202;
		outgoing.order = ORDER_RETURN;
		return 1;
	case STOPPED:
		if (changed(thread) && put_state(thread, thread->registers.eip))
			return -1;
		return thread_resume(thread->thread) ? -1 : 0;
	case FAULTED:
		if (changed(thread) && put_state(thread, thread->registers.eip))
			return -1;
		answer_fault(thread);
		return 0;
	default:
		return -1;
	}
}

enum machine_event machine_run(struct machine_thread *thread, struct machine_fault *f)
{
	struct machine_space *space = thread->space;
	struct exception e;
	unsigned stuck = 0;
	int send;

	copy_settle(thread);
	if (memory_exhausted(thread == first))
		return MACHINE_MEMORY;
	send = let_go(thread);
	if (send < 0)
		return broken(thread, f);
	space->thread = thread;
	for (;; send = 0) {
		switch (receive(space, send, TICK, &e)) {
		case ARRIVED_CALL:
			break;
		case ARRIVED_EXCEPTION:
			goto exception;
		case ARRIVED_RUBBISH:
			return broken(thread, f);
		case ARRIVED_NOTHING:
			if (thread_suspend(thread->thread))
				return broken(thread, f);
			switch (receive(space, 0, 0, &e)) {
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
				if (get_state(thread))
					return broken(thread, f);
				if (in_gate(thread->registers.eip)) { /* a call is on its way */
					thread_resume(thread->thread);
					if (++stuck > PATIENCE)
						return broken(thread, f);
					continue;
				}
				thread->state = STOPPED;
				return memory_exhausted(thread == first) ? MACHINE_MEMORY : MACHINE_TICK;
			}
		}
		thread->registers = outgoing.registers;
		thread->registers.fs &= 0xffff;
		thread->registers.gs &= 0xffff;
		thread->known = thread->registers;
		thread->heap_end = outgoing.order;
		thread->state = WAITING;
		copy_called(space);
		return MACHINE_CALL;
	exception:
		thread->fault_reply = e.h.remote;
		thread->state = FAULTED;
		if (get_state(thread))
			return broken(thread, f);
		if (!in_gate(thread->registers.eip))
			return interpret(thread, &e, f);
		if (thread->registers.eip - IN_GATE(gate_fetch) >= (unsigned)(gate_skip - gate_fetch) ||
		    put_state(thread, IN_GATE(gate_skip)))
			return broken(thread, f);
		answer_fault(thread);
	}
}
