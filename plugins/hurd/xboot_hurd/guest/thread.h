/* thread.h: what message.c, fault.c and thread.c have of each other. */

#ifndef THREAD_H
#define THREAD_H

#include "server.h"

extern char gate_code[], gate_code_end[], gate_skip[], gate_agent[], gate_child[], gate_fetch[];
extern char gate_call[], gate_write[], gate_written[], gate_write_call[], gate_read[], gate_moved[], gate_read_call[];

#define IN_GATE(label) (GATE_CODE + (unsigned)((label) - gate_code))

#define EXCEPTION_ID 2400u
#define WORD_ARGUMENT 0x10012002u /* a type in Mach's messages */

struct exception {
	struct header h;
	unsigned thread_type;
	port thread;
	unsigned task_type;
	port task;
	unsigned exception_type, exception, code_type, code, subcode_type, subcode;
};

/* message.c */
enum arrival { ARRIVED_CALL, ARRIVED_EXCEPTION, ARRIVED_NOTHING, ARRIVED_RUBBISH };

/* Sends `message` if asked to, and waits (ms) for one of the space's task: a call stands in `message` then, an exception in *e. */
enum arrival message_receive(struct machine_space *space, int send, unsigned timeout, struct exception *e);

/* fault.c */
void fault_answer(struct machine_thread *thread);                        /* a thread that Mach holds goes on */
int fault_mend(struct machine_thread *thread, struct exception *e);      /* 0: an exception inside the gate; it goes on */
enum machine_event fault_interpret(struct machine_thread *thread, struct exception *e, struct machine_fault *f);

/* thread.c: between Mach's thread and our account of it; 0, or -1: Mach refuses */
int registers_put(struct machine_thread *thread, address eip);
int registers_get(struct machine_thread *thread);

#endif
