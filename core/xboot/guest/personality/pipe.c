/* pipe.c: pipes, with and without a name. A ring of frames, each there only while it holds something. */

#include "personality.h"

u32 pipe_room(struct pipe *pipe)
{
	return pipe->frame_count * PAGE_SIZE;
}

static void **pipe_ring(u32 count)
{
	return pool_of(POOL_VECTORS, count * (unsigned)sizeof(void *));
}

struct pipe *pipe_new(void)
{
	struct pipe *pipe = pool_of(POOL_PIPES, sizeof(struct pipe));

	if (!pipe)
		return 0;
	pipe->frame_count = PIPE_FRAMES;
	pipe->frames = pipe_ring(PIPE_FRAMES);
	if (pipe->frames)
		return pipe;
	pool_back(POOL_PIPES, pipe, sizeof *pipe);
	return 0;
}

static void pipe_ring_drop(void **frames, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (frames[i])
			machine_frame_drop(frames[i]);
	pool_back(POOL_VECTORS, frames, count * (unsigned)sizeof(void *));
}

void pipe_free(struct pipe *pipe)
{
	pipe_ring_drop(pipe->frames, pipe->frame_count);
	pool_back(POOL_PIPES, pipe, sizeof *pipe);
}

/* A frame is given back when the reader has left it, unless the ring's other end stands in it already. */
static void consumed(struct pipe *pipe, u32 n)
{
	u32 before = pipe->start / PAGE_SIZE;

	if (pipe->length > pipe_room(pipe) - PAGE_SIZE)
		pipe->moved.went++; /* only who met a full one waits for room */
	pipe->start = (pipe->start + n) % pipe_room(pipe);
	pipe->length -= n;
	if (!pipe->length || (pipe->start / PAGE_SIZE != before && pipe->length <= pipe_room(pipe) - PAGE_SIZE)) {
		if (pipe->frames[before])
			machine_frame_drop(pipe->frames[before]);
		pipe->frames[before] = 0;
		if (!pipe->length)
			pipe->start = 0;
	}
}

/* The bytes behind the first `skip`. */
static unsigned pipe_bytes(struct pipe *pipe, u32 skip, void *to, unsigned length)
{
	unsigned done = 0, part, at;

	if (length > pipe->length - skip)
		length = pipe->length - skip;
	for (; done < length; done += part) {
		at = (pipe->start + skip + done) % pipe_room(pipe);
		part = PAGE_SIZE - at % PAGE_SIZE;
		if (part > length - done)
			part = length - done;
		memcpy((char *)to + done, (char *)pipe->frames[at / PAGE_SIZE] + at % PAGE_SIZE, part);
	}
	return done;
}

unsigned pipe_peek(struct pipe *pipe, void *to, unsigned length)
{
	return pipe_bytes(pipe, 0, to, length);
}

/* F_SETPIPE_SZ. What is in it moves to the beginning of a new ring: the old one may begin and end in the same frame. */
int pipe_resize(struct process *p, struct pipe *pipe, u32 size)
{
	u32 count = 1, done;
	struct pipe fresh = *pipe;

	if (size > 1u << 31)
		return -EINVAL;
	while (count < (size + PAGE_SIZE - 1) / PAGE_SIZE)
		count *= 2;
	if (count > PIPE_FRAMES_MOST)
		return p->euid ? -EPERM : -EINVAL;
	if (pipe->length > count * PAGE_SIZE)
		return -EBUSY;
	fresh.frames = pipe_ring(count);
	if (!fresh.frames)
		return -ENOMEM;
	fresh.frame_count = count;
	fresh.start = 0;
	for (done = 0; done < pipe->length; done += PAGE_SIZE) {
		fresh.frames[done / PAGE_SIZE] = machine_frame(privileged());
		if (!fresh.frames[done / PAGE_SIZE]) {
			pipe_ring_drop(fresh.frames, count);
			return -ENOMEM;
		}
		pipe_bytes(pipe, done, fresh.frames[done / PAGE_SIZE], PAGE_SIZE);
	}
	pipe_ring_drop(pipe->frames, pipe->frame_count);
	fresh.moved.went++;
	*pipe = fresh;
	wake(pipe);
	return (int)pipe_room(pipe);
}

void pipe_consume(struct pipe *pipe, unsigned length)
{
	unsigned part;

	for (; length; length -= part) {
		part = PAGE_SIZE - pipe->start % PAGE_SIZE;
		if (part > length)
			part = length;
		consumed(pipe, part);
	}
}

/* The caller has seen that there is room. -ENOMEM when there is no frame for the first byte. */
int pipe_append(struct pipe *pipe, const void *from, unsigned length)
{
	unsigned done, part, at;

	pipe->moved.came++;
	for (done = 0; done < length; done += part) {
		at = (pipe->start + pipe->length) % pipe_room(pipe);
		part = PAGE_SIZE - at % PAGE_SIZE;
		if (part > length - done)
			part = length - done;
		if (!pipe->frames[at / PAGE_SIZE])
			pipe->frames[at / PAGE_SIZE] = machine_frame(privileged());
		if (!pipe->frames[at / PAGE_SIZE])
			return done ? (int)done : -ENOMEM;
		memcpy((char *)pipe->frames[at / PAGE_SIZE] + at % PAGE_SIZE, (const char *)from + done, part);
		pipe->length += part;
	}
	return (int)done;
}

int pipe_read(struct process *p, struct file *f, address to, unsigned length)
{
	struct pipe *pipe = f->pipe;
	unsigned done = 0, part;

	if (!length)
		return 0;
	if (!pipe->length) {
		if (!pipe->writers)
			return 0;
		return f->flags & O_NONBLOCK ? -EAGAIN : sleep_on(p, pipe);
	}
	while (done < length && pipe->length) {
		part = PAGE_SIZE - pipe->start % PAGE_SIZE;
		if (part > pipe->length)
			part = pipe->length;
		if (part > length - done)
			part = length - done;
		if (user_write(p, to + done, (char *)pipe->frames[pipe->start / PAGE_SIZE] + pipe->start % PAGE_SIZE, part)) {
			if (!done)
				return -EFAULT;
			break;
		}
		consumed(pipe, part);
		done += part;
	}
	wake(pipe);
	return (int)done;
}

/* Writes of at most a page are all or nothing (PIPE_BUF); longer ones wait with what is left, counted in p->progress. */
int pipe_write(struct process *p, struct file *f, address from, unsigned length)
{
	struct pipe *pipe = f->pipe;
	unsigned part, at, done = p->progress;

	p->progress = 0;
	if (!length)
		return 0; /* whoever reads, or nobody */
	if (!pipe->readers) {
		if (done)
			return (int)done;
		signal_send(p, SIGPIPE);
		return -EPIPE;
	}
	while (done < length) {
		part = pipe_room(pipe) - pipe->length;
		if (!part || (length <= PAGE_SIZE && part < length)) {
			if (f->flags & O_NONBLOCK)
				return done ? (int)done : -EAGAIN;
			p->progress = done;
			return sleep_on(p, pipe);
		}
		at = (pipe->start + pipe->length) % pipe_room(pipe);
		if (part > PAGE_SIZE - at % PAGE_SIZE)
			part = PAGE_SIZE - at % PAGE_SIZE;
		if (part > length - done)
			part = length - done;
		if (!pipe->frames[at / PAGE_SIZE])
			pipe->frames[at / PAGE_SIZE] = machine_frame(privileged());
		if (!pipe->frames[at / PAGE_SIZE])
			return done ? (int)done : -ENOMEM;
		if (user_read(p, (char *)pipe->frames[at / PAGE_SIZE] + at % PAGE_SIZE, from + done, part))
			return done ? (int)done : -EFAULT;
		pipe->length += part;
		pipe->moved.came++;
		done += part;
		wake(pipe);
	}
	return (int)done;
}

/* One end of a named pipe, whose other one call_open waits for; or once more an end of one without a name. */
int pipe_open(struct file *f)
{
	struct node *node = f->node;
	u32 mode = f->flags & O_ACCMODE;

	if (mode == O_WRONLY && f->flags & O_NONBLOCK && !node->nameless && (!node->pipe || !node->pipe->readers))
		return -ENXIO;
	if (!node->pipe) {
		node->pipe = pipe_new();
		if (!node->pipe)
			return -ENOMEM;
	}
	f->pipe = node->pipe;
	if (mode != O_WRONLY) {
		count_more(&f->pipe->readers);
		f->pipe->read_opens++;
	}
	if (mode != 0) {
		count_more(&f->pipe->writers);
		f->pipe->write_opens++;
	}
	wake(f->pipe);
	return 0;
}

void pipe_close(struct file *f)
{
	struct pipe *pipe = f->pipe;
	u32 mode = f->flags & O_ACCMODE;

	if (mode != O_WRONLY)
		count_less(&pipe->readers);
	if (mode != 0)
		count_less(&pipe->writers);
	if (!pipe->readers || !pipe->writers) {
		pipe->moved.came++;
		pipe->moved.went++;
	}
	wake(pipe);
	if (pipe->readers || pipe->writers)
		return;
	f->node->pipe = 0;
	pipe_free(pipe);
}
