/* message.c: what comes from a builder's task, and what is answered.

   What comes in is whatever a builder cares to send, so nothing in it is believed: the registers are the builder's own
   affair, and a message of any other form ends its thread. A builder that goes on without waiting for its answer gains
   nothing but its own confusion: calls are taken one by one, and all state is in the server. */

#include "thread.h"

#define PORT_ARGUMENT 0x10012011u /* a type in Mach's messages */

struct gate_message message;
unsigned message_moved;

/* Throws away what a message brought along: rights and memory. Mach has checked that the descriptors are well formed. */
static void discard(struct machine_space *space, struct header *h)
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
				if (name == MOVE_RECEIVE) {
					port_destroy(rights[i]);
					if (rights[i] == space->answer)
						space->answer = 0; /* the builder gave it away: Mach may give the name to another port */
				} else
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

/* Sends `message` if asked to, and waits for a message of the space's task. */
enum arrival message_receive(struct machine_space *space, int send, unsigned timeout, struct exception *e)
{
	unsigned option = MACH_RECEIVE | MACH_RECEIVE_TIMEOUT, size = 0, error;

	if (send && !space->answer) {
		message.patches = 0;
		return ARRIVED_RUBBISH;
	}
	if (send) {
		option |= MACH_SEND | MACH_SEND_TIMEOUT;
		size = (DATA_OFFSET + message.patches + 3) & ~3u;
		message.h.bits = COPY_SEND;
		message.h.remote = space->answer;
		message.h.local = 0;
		message.h.id = CALL_ID;
	}
	error = mach_msg(&message, option, size, sizeof message, space->request, timeout, 0);
	if (error == MACH_TIMED_OUT) {
		message.patches = 0;
		return ARRIVED_NOTHING;
	}
	if (!error && message.h.id == CALL_ID && !(message.h.bits & MACH_COMPLEX) && !message.h.remote &&
	    message.h.size >= DATA_OFFSET && message.h.size <= sizeof message) {
		if (message.length > BUFFER_MOST || message.length > message.h.size - DATA_OFFSET)
			message.length = 0;
		message_moved = message.patches;
		message.patches = 0;
		return ARRIVED_CALL;
	}
	memcpy(e, &message, sizeof *e);
	if (!error && e->h.id == EXCEPTION_ID && e->h.size == sizeof *e && e->h.bits & MACH_COMPLEX &&
	    e->thread_type == PORT_ARGUMENT && e->task_type == PORT_ARGUMENT && e->exception_type == WORD_ARGUMENT &&
	    e->code_type == WORD_ARGUMENT && e->subcode_type == WORD_ARGUMENT) {
		mach_port_deallocate(self, e->thread);
		mach_port_deallocate(self, e->task);
		message.patches = 0;
		return ARRIVED_EXCEPTION;
	}
	if (!error)
		discard(space, &message.h);
	message.patches = 0;
	return ARRIVED_RUBBISH;
}
