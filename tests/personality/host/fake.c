/* fake.c: see fake.h. The personality's pool is replaced by calloc and free, so that the sanitizers see every block. */

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"

#define TABLE 1024u

struct frame {
	unsigned users;
	void *data;
};

struct page {
	void *frame;         /* 0: lazy */
	unsigned protection; /* 8: mapped, 16: as shared */
};

struct machine_space {
	struct page *tables[TABLE];
};

struct machine_thread {
	struct machine_registers registers;
	struct machine_space *space;
	unsigned char floating[512];
};

enum machine_event (*run_hook)(struct machine_thread *thread, struct machine_fault *fault);
unsigned frame_limit = 4096, frames_used, console_length, spaces, threads, blocks, fail_in;
char console[1 << 16];
nanoseconds now;
const char *panic_text;
static jmp_buf ended;
static int status;

/* ---- life ---- */

void machine_put(const char *text, unsigned length)
{
	for (; length && console_length < sizeof console - 1; length--)
		console[console_length++] = *text++;
}

void machine_exit(unsigned code)
{
	status = (int)code;
	longjmp(ended, 1);
}

void machine_panic(const char *why)
{
	panic_text = why;
	status = -1;
	longjmp(ended, 1);
}

nanoseconds machine_clock(void)
{
	return now += 1000;
}

void machine_idle(nanoseconds until)
{
	now = until > now ? until : now + 1000000;
	if (!until)
		machine_panic("idle for ever");
}

int machine_result_read(char *to, unsigned room)
{
	(void)to;
	(void)room;
	return 0;
}

void machine_result_write(const char *from, unsigned length)
{
	(void)from;
	(void)length;
}

int fake_run(const void *cpio, unsigned long size)
{
	if (!setjmp(ended)) {
		personality_start(cpio, size);
		personality_run();
	}
	return status;
}

static int fails(void)
{
	return fail_in && !--fail_in;
}

/* ---- pool ---- */

void *pool_of(enum pool_kind kind, unsigned size)
{
	(void)kind;
	void *block = !fails() && (frames_used < frame_limit || privileged()) ? calloc(1, size) : 0;

	if (block)
		blocks++;
	return block;
}

void pool_settle(void)
{
}

void pool_back(enum pool_kind kind, void *block, unsigned size)
{
	(void)kind;
	(void)size;
	if (block)
		blocks--;
	free(block);
}

/* ---- frames: page-aligned, their count in front is a page of its own ---- */

static unsigned *users(const void *frame)
{
	return (unsigned *)((char *)frame - PAGE_SIZE);
}

void *machine_frame(int reserve)
{
	char *block;

	if (fails() || frames_used >= frame_limit + (reserve ? 1024 : 0))
		return 0;
	block = aligned_alloc(PAGE_SIZE, 2 * PAGE_SIZE);
	memset(block, 0, 2 * PAGE_SIZE);
	*(unsigned *)block = 1;
	frames_used++;
	return block + PAGE_SIZE;
}

void machine_frame_keep(void *frame)
{
	++*users(frame);
}

void machine_frame_drop(void *frame)
{
	if (--*users(frame))
		return;
	frames_used--;
	free((char *)frame - PAGE_SIZE);
}

unsigned machine_frame_users(const void *frame)
{
	return *users(frame);
}

unsigned machine_frames_free(void)
{
	return frames_used < frame_limit ? frame_limit - frames_used : 0;
}

unsigned machine_frames_total(void)
{
	return frame_limit;
}

/* ---- spaces ---- */

static struct page *page_of(struct machine_space *s, address at, int make)
{
	struct page **table;

	if (at < USER_BOTTOM || at >= USER_TOP)
		return 0;
	table = &s->tables[at >> 22];
	if (!*table && make)
		*table = calloc(1024, sizeof **table);
	return *table ? &(*table)[at >> 12 & 1023] : 0;
}

struct machine_space *machine_space_new(void)
{
	if (fails())
		return 0;
	spaces++;
	return calloc(1, sizeof(struct machine_space));
}

void machine_space_free(struct machine_space *s)
{
	unsigned i, j;

	for (i = 0; i < TABLE; i++) {
		for (j = 0; s->tables[i] && j < 1024; j++)
			if (s->tables[i][j].frame)
				machine_frame_drop(s->tables[i][j].frame);
		free(s->tables[i]);
	}
	free(s);
	spaces--;
}

struct machine_space *machine_space_copy(struct machine_space *s)
{
	struct machine_space *c = machine_space_new();
	unsigned i, j;

	for (i = 0; c && i < TABLE; i++) {
		if (!s->tables[i])
			continue;
		if (fails()) {
			machine_space_free(c);
			return 0;
		}
		c->tables[i] = calloc(1024, sizeof(struct page));
		for (j = 0; j < 1024; j++) {
			c->tables[i][j] = s->tables[i][j];
			if (c->tables[i][j].frame)
				machine_frame_keep(c->tables[i][j].frame);
		}
	}
	return c;
}

static void must(int condition, const char *what)
{
	if (!condition) {
		fprintf(stderr, "the personality breaks the machine's rules: %s\n", what);
		abort();
	}
}

static int map(struct machine_space *s, address at, void *frame, unsigned protection)
{
	struct page *p;

	if (fails()) {
		if (frame)
			machine_frame_drop(frame);
		return -1;
	}
	must(!(at & PAGE_MASK), "a mapping starts inside a page");
	p = page_of(s, at, 1);
	must(p != 0, "a mapping outside the user's space");
	must(!(p->protection & 8), "a mapping over a mapping");
	p->frame = frame;
	p->protection = protection | 8;
	return 0;
}

int machine_space_zero(struct machine_space *s, address at, unsigned pages, unsigned protection)
{
	for (; pages; pages--, at += PAGE_SIZE)
		if (map(s, at, 0, protection))
			return -1;
	return 0;
}

int machine_space_frames(struct machine_space *s, address at, void **frames, unsigned pages, unsigned protection)
{
	for (; pages; pages--, at += PAGE_SIZE, frames++) {
		machine_frame_keep(*frames);
		if (map(s, at, *frames, protection))
			return -1;
	}
	return 0;
}

int machine_space_share(struct machine_space *s, address at, void *frame, unsigned protection)
{
	machine_frame_keep(frame);
	return map(s, at, frame, protection | 16);
}

void machine_frame_touch(void *frame)
{
	(void)frame;
}

int machine_space_has(struct machine_space *s, address at)
{
	struct page *p = page_of(s, at, 0);

	must(!(at & PAGE_MASK) && at >= USER_BOTTOM && at < USER_TOP, "asks for a page that is no user's");
	return p && p->protection & 8;
}

int machine_space_move(struct machine_space *s, address from, address to, unsigned pages)
{
	struct page *p, *q;

	if (fails())
		return -1;
	for (; pages; pages--, from += PAGE_SIZE, to += PAGE_SIZE) {
		p = page_of(s, from, 0);
		q = page_of(s, to, 1);
		must(q && !(q->protection & 8), "a move over a mapping");
		if (!p)
			continue;
		*q = *p;
		p->frame = 0;
		p->protection = 0;
	}
	return 0;
}

int machine_space_physical(struct machine_space *s, address at, unsigned pages, unsigned long physical)
{
	(void)s;
	(void)at;
	(void)pages;
	(void)physical;
	return -1;
}

void machine_space_protect(struct machine_space *s, address at, unsigned pages, unsigned protection)
{
	struct page *p;

	for (; pages; pages--, at += PAGE_SIZE) {
		p = page_of(s, at, 0);
		if (p && p->protection & 8)
			p->protection = protection | 8 | (p->protection & 16);
	}
}

void machine_space_unmap(struct machine_space *s, address at, unsigned pages)
{
	struct page *p;

	for (; pages; pages--, at += PAGE_SIZE) {
		p = page_of(s, at, 0);
		if (!p)
			continue;
		if (p->frame)
			machine_frame_drop(p->frame);
		p->frame = 0;
		p->protection = 0;
	}
}

static char *user(struct machine_space *s, address at, int write)
{
	struct page *p = page_of(s, at, 0);
	void *copy;

	if (!p || !(p->protection & 8) || !(p->protection & (write ? PROTECT_WRITE : 7)))
		return 0;
	if (!p->frame) {
		p->frame = machine_frame(0);
	} else if (write && !(p->protection & 16) && machine_frame_users(p->frame) > 1) {
		copy = machine_frame(0);
		if (!copy)
			return 0;
		memcpy(copy, p->frame, PAGE_SIZE);
		machine_frame_drop(p->frame);
		p->frame = copy;
	}
	return p->frame ? (char *)p->frame + (at & PAGE_MASK) : 0;
}

int machine_read(struct machine_space *s, void *to, address from, unsigned length)
{
	char *byte;

	for (; length; length--, from++, to = (char *)to + 1) {
		byte = user(s, from, 0);
		if (!byte)
			return -1;
		*(char *)to = *byte;
	}
	return 0;
}

int machine_write(struct machine_space *s, address to, const void *from, unsigned length)
{
	char *byte;

	for (; length; length--, to++, from = (const char *)from + 1) {
		byte = user(s, to, 1);
		if (!byte)
			return -1;
		*byte = *(const char *)from;
	}
	return 0;
}

/* ---- threads ---- */

struct machine_thread *machine_thread_new(struct machine_space *space)
{
	struct machine_thread *t = fails() ? 0 : calloc(1, sizeof *t);

	if (!t)
		return 0;
	t->space = space;
	threads++;
	return t;
}

struct machine_thread *machine_thread_copy(struct machine_thread *thread, struct machine_space *space)
{
	struct machine_thread *t = machine_thread_new(space);

	if (!t)
		return 0;
	*t = *thread;
	t->space = space;
	return t;
}

void machine_thread_free(struct machine_thread *thread)
{
	free(thread);
	threads--;
}

void machine_thread_exec(struct machine_thread *thread, struct machine_space *space)
{
	memset(thread, 0, sizeof *thread);
	thread->space = space;
}

struct machine_registers *machine_thread_registers(struct machine_thread *thread)
{
	return &thread->registers;
}

address machine_thread_break(struct machine_thread *thread)
{
	(void)thread;
	return 0; /* every call of brk comes here */
}

int machine_thread_segment(struct machine_thread *thread, int entry, address base, unsigned limit, int limit_in_pages)
{
	(void)thread;
	(void)base;
	(void)limit;
	(void)limit_in_pages;
	return entry == -1 ? 6 : entry >= 6 && entry < 9 ? entry : -1;
}

void machine_thread_float_get(struct machine_thread *thread, void *area512)
{
	memcpy(area512, thread->floating, 512);
}

void machine_thread_float_set(struct machine_thread *thread, const void *area512)
{
	memcpy(thread->floating, area512, 512);
}

enum machine_event machine_run(struct machine_thread *thread, struct machine_fault *fault)
{
	must(thread->space != 0, "runs a thread without space");
	return run_hook(thread, fault);
}
