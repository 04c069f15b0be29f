/* cpio.c: unpacks the payload, a newc archive (docs/contract.md section 2), into the file system at the start. Anything that is not as the contract says
   ends the machine: the archive was made by the host. */

#include "personality.h"

static u32 hex(const u8 *s)
{
	u32 value = 0, i, c;

	for (i = 0; i < 8; i++) {
		c = s[i] | 32u;
		if (c >= '0' && c <= '9')
			value = value << 4 | (c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (c - 'a' + 10);
		else
			machine_panic("payload: a number in an archive header is not hexadecimal");
	}
	return value;
}

/* The directory that a name lies in; *last is where its last part begins. */
static struct node *parent_of(const char *name, const char **last)
{
	struct node *node = root_node;
	const char *end;
	struct entry *e;

	for (;;) {
		while (*name == '/')
			name++;
		for (end = name; *end && *end != '/'; end++)
			;
		if (!*end) {
			*last = name;
			return node;
		}
		e = directory_find(node, name, (unsigned)(end - name));
		if (!e || (e->node->mode & S_IFMT) != S_IFDIR)
			machine_panic("payload: an archive entry stands before its directory");
		node = e->node;
		name = end;
	}
}

/* `seconds`: when it was changed. A directory keeps its own time, whatever is put into it here. */
static void unpack(const char *name, u32 mode, u32 seconds, u32 device, const u8 *body, u32 size)
{
	const char *last;
	struct node *directory = parent_of(name, &last), *node;
	unsigned length = text_length(last);
	struct stamp kept = directory->modify;

	if (!length || (length == 1 && last[0] == '.'))
		return; /* the root itself */
	if (length > NAME_LIMIT || directory_find(directory, last, length))
		machine_panic("payload: an archive entry has a bad name, or stands there twice");
	node = node_new(mode, 0, 0);
	if (!node || directory_add(directory, last, length, node))
		machine_panic("limit: memory is too small for the payload");
	directory->modify = kept;
	node->links = 1;
	switch (mode & S_IFMT) {
	case S_IFDIR:
		node->parent = directory;
		node->links = 2;
		directory->links++;
		break;
	case S_IFREG:
		if (content_put(node, 0, body, size) != (int)size)
			machine_panic("limit: memory is too small for the payload");
		break;
	case S_IFLNK:
		node->target = pool_of(POOL_TEXT, size + 1);
		if (!size || !node->target)
			machine_panic("payload: a symbolic link is empty or too long");
		memcpy(node->target, body, size);
		node->size = size;
		break;
	case S_IFCHR:
		node->device = device;
		break;
	default:
		machine_panic("payload: an archive entry is of a kind that the contract does not know");
	}
	node->modify.seconds = seconds;
	node->modify.nanoseconds = 0;
	node->access = node->modify;
	node_drop(node);
}

void cpio_unpack(const u8 *archive, unsigned long size)
{
	unsigned long at = 0, name_size, file_size, body;
	const char *name;

	for (;;) {
		if (size - at < 110 || memcmp(archive + at, "070701", 6))
			machine_panic("payload: not a newc archive, or cut short");
		file_size = hex(archive + at + 54);
		name_size = hex(archive + at + 94);
		name = (const char *)archive + at + 110;
		body = (at + 110 + name_size + 3) & ~3ul;
		if (!name_size || name_size > PATH_LIMIT || body > size || file_size > size - body || name[name_size - 1])
			machine_panic("payload: the archive is cut short");
		if (text_same(name, "TRAILER!!!"))
			return;
		unpack(name, hex(archive + at + 14), hex(archive + at + 46), hex(archive + at + 78) << 8 | hex(archive + at + 86), archive + body, (u32)file_size);
		at = (body + file_size + 3) & ~3ul;
		if (at > size)
			machine_panic("payload: the archive is cut short");
	}
}
