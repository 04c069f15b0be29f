/* call_system.c: the system as a whole. */

#include "call.h"

static char host[65] = "localhost";

CALL(uname)
{
	static char names[6][65] = { "Linux", "", "6.1.0", "#1", "i686", "(none)" };

	memcpy(names[1], host, sizeof host);
	return user_write(p, r->ebx, names, sizeof names);
}

CALL(sethostname)
{
	char name[65];

	if (p->euid)
		return -EPERM;
	if (r->ecx > 64)
		return -EINVAL;
	memset(name, 0, sizeof name);
	if (user_read(p, name, r->ebx, r->ecx))
		return -EFAULT;
	memcpy(host, name, sizeof host);
	return 0;
}

static void limits(u32 resource, u32 two[2])
{
	two[0] = two[1] = ~0u;
	if (resource == 3)
		two[0] = two[1] = STACK_LIMIT;
	else if (resource == 7)
		two[0] = two[1] = DESCRIPTORS;
	else if (resource == 6)
		two[0] = two[1] = PROCESSES;
	else if (resource == 4)
		two[0] = two[1] = 0; /* no core files */
}

CALL(getrlimit)
{
	u32 two[2];

	if (r->ebx > 15)
		return -EINVAL;
	limits(r->ebx, two);
	return user_write(p, r->ecx, two, 8);
}

/* The limits are what they are: accepted, not obeyed. */
CALL(setrlimit)
{
	u32 two[2];

	return r->ebx > 15 ? -EINVAL : user_read(p, two, r->ecx, 8);
}

CALL(prlimit64)
{
	u32 two[2], four[4];

	if (r->ecx > 15)
		return -EINVAL;
	if (r->ebx && r->ebx != p->leader->local)
		return -EPERM;
	limits(r->ecx, two);
	four[0] = two[0];
	four[2] = two[1];
	four[1] = two[0] == ~0u ? ~0u : 0;
	four[3] = two[1] == ~0u ? ~0u : 0;
	return r->esi ? user_write(p, r->esi, four, 16) : 0;
}

CALL(getrusage)
{
	static const char zeros[72];

	if (r->ebx != 0 && r->ebx != 1 && r->ebx != ~0u)
		return -EINVAL;
	return user_write(p, r->ecx, zeros, 72);
}

CALL(sysinfo)
{
	u32 s[16];

	memset(s, 0, sizeof s);
	s[0] = (u32)(machine_clock() / 1000000000u);
	s[4] = machine_frames_total();
	s[5] = machine_frames_free();
	s[10] = 1; /* processes; unimportant */
	s[13] = PAGE_SIZE;
	return user_write(p, r->ebx, s, sizeof s);
}

CALL(getrandom)
{
	u8 piece[64];
	u32 done, part;

	if (r->edx & ~7u)
		return -EINVAL;
	for (done = 0; done < r->ecx; done += part) {
		part = r->ecx - done < sizeof piece ? r->ecx - done : (u32)sizeof piece;
		random_bytes(piece, part);
		if (user_write(p, r->ebx + done, piece, part))
			return done ? (int)done : -EFAULT;
	}
	return (int)done;
}

/* Of file systems there are /proc and /dev/pts. Each is mounted for the namespace of the caller, once, and goes with it. */
CALL(mount)
{
	char type[8];
	struct node *node;
	int error, terminals;

	if (p->euid)
		return -EPERM;
	memset(type, 0, sizeof type);
	if (user_read(p, type, r->edx, 5))
		return -EFAULT;
	terminals = !memcmp(type, "devpt", 5) && !user_read(p, type, r->edx, 7) && text_same(type, "devpts");
	if ((!terminals && !text_same(type, "proc")) || p->group->first != p || p->pid == 1)
		return -ENODEV;
	error = path_find(p, AT_FDCWD, r->ecx, 1, &node);
	if (error)
		return error;
	if (KIND(node) != S_IFDIR)
		return -ENOTDIR;
	if (terminals)
		return terminals_mount(p, node);
	if (node->view || p->group->proc)
		return -EBUSY;
	node_keep(node);
	p->group->proc = node;
	return 0;
}

CALL(umount)
{
	UNUSED_REGISTERS;
	return p->euid ? -EPERM : -EINVAL;
}

CALL(ioperm)
{
	UNUSED_PROCESS;
	UNUSED_REGISTERS;
	return -EPERM; /* no process touches hardware */
}

CALL(reboot)
{
	UNUSED_REGISTERS;
	return -EPERM + (p->pid == 1 ? EPERM - EINVAL : 0); /* the machine ends through /dev/port (contract section 6) */
}

/* Extended attributes: this file system has none. */
CALL(attributes)
{
	UNUSED_PROCESS;
	UNUSED_REGISTERS;
	return -EOPNOTSUPP;
}

CALL(nothing)
{
	UNUSED_PROCESS;
	UNUSED_REGISTERS;
	return 0;
}
