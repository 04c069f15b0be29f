/* window.c: single bytes that the gate reads and writes by itself.

   Bootstrap tools read and write tens of millions of single bytes, and each call costs two messages. So the answer to such a call
   may open two windows in the gate's pages: a copy of the bytes that the program would read next, and room for those that
   it would write next. The gate counts, and tells with its next message what it has moved; then this is done to the files, as
   if each byte had been a call of its own.

   What makes it safe: nothing is shared. The pages are the builder's own, and what a builder can make of them is a false message.
   - A window is open only while its thread runs: every return of machine_run closes both, before anything else is done. So no
     other thread, process or step runs, no descriptor is closed, no file cut, sealed or started while one is open, and what
     a window was opened for still holds when it is closed.
   - It is opened for what the descriptor allows at that moment, and only where byte_of says that bytes of a frame that the file already has
     can be moved and nothing else happens.
   - A message that claims more than a window had ends its thread; what it says was written are the builder's bytes, in
     that room and in no other.

   This file alone knows both sides, the gate and the personality's files; it looks, and changes nothing but what read and write would. */

#include "server.h"
#include "personality.h"

/* What stands at G_OPEN. */
struct open {
	unsigned known, answer;
	struct {
		unsigned descriptor, at, end;
	} write, read;
};

#define SHORT 96u /* bytes in the first windows: their message takes Mach's short way */

static struct window {
	struct file *file;
	char *bytes;
	unsigned length; /* 0: closed */
} reading, writing;

static int known; /* the gate has been given an answer */

void window_shut(void *page)
{
	struct open *open = page;

	open->known = KNOWN_NONE;
	open->write.at = open->write.end = G_WRITTEN;
	open->read.at = open->read.end = G_TO_READ;
}

/* Calls without arguments, whose answer stays the same as long as this thread runs and makes no other. */
static int constant(unsigned call)
{
	switch (call) {
	case 20: case 24: case 47: case 49: case 50: case 64: /* getpid getuid getgid geteuid getegid getppid */
	case 199: case 200: case 201: case 202: case 224: /* getuid32 getgid32 geteuid32 getegid32 gettid */
		return 1;
	default:
		return 0;
	}
}

/* Opens this one if the descriptor's next bytes can be moved that way: not where the other one is open on the same file. */
static void open_one(struct window *w, struct machine_thread *thread, const struct window *other)
{
	int write = w == &writing;
	unsigned most = write ? WRITTEN_MOST : TO_READ_MOST;
	struct file *f = file_of(current, thread->windows[write] - 1);

	if (!f || (f->flags & O_ACCMODE) == (write ? 0 : O_WRONLY) || (other->length && other->file->node == f->node))
		return;
	w->bytes = byte_of(current, f, write);
	if (!w->bytes)
		return;
	w->file = f;
	w->length = PAGE_SIZE - ((unsigned)f->offset & PAGE_MASK);
	if (!write && w->length > f->node->size - f->offset)
		w->length = (unsigned)(f->node->size - f->offset);
	if (w->length > most)
		w->length = most;
	if (w->length > thread->ahead)
		w->length = thread->ahead;
}

void window_open(struct machine_thread *thread)
{
	struct machine_registers *call = &thread->known, *r = &thread->registers;
	int write = call->eax == WRITE;
	struct open open;

	window_shut(&open);
	if (r->eip != call->eip) { /* a signal comes first, or the call is made once more */
		thread->bytes = 0;
		return;
	}
	if ((call->eax != READ && !write) || call->edx != 1 || r->eax != 1 || call->ebx >= DESCRIPTORS) {
		thread->bytes = 0;
		known = constant(call->eax);
		open.known = known ? call->eax : KNOWN_NONE;
		open.answer = r->eax;
	} else {
		if (!thread->bytes++) {
			thread->windows[0] = thread->windows[1] = 0;
			thread->ahead = SHORT;
		}
		thread->windows[write] = (int)call->ebx + 1;
		if (thread->bytes == 1)
			return;
		open_one(write ? &writing : &reading, thread, write ? &reading : &writing);
		open_one(write ? &reading : &writing, thread, write ? &writing : &reading);
		open.write.descriptor = (unsigned)thread->windows[1] - 1;
		open.write.end += writing.length;
		open.read.descriptor = (unsigned)thread->windows[0] - 1;
		open.read.end += reading.length;
	}
	if (known || reading.length || writing.length)
		copy_patch(thread->space, G_OPEN, &open, sizeof open);
	if (reading.length)
		copy_patch(thread->space, G_TO_READ, reading.bytes, reading.length);
}

/* Does what the gate has done. 0, or -1: it claims what it was not given. */
static int settle(struct machine_thread *thread, unsigned read, unsigned written, const void *bytes)
{
	if (read > reading.length || written > writing.length)
		return -1;
	if ((read && read == reading.length) || (written && written == writing.length))
		thread->ahead = PAGE_SIZE;
	if (read)
		bytes_moved(current, reading.file, 0, read);
	if (written) {
		memcpy(writing.bytes, bytes, written);
		bytes_moved(current, writing.file, 1, written);
	}
	return 0;
}

/* A thread that was stopped without a message, and outside the gate: its counts are read from its pages, where the windows are closed, too. */
static int settle_stopped(struct machine_thread *thread)
{
	port task = thread->space->task;
	struct open *open;
	void *closed;
	int error;

	if (vm_read(task, G_OPEN, 2 * PAGE_SIZE, (void **)&open))
		return -1;
	error = settle(thread, open->read.at - (G_TO_READ), open->write.at - (G_WRITTEN), (char *)open + PAGE_SIZE);
	closed = memory_reserve(TRANSFER, PAGE_SIZE);
	if (!closed)
		machine_panic("limit: memory is exhausted");
	window_shut(closed);
	if (vm_write(task, G_OPEN, closed, PAGE_SIZE, 1)) {
		vm_deallocate(self, TRANSFER, PAGE_SIZE);
		error = -1;
	}
	vm_deallocate(self, (unsigned)open, 2 * PAGE_SIZE);
	return error;
}

int window_close(struct machine_thread *thread)
{
	unsigned read = message_moved & 0xffff, written = message_moved >> 16, from = (message.length + 3) & ~3u;
	int error = 0;

	if (thread->state != AWAITING) {
		if ((known || reading.length || writing.length) && thread->state != BROKEN)
			error = settle_stopped(thread);
	} else if (written && from + written > message.h.size - DATA_OFFSET) {
		error = -1;
	} else {
		error = settle(thread, read, written, message.data + from);
	}
	reading.length = writing.length = 0;
	known = 0;
	return error;
}
