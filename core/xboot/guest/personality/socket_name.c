/* socket_name.c: names of sockets: those that a call gives and gets, free ones, and the socket that one leads to. */

#include "socket.h"

#define ADDRESS_MOST 128u     /* sizeof(struct sockaddr_storage) */

/* struct sockaddr_un. A first byte of 0: a name that no file has, all of it; else a path. A length of 0: none was given. */
int name_take(struct process *p, address at, u32 length, struct name *name)
{
	char given[ADDRESS_MOST];
	u16 family;
	u32 i;

	name->length = 0;
	if (length > ADDRESS_MOST)
		return -EINVAL;
	if (user_read(p, given, at, length))
		return -EFAULT;
	if (length < 2 || length > 2 + SOCKET_NAME)
		return -EINVAL;
	memcpy(&family, given, 2);
	if (family != AF_UNIX)
		return -EINVAL;
	memcpy(name->text, given + 2, length - 2);
	name->text[length - 2] = 0;
	for (i = 0; name->text[i]; i++)
		;
	name->length = length > 2 && !i ? length - 2 : i ? i + 1 : 0;
	return 0;
}

/* The length is taken and given: what there is room for is written, the whole is told. */
int name_give(struct process *p, address to, address length_at, const char *text, u32 length)
{
	char given[2 + SOCKET_NAME + 1];
	u32 room;

	if (user_read(p, &room, length_at, 4))
		return -EFAULT;
	if (room >> 31)
		return -EINVAL;
	given[0] = AF_UNIX;
	given[1] = 0;
	memcpy(given + 2, text, length);
	length += 2;
	return user_write(p, to, given, room < length ? room : length) || user_write(p, length_at, &length, 4) ? -EFAULT : 0;
}

/* The socket that a name leads to. 0 or an error. */
static int lookup(struct process *p, struct name *name, u32 style, struct socket **found)
{
	struct found f;
	int error;

	if (!name->length)
		return -EINVAL;
	if (!name->text[0]) {
		*found = socket_abstract(name->text, name->length, style);
		return *found ? 0 : -ECONNREFUSED;
	}
	error = path_walk(p, AT_FDCWD, name->text, 1, &f);
	if (error)
		return error;
	if (!f.node)
		return -ENOENT;
	if (f.slash && KIND(f.node) != S_IFDIR)
		return -ENOTDIR;
	if (may(p, f.node, MAY_WRITE))
		return -EACCES;
	if (KIND(f.node) != S_IFSOCK || !f.node->bound)
		return -ECONNREFUSED;
	*found = f.node->bound;
	return (*found)->style == style ? 0 : -EPROTOTYPE;
}

/* The lowest free name, which no file has, of five digits: what an earlier step took does not show in it. */
int name_free(struct socket *s)
{
	static const char digits[] = "0123456789abcdef";
	u32 number, i;
	char text[6];

	for (number = 1; number < 0x100000; number++) {
		text[0] = 0;
		for (i = 0; i < 5; i++)
			text[1 + i] = digits[number >> (16 - 4 * i) & 15];
		if (socket_abstract(text, 6, s->style))
			continue;
		memcpy(s->name, text, 6);
		s->name_length = 6;
		s->bound = 1;
		return 0;
	}
	return -ENOSPC;
}

/* Who asks for credentials sends with a name, so that he can be answered. */
int name_own(struct socket *s)
{
	return s->pass_credentials && !s->name_length ? name_free(s) : 0;
}

/* The living socket of this style that an address names, for one who sends there or is joined to it. 0 or an error. */
int name_leads(struct process *p, struct socket *s, address at, u32 length, struct socket **found)
{
	struct name name;
	int error = name_take(p, at, length, &name);

	if (!error)
		error = name_own(s);
	return error ? error : lookup(p, &name, s->style, found);
}
