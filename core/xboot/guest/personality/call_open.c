/* call_open.c: opening, closing, duplicating; pipes; what is ready. */

#include "call.h"

#define POLLIN 1
#define POLLOUT 4
#define POLLERR 8
#define POLLHUP 16
#define POLLNVAL 32

int any_pipe;

/* The second half of opening a named pipe: waits for the other end. */
static int meet(struct process *p, struct file *f)
{
	struct pipe *pipe = f->pipe;
	u32 mode = f->flags & O_ACCMODE;

	if (mode == O_RDWR || f->flags & O_NONBLOCK || f->node->nameless)
		return 0;
	if (!p->opening) {
		if (mode == O_WRONLY ? pipe->readers : pipe->writers)
			return 0;
		p->opening = f;
		p->opening_seen = mode == O_WRONLY ? pipe->read_opens : pipe->write_opens;
	} else if (p->opening_seen != (mode == O_WRONLY ? pipe->read_opens : pipe->write_opens)) {
		p->opening = 0;
		return 0;
	}
	return sleep_on(p, pipe);
}

static int make(struct process *p, struct found *f, u32 mode, struct node **made)
{
	int error = may(p, f->directory, MAY_WRITE | MAY_EXECUTE);
	struct node *node;

	if (error)
		return error;
	if (f->slash)
		return -EISDIR;
	node = node_new(mode, p->euid, p->egid);
	if (!node)
		return -ENOSPC;
	error = directory_add(f->directory, f->name, f->length, node);
	if (error) {
		node_drop(node);
		return error;
	}
	node->links = 1;
	*made = node; /* keeps the one user for the description */
	return 0;
}

static int check(struct process *p, struct node *node, u32 flags, int slash)
{
	u32 wanted = (flags & O_ACCMODE) == 0 ? MAY_READ : (flags & O_ACCMODE) == O_WRONLY ? MAY_WRITE : MAY_READ | MAY_WRITE;

	if (KIND(node) == S_IFLNK)
		return flags & O_PATH ? 0 : -ELOOP;
	if ((flags & O_DIRECTORY || slash) && KIND(node) != S_IFDIR)
		return -ENOTDIR;
	if (flags & O_PATH)
		return 0;
	if (KIND(node) == S_IFDIR && (flags & (O_ACCMODE | O_CREAT | O_TRUNC)))
		return -EISDIR;
	if (flags & O_TRUNC)
		wanted |= MAY_WRITE;
	if (may(p, node, wanted))
		return -EACCES;
	return KIND(node) == S_IFCHR ? device_open(p, node) : 0;
}

static int open_at(struct process *p, int at, address path, u32 flags, u32 mode)
{
	static char text[PATH_LIMIT];
	struct found found;
	struct node *node;
	struct file *f;
	int error, made = 0;

	if (p->opening) { /* made again */
		f = p->opening;
		error = meet(p, f);
		return error ? error : file_install(p, f, 0, flags & O_CLOEXEC ? 1 : 0);
	}
	if ((flags & O_TMPFILE) || (flags & O_ACCMODE) == 3)
		return flags & O_TMPFILE ? -EOPNOTSUPP : -EINVAL;
	if (flags & O_PATH)
		flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	error = path_get(p, path, text);
	if (error < 0)
		return error;
	error = path_walk(p, at, text, !(flags & O_NOFOLLOW) && !((flags & O_CREAT) && (flags & O_EXCL)), &found);
	if (error)
		return error;
	node = found.node;
	if (!node) {
		if (!(flags & O_CREAT))
			return -ENOENT;
		error = make(p, &found, S_IFREG | (mode & 07777 & ~p->umask), &node);
		made = 1;
	} else if ((flags & O_CREAT) && (flags & O_EXCL)) {
		error = -EEXIST;
	} else {
		error = check(p, node, flags, found.slash);
		if (!error)
			node_keep(node);
	}
	if (error)
		return error;
	f = file_new(node, flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC | O_NOFOLLOW));
	if (!f) {
		node_drop(node);
		return -ENOMEM;
	}
	if (!made && flags & O_TRUNC && KIND(node) == S_IFREG && node->size) {
		content_truncate(node, 0);
		stamp_now(&node->modify);
		node->change = node->modify;
	}
	if (KIND(node) == S_IFIFO && !(flags & O_PATH)) {
		error = pipe_open(f);
		if (!error)
			error = meet(p, f);
		if (error) {
			if (error != WAIT)
				file_drop(f);
			return error;
		}
	}
	return file_install(p, f, 0, flags & O_CLOEXEC ? 1 : 0);
}

CALL(open)
{
	return open_at(p, AT_FDCWD, r->ebx, r->ecx, r->edx);
}

CALL(openat)
{
	return open_at(p, (int)r->ebx, r->ecx, r->edx, r->esi);
}

CALL(creat)
{
	return open_at(p, AT_FDCWD, r->ebx, O_CREAT | O_WRONLY | O_TRUNC, r->ecx);
}

CALL(close)
{
	return file_close(p, (int)r->ebx);
}

CALL(close_range)
{
	u32 fd;

	if (r->ebx > r->ecx || r->edx & ~4u)
		return -EINVAL;
	for (fd = r->ebx; fd < DESCRIPTORS && fd <= r->ecx; fd++) {
		if (!p->files[fd])
			continue;
		if (r->edx & 4)
			p->close_on_exec[fd] = 1;
		else
			file_close(p, (int)fd);
	}
	return 0;
}

CALL(dup)
{
	struct file *f = file_of(p, (int)r->ebx);

	if (!f)
		return -EBADF;
	f->users++;
	return file_install(p, f, 0, 0);
}

static int dup_to(struct process *p, int from, int to, int close_on_exec)
{
	struct file *f = file_of(p, from);

	if (!f || to < 0 || to >= DESCRIPTORS)
		return -EBADF;
	if (from == to)
		return to;
	f->users++;
	file_close(p, to);
	p->files[to] = f;
	p->close_on_exec[to] = close_on_exec != 0;
	return to;
}

CALL(dup2)
{
	return dup_to(p, (int)r->ebx, (int)r->ecx, 0);
}

CALL(dup3)
{
	if (r->ebx == r->ecx || r->edx & ~O_CLOEXEC)
		return -EINVAL;
	return dup_to(p, (int)r->ebx, (int)r->ecx, r->edx != 0);
}

static int make_pipe(struct process *p, address to, u32 flags)
{
	struct node *node;
	struct pipe *pipe;
	struct file *in, *out;
	int fd[2];

	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	node = node_nameless(p, S_IFIFO | 0600);
	pipe = node ? pipe_new() : 0;
	in = pipe ? file_new(node, flags & O_NONBLOCK) : 0;
	out = in ? file_new(node, (flags & O_NONBLOCK) | O_WRONLY) : 0;
	if (!out) {
		if (in)
			file_drop(in); /* and the node with it */
		else if (node)
			node_drop(node);
		if (pipe)
			pipe_free(pipe);
		return -ENFILE;
	}
	node_keep(node); /* one use for each end */
	node->pipe = pipe;
	in->pipe = out->pipe = pipe;
	pipe->readers = pipe->writers = 1;
	fd[0] = file_install(p, in, 0, flags & O_CLOEXEC ? 1 : 0);
	if (fd[0] < 0) {
		file_drop(out);
		return fd[0];
	}
	fd[1] = file_install(p, out, 0, flags & O_CLOEXEC ? 1 : 0);
	if (fd[1] < 0 || user_write(p, to, fd, 8)) {
		file_close(p, fd[0]);
		if (fd[1] >= 0)
			file_close(p, fd[1]);
		return fd[1] < 0 ? fd[1] : -EFAULT;
	}
	return 0;
}

CALL(pipe)
{
	return make_pipe(p, r->ebx, 0);
}

CALL(pipe2)
{
	return make_pipe(p, r->ebx, r->ecx);
}

CALL(fcntl)
{
	struct file *f = file_of(p, (int)r->ebx);
	u16 unlocked = 2;

	if (!f)
		return -EBADF;
	switch (r->ecx) {
	case 0:    /* F_DUPFD */
	case 1030: /* F_DUPFD_CLOEXEC */
		if (r->edx >= DESCRIPTORS)
			return -EINVAL;
		f->users++;
		return file_install(p, f, r->edx, r->ecx == 1030);
	case 1:
		return p->close_on_exec[r->ebx];
	case 2:
		p->close_on_exec[r->ebx] = r->edx & 1;
		return 0;
	case 3:
		return (int)(f->flags | (f->flags & O_PATH || f->pipe ? 0 : 0100000)); /* O_LARGEFILE, as for every file opened by a 64-bit aware program */
	case 4:
		f->flags = (f->flags & ~(O_APPEND | O_NONBLOCK)) | (r->edx & (O_APPEND | O_NONBLOCK));
		return 0;
	case 5:
	case 12: /* a lock is never held by another: nobody waits for one (see 6) */
		return user_write(p, r->edx, &unlocked, 2);
	case 6:
	case 7:
	case 13:
	case 14: /* locks are granted: builders have one writer */
		return 0;
	case 1032: /* F_GETPIPE_SZ */
		return f->pipe ? (int)(PIPE_FRAMES * PAGE_SIZE) : -EBADF;
	default:
		return -EINVAL;
	}
}

CALL(ioctl)
{
	struct file *f = file_of(p, (int)r->ebx);

	if (!f || f->flags & O_PATH)
		return -EBADF;
	if (f->pipe && r->ecx == 0x541b) /* FIONREAD */
		return user_write(p, r->edx, &f->pipe->length, 4);
	if (r->ecx == 0x5451 || r->ecx == 0x5450) { /* FIOCLEX, FIONCLEX */
		p->close_on_exec[r->ebx] = r->ecx == 0x5451;
		return 0;
	}
	if (f->pipe || KIND(f->node) != S_IFCHR)
		return -ENOTTY;
	return device_ioctl(p, f, r->ecx, r->edx);
}

CALL(flock)
{
	return file_of(p, (int)r->ebx) ? 0 : -EBADF;
}

/* ---- readiness ---- */

int file_ready(struct file *f)
{
	int ready = 0;
	u32 mode = f->flags & O_ACCMODE;

	if (!f->pipe)
		return POLLIN | POLLOUT;
	if (mode != O_WRONLY)
		ready |= (f->pipe->length ? POLLIN : 0) | (f->pipe->writers ? 0 : POLLHUP);
	if (mode != 0)
		ready |= !f->pipe->readers ? POLLERR : f->pipe->length <= (PIPE_FRAMES - 1) * PAGE_SIZE ? POLLOUT : 0;
	return ready;
}

/* WAIT, or 0 when the time is over; milliseconds may be endless (negative). */
static int wait_ready(struct process *p, long long milliseconds)
{
	int result;

	if (milliseconds == 0)
		return 0;
	if (milliseconds > 0) {
		result = timer_wait(p, (nanoseconds)milliseconds * 1000000u);
		if (result != WAIT)
			return result;
	}
	return sleep_on(p, &any_pipe);
}

CALL(poll)
{
	struct { int fd; short events, revents; } item;
	struct file *f;
	u32 i;
	int count = 0, ready, result;

	if (r->ecx > DESCRIPTORS)
		return -EINVAL;
	for (i = 0; i < r->ecx; i++) {
		if (user_read(p, &item, r->ebx + i * 8, 8))
			return -EFAULT;
		f = file_of(p, item.fd);
		ready = item.fd < 0 ? 0 : f ? file_ready(f) & (item.events | POLLERR | POLLHUP) : POLLNVAL;
		item.revents = (short)ready;
		if (ready)
			count++;
		if (user_write(p, r->ebx + i * 8, &item, 8))
			return -EFAULT;
	}
	if (count) {
		p->timed = 0;
		p->deadline = 0;
		return count;
	}
	result = wait_ready(p, (int)r->edx);
	return result;
}

/* _newselect(n, read, write, except, timeval) */
CALL(select)
{
	u32 sets[3][DESCRIPTORS / 32], out[3][DESCRIPTORS / 32], i, k, n = r->ebx, bytes, bit;
	address at[3];
	int time[2], count = 0, ready;
	struct file *f;
	long long wait = -1;

	if ((int)n < 0)
		return -EINVAL;
	if (n > DESCRIPTORS)
		n = DESCRIPTORS;
	bytes = (n + 31) / 32 * 4;
	at[0] = r->ecx;
	at[1] = r->edx;
	at[2] = r->esi;
	memset(sets, 0, sizeof sets);
	memset(out, 0, sizeof out);
	for (k = 0; k < 3; k++)
		if (at[k] && user_read(p, sets[k], at[k], bytes))
			return -EFAULT;
	for (i = 0; i < n; i++) {
		bit = 1u << (i & 31);
		if (!((sets[0][i / 32] | sets[1][i / 32] | sets[2][i / 32]) & bit))
			continue;
		f = file_of(p, (int)i);
		if (!f)
			return -EBADF;
		ready = file_ready(f);
		if (sets[0][i / 32] & bit && ready & (POLLIN | POLLHUP))
			out[0][i / 32] |= bit, count++;
		if (sets[1][i / 32] & bit && ready & (POLLOUT | POLLERR))
			out[1][i / 32] |= bit, count++;
	}
	if (!count) {
		if (r->edi) {
			if (user_read(p, time, r->edi, 8))
				return -EFAULT;
			if (time[0] < 0 || time[1] < 0)
				return -EINVAL;
			wait = time[0] * 1000ll + (time[1] + 999) / 1000;
		}
		ready = wait_ready(p, wait);
		if (ready)
			return ready;
	}
	p->timed = 0;
	p->deadline = 0;
	for (k = 0; k < 3; k++)
		if (at[k] && user_write(p, at[k], out[k], bytes))
			return -EFAULT;
	return count;
}
