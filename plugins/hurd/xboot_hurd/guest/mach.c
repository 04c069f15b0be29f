/* mach.c: Mach's calls by message. Each argument stands behind a word that says its type (mach/message.h: mach_msg_type_t). */

#include "server.h"

#define INLINE 0x10000000u
#define LONG_FORM 0x20000000u
#define DEALLOCATE 0x40000000u
#define NUMBER(n) ((n) << 16)
#define TYPE(name, bits) ((name) | (bits) << 8)
#define INTEGER TYPE(2u, 32u)
#define SHORT TYPE(1u, 16u)
#define BOOLEAN TYPE(0u, 32u)
#define BYTE TYPE(9u, 8u)
#define NAME TYPE(15u, 32u)

static struct {
	struct header h;
	unsigned body[64];
} request;
static unsigned length; /* words of the body */
static port reply;
port self;

void mach_setup(void)
{
	self = mach_task_self();
	reply = mach_reply_port();
}

static void begin(port target, unsigned id)
{
	request.h.bits = COPY_SEND | MAKE_SEND_ONCE << 8;
	request.h.remote = target;
	request.h.local = reply;
	request.h.id = id;
	length = 0;
}

static void word(unsigned value)
{
	request.body[length++] = value;
}

static void put(unsigned type, unsigned value)
{
	word(INLINE | NUMBER(1) | type);
	word(value);
}

static void put_port(port right, unsigned kind)
{
	request.h.bits |= MACH_COMPLEX;
	put(TYPE(kind, 32u), right);
}

/* Data that do not travel in the message itself. */
static void put_pages(unsigned type, const void *data, unsigned count, int move)
{
	request.h.bits |= MACH_COMPLEX;
	word(LONG_FORM | (move ? DEALLOCATE : 0));
	word((type & 255) | (type >> 8) << 16);
	word(count);
	word((unsigned)data);
}

/* Sends, waits for the answer, and gives Mach's result. What else the answer holds begins at body[2]. */
static unsigned call(void)
{
	unsigned id = request.h.id, error;

	error = mach_msg(&request, MACH_SEND | MACH_RECEIVE, sizeof request.h + 4 * length, sizeof request, reply, 0, 0);
	if (error)
		return error;
	if (request.h.id != id + 100)
		return ~0u;
	return request.body[1];
}

unsigned give_right(port task, port name, port right, unsigned kind)
{
	begin(task, 3215);
	put(NAME, name);
	put_port(right, kind);
	return call();
}

unsigned port_destroy(port name)
{
	begin(self, 3205);
	put(NAME, name);
	return call();
}

unsigned vm_protect(port task, unsigned at, unsigned size, int maximum, unsigned protection)
{
	begin(task, 2024);
	put(INTEGER, at);
	put(INTEGER, size);
	put(BOOLEAN, maximum != 0);
	put(INTEGER, protection);
	return call();
}

unsigned vm_read(port task, unsigned at, unsigned size, void **data)
{
	unsigned error;

	begin(task, 2026);
	put(INTEGER, at);
	put(INTEGER, size);
	error = call();
	*data = (void *)request.body[5];
	return error;
}

unsigned vm_write(port task, unsigned at, const void *data, unsigned size, int move)
{
	begin(task, 2027);
	put(INTEGER, at);
	put_pages(BYTE, data, size, move);
	return call();
}

unsigned vm_free_pages(void)
{
	begin(self, 2030);
	return call() ? 0 : request.body[4];
}

unsigned emulation_vector(port task, int first, const unsigned *vector, unsigned count)
{
	begin(task, 2010);
	put(INTEGER, (unsigned)first);
	put_pages(INTEGER, vector, count, 0);
	return call();
}

unsigned thread_create(port task, port *thread)
{
	unsigned error;

	begin(task, 2061);
	error = call();
	*thread = request.body[3];
	return error;
}

static unsigned of_thread(port thread, unsigned id)
{
	begin(thread, id);
	return call();
}

unsigned thread_terminate(port thread)
{
	return of_thread(thread, 2016);
}

unsigned thread_suspend(port thread)
{
	return of_thread(thread, 2062);
}

unsigned thread_resume(port thread)
{
	return of_thread(thread, 2063);
}

unsigned thread_abort(port thread)
{
	return of_thread(thread, 2064);
}

unsigned thread_special_port(port thread, unsigned which, port special)
{
	begin(thread, 2068);
	put(INTEGER, which);
	put_port(special, COPY_SEND);
	return call();
}

#define THREAD_STATE 1
#define THREAD_STATE_AND_SEGMENTS 5 /* the other one does not set them */
#define STATE_WORDS (sizeof(struct thread_state) / 4)

unsigned thread_get_state(port thread, struct thread_state *state)
{
	unsigned error;

	begin(thread, 2017);
	put(INTEGER, THREAD_STATE);
	put(INTEGER, STATE_WORDS);
	error = call();
	if (!error)
		memcpy(state, &request.body[3], sizeof *state);
	return error;
}

unsigned thread_set_state(port thread, const struct thread_state *state)
{
	begin(thread, 2018);
	put(INTEGER, THREAD_STATE_AND_SEGMENTS);
	word(INLINE | NUMBER(STATE_WORDS) | INTEGER);
	memcpy(&request.body[length], state, sizeof *state);
	length += STATE_WORDS;
	return call();
}

unsigned thread_set_descriptor(port thread, int *selector, unsigned low, unsigned high)
{
	unsigned error;

	begin(thread, 3807);
	put(INTEGER, (unsigned)*selector);
	word(INLINE | NUMBER(2) | INTEGER);
	word(low);
	word(high);
	error = call();
	if (!error)
		*selector = (int)request.body[3];
	return error;
}

#define DEVICE_NAME 128

unsigned mach_device_open(port device_master, const char *name, port *device)
{
	char *to;
	unsigned i, error;

	begin(device_master, 2800);
	put(INTEGER, 3); /* to read and write */
	word(INLINE | LONG_FORM);
	word(12 | DEVICE_NAME * 8 << 16); /* one string of so many bits */
	word(1);
	to = (char *)&request.body[length];
	for (i = 0; i < DEVICE_NAME; i++)
		to[i] = *name ? *name++ : 0;
	length += DEVICE_NAME / 4;
	error = call();
	*device = request.body[3];
	return error;
}

unsigned mach_device_map(port device, unsigned offset, unsigned size, port *object)
{
	unsigned error;

	begin(device, 2809);
	put(INTEGER, 3);
	put(INTEGER, offset);
	put(INTEGER, size);
	put(INTEGER, 0);
	error = call();
	*object = request.body[3];
	return error;
}

unsigned vm_map(port task, unsigned at, unsigned size, port object, unsigned offset)
{
	begin(task, 2089);
	put(INTEGER, at);
	put(INTEGER, size);
	put(INTEGER, 0);
	put(BOOLEAN, 0);
	put_port(object, COPY_SEND);
	put(INTEGER, offset);
	put(BOOLEAN, 0);
	put(INTEGER, PROTECT_READ | PROTECT_WRITE);
	put(INTEGER, PROTECT_READ | PROTECT_WRITE);
	put(INTEGER, 2); /* VM_INHERIT_NONE */
	return call();
}

unsigned io_permission(port device_master, unsigned from, unsigned to)
{
	unsigned error;
	port permission;

	begin(device_master, 3805);
	put(SHORT, from);
	put(SHORT, to);
	error = call();
	if (error)
		return error;
	permission = request.body[3];
	begin(self, 3806);
	put_port(permission, COPY_SEND);
	put(BOOLEAN, 1);
	return call();
}
