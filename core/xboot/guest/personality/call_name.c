/* call_name.c: making, removing and moving names; where a process stands. */

#include "call.h"

#define NOREPLACE 1u
#define EXCHANGE 2u

/* May p take this name out of its directory? Sticky directories: only what is one's own. */
static int may_remove(struct process *p, struct node *directory, struct node *node)
{
	int error = may(p, directory, MAY_WRITE | MAY_EXECUTE);

	if (error)
		return error;
	return directory->mode & S_ISVTX && p->euid && p->euid != directory->uid && p->euid != node->uid ? -EPERM : 0;
}

static int add(struct found *f, struct node *node, u32 links)
{
	int error = directory_add(f->directory, f->name, f->length, node);

	if (!error)
		node->links = links;
	node_drop(node); /* the name holds it now, or nothing does */
	return error;
}

static int mkdir_at(struct process *p, int at, address path, u32 mode)
{
	struct found f;
	struct node *node;
	int error = path_make(p, at, path, &f);

	if (error)
		return error;
	node = node_new(S_IFDIR | (mode & 01777 & ~p->umask), p->euid, p->egid);
	if (!node)
		return -ENOSPC;
	node->parent = f.directory;
	error = add(&f, node, 2);
	if (!error)
		count_more(&f.directory->links);
	return error;
}

CALL(mkdir)
{
	return mkdir_at(p, AT_FDCWD, r->ebx, r->ecx);
}

CALL(mkdirat)
{
	return mkdir_at(p, (int)r->ebx, r->ecx, r->edx);
}

/* Takes a name away, and what it named if that was the last. */
static void detach(struct entry *e)
{
	struct node *node = e->node, *directory = e->directory;

	directory_remove(e);
	if (KIND(node) == S_IFDIR) {
		count_less(&directory->links);
		node->parent = 0;
		node->links = 1; /* was 2: its own "." */
	}
	node_unlinked(node);
}

static int remove_at(struct process *p, int at, address path, int directory)
{
	static char text[PATH_LIMIT];
	struct found f;
	int error = path_get(p, path, text);

	if (error >= 0)
		error = path_walk(p, at, text, FOLLOW_NEVER, &f);
	if (error)
		return error;
	if (!f.node)
		return -ENOENT;
	if (f.outside)
		return directory ? -ENOTDIR : -EPERM;
	if (!f.entry) { /* ends in "." or "..", or is the root */
		if (!directory)
			return -EISDIR;
		return f.length == 1 ? -EINVAL : f.length == 2 ? -ENOTEMPTY : -EBUSY;
	}
	if (f.slash && KIND(f.node) != S_IFDIR)
		return -ENOTDIR;
	error = may_remove(p, f.directory, f.node);
	if (error)
		return error;
	if (directory) {
		if (KIND(f.node) != S_IFDIR)
			return -ENOTDIR;
		if (f.node->entries)
			return -ENOTEMPTY;
		if (f.node == p->root)
			return -EBUSY;
	} else if (KIND(f.node) == S_IFDIR) {
		return -EISDIR;
	}
	detach(f.entry);
	return 0;
}

CALL(rmdir)
{
	return remove_at(p, AT_FDCWD, r->ebx, 1);
}

CALL(unlink)
{
	return remove_at(p, AT_FDCWD, r->ebx, 0);
}

CALL(unlinkat)
{
	if (r->edx & ~AT_REMOVEDIR)
		return -EINVAL;
	return remove_at(p, (int)r->ebx, r->ecx, r->edx != 0);
}

/* One more name for a node. */
static int link_node(struct process *p, struct node *node, struct found *f)
{
	int error;

	if (f->slash)
		return -ENOENT;
	if (node->nameless || terminal_at(node))
		return -EXDEV; /* it lies in no directory of ours, or where only ptmx makes names */
	if (KIND(node) == S_IFDIR)
		return -EPERM;
	if (!node->links && !node->linkable)
		return -ENOENT; /* it has lost its last name already */
	/* as Linux with protected_hardlinks: only one's own files, or those that one may read and write anyway */
	if (p->euid && p->euid != node->uid && (KIND(node) != S_IFREG || node->mode & 06000 || may(p, node, MAY_READ | MAY_WRITE)))
		return -EPERM;
	error = directory_add(f->directory, f->name, f->length, node);
	if (!error) {
		count_more(&node->links);
		node->linkable = 0; /* once: what loses this name again has none for good */
		stamp_now(&node->change);
	}
	return error;
}

static int link_at(struct process *p, int at, address path, int to_at, address to, u32 flags)
{
	struct found f;
	struct node *node;
	int error;

	if (flags & ~AT_SYMLINK_FOLLOW)
		return -EINVAL;
	error = path_find(p, at, path, flags != 0, &node);
	if (error)
		return error;
	node_keep(node); /* the second walk may drop what the first one was lent */
	error = path_make(p, to_at, to, &f);
	if (!error)
		error = link_node(p, node, &f);
	node_drop(node);
	return error;
}

CALL(link)
{
	return link_at(p, AT_FDCWD, r->ebx, AT_FDCWD, r->ecx, 0);
}

CALL(linkat)
{
	return link_at(p, (int)r->ebx, r->ecx, (int)r->edx, r->esi, r->edi);
}

static int symlink_at(struct process *p, address target, int at, address path)
{
	static char text[PATH_LIMIT];
	struct found f;
	struct node *node;
	int length = path_get(p, target, text), error;

	if (length < 0)
		return length;
	if (!length)
		return -ENOENT;
	error = path_make(p, at, path, &f);
	if (error)
		return error;
	if (f.slash)
		return -ENOENT;
	node = node_new(S_IFLNK | 0777, p->euid, p->egid);
	if (!node)
		return -ENOSPC;
	node->target = pool_of(POOL_TEXT, (u32)length + 1);
	if (!node->target) {
		node_drop(node);
		return -ENOSPC;
	}
	node->size = (u32)length;
	memcpy(node->target, text, (u32)length + 1);
	return add(&f, node, 1);
}

CALL(symlink)
{
	return symlink_at(p, r->ebx, AT_FDCWD, r->ecx);
}

CALL(symlinkat)
{
	return symlink_at(p, r->ebx, (int)r->ecx, r->edx);
}

static int read_link(struct process *p, int at, address path, address to, u32 room)
{
	struct node *node;
	int error;

	if ((int)room <= 0)
		return -EINVAL;
	error = path_find(p, at, path, 0, &node);
	if (error)
		return error;
	if (KIND(node) != S_IFLNK)
		return -EINVAL;
	stamp_access(p, node);
	if (room > node->size)
		room = (u32)node->size;
	return user_write(p, to, node->target, room) ? -EFAULT : (int)room;
}

CALL(readlink)
{
	return read_link(p, AT_FDCWD, r->ebx, r->ecx, r->edx);
}

CALL(readlinkat)
{
	return read_link(p, (int)r->ebx, r->ecx, r->edx, r->esi);
}

static int lies_in(struct node *node, struct node *directory)
{
	for (; node; node = node->parent == node ? 0 : node->parent)
		if (node == directory)
			return 1;
	return 0;
}

/* Two names change what they name. Rights have been checked, and that neither comes to lie in itself. */
static int exchange(struct found *from, struct found *to)
{
	struct node *a = from->node, *b = to->node;

	from->entry->node = b;
	to->entry->node = a;
	if (KIND(a) == S_IFDIR) {
		count_less(&from->directory->links);
		count_more(&to->directory->links);
		a->parent = to->directory;
	}
	if (KIND(b) == S_IFDIR) {
		count_less(&to->directory->links);
		count_more(&from->directory->links);
		b->parent = from->directory;
	}
	stamp_now(&a->change);
	b->change = from->directory->modify = from->directory->change = to->directory->modify = to->directory->change = a->change;
	return 0;
}

static int rename_at(struct process *p, int at, address path, int to_at, address to, u32 flags)
{
	static char text[PATH_LIMIT];
	struct found from, f;
	struct node *node, *old;
	int error, outside;

	if (flags & ~(NOREPLACE | EXCHANGE) || flags == (NOREPLACE | EXCHANGE))
		return -EINVAL;
	error = path_get(p, path, text);
	if (error >= 0)
		error = path_walk(p, at, text, FOLLOW_NEVER, &from);
	if (error)
		return error;
	outside = from.outside;
	error = path_get(p, to, text);
	if (error >= 0)
		error = path_walk(p, to_at, text, FOLLOW_NEVER, &f);
	if (error)
		return error;
	if (outside || f.outside)
		return -EXDEV;
	node = from.node;
	old = f.node;
	if (node && !from.entry) /* ".", "..", "/" */
		return -EBUSY;
	if (old && !f.entry)
		return flags == NOREPLACE ? -EEXIST : -EBUSY;
	if (!node)
		return -ENOENT;
	if (flags == NOREPLACE && old)
		return -EEXIST;
	if (flags == EXCHANGE && !old)
		return -ENOENT;
	if ((from.slash && KIND(node) != S_IFDIR) || (f.slash && KIND(flags == EXCHANGE ? old : node) != S_IFDIR))
		return -ENOTDIR;
	if (KIND(node) == S_IFDIR && lies_in(f.directory, node))
		return -EINVAL;
	if (old && KIND(old) == S_IFDIR && lies_in(from.directory, old))
		return flags == EXCHANGE ? -EINVAL : -ENOTEMPTY;
	if (node == old)
		return 0;
	error = may_remove(p, from.directory, node);
	if (!error)
		error = old ? may_remove(p, f.directory, old) : may(p, f.directory, MAY_WRITE | MAY_EXECUTE);
	if (error)
		return error;
	if (flags == EXCHANGE) {
		if (f.directory != from.directory && ((KIND(node) == S_IFDIR && may(p, node, MAY_WRITE)) || (KIND(old) == S_IFDIR && may(p, old, MAY_WRITE))))
			return -EACCES;
		return exchange(&from, &f);
	}
	if (KIND(node) == S_IFDIR) {
		if (old && KIND(old) != S_IFDIR)
			return -ENOTDIR;
		if (f.directory != from.directory && may(p, node, MAY_WRITE))
			return -EACCES; /* its ".." changes */
		if (old && old->entries)
			return -ENOTEMPTY;
	} else if (old && KIND(old) == S_IFDIR) {
		return -EISDIR;
	}
	if (old) { /* the name stays, what it names changes: no moment without it */
		f.entry->node = node;
		if (KIND(old) == S_IFDIR) {
			count_less(&f.directory->links);
			old->parent = 0;
			old->links = 1;
		}
		node_unlinked(old);
		stamp_now(&f.directory->modify);
		f.directory->change = f.directory->modify;
	} else {
		error = directory_add(f.directory, f.name, f.length, node);
		if (error)
			return error;
	}
	directory_remove(from.entry);
	if (KIND(node) == S_IFDIR) {
		count_less(&from.directory->links);
		count_more(&f.directory->links);
		node->parent = f.directory;
	}
	stamp_now(&node->change);
	return 0;
}

CALL(rename)
{
	return rename_at(p, AT_FDCWD, r->ebx, AT_FDCWD, r->ecx, 0);
}

CALL(renameat)
{
	return rename_at(p, (int)r->ebx, r->ecx, (int)r->edx, r->esi, 0);
}

CALL(renameat2)
{
	return rename_at(p, (int)r->ebx, r->ecx, (int)r->edx, r->esi, r->edi);
}

static int mknod_at(struct process *p, int at, address path, u32 mode, u32 device)
{
	struct found f;
	struct node *node;
	int error;

	if (!(mode & S_IFMT))
		mode |= S_IFREG;
	if ((mode & S_IFMT) == S_IFDIR)
		return -EPERM;
	if ((mode & S_IFMT) != S_IFREG && (mode & S_IFMT) != S_IFIFO && (mode & S_IFMT) != S_IFCHR && (mode & S_IFMT) != S_IFSOCK)
		return p->euid ? -EPERM : -EINVAL;
	error = path_make(p, at, path, &f);
	if (error)
		return error;
	if (f.slash)
		return -ENOENT;
	if ((mode & S_IFMT) == S_IFCHR && p->euid && device & 0xffff)
		return -EPERM; /* 0:0 is no device: anybody may make such a node */
	node = node_new(mode & (S_IFMT | (07777 & ~p->umask)), p->euid, p->egid);
	if (!node)
		return -ENOSPC;
	if ((mode & S_IFMT) == S_IFCHR)
		node->device = device & 0xffff;
	return add(&f, node, 1);
}

CALL(mknod)
{
	return mknod_at(p, AT_FDCWD, r->ebx, r->ecx, r->edx);
}

CALL(mknodat)
{
	return mknod_at(p, (int)r->ebx, r->ecx, r->edx, r->esi);
}

/* ---- standing ---- */

/* Root, working directory and umask are those of all threads of a process. */
void place_shared(struct process *p)
{
	struct process *q;
	u32 i;

	for (i = 0; p->crew->living > 1 && i < PROCESSES; i++) {
		q = processes[i];
		if (!q || q == p || q->leader != p->leader || q->state == ZOMBIE)
			continue;
		node_keep(p->root);
		node_keep(p->cwd);
		node_drop(q->root);
		node_drop(q->cwd);
		q->root = p->root;
		q->cwd = p->cwd;
		q->umask = p->umask;
	}
}

static int go(struct process *p, struct node *node, struct node **place)
{
	if (KIND(node) != S_IFDIR)
		return -ENOTDIR;
	if (may(p, node, MAY_EXECUTE))
		return -EACCES;
	node_keep(node);
	node_drop(*place);
	*place = node;
	place_shared(p);
	return 0;
}

CALL(chdir)
{
	struct node *node;
	int error = path_find(p, AT_FDCWD, r->ebx, 1, &node);

	return error ? error : go(p, node, &p->cwd);
}

CALL(fchdir)
{
	struct file *f = descriptor_of(p, (int)r->ebx);

	if (!f)
		return -EBADF;
	return go(p, f->node, &p->cwd);
}

CALL(chroot)
{
	struct node *node;
	int error = path_find(p, AT_FDCWD, r->ebx, 1, &node);

	if (error)
		return error;
	if (KIND(node) != S_IFDIR)
		return -ENOTDIR;
	return p->euid ? -EPERM : go(p, node, &p->root);
}

CALL(getcwd)
{
	static char text[PATH_LIMIT];
	int length = path_text(p, p->cwd, text);

	if (length < 0)
		return length;
	if (r->ecx < (u32)length + 1)
		return -ERANGE;
	return user_write(p, r->ebx, text, (u32)length + 1) ? -EFAULT : length + 1;
}
