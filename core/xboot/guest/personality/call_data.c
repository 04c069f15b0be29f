/* call_data.c: reading and writing what is open. */

#include "call.h"

#define VECTORS 1024u
#define MOVED_MOST 0x7ffff000u /* bytes in one call, as in Linux: a count is a positive number */

/* Bootstrap tools read and write tens of millions of single bytes: the common case, a byte in a frame that is there and ours alone, without loops and 64-bit
   arithmetic. 0: not that case. */
char *byte_of(struct process *p, struct file *f, int write)
{
	struct node *node = f->node;
	u32 at = (u32)f->offset;
	char *frame;

	if (f->pipe || KIND(node) != S_IFREG || node->shared || node->seals || f->offset >> 31 || node->size >> 31)
		return 0;
	if (write ? at > (u32)node->size || f->flags & O_APPEND || p->crew->limits[LIMIT_FSIZE].soft != NO_LIMIT : at >= (u32)node->size)
		return 0;
	frame = content_frame(node, at >> 12);
	if (!frame || (write && machine_frame_users(frame) != 1))
		return 0;
	return frame + (at & PAGE_MASK);
}

void bytes_moved(struct process *p, struct file *f, int write, u32 n)
{
	f->offset += n;
	if (!write) {
		stamp_access(p, f->node);
		return;
	}
	if (f->offset > f->node->size)
		f->node->size = f->offset;
	stamp_now(&f->node->modify);
	f->node->change = f->node->modify;
}

int read_into(struct process *p, struct file *f, address to, machine_word length)
{
	char *byte;
	int n;

	if ((f->flags & O_ACCMODE) == O_WRONLY || f->flags & O_PATH)
		return -EBADF;
	if (length == 1 && (byte = byte_of(p, f, 0))) {
		if (user_write(p, to, byte, 1))
			return -EFAULT;
		bytes_moved(p, f, 0, 1);
		return 1;
	}
	if (length > MOVED_MOST)
		length = MOVED_MOST;
	if (f->pipe)
		return pipe_read(p, f, to, length);
	if (f->socket)
		return socket_move(p, f, to, length, 0);
	switch (KIND(f->node)) {
	case S_IFREG:
		n = content_read(f->node, f->offset, p, to, length);
		if (n > 0)
			f->offset += n;
		stamp_access(p, f->node);
		return n;
	case S_IFDIR:
		return -EISDIR;
	case 0:
		return event_read(p, f, to, length);
	default:
		n = device_read(p, f, to, length);
		return n;
	}
}

int let_through(struct process *p, u64 at, machine_word length)
{
	u64 most = p->crew->limits[LIMIT_FSIZE].soft;

	if (most == NO_LIMIT || (at < most && length <= most - at) || !length)
		return (int)length;
	if (at < most)
		return (int)(most - at);
	signal_send(p, SIGXFSZ);
	return -EFBIG;
}

int write_from(struct process *p, struct file *f, address from, machine_word length)
{
	char *byte;
	int n;

	if (!(f->flags & O_ACCMODE) || f->flags & O_PATH)
		return -EBADF;
	if (length == 1 && (byte = byte_of(p, f, 1))) {
		if (user_read(p, byte, from, 1))
			return -EFAULT;
		bytes_moved(p, f, 1, 1);
		return 1;
	}
	if (length > MOVED_MOST)
		length = MOVED_MOST;
	if (f->pipe)
		return pipe_write(p, f, from, length);
	if (f->socket)
		return socket_move(p, f, from, length, 1);
	if (KIND(f->node) != S_IFREG)
		return KIND(f->node) ? device_write(p, f, from, length) : event_write(p, f, from, length);
	if (f->flags & O_APPEND)
		f->offset = f->node->size;
	n = let_through(p, f->offset, length);
	if (n > 0)
		n = content_write(f->node, f->offset, p, from, (u32)n);
	if (n > 0) {
		f->offset += n;
		stamp_now(&f->node->modify);
		f->node->change = f->node->modify;
	}
	return n;
}

CALL(read)
{
	struct file *f = file_of(p, (int)r->ebx);

	return f ? read_into(p, f, r->ecx, r->edx) : -EBADF;
}

CALL(write)
{
	struct file *f = file_of(p, (int)r->ebx);

	return f ? write_from(p, f, r->ecx, r->edx) : -EBADF;
}

/* Vectors: one piece after the other. What a pipe made wait after something was done is a short count. */
static int vector(struct process *p, struct machine_registers *r, int (*move)(struct process *, struct file *, address, machine_word))
{
	struct file *f = file_of(p, (int)r->ebx);
	u32 i, piece[2], any = 0;
	int n, done = 0;

	if (!f)
		return -EBADF;
	if (r->edx > VECTORS)
		return -EINVAL;
	for (i = 0; i < r->edx; i++) { /* all of it is looked at before anything is moved */
		if (user_words(p, piece, r->ecx + i * 2 * WORD(p), 2))
			return -EFAULT;
		if (piece[1] >> 31)
			return -EINVAL;
		any |= piece[1];
	}
	if (move == read_into ? (f->flags & O_ACCMODE) == O_WRONLY : !(f->flags & O_ACCMODE))
		return -EBADF; /* be there no bytes at all */
	if (f->node->event && f->node->event->kind == EVENT_WATCHES)
		return -EINVAL;
	if (f->socket)
		return any ? socket_move_many(p, f, r->ecx, r->edx, move == write_from) : 0;
	for (i = 0; i < r->edx; i++) {
		if (user_words(p, piece, r->ecx + i * 2 * WORD(p), 2))
			return done ? done : -EFAULT;
		if (piece[1] > MOVED_MOST - (u32)done)
			piece[1] = MOVED_MOST - (u32)done;
		if (!piece[1])
			continue;
		n = move(p, f, piece[0], piece[1]);
		if (n == WAIT && (done || (p->progress && r->edx > 1))) {
			done += (int)p->progress;
			p->progress = 0;
			p->state = RUNNING;
			p->wait = 0;
			p->timed = 0; /* of a terminal */
			p->deadline = 0;
			return done;
		}
		if (n < 0)
			return done ? done : n;
		done += n;
		if ((u32)n < piece[1])
			break;
	}
	return done;
}

CALL(readv)
{
	return vector(p, r, read_into);
}

CALL(writev)
{
	return vector(p, r, write_from);
}

/* With an offset given: as if the description stood there, which then stays where it was. vectors: memory is given as in readv. */
static int at_offset(struct process *p, struct machine_registers *r, int (*move)(struct process *, struct file *, address, machine_word), u64 at, int vectors)
{
	struct file *f = file_of(p, (int)r->ebx);
	u64 before;
	int n;

	if (at >> 63)
		return -EINVAL;
	if (!f)
		return -EBADF;
	if (f->pipe || f->socket || f->terminal || !KIND(f->node))
		return -ESPIPE;
	before = f->offset;
	f->offset = at;
	n = vectors ? vector(p, r, move) : move(p, f, r->ecx, r->edx);
	f->offset = before;
	return n;
}

static u64 pair(machine_word low, machine_word high)
{
	return (u64)high << 32 | low;
}

CALL(pread64)
{
	return at_offset(p, r, read_into, pair(r->esi, r->edi), 0);
}

CALL(pwrite64)
{
	return at_offset(p, r, write_from, pair(r->esi, r->edi), 0);
}

CALL(preadv)
{
	return at_offset(p, r, read_into, pair(r->esi, r->edi), 1);
}

CALL(pwritev)
{
	return at_offset(p, r, write_from, pair(r->esi, r->edi), 1);
}

/* With flags: those that only ask for haste or for storage are granted by doing nothing; an offset of -1 is the description's own. */
static int with_flags(struct process *p, struct machine_registers *r, int (*move)(struct process *, struct file *, address, machine_word))
{
	if (r->ebp & ~7u)
		return file_of(p, (int)r->ebx) ? -EOPNOTSUPP : -EBADF;
	return (r->esi & r->edi) == ~0u ? vector(p, r, move) : at_offset(p, r, move, pair(r->esi, r->edi), 1);
}

CALL(preadv2)
{
	return with_flags(p, r, read_into);
}

CALL(pwritev2)
{
	return with_flags(p, r, write_from);
}

static int seek(struct process *p, int fd, long long offset, u32 whence, u64 *at)
{
	struct file *f = file_of(p, fd);

	if (!f)
		return -EBADF;
	if (whence > 4)
		return -EINVAL;
	if (f->pipe || f->socket || f->terminal)
		return -ESPIPE;
	if (!KIND(f->node) || device_placeless(f->node)) {
		*at = 0; /* taken, without effect */
		return 0;
	}
	if (KIND(f->node) == S_IFDIR && whence > 1)
		return -EINVAL;
	if (whence == 1)
		offset += (long long)f->offset;
	else if (whence == 2)
		offset += (long long)f->node->size;
	else if (whence == 3) /* SEEK_DATA, SEEK_HOLE: all is data */
		whence = offset >= (long long)f->node->size ? 99 : 0;
	else if (whence == 4)
		offset = offset >= (long long)f->node->size ? -1 : (long long)f->node->size;
	else if (whence)
		return -EINVAL;
	if (whence == 99 || (whence == 4 && offset < 0))
		return -ENXIO;
	if (offset < 0)
		return -EINVAL;
	*at = f->offset = (u64)offset;
	return 0;
}

CALL(lseek)
{
	struct file *f = file_of(p, (int)r->ebx);
	u64 at, before = f ? f->offset : 0;
	int error = seek(p, (int)r->ebx, WIDE(p) ? (long long)r->ecx : (int)r->ecx, r->edx, &at);

	if (error)
		return error;
	if (at > 0x7fffffff && !WIDE(p)) {
		f->offset = before;
		return -EOVERFLOW;
	}
	return (long)at;
}

CALL(llseek)
{
	u64 at;
	int error = seek(p, (int)r->ebx, (long long)((u64)r->ecx << 32 | r->edx), r->edi, &at);

	return error ? error : user_write(p, r->esi, &at, 8);
}

static int cut(struct process *p, struct node *node, u64 size)
{
	int error;

	if (KIND(node) == S_IFDIR)
		return -EISDIR;
	if (KIND(node) != S_IFREG || size >> 63)
		return -EINVAL;
	if (seal_stops_size(node, size))
		return -EPERM;
	if (size > node->size && let_through(p, size - 1, 1) < 0)
		return -EFBIG;
	error = content_truncate(node, size);
	stamp_now(&node->modify);
	node->change = node->modify;
	return error;
}

static int cut_path(struct process *p, address path, u64 size)
{
	struct node *node;
	int error = size >> 63 ? -EINVAL : path_find(p, AT_FDCWD, path, 1, &node);

	if (!error && KIND(node) == S_IFREG) /* of others the kind is the fault */
		error = may(p, node, MAY_WRITE);
	if (!error && node->running)
		error = -ETXTBSY;
	return error ? error : cut(p, node, size);
}

static int cut_file(struct process *p, int fd, u64 size)
{
	struct file *f = file_of(p, fd);

	if (size >> 63)
		return -EINVAL;
	if (!f)
		return -EBADF;
	if (f->pipe || !(f->flags & O_ACCMODE))
		return -EINVAL;
	return cut(p, f->node, size);
}

CALL(truncate)
{
	return cut_path(p, r->ebx, (u64)(long long)(int)r->ecx);
}

CALL(ftruncate)
{
	return cut_file(p, (int)r->ebx, (u64)(long long)(int)r->ecx);
}

CALL(truncate64)
{
	return cut_path(p, r->ebx, (u64)r->edx << 32 | r->ecx);
}

CALL(ftruncate64)
{
	return cut_file(p, (int)r->ebx, (u64)r->edx << 32 | r->ecx);
}

#define KEEP_SIZE 1u
#define PUNCH_HOLE 2u

/* Room is given when it is written to. A hole's bytes are zero from now on, for mappings too. */
CALL(fallocate)
{
	struct file *f = file_of(p, (int)r->ebx);
	u64 at = (u64)r->esi << 32 | r->edx, length = (u64)r->ebp << 32 | r->edi;

	if (!f || f->flags & O_PATH)
		return -EBADF;
	if (at >> 63 || length >> 63 || !length)
		return -EINVAL;
	if (r->ecx & ~(KEEP_SIZE | PUNCH_HOLE) || r->ecx == PUNCH_HOLE)
		return -EOPNOTSUPP;
	if (!(f->flags & O_ACCMODE))
		return -EBADF;
	if (f->pipe)
		return -ESPIPE;
	if (KIND(f->node) != S_IFREG)
		return -ENODEV;
	if (at + length > FILE_LIMIT)
		return -EFBIG;
	if (r->ecx & PUNCH_HOLE ? seal_stops_write(f->node, 0) : at + length > f->node->size && seal_stops_size(f->node, at + length))
		return -EPERM;
	if (r->ecx & PUNCH_HOLE) {
		content_zero(f->node, at, at + length);
		stamp_now(&f->node->modify);
		f->node->change = f->node->modify;
		return 0;
	}
	if ((at + length) / PAGE_SIZE > content_pages_left() + (u32)(f->node->size / PAGE_SIZE))
		return -ENOSPC;
	return at + length > f->node->size && !(r->ecx & KEEP_SIZE) ? cut(p, f->node, at + length) : 0;
}

CALL(sync_one)
{
	struct file *f = file_of(p, (int)r->ebx);

	if (!f || f->flags & O_PATH)
		return -EBADF;
	return KIND(f->node) == S_IFREG || KIND(f->node) == S_IFDIR ? 0 : -EINVAL;
}

/* All is in memory already. */
CALL(readahead)
{
	struct file *f = file_of(p, (int)r->ebx);

	if (!f || f->flags & (O_PATH | O_WRONLY))
		return -EBADF;
	return KIND(f->node) == S_IFREG ? 0 : -EINVAL;
}

/* Of a whole file system: every descriptor has one, also a pipe's. */
CALL(syncfs)
{
	struct file *f = file_of(p, (int)r->ebx);

	return !f || f->flags & O_PATH ? -EBADF : 0;
}

/* ---- directories ---- */

static u8 type_of(struct node *node)
{
	return (u8)((node->mode & S_IFMT) >> 12);
}

/* One record: as getdents has it (0), getdents64 (1), or getdents of a wide program (2). Its length, or 0: does not fit. */
static u32 record(u8 *to, u32 room, int wide, struct node *node, u64 next, const char *name, u32 length)
{
	u32 head = wide == 1 ? 19 : wide ? 18 : 10, size = (head + length + 1 + (wide != 1) + (wide ? 7 : 3)) & ~(wide ? 7u : 3u), low = node->number, zero = 0;
	u16 size16 = (u16)size;

	if (size > room)
		return 0;
	memset(to, 0, size);
	memcpy(to, &low, 4);
	if (wide) {
		memcpy(to + 4, &zero, 4);
		memcpy(to + 8, &next, 8);
		memcpy(to + 16, &size16, 2);
		to[wide == 1 ? 18 : size - 1] = type_of(node);
	} else {
		memcpy(to + 4, &next, 4); /* little-endian */
		memcpy(to + 8, &size16, 2);
		to[size - 1] = type_of(node);
	}
	memcpy(to + head, name, length);
	return size;
}

static int list(struct process *p, struct machine_registers *r, int wide)
{
	static u8 buffer[2 * PAGE_SIZE];
	static char name[NAME_LIMIT + 1];
	struct file *f = file_of(p, (int)r->ebx);
	struct node *directory, like;
	struct entry *e;
	u32 room = r->edx < sizeof buffer ? (u32)r->edx : (u32)sizeof buffer, used = 0, n;
	u64 at;
	int there = -1, listed;

	if (!f || f->flags & O_PATH)
		return -EBADF;
	if (f->pipe || KIND(f->node) != S_IFDIR)
		return -ENOTDIR;
	directory = f->node;
	listed = proc_is(p, directory);
	for (at = f->offset;; at++) {
		if (at == 0) {
			n = record(buffer + used, room - used, wide, directory, 1, ".", 1);
		} else if (at == 1) {
			n = record(buffer + used, room - used, wide, directory->parent && directory != p->root ? directory->parent : directory, 2, "..", 2);
		} else if (listed) {
			there = at > 0x7fffffff ? -1 : proc_entry(p, directory, (u32)at - 2, name, &like);
			if (there < 0)
				break;
			if (!there)
				continue;
			n = record(buffer + used, room - used, wide, &like, at + 1, name, text_length(name));
		} else {
			there = at < (u64)directory->top + 2 ? 0 : -1;
			if (there < 0)
				break;
			e = *vector_slot(&directory->slots, (u32)at - 2, 0);
			if (!e)
				continue;
			n = record(buffer + used, room - used, wide, e->node, at + 1, e->name, e->length);
		}
		there = 0;
		if (!n)
			break;
		used += n;
	}
	if (!used && !there)
		return -EINVAL; /* not even one fits */
	stamp_access(p, directory);
	if (user_write(p, r->ecx, buffer, used))
		return -EFAULT;
	f->offset = at;
	return (int)used;
}

CALL(getdents)
{
	return list(p, r, WIDE(p) ? 2 : 0);
}

CALL(getdents64)
{
	return list(p, r, 1);
}
