/* call_change.c: changing what is known of files: modes, owners, times. */

#include "call.h"

#define UTIME_NOW 0x3fffffffu
#define UTIME_OMIT 0x3ffffffeu
#define EARLIEST (-0x80000000ll)
#define LATEST 0x37fffffffll

/* Seconds that are kept in 34 bits (call_status.c): what lies beyond is cut off. */
static void stamp_set(struct stamp *stamp, long long seconds, u32 nanoseconds)
{
	if (seconds < EARLIEST)
		seconds = EARLIEST;
	if (seconds > LATEST)
		seconds = LATEST;
	stamp->seconds = (u32)seconds;
	stamp->nanoseconds = nanoseconds | (u32)((seconds - (int)stamp->seconds) >> 32) << 30;
}

/* Set-user-id bits are refused to builders, as the daemons' system call filters do: no output may hold them. */
static int change_mode(struct process *p, struct node *node, u32 mode)
{
	if (!KIND(node) || (p->euid && p->euid != node->uid)) /* events are the system's */
		return -EPERM;
	if (mode & 06000 && p->pid != 1)
		return -EPERM;
	node->mode = (node->mode & S_IFMT) | (mode & 07777);
	stamp_now(&node->change);
	return 0;
}

static int chmod_at(struct process *p, int at, address path, u32 mode)
{
	struct node *node;
	int error = path_find(p, at, path, 1, &node);

	return error ? error : change_mode(p, node, mode);
}

CALL(chmod)
{
	return chmod_at(p, AT_FDCWD, r->ebx, r->ecx);
}

CALL(fchmodat)
{
	return chmod_at(p, (int)r->ebx, r->ecx, r->edx);
}

CALL(fchmod)
{
	struct file *f = file_of(p, (int)r->ebx);

	if (!f)
		return -EBADF;
	return change_mode(p, f->node, r->ecx);
}

static int in_group(struct process *p, u32 gid)
{
	u32 i;

	if (gid == p->egid)
		return 1;
	for (i = 0; i < p->group_count; i++)
		if (p->groups[i] == gid)
			return 1;
	return 0;
}

static int change_owner(struct process *p, struct node *node, u32 uid, u32 gid)
{
	if (p->euid) {
		if (uid != ~0u && (uid != node->uid || p->euid != node->uid))
			return -EPERM;
		if (gid != ~0u && (p->euid != node->uid || (gid != node->gid && !in_group(p, gid))))
			return -EPERM;
	}
	if (uid != ~0u)
		node->uid = uid;
	if (gid != ~0u)
		node->gid = gid;
	if (KIND(node) == S_IFREG && (uid != ~0u || gid != ~0u))
		node->mode &= ~06000u;
	stamp_now(&node->change);
	return 0;
}

static u32 wide(u32 id) /* from a 16-bit number */
{
	id &= 0xffff;
	return id == 0xffff ? ~0u : id;
}

static int chown_path(struct process *p, address path, int follow, u32 uid, u32 gid)
{
	struct node *node;
	int error = path_find(p, AT_FDCWD, path, follow, &node);

	return error ? error : change_owner(p, node, uid, gid);
}

static int chown_file(struct process *p, int fd, u32 uid, u32 gid)
{
	struct file *f = file_of(p, fd);

	if (!f)
		return -EBADF;
	return change_owner(p, f->node, uid, gid);
}

CALL(chown)
{
	return chown_path(p, r->ebx, 1, r->ecx, r->edx);
}

CALL(lchown)
{
	return chown_path(p, r->ebx, 0, r->ecx, r->edx);
}

CALL(fchown)
{
	return chown_file(p, (int)r->ebx, r->ecx, r->edx);
}

CALL(chown16)
{
	return chown_path(p, r->ebx, 1, wide(r->ecx), wide(r->edx));
}

CALL(lchown16)
{
	return chown_path(p, r->ebx, 0, wide(r->ecx), wide(r->edx));
}

CALL(fchown16)
{
	return chown_file(p, (int)r->ebx, wide(r->ecx), wide(r->edx));
}

CALL(fchownat)
{
	struct node *node;
	int error = find_at(p, (int)r->ebx, r->ecx, r->edi, &node);

	return error ? error : change_owner(p, node, r->edx, r->esi);
}

struct given { /* by a user */
	long long seconds;
	u32 nanoseconds;
};

/* times: 0 for now. Given times need the owner, "now" needs the right to write. */
static int change_times(struct process *p, struct node *node, const struct given *times)
{
	int now = !times || (times[0].nanoseconds == UTIME_NOW && times[1].nanoseconds == UTIME_NOW), i;
	struct stamp *to;

	if (times && times[0].nanoseconds == UTIME_OMIT && times[1].nanoseconds == UTIME_OMIT)
		return 0;
	for (i = 0; times && i < 2; i++)
		if (times[i].nanoseconds > 999999999 && times[i].nanoseconds != UTIME_NOW && times[i].nanoseconds != UTIME_OMIT)
			return -EINVAL;
	if (p->euid && p->euid != node->uid) {
		if (!now)
			return -EPERM;
		if (may(p, node, MAY_WRITE))
			return -EACCES;
	}
	for (i = 0; i < 2; i++) {
		to = i ? &node->modify : &node->access;
		if (!times || times[i].nanoseconds == UTIME_NOW)
			stamp_now(to);
		else if (times[i].nanoseconds != UTIME_OMIT)
			stamp_set(to, times[i].seconds, times[i].nanoseconds);
	}
	stamp_now(&node->change);
	return 0;
}

static int times_at(struct process *p, int at, address path, u32 flags, const struct given *times)
{
	struct node *node = 0;
	struct file *f;
	int error = 0;

	if (!path) { /* futimens */
		f = file_of(p, at);
		if (!f)
			return -EBADF;
		node = f->node;
	} else {
		error = find_at(p, at, path, flags, &node);
	}
	return error ? error : change_times(p, node, times);
}

CALL(utime)
{
	long long given[2];
	struct given times[2];

	if (!r->ebx)
		return -EFAULT;
	if (!r->ecx)
		return times_at(p, AT_FDCWD, r->ebx, 0, 0);
	if (user_numbers(p, given, r->ecx, 2))
		return -EFAULT;
	times[0].seconds = given[0];
	times[1].seconds = given[1];
	times[0].nanoseconds = times[1].nanoseconds = 0;
	return times_at(p, AT_FDCWD, r->ebx, 0, times);
}

CALL(utimes)
{
	struct given times[2];
	long long pair[4];
	u32 i;

	if (!r->ebx)
		return -EFAULT;
	if (!r->ecx)
		return times_at(p, AT_FDCWD, r->ebx, 0, 0);
	if (user_numbers(p, pair, r->ecx, 4))
		return -EFAULT;
	for (i = 0; i < 2; i++) {
		if (pair[2 * i + 1] < 0 || pair[2 * i + 1] > 999999)
			return -EINVAL;
		times[i].seconds = pair[2 * i];
		times[i].nanoseconds = (u32)pair[2 * i + 1] * 1000;
	}
	return times_at(p, AT_FDCWD, r->ebx, 0, times);
}

CALL(utimensat)
{
	struct given times[2];
	u32 pair[4], i;

	if (!r->edx)
		return times_at(p, (int)r->ebx, r->ecx, r->esi, 0);
	if (user_read(p, pair, r->edx, 16))
		return -EFAULT;
	for (i = 0; i < 2; i++) {
		times[i].seconds = (int)pair[2 * i];
		times[i].nanoseconds = pair[2 * i + 1];
	}
	return times_at(p, (int)r->ebx, r->ecx, r->esi, times);
}

CALL(utimensat64)
{
	u64 given[4];
	struct given times[2];

	if (!r->edx)
		return times_at(p, (int)r->ebx, r->ecx, r->esi, 0);
	if (user_read(p, given, r->edx, 32))
		return -EFAULT;
	times[0].seconds = (long long)given[0];
	times[0].nanoseconds = (u32)given[1];
	times[1].seconds = (long long)given[2];
	times[1].nanoseconds = (u32)given[3];
	return times_at(p, (int)r->ebx, r->ecx, r->esi, times);
}
