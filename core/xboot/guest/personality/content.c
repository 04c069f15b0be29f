/* content.c: what regular files hold: page frames, with holes. Frames are written in place: who has mapped one as shared sees it, who has a private copy on write
   sees it until he writes himself, as in Linux. */

#include "personality.h"

static const char hole_bytes[PAGE_SIZE];

void *content_frame(struct node *node, unsigned page)
{
	void **slot = vector_slot(&node->slots, page, 0);

	return slot ? *slot : 0;
}

u32 content_pages_left(void)
{
	u32 available = machine_frames_free(), kept = machine_frames_total() / 16;

	return available > kept ? available - kept : 0;
}

/* Files must leave programs a part of memory, or the program that filled it could not even say so. */
static void *file_frame(void)
{
	static unsigned once;

	if (!privileged() && machine_frames_free() < machine_frames_total() / 16) {
		limit_reached(&once, "files fill 15/16 of memory (ENOSPC)");
		return 0;
	}
	return machine_frame(privileged());
}

/* The frame of a page, made when there is none. 0: no memory. */
void *content_make(struct node *node, unsigned page)
{
	void **slot = vector_slot(&node->slots, page, 1);

	if (slot && !*slot)
		*slot = file_frame();
	return slot ? *slot : 0;
}

/* The same, to be written. */
static char *writable(struct node *node, unsigned page)
{
	void *frame = content_make(node, page);

	if (frame && machine_frame_users(frame) > 1)
		machine_frame_touch(frame);
	return frame;
}

/* How much of a piece may be copied at once: never across a user's page, so that each copy is made whole or not at all. */
static unsigned within_page(address user, unsigned length)
{
	unsigned part = PAGE_SIZE - (user & PAGE_MASK);

	return part < length ? part : length;
}

/* to is the user's when p is given, else ours. Reads stop only at the end of the file: bootstrap tools take a short read for the end. */
static int get(struct node *node, u64 at, struct process *p, address user, char *to, unsigned length)
{
	unsigned done = 0, part;
	const char *frame;

	if (at >= node->size)
		return 0;
	if (length > node->size - at)
		length = (unsigned)(node->size - at);
	while (done < length) {
		part = PAGE_SIZE - ((unsigned)at & PAGE_MASK);
		if (part > length - done)
			part = length - done;
		if (p)
			part = within_page(user + done, part);
		frame = content_frame(node, (unsigned)(at >> 12));
		if (frame && node->shared)
			machine_frame_touch((void *)frame);
		frame = frame ? frame + ((unsigned)at & PAGE_MASK) : hole_bytes;
		if (!p)
			memcpy(to + done, frame, part);
		else if (user_write(p, user + done, frame, part))
			return done ? (int)done : -EFAULT;
		done += part;
		at += part;
	}
	return (int)done;
}

/* A page that was made for bytes that never came. Behind the end of the file nobody would ever free it. */
static void give_back(struct node *node, unsigned page)
{
	void **slot = vector_slot(&node->slots, page, 0);

	if (page < (u32)((node->size + PAGE_MASK) >> 12) || !slot || !*slot)
		return;
	machine_frame_drop(*slot);
	*slot = 0;
}

static int put(struct node *node, u64 at, struct process *p, address user, const char *from, unsigned length)
{
	static char piece[PAGE_SIZE];
	unsigned done = 0, part;
	char *frame;

	if (at >= FILE_LIMIT)
		return -EFBIG;
	if (length > FILE_LIMIT - at)
		length = (unsigned)(FILE_LIMIT - at);
	while (done < length) {
		part = PAGE_SIZE - ((unsigned)at & PAGE_MASK);
		if (part > length - done)
			part = length - done;
		if (p)
			part = within_page(user + done, part);
		if (node->seals && seal_stops_write(node, at + part))
			return done ? (int)done : -EPERM;
		frame = writable(node, (unsigned)(at >> 12));
		if (!frame)
			return done ? (int)done : -ENOSPC;
		frame += (unsigned)at & PAGE_MASK;
		if (!p)
			memcpy(frame, from + done, part);
		else if (user_read(p, node->shared ? piece : frame, user + done, part)) {
			give_back(node, (unsigned)(at >> 12));
			return done ? (int)done : -EFAULT;
		}
		if (p && node->shared) { /* what is read may be a mapping of what is written: the machine may have given the frame away again */
			machine_frame_touch(frame - ((unsigned)at & PAGE_MASK));
			memcpy(frame, piece, part);
		}
		done += part;
		at += part;
		if (at > node->size)
			node->size = at;
	}
	return (int)done;
}

int content_read(struct node *node, u64 at, struct process *p, address to, unsigned length)
{
	return get(node, at, p, to, 0, length);
}

int content_write(struct node *node, u64 at, struct process *p, address from, unsigned length)
{
	return put(node, at, p, from, 0, length);
}

int content_get(struct node *node, u64 at, void *to, unsigned length)
{
	return get(node, at, 0, 0, to, length);
}

int content_put(struct node *node, u64 at, const void *from, unsigned length)
{
	return put(node, at, 0, 0, from, length);
}

int content_truncate(struct node *node, u64 size)
{
	unsigned page, last, rest;
	void **slot;
	char *frame;

	if (size > FILE_LIMIT)
		return -EFBIG;
	if (size < node->size) {
		if (node->mapped)
			region_cut(node, (unsigned)((size + PAGE_MASK) >> 12));
		last = (unsigned)((node->size + PAGE_MASK) >> 12);
		for (page = (unsigned)((size + PAGE_MASK) >> 12); page < last; page++) {
			slot = vector_slot(&node->slots, page, 0);
			if (slot && *slot) {
				machine_frame_drop(*slot);
				*slot = 0;
			}
		}
		rest = (unsigned)size & PAGE_MASK;
		if (rest && content_frame(node, (unsigned)(size >> 12))) { /* what is cut off reads as hole_bytes if the file grows again */
			frame = writable(node, (unsigned)(size >> 12)); /* which is there */
			memset(frame + rest, 0, PAGE_SIZE - rest);
		}
	}
	node->size = size;
	if (size == 0)
		vector_free(&node->slots);
	return 0;
}

void content_zero(struct node *node, u64 at, u64 end)
{
	unsigned part;
	char *frame;

	if (end > node->size)
		end = node->size;
	for (; at < end; at += part) {
		part = PAGE_SIZE - ((unsigned)at & PAGE_MASK);
		if (part > end - at)
			part = (unsigned)(end - at);
		if (content_frame(node, (unsigned)(at >> 12))) {
			frame = writable(node, (unsigned)(at >> 12));
			memset(frame + ((unsigned)at & PAGE_MASK), 0, part);
		}
	}
}

void content_free(struct node *node)
{
	content_truncate(node, 0);
}
