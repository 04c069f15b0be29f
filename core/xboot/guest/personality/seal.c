/* seal.c: memory files (memfd_create), and seals: what may not be done any more to a file that several processes show. Who writes, cuts or maps asks here. */

#include "call.h"

#define SEAL_SEAL 1u
#define SEAL_SHRINK 2u
#define SEAL_GROW 4u
#define SEAL_WRITE 8u
#define SEAL_FUTURE_WRITE 16u
#define SEALS 31u
#define MEMORY_NAME 249

/* memfd_create(name, flags: 1 close on exec, 2 it may be sealed). The name is for people to read; no directory ever has it. */
CALL(memfd_create)
{
	static char name[PATH_LIMIT];
	int length;
	struct node *node;
	struct file *f;

	if (r->ecx & ~3u)
		return -EINVAL;
	length = path_get(p, r->ebx, name);
	if (length == -EFAULT)
		return -EFAULT;
	if (length < 0 || length > MEMORY_NAME)
		return -EINVAL;
	node = node_new(S_IFREG | 0777, p->euid, p->egid);
	if (!node)
		return -ENOMEM;
	node->seals = r->ecx & 2 ? 0 : SEAL_SEAL;
	node->memory = 1;
	f = file_new(node, O_RDWR);
	if (!f) {
		node_drop(node);
		return -ENOMEM;
	}
	return file_install(p, f, 0, r->ecx & 1 ? 1 : 0);
}

/* fcntl: F_ADD_SEALS, F_GET_SEALS. Ordinary files are sealed against seals. */
int seal_command(struct file *f, int adds, u32 seals)
{
	struct node *node = f->node;
	u32 has = node->memory ? node->seals : SEAL_SEAL;

	if (!adds)
		return KIND(node) == S_IFREG ? (int)has : -EINVAL;
	if (!(f->flags & O_ACCMODE))
		return -EPERM;
	if (seals & ~SEALS || KIND(node) != S_IFREG)
		return -EINVAL;
	if (has & SEAL_SEAL)
		return -EPERM;
	if (seals & SEAL_WRITE && !(has & SEAL_WRITE) && node->written)
		return -EBUSY;
	node->seals |= seals;
	return 0;
}

/* May these bytes be written? */
int seal_stops_write(struct node *node, u64 end)
{
	return node->seals & (SEAL_WRITE | SEAL_FUTURE_WRITE) || (node->seals & SEAL_GROW && end > node->size);
}

/* May the file get this size? */
int seal_stops_size(struct node *node, u64 size)
{
	return (node->seals & SEAL_SHRINK && size < node->size) || (node->seals & SEAL_GROW && size > node->size);
}

/* May it be mapped as shared by who may write it? If only without the right to write, that is taken from `most`. */
int seal_stops_view(struct node *node, u32 protection, struct view *view)
{
	if (node->seals & SEAL_WRITE || (node->seals & SEAL_FUTURE_WRITE && protection & PROT_WRITE))
		return 1;
	if (node->seals & SEAL_FUTURE_WRITE)
		view->most &= ~PROTECT_WRITE;
	return 0;
}
