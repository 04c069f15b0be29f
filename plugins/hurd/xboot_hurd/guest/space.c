/* space.c: address spaces: tasks of Mach. The server keeps its own account of what a builder may read and write, page by
   page, so that it need not ask.

   Of Mach's own calls a builder reaches mach_msg alone (with the mended kernel). A builder's task holds two port rights: to
   send to `request`, and to receive from `answer`. It has no right to itself (the special port is taken away), so it cannot
   ask Mach for memory, ports, threads or tasks; nor to a device or the host's privileged port, which were never there. */

#include "server.h"

static port model; /* an empty task that holds the gate; every new one is made from it */

extern char gate_code[], gate_code_end[];

static unsigned char *right(struct machine_space *space, address at, int make)
{
	unsigned char **table = &space->rights[at >> 24];

	if (!*table && make)
		*table = machine_frame(0);
	return *table ? *table + (at >> 12 & 4095) : 0;
}

int space_rights(struct machine_space *space, address at)
{
	unsigned char *r = at < USER_TOP ? right(space, at, 0) : 0;

	return r ? *r : 0;
}

static int set_rights(struct machine_space *space, address at, unsigned pages, unsigned rights)
{
	unsigned char *r;

	for (; pages; pages--, at += PAGE_SIZE) {
		r = right(space, at, rights != 0);
		if (r)
			*r = (unsigned char)rights;
		else if (rights)
			return -1;
	}
	return 0;
}

static unsigned char table_of_calls(unsigned call)
{
	switch (call) {
	case 5: case 8: case 10: case 11: case 12: case 15: case 33: case 38: case 39: case 40: case 85: case 106: case 107: case 195:
	case 196: /* open creat unlink execve chdir mknod chmod access rename mkdir rmdir readlink truncate stat64 lstat64 */
		return WITH_EBX;
	case 162: case 168: case 309: case 414: /* nanosleep; what is waited for: poll ppoll */
		return WITH_EBX;
	case 295: case 296: case 300: case 301: case 305: case 307: case 383:
	case 439: /* openat mkdirat fstatat64 unlinkat readlinkat faccessat statx faccessat2 */
	case 102: case 146: case 174: case 175: /* socketcall writev rt_sigaction rt_sigprocmask */
		return WITH_ECX;
	case 4: case 181: case 369: /* write pwrite64 sendto */
		return WITH_BUFFER;
	case 267: case 407: /* clock_nanosleep clock_nanosleep_time64 */
		return WITH_TIME;
	case 240: case 422: /* futex */
		return WITH_WORD;
	case 2: case 120: case 190: /* fork clone vfork */
		return WITH_FLOATING;
	default:
		return WITH_NOTHING;
	}
}

void space_setup(int emulation)
{
	static unsigned vector[MACH_NUMBERS + CALL_NUMBERS];
	unsigned at = GATE_CODE, i, *page, *arguments;
	char *code;

	check(task_create(self, 0, &model), "task_create");
	code = memory_reserve(TRANSFER, PAGE_SIZE);
	arguments = memory_reserve(TRANSFER + 0x10000, GATE_SIZE);
	if (!code || !arguments)
		machine_panic("limit: memory is too small");
	memcpy(code, gate_code, gate_code_end - gate_code);
	for (i = 0; i < CALL_NUMBERS; i++)
		code[(GATE_TABLE - GATE_CODE) + i] = (char)table_of_calls(i);
	for (i = 0; i < MACH_NUMBERS + CALL_NUMBERS; i++)
		vector[i] = GATE_CODE;
	vector[MACH_NUMBERS - 25] = 0; /* mach_msg_trap, for the gate itself */
	check(vm_allocate(model, &at, PAGE_SIZE, 0), "vm_allocate");
	check(vm_write(model, GATE_CODE, code, PAGE_SIZE, 1), "vm_write");
	check(vm_protect(model, GATE_CODE, PAGE_SIZE, 1, PROTECT_READ | PROTECT_EXECUTE), "vm_protect");
	page = arguments + ARGUMENTS_OFFSET / 4;
	page[1] = GATE;
	page[2] = MACH_SEND | MACH_RECEIVE;
	page[4] = DATA_OFFSET + DATA_MAX;
	page[5] = ANSWER_NAME;
	page[8] = 0x202; /* G_FLAGS */
	window_shut(arguments + OPEN_OFFSET / 4);
	at = GATE;
	check(vm_allocate(model, &at, GATE_SIZE, 0), "vm_allocate");
	check(vm_write(model, GATE, arguments, GATE_SIZE, 1), "vm_write");
	check(vm_protect(model, GATE, GATE_SIZE, 1, PROTECT_READ | PROTECT_WRITE), "vm_protect");
	if (!emulation)
		return; /* every call will come as an exception */
	check(emulation_vector(model, -MACH_NUMBERS, vector, MACH_NUMBERS + CALL_NUMBERS), "task_set_emulation_vector");
}

/* The ports of a task that was just made. */
static int set_ports(struct machine_space *space)
{
	space->request = mach_reply_port();
	space->answer = mach_reply_port();
	return mach_port_insert_right(self, space->request, space->request, MAKE_SEND) ||
		mach_port_insert_right(self, space->answer, space->answer, MAKE_SEND) ||
		task_set_special_port(space->task, SPECIAL_EXCEPTION, space->request) ||
		task_set_special_port(space->task, SPECIAL_KERNEL, 0) ||
		task_set_special_port(space->task, SPECIAL_BOOTSTRAP, 0) ||
		give_right(space->task, REQUEST_NAME, space->request, COPY_SEND) ||
		give_right(space->task, ANSWER_NAME, space->answer, MOVE_RECEIVE);
}

static struct machine_space *make(port parent)
{
	struct machine_space *space = machine_frame(0);

	if (!space)
		return 0;
	if (task_create(parent, 1, &space->task)) {
		machine_frame_drop(space);
		return 0;
	}
	if (set_ports(space)) {
		machine_space_free(space);
		return 0;
	}
	return space;
}

struct machine_space *machine_space_new(void)
{
	return make(model);
}

struct machine_space *machine_space_copy(struct machine_space *space)
{
	struct machine_space *copy;
	unsigned i, n;

	copy_settle(0); /* what was written so far is to be copied, too */
	share_return_all(space); /* no virtual copy of it may come about */
	copy = make(space->task);
	if (!copy)
		return 0;
	for (i = 0; i < sizeof space->rights / sizeof *space->rights; i++)
		if (space->rights[i]) {
			copy->rights[i] = machine_frame(0);
			if (!copy->rights[i]) {
				machine_space_free(copy);
				return 0;
			}
			for (n = 0; n < PAGE_SIZE; n += 4)
				*(unsigned *)(copy->rights[i] + n) = *(unsigned *)(space->rights[i] + n) & ~(RIGHT_ZERO * 0x01010101u);
		}
	return copy;
}

void machine_space_free(struct machine_space *space)
{
	unsigned i;

	copy_settle(0); /* what was written to shared pages */
	share_return_all(space);
	copy_forget(space);
	task_terminate(space->task);
	mach_port_deallocate(self, space->task);
	if (space->request)
		port_destroy(space->request);
	if (space->answer)
		port_destroy(space->answer); /* a dead name by now, or both rights if it was never given away */
	for (i = 0; i < sizeof space->rights / sizeof *space->rights; i++)
		if (space->rights[i])
			machine_frame_drop(space->rights[i]);
	machine_frame_drop(space);
}

/* As the processor has it: what can be executed or written can be read, and what can be read can be executed. */
static unsigned usable(unsigned protection)
{
	return protection & PROTECT_WRITE ? PROTECT_READ | PROTECT_WRITE : protection ? PROTECT_READ : 0;
}

/* Panics unless none of these pages of a user's memory is mapped yet. */
static void new_pages(struct machine_space *space, address at, unsigned pages)
{
	unsigned i;

	range_check(at, pages);
	for (i = 0; i < pages; i++)
		if (space_rights(space, at + i * PAGE_SIZE))
			machine_panic("defect: a page is mapped twice");
}

/* Pages that Mach has just given: they may be read and written. */
int space_reprotect(struct machine_space *space, address at, unsigned pages, unsigned protection)
{
	unsigned rights = usable(protection);

	return rights != (PROTECT_READ | PROTECT_WRITE) && vm_protect(space->task, at, pages * PAGE_SIZE, 0, rights) ? -1 : 0;
}

int space_new_shared(struct machine_space *space, address at, unsigned protection)
{
	new_pages(space, at, 1);
	return set_rights(space, at, 1, RIGHT_MAPPED | RIGHT_SHARED | usable(protection));
}

void space_clear(struct machine_space *space, address at)
{
	set_rights(space, at, 1, 0);
}

int machine_space_has(struct machine_space *space, address at)
{
	range_check(at, 1);
	return space_rights(space, at) != 0;
}

int machine_space_zero(struct machine_space *space, address at, unsigned pages, unsigned protection)
{
	unsigned rights = usable(protection);

	new_pages(space, at, pages);
	if (set_rights(space, at, pages, RIGHT_MAPPED | RIGHT_ZERO | rights) || vm_allocate(space->task, &at, pages * PAGE_SIZE, 0))
		return -1;
	return space_reprotect(space, at, pages, protection);
}

int machine_space_frames(struct machine_space *space, address at, void **frames, unsigned pages, unsigned protection)
{
	unsigned rights = usable(protection);

	new_pages(space, at, pages);
	if (set_rights(space, at, pages, RIGHT_MAPPED | rights) || vm_allocate(space->task, &at, pages * PAGE_SIZE, 0) ||
	    image_map(space->task, at, frames, pages))
		return -1;
	return space_reprotect(space, at, pages, protection);
}

int machine_space_physical(struct machine_space *space, address at, unsigned pages, unsigned long physical)
{
	unsigned size = pages * PAGE_SIZE;
	port object;

	new_pages(space, at, pages);
	if (physical < window || physical - window > window_size || size > window_size - (physical - window))
		return -1; /* only the export window */
	object = device_memory(physical, size);
	if (!object || vm_map(space->task, at, size, object, 0))
		return -1;
	return set_rights(space, at, pages, RIGHT_MAPPED | PROTECT_READ | PROTECT_WRITE);
}

void machine_space_protect(struct machine_space *space, address at, unsigned pages, unsigned protection)
{
	unsigned rights = usable(protection), i;
	unsigned char *r;

	range_check(at, pages);
	copy_settle(0);
	for (i = 0; i < pages; i++) {
		r = right(space, at + i * PAGE_SIZE, 0);
		if (r && *r)
			*r = (unsigned char)((*r & (RIGHT_MAPPED | RIGHT_ZERO | RIGHT_SHARED)) | rights);
	}
	vm_protect(space->task, at, pages * PAGE_SIZE, 0, rights);
}

void machine_space_unmap(struct machine_space *space, address at, unsigned pages)
{
	range_check(at, pages);
	copy_settle(0);
	share_return(space, at, pages);
	set_rights(space, at, pages, 0);
	vm_deallocate(space->task, at, pages * PAGE_SIZE);
}

/* Mach moves a run of pages as a virtual copy; then what was there goes. Pages that are mapped as shared come back, and are provided anew. */
int machine_space_move(struct machine_space *space, address from, address to, unsigned pages)
{
	unsigned i, n, r, goal;
	void *data;

	new_pages(space, to, pages);
	range_check(from, pages);
	copy_settle(0);
	share_return(space, from, pages);
	for (i = 0; i < pages; i += n) {
		r = space_rights(space, from + i * PAGE_SIZE);
		for (n = 1; i + n < pages && n < 1024 && space_rights(space, from + (i + n) * PAGE_SIZE) == r; n++)
			;
		if (!r)
			continue;
		goal = to + i * PAGE_SIZE;
		if (set_rights(space, goal, n, r) || vm_protect(space->task, from + i * PAGE_SIZE, n * PAGE_SIZE, 0, PROTECT_READ) ||
		    vm_read(space->task, from + i * PAGE_SIZE, n * PAGE_SIZE, &data))
			break;
		if (vm_allocate(space->task, &goal, n * PAGE_SIZE, 0) || vm_write(space->task, goal, data, n * PAGE_SIZE, 0) ||
		    vm_protect(space->task, goal, n * PAGE_SIZE, 0, r & (PROTECT_READ | PROTECT_WRITE))) {
			vm_deallocate(self, (unsigned)data, n * PAGE_SIZE);
			break;
		}
		vm_deallocate(self, (unsigned)data, n * PAGE_SIZE);
	}
	if (i < pages) { /* the old place is as it was, but for rights that Mach was told to take */
		machine_space_unmap(space, to, pages);
		for (i = 0; i < pages; i++)
			vm_protect(space->task, from + i * PAGE_SIZE, PAGE_SIZE, 0, space_rights(space, from + i * PAGE_SIZE) & (PROTECT_READ | PROTECT_WRITE));
		return -1;
	}
	machine_space_unmap(space, from, pages);
	return 0;
}
