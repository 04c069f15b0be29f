/* call_open.c: opening, closing, duplicating; pipes. */

#include "call.h"

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

/* What was just made goes again: there is no memory for its description. */
static void unmake(struct found *f, struct node *node)
{
	struct entry *e = directory_find(f->directory, f->name, f->length);

	if (e && e->node == node) {
		directory_remove(e);
		node_unlinked(node);
	}
}

/* O_TMPFILE: a file in a directory, without a name there; it may be given one (linkat), unless O_EXCL. */
static int make_unnamed(struct process *p, struct node *directory, u32 flags, u32 mode, struct node **made)
{
	if (!(flags & O_DIRECTORY) || !(flags & O_ACCMODE))
		return -EINVAL;
	if (!directory)
		return -ENOENT;
	if (KIND(directory) != S_IFDIR)
		return -ENOTDIR;
	if (may(p, directory, MAY_WRITE | MAY_EXECUTE))
		return -EACCES;
	*made = node_new(S_IFREG | (mode & 07777 & ~p->umask), p->euid, p->egid);
	if (!*made)
		return -ENOSPC;
	(*made)->linkable = !(flags & O_EXCL);
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
	if (node->running && wanted & MAY_WRITE)
		return -ETXTBSY;
	if (flags & O_TRUNC && KIND(node) == S_IFREG && seal_stops_size(node, 0))
		return -EPERM;
	if (KIND(node) == S_IFSOCK)
		return -ENXIO;
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
	if ((flags & O_ACCMODE) == 3)
		return -EINVAL;
	if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY) && !(flags & (O_PATH | O_TMPFILE)))
		return -EINVAL;
	if (flags & O_PATH)
		flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	error = path_get(p, path, text);
	if (error < 0)
		return error;
	error = file_room(p); /* before anything is made or cut off */
	if (!error)
		error = path_walk(p, at, text, !(flags & O_NOFOLLOW) && !((flags & O_CREAT) && (flags & O_EXCL)), &found);
	if (error)
		return error;
	node = found.node;
	if (flags & O_CREAT && found.slash && !(flags & (O_TMPFILE | O_PATH)))
		return -EISDIR; /* whatever is there */
	if (flags & O_TMPFILE && !(flags & O_PATH)) {
		error = make_unnamed(p, node, flags, mode, &node);
		made = 1;
	} else if (!node) {
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
	f = file_new(node, flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC | (flags & O_TMPFILE ? O_TMPFILE | O_DIRECTORY : 0)));
	if (!f) {
		if (made && !(flags & O_TMPFILE))
			unmake(&found, node);
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
	if (terminal_is(node) && !(flags & O_PATH)) {
		error = terminal_open(p, f);
		if (error) {
			file_drop(f);
			return error;
		}
	}
	f->flags &= ~O_NOCTTY;
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
	struct file *f = descriptor_of(p, (int)r->ebx);

	if (!f)
		return -EBADF;
	file_keep(f);
	return file_install(p, f, 0, 0);
}

static int dup_to(struct process *p, int from, int to, int close_on_exec)
{
	struct file *f = descriptor_of(p, from);

	if (!f || (u32)to >= file_most(p))
		return -EBADF;
	if (from == to)
		return to;
	file_keep(f);
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
	struct file *f = descriptor_of(p, (int)r->ebx);

	if (!f || (f->flags & O_PATH && r->ecx > 3 && r->ecx != 1030))
		return -EBADF;
	switch (r->ecx) {
	case 0:    /* F_DUPFD */
	case 1030: /* F_DUPFD_CLOEXEC */
		if (r->edx >= file_most(p))
			return -EINVAL;
		file_keep(f);
		return file_install(p, f, r->edx, r->ecx == 1030);
	case 1:
		return p->close_on_exec[r->ebx];
	case 2:
		p->close_on_exec[r->ebx] = r->edx & 1;
		return 0;
	case 3:
		return (int)(f->flags | (f->flags & O_PATH || f->pipe || f->socket ? 0 : 0100000)); /* O_LARGEFILE, as for every file opened by a 64-bit aware program */
	case 4:
		f->flags = (f->flags & ~(O_APPEND | O_NONBLOCK)) | (r->edx & (O_APPEND | O_NONBLOCK));
		return 0;
	case 5:
	case 6:
	case 7:
	case 12:
	case 13:
	case 14:
	case 36:
	case 37:
	case 38:
		return lock_command(p, f, r->ecx, r->edx);
	case 1033: /* F_ADD_SEALS */
	case 1034: /* F_GET_SEALS */
		return seal_command(f, r->ecx == 1033, r->edx);
	case 1031: /* F_SETPIPE_SZ, F_GETPIPE_SZ */
	case 1032:
		return !f->pipe ? -EBADF : r->ecx == 1031 ? pipe_resize(p, f->pipe, r->edx) : (int)pipe_room(f->pipe);
	default:
		return -EINVAL;
	}
}

CALL(ioctl)
{
	struct file *f = file_of(p, (int)r->ebx);
	int value;

	if (!f)
		return -EBADF;
	if (f->pipe && r->ecx == 0x541b) /* FIONREAD */
		return user_write(p, r->edx, &f->pipe->length, 4);
	if (f->socket && r->ecx == 0x541b) {
		value = socket_waiting(f);
		return value < 0 ? value : user_write(p, r->edx, &value, 4);
	}
	if (r->ecx == 0x541b && KIND(f->node) == S_IFREG && !(f->flags & O_PATH)) {
		value = (int)(f->node->size - f->offset);
		return user_write(p, r->edx, &value, 4);
	}
	if (r->ecx == 0x5421) { /* FIONBIO */
		if (user_read(p, &value, r->edx, 4))
			return -EFAULT;
		f->flags = (f->flags & ~O_NONBLOCK) | (value ? O_NONBLOCK : 0);
		return 0;
	}
	if (r->ecx == 0x5451 || r->ecx == 0x5450) { /* FIOCLEX, FIONCLEX */
		p->close_on_exec[r->ebx] = r->ecx == 0x5451;
		return 0;
	}
	if (f->pipe || KIND(f->node) != S_IFCHR)
		return -ENOTTY;
	return device_ioctl(p, f, r->ecx, r->edx);
}
