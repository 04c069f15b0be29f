/* call_system.c: the system as a whole. */

#include "call.h"

static char host[65] = "localhost";

CALL(uname)
{
	static char names[6][65] = { "Linux", "", "6.1.0", "#1", "i686", "(none)" };

	memcpy(names[1], host, sizeof host);
#ifdef MACHINE_WIDE /* whoever asks: what PER_LINUX32 hides */
	memcpy(names[4], (p->personality & 0xff) == 8 ? "i686\0\0" : "x86_64", 7);
#endif
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

/* struct rlimit has words of 32 bits, but of a wide program: what does not fit is no limit. */
CALL(getrlimit)
{
	struct limit *l;
	u32 two[2];

	if (r->ebx >= LIMITS)
		return -EINVAL;
	l = &p->crew->limits[r->ebx];
	if (WIDE(p))
		return user_write(p, r->ecx, l, sizeof *l);
	two[0] = l->soft > ~0u ? ~0u : (u32)l->soft;
	two[1] = l->hard > ~0u ? ~0u : (u32)l->hard;
	return user_write(p, r->ecx, two, 8);
}

/* A hard limit is raised by root alone, that on descriptors by nobody. */
static int limit_set(struct process *p, struct crew *crew, u32 resource, u64 soft, u64 hard)
{
	struct limit *l = &crew->limits[resource];

	if (soft > hard)
		return -EINVAL;
	if ((hard > l->hard && p->euid) || (resource == LIMIT_FILES && hard > DESCRIPTORS))
		return -EPERM;
	l->soft = soft;
	l->hard = hard;
	return 0;
}

CALL(setrlimit)
{
	struct limit wide;
	u32 two[2];

	if (r->ebx >= LIMITS)
		return -EINVAL;
	if (WIDE(p))
		return user_read(p, &wide, r->ecx, sizeof wide) ? -EFAULT : limit_set(p, p->crew, r->ebx, wide.soft, wide.hard);
	if (user_read(p, two, r->ecx, 8))
		return -EFAULT;
	return limit_set(p, p->crew, r->ebx, two[0] == ~0u ? NO_LIMIT : two[0], two[1] == ~0u ? NO_LIMIT : two[1]);
}

/* prlimit64(process, resource, new, old): a builder may ask about any process of its own, as all have one user. */
CALL(prlimit64)
{
	struct process *q = r->ebx ? process_by_number(p, r->ebx) : p;
	struct limit old, fresh;
	int error;

	if (r->ecx >= LIMITS)
		return -EINVAL;
	if (!q)
		return -ESRCH;
	if (p->euid && q->euid != p->euid)
		return -EPERM;
	old = q->crew->limits[r->ecx];
	if (r->edx) {
		if (user_read(p, &fresh, r->edx, sizeof fresh))
			return -EFAULT;
		error = limit_set(p, q->crew, r->ecx, fresh.soft, fresh.hard);
		if (error)
			return error;
	}
	return r->esi ? user_write(p, r->esi, &old, sizeof old) : 0;
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
	return user_give(p, r->ebx, s, WIDE(p) ? 14 : 16);
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

#ifdef MACHINE_WIDE
/* Where fs and gs of a wide thread begin. */
CALL(arch_prctl)
{
	u64 base = r->ebx == 0x1003 ? p->r->fs_base : p->r->gs_base;

	if (!WIDE(p))
		return -ENOSYS;
	switch (r->ebx) {
	case 0x1001: /* ARCH_SET_GS, ARCH_SET_FS */
	case 0x1002:
		if (r->ecx >= USER_TOP)
			return -EPERM;
		machine_thread_base(p->thread, r->ebx == 0x1001, r->ecx);
		return 0;
	case 0x1003: /* ARCH_GET_FS, ARCH_GET_GS */
	case 0x1004:
		return user_write(p, r->ecx, &base, 8);
	default:
		return -EINVAL;
	}
}
#endif

/* ---- capabilities: a builder has none, as in nix's sandbox, and gets none ---- */

#define CAPABILITY_VERSION 0x20080522u /* the newest of three; the first has sets of 32 */

/* {version, process}. How many parts the sets have; 0 or an error. */
static int capability_parts(struct process *p, address head, u32 given[2])
{
	u32 newest = CAPABILITY_VERSION;

	if (user_read(p, given, head, 8))
		return -EFAULT;
	if (given[0] == 0x19980330u)
		return 1;
	if (given[0] == 0x20071026u || given[0] == CAPABILITY_VERSION)
		return 2;
	return user_write(p, head, &newest, 4) ? -EFAULT : -EINVAL;
}

CALL(capget)
{
	static const u32 none[6];
	u32 head[2];
	int n = capability_parts(p, r->ebx, head);

	if (n == -EINVAL && !r->ecx)
		return 0; /* asked for the version alone */
	if (n < 0 || !r->ecx)
		return n < 0 ? n : 0;
	if ((int)head[1] < 0)
		return -EINVAL;
	if (head[1] && !process_by_number(p, head[1]))
		return -ESRCH;
	return user_write(p, r->ecx, none, (u32)n * 12);
}

CALL(capset)
{
	u32 head[2], sets[6], i;
	int n = capability_parts(p, r->ebx, head);

	if (n < 0)
		return n;
	if (head[1] && head[1] != p->local)
		return -EPERM;
	if (user_read(p, sets, r->ecx, (u32)n * 12))
		return -EFAULT;
	for (i = 0; i < (u32)n * 3; i++)
		if (sets[i])
			return -EPERM;
	return 0;
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
