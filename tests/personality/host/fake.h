/* fake.h: a machine for the personality on the host: frames from malloc, spaces as tables, threads that are only registers. What "user code" does is decided by
   the test: run_hook. */

#ifndef FAKE_H
#define FAKE_H

#include "personality.h"

extern enum machine_event (*run_hook)(struct machine_thread *thread, struct machine_fault *fault);
extern unsigned frame_limit;          /* frames that there are */
extern unsigned frames_used;
extern unsigned fail_in;              /* so many requests of memory until one is refused, whatever for; 0: none is */
extern char console[1 << 16];         /* what was printed */
extern unsigned console_length;
extern unsigned spaces, threads, blocks; /* alive */
extern nanoseconds now;

/* Runs the personality until it ends the machine; the exit status, or -1 with the reason in panic_text for a panic. */
int fake_run(const void *cpio, unsigned long size);
extern const char *panic_text;

#endif
