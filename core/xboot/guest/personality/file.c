/* file.c: open file descriptions, and the descriptors that name them. */

#include "personality.h"

/* A descriptor that leads to a description which is no more is a defect: it may be another's by now. */
struct file *descriptor_of(struct process *p, int fd)
{
	struct file *f = (u32)fd < DESCRIPTORS ? p->files[fd] : 0;

	if (f && f->mark != FILE_LIVES)
		machine_panic("defect: a descriptor of what is closed");
	return f;
}

/* A description of O_PATH names its file and gives no right to it: here is the one place that says so. */
struct file *file_of(struct process *p, int fd)
{
	struct file *f = (u32)fd < DESCRIPTORS ? p->files[fd] : 0;

	if (!f)
		return 0;
	if (f->mark != FILE_LIVES)
		machine_panic("defect: a descriptor of what is closed");
	return f->flags & O_PATH ? 0 : f;
}

/* Takes over one use of the node, unless there is no memory (0). */
struct file *file_new(struct node *node, u32 flags)
{
	struct file *f = pool_of(POOL_FILES, sizeof *f);

	if (!f)
		return 0;
	f->node = node;
	f->flags = flags;
	f->mark = FILE_LIVES;
	f->users = 1;
	if ((node->mode & S_IFMT) == S_IFDIR)
		count_more(&node->readers);
	if ((node->mode & S_IFMT) == S_IFREG && flags & O_ACCMODE)
		count_more(&node->writers);
	return f;
}

void file_keep(struct file *f)
{
	count_more(&f->users);
}

void file_drop(struct file *f)
{
	if (count_less(&f->users))
		return;
	watches_drop(&f->watches);
	if (f->node->locks)
		locks_drop(f->node, f);
	if (f->pipe)
		pipe_close(f);
	if (f->socket)
		socket_close(f);
	if (f->terminal)
		terminal_close(f);
	if ((f->node->mode & S_IFMT) == S_IFDIR)
		count_less(&f->node->readers);
	if ((f->node->mode & S_IFMT) == S_IFREG && f->flags & O_ACCMODE)
		count_less(&f->node->writers);
	node_drop(f->node);
	f->mark = 0;
	pool_back(POOL_FILES, f, sizeof *f);
}

u32 file_most(struct process *p)
{
	u64 most = p->crew->limits[LIMIT_FILES].soft;

	return most < DESCRIPTORS ? (u32)most : DESCRIPTORS;
}

static int none_free(struct process *p)
{
	static unsigned once;

	if (file_most(p) == DESCRIPTORS)
		limit_reached(&once, "256 descriptors in a process (EMFILE)");
	return -EMFILE;
}

int file_room(struct process *p)
{
	unsigned fd;

	for (fd = 0; fd < file_most(p); fd++)
		if (!p->files[fd])
			return 0;
	return none_free(p);
}

int file_install(struct process *p, struct file *f, unsigned from, int close_on_exec)
{
	unsigned fd;

	for (fd = from; fd < file_most(p); fd++)
		if (!p->files[fd]) {
			p->files[fd] = f;
			p->close_on_exec[fd] = close_on_exec != 0;
			return (int)fd;
		}
	file_drop(f);
	return none_free(p);
}

int file_close(struct process *p, int fd)
{
	struct file *f = descriptor_of(p, fd);

	if (!f)
		return -EBADF;
	p->files[fd] = 0;
	if (f->node->locks)
		locks_drop(f->node, p->crew);
	file_drop(f);
	return 0;
}
