/* fault.c: exceptions of builders' threads, as Mach reports them, in Linux's words. */

#include "thread.h"

#define SIGILL 4
#define SIGTRAP 5
#define SIGFPE 8
#define SIGSEGV 11

void fault_answer(struct machine_thread *thread)
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

/* After an exception inside the gate: a fetch that met a bad address is given up; all else is no fault of the gate.
   0: the gate goes on. */
int fault_mend(struct machine_thread *thread, struct exception *e)
{
	struct machine_registers call = thread->registers;
	int error = -1;

	thread->fault_reply = e->h.remote;
	if (!registers_get(thread) && thread->registers.eip - IN_GATE(gate_fetch) < (unsigned)(gate_skip - gate_fetch))
		error = registers_put(thread, IN_GATE(gate_skip));
	thread->registers = call;
	thread->known.fs = call.fs;
	thread->known.gs = call.gs;
	if (!error)
		fault_answer(thread);
	return error;
}

static enum machine_event fault(struct machine_fault *f, int signal, int code, unsigned trap, unsigned error, address at)
{
	f->signal = signal;
	f->code = code;
	f->trap = trap;
	f->error = error;
	f->write = 1; /* Mach does not tell */
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
enum machine_event fault_interpret(struct machine_thread *thread, struct exception *e, struct machine_fault *f)
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
