/* server.h: the machine that GNU Mach makes below the Linux personality.

   The server is the one task that Mach starts. Its memory:
       0x08048000 - ...          its program (entry.S and the C files)
       0x20000000 - 0x7fffffff   page frames: files, pipes, and all that the personality keeps (memory.c)
       0x80000000 - 0x9fffffff   the payload, a segment of the same program, until it has been unpacked
       0xa0000000 - 0xaeffffff   copies of programs, to be mapped into builders' tasks (image.c)
       0xaf000000 - 0xafffffff   pages on their way into a builder's task
       0xb0000000 - ...          Mach's: the stack, and data that Mach moves here
   A builder's task holds [USER_BOTTOM, USER_TOP) as the personality asks for it, and the two places of gate.h. Of ports it holds two (space.c).

   A builder's thread stands in one of these states whenever the server runs: */

#ifndef SERVER_H
#define SERVER_H

#include "machine.h"
#include "i386/device.h"
#include "i386/range.h"
#include "mach.h"
#include "gate.h"

enum thread_state_name {
	FRESH,   /* no thread of Mach yet */
	AWAITING, /* in the gate, for the answer to its call */
	SUSPENDED, /* suspended somewhere else */
	FAULTED, /* Mach holds it till its exception is answered */
	BROKEN   /* it does not answer as the gate does: it is never run again */
};

#define TRANSFER 0xaf000000u

struct machine_space {
	port task;
	port request; /* receive: calls and exceptions */
	port answer;  /* send */
	struct machine_thread *thread; /* that ran last in here; 0: none, or it is gone */
	int ran;                       /* a thread has run */
	unsigned shared;               /* pages that lie here as shared (share.c) */
	unsigned char *rights[(USER_TOP >> 24) + 1]; /* for 16 MiB each, a byte for each page */
};

#define RIGHT_MAPPED 8
#define RIGHT_SHARED 32
#define RIGHT_ZERO 16 /* nothing was written there, as long as no thread has run */

struct machine_thread {
	struct machine_registers registers;
	struct machine_registers known; /* as Mach's thread has them */
	struct machine_space *space;
	enum thread_state_name state;
	port thread;
	port fault_reply;     /* FAULTED: the right to answer */
	int with_floating;    /* FRESH: one more thread of a task, which starts with this state: */
	unsigned floating[128];
	int child;            /* FRESH: starts at gate_child ... */
	address child_return; /* ... if it is to go on here */
	address odd_return;   /* behind a call with an impossible number, which was answered */
	address heap_end;     /* as the gate told it with the last call */
	unsigned bytes;       /* calls in a row that moved one byte, ... */
	int windows[2];       /* ... by these descriptors, and 1: the last one read, the last one written; 0: none */
	unsigned ahead;       /* bytes that the next window is given at most */
	int selectors[3];
	unsigned segments[3][2];
};

/* a message from a builder's thread, or an answer to it */
struct gate_message {
	struct header h;
	struct machine_registers registers;
	unsigned order, address, length, patches;
	char data[DATA_MAX];
};

/* memory.c */
void memory_setup(void);
int memory_exhausted(int first); /* first: the first thread of all may go on for longer */
void *memory_reserve(unsigned place, unsigned size); /* the server's own, zeroed, at this place; 0: none */

/* space.c */
int space_rights(struct machine_space *space, address at);
void space_clear(struct machine_space *space, address at); /* the page is not mapped any more */
int space_new_shared(struct machine_space *space, address at, unsigned protection); /* it will be; 0, or -1: no memory */
int space_reprotect(struct machine_space *space, address at, unsigned pages, unsigned protection); /* 0, or -1: Mach refuses */
void space_setup(int emulation); /* may the emulation vector be used? (mend.py) */

/* image.c: page frames as Mach can map them into tasks */
int image_map(port task, address at, void **frames, unsigned pages);
void image_forget(void *frame); /* it is about to be written: copies of it are no longer right */

/* share.c */
void share_return(struct machine_space *space, address at, unsigned pages);
void share_return_all(struct machine_space *space);

/* copy.c: what passes between the server and a user's memory while its thread stands still */
/* before a thread runs: what was written for others reaches their tasks, nothing is remembered any more */
void copy_settle(struct machine_thread *next);
void copy_turn(struct machine_space *space);         /* nothing waits in `message` for another space any more */
void copy_called(struct machine_space *space);      /* a call stands in `message`, with the data that came along */
/* into memory that is not the program's own */
void copy_patch(struct machine_space *space, address to, const void *from, unsigned length);
void copy_forget(struct machine_space *space);      /* it is no more */

/* message.c: what passes between the server and the builder's thread whose turn it is, both ways: the message that came, and then
   the answer in the making, whose data are patches */
extern struct gate_message message;
extern unsigned message_moved; /* of the message that came: G_PATCHES (gate.h) */

/* thread.c */
int thread_gate(struct machine_space *space);       /* a thread of it stands in the gate, or has been brought there */
/* patches go, data come; 0, or -1 */
int thread_exchange(struct machine_space *space, unsigned order, address from, unsigned length);

/* window.c */
void window_shut(void *page);                      /* what stands at G_OPEN of a gate that may do nothing by itself */
void window_open(struct machine_thread *thread);   /* an answer is about to go to it */
int window_close(struct machine_thread *thread);   /* it has come back; 0, or -1: it claims what it was not given */

/* device.c */
void device_setup(void);
port device_memory(unsigned physical, unsigned size); /* an object that maps this physical memory; 0: none */

/* main.c */
extern port device_master;
extern unsigned window, window_size; /* the export window: memory of a device, not of Mach */
void check(unsigned error, const char *what); /* panics unless error is 0 */

#endif
