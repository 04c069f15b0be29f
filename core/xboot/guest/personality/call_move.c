/* call_move.c: bytes from one open file to another without the user's memory in between: sendfile, splice, tee, copy_file_range. They move a page at a
   time, never more than the target has room for, so that nothing that was taken is lost; what would have to wait after something was moved is a short
   count, as Linux gives when a signal comes. */

#include "call.h"

#define NONBLOCK 2u /* SPLICE_F_NONBLOCK */

static char piece[PAGE_SIZE];

/* A copy of up to `length` bytes at a position, or a pipe's next ones, into `piece`; they stay where they are. Their number, 0 at the end; WAIT, -EAGAIN,
   -EINVAL for what holds no bytes. */
static int peek(struct process *p, struct file *f, u64 at, unsigned length, int wait)
{
	if (length > PAGE_SIZE)
		length = PAGE_SIZE;
	if (f->pipe) {
		if (f->pipe->length)
			return (int)pipe_peek(f->pipe, piece, length);
		if (!f->pipe->writers)
			return 0;
		return wait ? sleep_on(p, f->pipe) : -EAGAIN;
	}
	if (KIND(f->node) != S_IFREG)
		return -EINVAL;
	stamp_access(p, f->node);
	return content_get(f->node, at, piece, length);
}

/* How much of a page the target takes now: at least 1; WAIT, -EAGAIN, -EPIPE (and the signal). */
static int room(struct process *p, struct file *f, int wait)
{
	if (f->socket)
		return socket_room(p, f, wait);
	if (!f->pipe)
		return PAGE_SIZE;
	if (!f->pipe->readers) {
		signal_send(p, SIGPIPE);
		return -EPIPE;
	}
	if (f->pipe->length < pipe_room(f->pipe))
		return (int)(pipe_room(f->pipe) - f->pipe->length);
	return wait ? sleep_on(p, f->pipe) : -EAGAIN;
}

/* `length` bytes of `piece`, at a position where the target has any. As many as were written, or an error. */
static int put_piece(struct process *p, struct file *f, u64 at, unsigned length)
{
	int n;

	if (f->pipe)
		return pipe_append(f->pipe, piece, length);
	if (f->socket)
		return socket_append(p, f, piece, length);
	if (KIND(f->node) != S_IFREG)
		return device_put(f, piece, length);
	n = let_through(p, at, length);
	if (n > 0)
		n = content_put(f->node, at, piece, (unsigned)n);
	if (n > 0) {
		stamp_now(&f->node->modify);
		f->node->change = f->node->modify;
	}
	return n;
}

struct side {
	struct file *file;
	u64 at;
	address given; /* where the user keeps the position; 0: the description's own */
};

/* Takes the positions from the user. size: of one in bytes. */
static int begin(struct process *p, struct side *s, unsigned size)
{
	s->at = s->file->offset;
	if (s->given) {
		if (s->file->pipe)
			return -ESPIPE;
		s->at = 0;
		if (user_read(p, &s->at, s->given, size))
			return -EFAULT;
		if (size == 8 ? s->at >> 63 : s->at >> 31)
			return -EINVAL;
	}
	return 0;
}

static int finish(struct process *p, struct side *s, unsigned size)
{
	if (s->given)
		return user_write(p, s->given, &s->at, size);
	s->file->offset = s->at;
	return 0;
}

/* Both have been begun. The number of bytes moved, or an error when there were none. keep: of a pipe (tee), whose bytes stay. */
static int move(struct process *p, struct side *in, struct side *out, u32 left, int wait, int keep, unsigned size)
{
	int n = 0, space, done = 0;

	if (left > 0x7ffff000u)
		left = 0x7ffff000u;
	while (left) {
		space = room(p, out->file, wait && !done);
		n = space < 0 ? space : peek(p, in->file, in->at, (u32)space < left ? (u32)space : left, wait && !done);
		if (n > 0)
			n = put_piece(p, out->file, out->at, (unsigned)n);
		if (n <= 0)
			break;
		if (in->file->pipe && !keep)
			pipe_consume(in->file->pipe, (unsigned)n);
		in->at += (u32)n;
		out->at += (u32)n;
		done += n;
		left -= (u32)n;
		if (keep)
			break; /* the next look would see the same bytes */
	}
	if (done) {
		if (in->file->pipe)
			wake(in->file->pipe);
		if (out->file->pipe)
			wake(out->file->pipe);
	} else if (n) {
		return n;
	}
	return finish(p, in, size) || finish(p, out, size) ? -EFAULT : done;
}

/* 0, or EBADF for what cannot be read, or written. */
static int may_move(struct file *in, struct file *out)
{
	return (in->flags & O_ACCMODE) == O_WRONLY || !(out->flags & O_ACCMODE) ? -EBADF : 0;
}

static int sides(struct process *p, int from, int to, struct side *in, struct side *out)
{
	in->file = file_of(p, from);
	out->file = file_of(p, to);
	return !in->file || !out->file || (in->file->flags | out->file->flags) & O_PATH ? -EBADF : 0;
}

static int writable_target(struct file *f)
{
	return f->pipe || f->socket || KIND(f->node) == S_IFREG || KIND(f->node) == S_IFCHR;
}

static int send(struct process *p, struct machine_registers *r, unsigned size)
{
	struct side in, out;
	int error = sides(p, (int)r->ecx, (int)r->ebx, &in, &out);

	if (!in.file || in.file->flags & O_PATH || (in.file->flags & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	in.given = r->edx;
	out.given = 0;
	if (in.given && (in.file->pipe || in.file->socket || !KIND(in.file->node)))
		return -ESPIPE;
	if (!error)
		error = may_move(in.file, out.file);
	if (error)
		return error;
	if (KIND(in.file->node) != S_IFREG || !writable_target(out.file) || out.file->flags & O_APPEND)
		return -EINVAL;
	error = begin(p, &in, size);
	if (!error)
		error = begin(p, &out, size);
	return error ? error : move(p, &in, &out, r->esi, !(out.file->flags & O_NONBLOCK), 0, size);
}

CALL(sendfile)
{
	return send(p, r, 4);
}

CALL(sendfile64)
{
	return send(p, r, 8);
}

/* splice(in, offset of in, out, offset of out, length, flags) */
CALL(splice)
{
	struct side in, out;
	int error, wait;

	if (r->ebp & ~15u)
		return -EINVAL;
	if (!r->edi)
		return 0;
	error = sides(p, (int)r->ebx, (int)r->edx, &in, &out);
	if (!error)
		error = may_move(in.file, out.file);
	if (error)
		return error;
	in.given = r->ecx;
	out.given = r->esi;
	if ((in.given && in.file->pipe) || (out.given && out.file->pipe))
		return -ESPIPE;
	if ((!in.file->pipe && !out.file->pipe) || in.file->pipe == out.file->pipe || !writable_target(out.file) || out.file->flags & O_APPEND)
		return -EINVAL;
	if (!in.file->pipe && KIND(in.file->node) != S_IFREG)
		return -EINVAL;
	error = begin(p, &in, 8);
	if (!error)
		error = begin(p, &out, 8);
	wait = !(r->ebp & NONBLOCK) && !((in.file->pipe ? in.file->flags : 0) & O_NONBLOCK) && !((out.file->pipe ? out.file->flags : 0) & O_NONBLOCK);
	return error ? error : move(p, &in, &out, r->edi, wait, 0, 8);
}

CALL(tee)
{
	struct side in, out;
	int error;

	if (r->esi & ~15u)
		return -EINVAL;
	if (!r->edx)
		return 0;
	error = sides(p, (int)r->ebx, (int)r->ecx, &in, &out);
	if (!error)
		error = may_move(in.file, out.file);
	if (error)
		return error;
	if (!in.file->pipe || !out.file->pipe || in.file->pipe == out.file->pipe)
		return -EINVAL;
	in.given = out.given = 0;
	in.at = out.at = 0;
	return move(p, &in, &out, r->edx, !(r->esi & NONBLOCK) && !((in.file->flags | out.file->flags) & O_NONBLOCK), 1, 8);
}

CALL(copy_file_range)
{
	struct side in, out;
	u32 length = r->edi > 0x7ffff000u ? 0x7ffff000u : r->edi;
	int error;

	if (r->ebp)
		return -EINVAL;
	error = sides(p, (int)r->ebx, (int)r->edx, &in, &out);
	if (error)
		return error;
	if (KIND(in.file->node) == S_IFDIR || KIND(out.file->node) == S_IFDIR)
		return -EISDIR;
	if (in.file->pipe || out.file->pipe || KIND(in.file->node) != S_IFREG || KIND(out.file->node) != S_IFREG)
		return -EINVAL;
	if (may_move(in.file, out.file) || out.file->flags & O_APPEND)
		return -EBADF;
	in.given = r->ecx;
	out.given = r->esi;
	error = begin(p, &in, 8);
	if (!error)
		error = begin(p, &out, 8);
	if (error)
		return error;
	if (in.at >= in.file->node->size)
		length = 0;
	else if (length > in.file->node->size - in.at)
		length = (u32)(in.file->node->size - in.at);
	if (in.file->node == out.file->node && in.at < out.at + length && out.at < in.at + length)
		return -EINVAL;
	return move(p, &in, &out, length, 1, 0, 8);
}
