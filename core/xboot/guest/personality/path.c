/* path.c: from names to nodes. One path at a time is walked, in static buffers; nothing here waits. */

#include "personality.h"

static char walk_buffer[2][PATH_LIMIT * 2];

int path_get(struct process *p, address path, char to[PATH_LIMIT])
{
	unsigned at = 0, part, i;

	while (at < PATH_LIMIT) { /* page by page: the string may end right before memory that is not there */
		part = PAGE_SIZE - ((path + at) & PAGE_MASK);
		if (part > 128)
			part = 128;
		if (part > PATH_LIMIT - at)
			part = PATH_LIMIT - at;
		if (user_read(p, to + at, path + at, part))
			return -EFAULT;
		for (i = at; i < at + part; i++)
			if (!to[i])
				return (int)i;
		at += part;
	}
	return -ENAMETOOLONG;
}

int may(struct process *p, struct node *node, u32 wanted)
{
	u32 bits = node->mode, i;

	if (p->euid == 0) {
		if (!(wanted & MAY_EXECUTE) || (node->mode & S_IFMT) == S_IFDIR || node->mode & 0111)
			return 0;
		return -EACCES;
	}
	if (p->euid == node->uid) {
		bits >>= 6;
	} else if (p->egid == node->gid) {
		bits >>= 3;
	} else {
		for (i = 0; i < p->group_count; i++)
			if (p->groups[i] == node->gid)
				break;
		if (i < p->group_count)
			bits >>= 3;
	}
	return (bits & wanted) == wanted ? 0 : -EACCES;
}

/* Where a walk starts: root, working directory, or an open directory. */
static int start(struct process *p, int at, const char *path, struct node **from)
{
	struct file *f;

	if (*path == '/') {
		*from = p->root;
	} else if (at == AT_FDCWD) {
		*from = p->cwd;
	} else {
		f = descriptor_of(p, at);
		if (!f)
			return -EBADF;
		if ((f->node->mode & S_IFMT) != S_IFDIR)
			return -ENOTDIR;
		*from = f->node;
	}
	return 0;
}

/* Puts a symbolic link's target before the rest of the path. */
static const char *follow_link(struct node *link, const char *rest, char *buffer)
{
	unsigned n = (unsigned)link->size, m = text_length(rest);

	if (n + m + 1 >= PATH_LIMIT * 2)
		return 0;
	memmove(buffer + n, rest, m + 1); /* rest may lie in the same buffer, further on */
	memcpy(buffer, link->target, n);
	return buffer;
}

/* Where a link of /proc leads: the path below p's root, found by looking at all names, or a word for what has none. */
unsigned node_text(struct process *p, struct node *node, char to[PATH_LIMIT])
{
	static const char pipe_text[] = "pipe:[", socket_text[] = "socket:[", lost[] = "(deleted)";
	struct entry *e = KIND(node) == S_IFDIR ? 0 : directory_names(node);
	char digits[12];
	unsigned i = sizeof digits, n = 0, word;
	int length;

	if (node->nameless && (KIND(node) == S_IFIFO || KIND(node) == S_IFSOCK)) {
		n = node->number;
		do
			digits[--i] = (char)('0' + n % 10);
		while (n /= 10);
		word = KIND(node) == S_IFIFO ? 6 : 8;
		memcpy(to, KIND(node) == S_IFIFO ? pipe_text : socket_text, word);
		memcpy(to + word, digits + i, sizeof digits - i);
		n = word + sizeof digits - i;
		to[n++] = ']';
		return n;
	}
	length = KIND(node) == S_IFDIR || e ? path_text(p, e ? e->directory : node, to) : -ENOENT;
	if (length < 0 || (e && length + e->length + 2 > PATH_LIMIT)) {
		memcpy(to, lost, sizeof lost - 1);
		return sizeof lost - 1;
	}
	if (e) {
		if (length > 1)
			to[length++] = '/';
		memcpy(to + length, e->name, e->length);
		length += e->length;
	}
	return (unsigned)length;
}

/* Is a link that was found here followed? */
static int follows(struct found *f, int follow, int last)
{
	return !last || follow == 1 || (f->slash && follow != FOLLOW_NEVER);
}

int path_walk(struct process *p, int at, const char *path, int follow, struct found *f)
{
	struct node *node;
	const char *end;
	unsigned links = 0, side = 0, last;
	int error;

	proc_forget();
	if (!*path)
		return -ENOENT;
	error = start(p, at, path, &node);
	if (error)
		return error;
	f->directory = f->node = node;
	f->entry = 0;
	f->length = 0;
	f->slash = 0;
	f->outside = 0;
	for (;;) {
		while (*path == '/')
			path++;
		if (!*path)
			return 0; /* ended in a slash, or was one */
		if (!f->node)
			return -ENOENT;
		if ((f->node->mode & S_IFMT) != S_IFDIR)
			return -ENOTDIR;
		error = may(p, f->node, MAY_EXECUTE);
		if (error)
			return error;
		for (end = path; *end && *end != '/'; end++)
			;
		if (end - path > NAME_LIMIT)
			return -ENAMETOOLONG;
		f->length = (unsigned)(end - path);
		memcpy(f->name, path, f->length);
		f->name[f->length] = 0;
		f->directory = f->node;
		f->entry = 0;
		f->outside = 0;
		f->slash = *end == '/';
		for (last = 0; end[last] == '/'; last++)
			;
		last = !end[last];
		if (f->length == 1 && path[0] == '.') {
			path = end;
			continue;
		}
		if (f->length == 2 && path[0] == '.' && path[1] == '.') {
			if (f->node->view)
				f->node = proc_parent(p, f->node);
			else if (f->node != p->root && f->node->parent)
				f->node = f->node->parent;
			if (!f->node)
				return -ENOMEM;
			path = end;
			continue;
		}
		if (p->group->proc && proc_is(p, f->directory)) {
			f->outside = 1;
			error = proc_find(p, f->directory, path, f->length, follows(f, follow, last), &f->node);
			if (error || !f->node)
				return error ? error : -ENOENT; /* nothing is made there */
			path = end;
			goto found;
		}
		f->entry = directory_find(f->directory, path, f->length);
		f->node = f->entry ? f->entry->node : 0;
		path = end;
found:
		if (f->node && (f->node->mode & S_IFMT) == S_IFLNK && follows(f, follow, last)) {
			if (++links > LINKS_FOLLOWED)
				return -ELOOP;
			side ^= 1;
			path = follow_link(f->node, path, walk_buffer[side]);
			if (!path)
				return -ENAMETOOLONG;
			if (!*path)
				return -ENOENT;
			f->node = *path == '/' ? p->root : f->directory;
			f->directory = f->node;
			f->entry = 0;
			f->outside = 0;
		}
	}
}

int path_find(struct process *p, int at, address path, int follow, struct node **node)
{
	static char text[PATH_LIMIT];
	struct found f;
	int error = path_get(p, path, text);

	if (error < 0)
		return error;
	error = path_walk(p, at, text, follow, &f);
	if (error)
		return error;
	if (!f.node)
		return -ENOENT;
	if (f.slash && (f.node->mode & S_IFMT) != S_IFDIR)
		return -ENOTDIR;
	*node = f.node;
	return 0;
}

int path_make(struct process *p, int at, address path, struct found *f)
{
	static char text[PATH_LIMIT];
	int error = path_get(p, path, text);

	if (error < 0)
		return error;
	error = path_walk(p, at, text, FOLLOW_NEVER, f);
	if (error)
		return error;
	if (f->node)
		return -EEXIST;
	return may(p, f->directory, MAY_WRITE | MAY_EXECUTE);
}

/* The path of a directory below p's root. */
int path_text(struct process *p, struct node *node, char to[PATH_LIMIT])
{
	unsigned at = PATH_LIMIT - 1, i;
	struct node *parent;
	struct entry *e;

	to[at] = 0;
	while (node != p->root) {
		parent = node->parent;
		if (!parent || parent == node)
			return -ENOENT;
		for (i = 0, e = 0; i < parent->top; i++) {
			e = *vector_slot(&parent->slots, i, 0);
			if (e && e->node == node)
				break;
		}
		if (i == parent->top)
			return -ENOENT;
		if (at < e->length + 1u)
			return -ENAMETOOLONG;
		at -= e->length;
		memcpy(to + at, e->name, e->length);
		to[--at] = '/';
		node = parent;
	}
	if (at == PATH_LIMIT - 1)
		to[--at] = '/';
	memmove(to, to + at, PATH_LIMIT - at);
	return (int)(PATH_LIMIT - 1 - at);
}
