/* copy.c: copies between the server and a user's memory.

   A builder's memory lies in another task. Where one of its threads stands in the gate, the gate's code does the
   copying: data that the server writes go along with the next answer (patches), and data that it reads come as they
   were sent with the call, or are fetched a page at a time. Where there is no such thread, as in a program that has
   just been loaded, Mach copies whole pages. Pages that were fetched are remembered until a thread runs. Every
   address is checked against the server's own account of the space (space_rights), so neither way can be led astray. */

#include "server.h"

#define PAGES 16u

struct page {
	struct machine_space *space; /* 0: unused */
	address at;
	int changed; /* has to be written to the task */
	unsigned used;
	char data[PAGE_SIZE];
};

static struct page pages[PAGES];
static unsigned turn;

static struct machine_space *called; /* whose call it is; the data that came along, from two places in its memory at most: */
static struct {
	address at;
	unsigned length;
} came[2];
static char came_data[BUFFER_MOST]; /* one behind the other */

static struct machine_space *patched; /* who gets the patches in `message` */
static unsigned last_patch;           /* offset of the last one */

/* ---- patches ---- */

static int flush_patches(void)
{
	struct machine_space *space = patched;

	if (!space || !message.patches)
		return 0;
	return thread_gate(space) ? thread_exchange(space, ORDER_FETCH, 0, 0) : -1;
}

/* What waits in `message` for another space goes there first: an exchange would write it to this one. */
void copy_turn(struct machine_space *space)
{
	if (!patched || patched == space)
		return;
	flush_patches();
	message.patches = 0;
	patched = 0;
}

void copy_patch(struct machine_space *space, address to, const void *from, unsigned length)
{
	unsigned *head;
	unsigned end = (message.patches + 3) & ~3u;

	if (patched != space || end + 8 + length > DATA_MAX) {
		flush_patches();
		message.patches = end = 0;
		patched = space;
	}
	head = (unsigned *)(message.data + last_patch);
	/* goes on where the last one ends */
	if (message.patches && head[0] + head[1] == to && last_patch + 8 + head[1] == end) {
		memcpy(message.data + end, from, length);
		head[1] += length;
		message.patches = end + length;
		return;
	}
	last_patch = end;
	head = (unsigned *)(message.data + end);
	head[0] = to;
	head[1] = length;
	memcpy(head + 2, from, length);
	message.patches = end + 8 + length;
}

/* ---- pages ---- */

static void write_page(struct page *page)
{
	void *transfer = memory_reserve(TRANSFER, PAGE_SIZE);
	unsigned char *rights = page->space->rights[page->at >> 24];

	page->changed = 0;
	if (!transfer)
		machine_panic("limit: memory is exhausted");
	memcpy(transfer, page->data, PAGE_SIZE);
	if (vm_write(page->space->task, page->at, transfer, PAGE_SIZE, 1))
		vm_deallocate(self, TRANSFER, PAGE_SIZE);
	if (rights)
		rights[page->at >> 12 & 4095] &= ~RIGHT_ZERO;
}

static struct page *remembered(struct machine_space *space, address at)
{
	unsigned i;

	for (i = 0; i < PAGES; i++)
		if (pages[i].space == space && pages[i].at == at) {
			pages[i].used = ++turn;
			return &pages[i];
		}
	return 0;
}

/* The page at a page's address, from the task. 0: it cannot be had. */
static struct page *fetch(struct machine_space *space, address at)
{
	struct page *page = &pages[0];
	unsigned i;
	void *data;

	for (i = 1; i < PAGES; i++)
		if (!pages[i].space || (page->space && pages[i].used < page->used))
			page = &pages[i];
	if (page->space && page->changed)
		write_page(page);
	page->space = 0;
	if (!space->ran && space_rights(space, at) & RIGHT_ZERO) {
		memset(page->data, 0, PAGE_SIZE);
	} else if (thread_gate(space)) {
		if (thread_exchange(space, ORDER_FETCH, at, PAGE_SIZE) || message.length != PAGE_SIZE)
			return 0;
		memcpy(page->data, message.data, PAGE_SIZE);
	} else {
		if (vm_read(space->task, at, PAGE_SIZE, &data))
			return 0;
		memcpy(page->data, data, PAGE_SIZE);
		vm_deallocate(self, (unsigned)data, PAGE_SIZE);
	}
	page->space = space;
	page->at = at;
	page->changed = 0;
	page->used = ++turn;
	return page;
}

/* ---- between calls ---- */

void copy_called(struct machine_space *space)
{
	struct machine_registers *r = &message.registers;

	called = space;
	came[0].at = message.address;
	came[0].length = message.length;
	came[1].length = 0;
	if (message.length == 4 + TIME_BYTES && (r->eax == FUTEX || r->eax == FUTEX_TIME64)) { /* WITH_WORD */
		came[0].length = 4;
		came[1].at = r->esi;
		came[1].length = TIME_BYTES;
	}
	memcpy(came_data, message.data, message.length);
}

void copy_settle(struct machine_thread *next)
{
	unsigned i;

	for (i = 0; i < PAGES; i++) {
		if (pages[i].space && pages[i].changed)
			write_page(&pages[i]);
		pages[i].space = 0;
	}
	called = 0;
	if (!next || patched != next->space || next->state != AWAITING) {
		flush_patches();
		message.patches = 0;
		patched = 0;
	}
}

void copy_forget(struct machine_space *space)
{
	unsigned i;

	for (i = 0; i < PAGES; i++)
		if (pages[i].space == space)
			pages[i].space = 0;
	if (called == space)
		called = 0;
	if (patched == space) {
		patched = 0;
		message.patches = 0;
	}
}

/* ---- what the personality asks for ---- */

/* Bytes from this address on, up to the page's end, if the user has the right; 0 if not. */
static unsigned allowed(struct machine_space *space, address at, unsigned length, unsigned wanted)
{
	unsigned part = PAGE_SIZE - (at & PAGE_MASK);

	if (!(space_rights(space, at) & wanted))
		return 0;
	return part < length ? part : length;
}

/* Where the data of this place are, if all came along; 0: they did not. */
static const char *has_come(struct machine_space *space, address at, unsigned length)
{
	unsigned i;

	for (i = 0; called == space && i < 2; i++)
		if (at - came[i].at < came[i].length && came[i].length - (at - came[i].at) >= length)
			return came_data + (i ? came[0].length : 0) + (at - came[i].at);
	return 0;
}

/* More of the buffer that a write has named (in ecx and edx: to be believed in no other way), in one message. */
static void fetch_more(struct machine_space *space, address at)
{
	struct machine_registers *r;
	address end = at;

	if (!thread_gate(space))
		return;
	r = &space->thread->registers;
	if (r->eax != WRITE || at - r->ecx >= r->edx) /* of other calls these are other things, and what lies there is none of ours to copy: the nonce, perhaps */
		return;
	do
		end = (end | PAGE_MASK) + 1;
	while (end - r->ecx < r->edx && end - at < BUFFER_MOST && space_rights(space, end) & PROTECT_READ && !remembered(space, end));
	if (end - r->ecx > r->edx)
		end = r->ecx + r->edx;
	if (end - at > BUFFER_MOST)
		end = at + BUFFER_MOST;
	if (end - at <= PAGE_SIZE)
		return;
	if (!thread_exchange(space, ORDER_FETCH, at, end - at))
		copy_called(space);
}

int machine_read(struct machine_space *space, void *to, address from, unsigned length)
{
	struct page *page;
	const char *data;
	unsigned part;

	for (; length; length -= part, from += part, to = (char *)to + part) {
		part = allowed(space, from, length, PROTECT_READ);
		if (!part)
			return -1;
		page = 0;
		data = has_come(space, from, part);
		if (!data) {
			page = remembered(space, from & ~PAGE_MASK);
			if (!page) {
				fetch_more(space, from);
				data = has_come(space, from, part);
			}
		}
		if (data) {
			memcpy(to, data, part);
			continue;
		}
		if (!page)
			page = fetch(space, from & ~PAGE_MASK);
		if (!page)
			return -1;
		memcpy(to, page->data + (from & PAGE_MASK), part);
	}
	return 0;
}

int machine_write(struct machine_space *space, address to, const void *from, unsigned length)
{
	struct page *page;
	unsigned part, i;

	for (; length; length -= part, to += part, from = (const char *)from + part) {
		part = allowed(space, to, length, PROTECT_WRITE);
		if (!part)
			return -1;
		for (i = 0; i < 2; i++)
			if (called == space && to < came[i].at + came[i].length && came[i].at < to + part)
				called = 0; /* what came along is no longer true */
		page = remembered(space, to & ~PAGE_MASK);
		if (!(page && page->changed) && thread_gate(space)) {
			copy_patch(space, to, from, part);
		} else {
			if (!page)
				page = fetch(space, to & ~PAGE_MASK);
			if (!page)
				return -1;
			page->changed = 1;
		}
		if (page)
			memcpy(page->data + (to & PAGE_MASK), from, part);
	}
	return 0;
}
