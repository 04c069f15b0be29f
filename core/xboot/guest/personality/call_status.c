/* call_status.c: what is known of files: stat and its kin, access, and of the file system. Changing it: call_change.c. */

#include "call.h"

static struct node *node_of(struct process *p, int fd)
{
	struct file *f = descriptor_of(p, fd);

	return f ? f->node : 0;
}

/* Path, or with AT_EMPTY_PATH and an empty path the descriptor itself. */
int find_at(struct process *p, int at, address path, u32 flags, struct node **node)
{
	char first;

	if (flags & AT_EMPTY_PATH) {
		if (path && user_read(p, &first, path, 1))
			return -EFAULT;
		if (!path || !first) {
			*node = at == AT_FDCWD ? p->cwd : node_of(p, at);
			return *node ? 0 : -EBADF;
		}
	}
	return path_find(p, at, path, !(flags & AT_SYMLINK_NOFOLLOW), node);
}

static u64 blocks_of(struct node *node)
{
	return KIND(node) == S_IFREG ? (node->size + PAGE_MASK) / PAGE_SIZE * 8 : 0;
}

#define NANOSECONDS 0x3fffffffu

/* Seconds have 34 bits, from 1901 to 2446: 32 are a signed number, two above the nanoseconds count its overflows, as in ext4. */
static long long stamp_seconds(const struct stamp *stamp)
{
	return (long long)(int)stamp->seconds + ((long long)(stamp->nanoseconds >> 30) << 32);
}

/* What has no name lies on a file system of its own, and counts as named once, as in Linux. */
static u32 system_of(struct node *node)
{
	return node->nameless ? 12 : 1;
}

static u32 links_of(struct node *node)
{
	return node->nameless ? 1 : node->links;
}

/* The lower half of the seconds, as the old layouts have it. */
static void put_stamp(u32 *to, const struct stamp *stamp)
{
	to[0] = stamp->seconds;
	to[1] = stamp->nanoseconds & NANOSECONDS;
}

static void put_time(u32 *at, const struct stamp *stamp)
{
	long long seconds = stamp_seconds(stamp);

	memcpy(at, &seconds, 8);
	at[2] = stamp->nanoseconds & NANOSECONDS;
}

static int give_old(struct process *p, address to, struct node *n)
{
	u32 s[16];

	if (n->size > 0x7fffffff)
		return -EOVERFLOW;
	memset(s, 0, sizeof s);
	s[0] = system_of(n);
	s[1] = n->number;
	s[2] = (n->mode & 0xffff) | links_of(n) << 16;
	s[3] = (n->uid & 0xffff) | n->gid << 16;
	s[4] = n->device;
	s[5] = (u32)n->size;
	s[6] = PAGE_SIZE;
	s[7] = (u32)blocks_of(n);
	put_stamp(s + 8, &n->access);
	put_stamp(s + 10, &n->modify);
	put_stamp(s + 12, &n->change);
	return user_write(p, to, s, sizeof s);
}

/* As x86_64 has it. */
static int give_wide(struct process *p, address to, struct node *n)
{
	u64 s[18];

	memset(s, 0, sizeof s);
	s[0] = system_of(n);
	s[1] = n->number;
	s[2] = links_of(n);
	s[3] = (u64)n->uid << 32 | n->mode;
	s[4] = n->gid;
	s[5] = n->device;
	s[6] = n->size;
	s[7] = PAGE_SIZE;
	s[8] = blocks_of(n);
	put_time((u32 *)(s + 9), &n->access);
	put_time((u32 *)(s + 11), &n->modify);
	put_time((u32 *)(s + 13), &n->change);
	return user_write(p, to, s, sizeof s);
}

static int give_64(struct process *p, address to, struct node *n)
{
	u32 s[24];
	u64 blocks = blocks_of(n);

	if (WIDE(p))
		return give_wide(p, to, n);
	memset(s, 0, sizeof s);
	s[0] = system_of(n);
	s[3] = n->number;
	s[4] = n->mode;
	s[5] = links_of(n);
	s[6] = n->uid;
	s[7] = n->gid;
	s[8] = n->device;
	memcpy(s + 11, &n->size, 8);
	s[13] = PAGE_SIZE;
	memcpy(s + 14, &blocks, 8);
	put_stamp(s + 16, &n->access);
	put_stamp(s + 18, &n->modify);
	put_stamp(s + 20, &n->change);
	s[22] = n->number;
	return user_write(p, to, s, sizeof s);
}

static int of_path(struct process *p, struct machine_registers *r, int follow, int (*give)(struct process *, address, struct node *))
{
	struct node *node;
	int error = path_find(p, AT_FDCWD, r->ebx, follow, &node);

	return error ? error : give(p, r->ecx, node);
}

static int of_file(struct process *p, struct machine_registers *r, int (*give)(struct process *, address, struct node *))
{
	struct node *node = node_of(p, (int)r->ebx);

	return node ? give(p, r->ecx, node) : -EBADF;
}

CALL(stat)
{
	return of_path(p, r, 1, give_old);
}

CALL(lstat)
{
	return of_path(p, r, 0, give_old);
}

CALL(fstat)
{
	return of_file(p, r, give_old);
}

CALL(stat64)
{
	return of_path(p, r, 1, give_64);
}

CALL(lstat64)
{
	return of_path(p, r, 0, give_64);
}

CALL(fstat64)
{
	return of_file(p, r, give_64);
}

CALL(fstatat64)
{
	struct node *node;
	int error = find_at(p, (int)r->ebx, r->ecx, r->esi, &node);

	return error ? error : give_64(p, r->edx, node);
}

CALL(statx)
{
	struct node *n;
	u32 s[64];
	u64 blocks;
	int error = find_at(p, (int)r->ebx, r->ecx, r->edx, &n);

	if (error)
		return error;
	memset(s, 0, sizeof s);
	blocks = blocks_of(n);
	s[0] = 0x7ff;
	s[1] = PAGE_SIZE;
	s[4] = links_of(n);
	s[5] = n->uid;
	s[6] = n->gid;
	s[7] = n->mode;
	s[8] = n->number;
	memcpy(s + 10, &n->size, 8);
	memcpy(s + 12, &blocks, 8);
	put_time(s + 16, &n->access);
	put_time(s + 24, &n->change);
	put_time(s + 28, &n->modify);
	s[32] = n->device >> 8;
	s[33] = n->device & 255;
	s[35] = system_of(n);
	return user_write(p, r->edi, s, sizeof s);
}

static int access_at(struct process *p, int at, address path, u32 wanted, u32 flags)
{
	struct node *node;
	u32 euid = p->euid, egid = p->egid;
	int error;

	if (wanted & ~7u)
		return -EINVAL;
	if (!(flags & AT_EACCESS)) {
		p->euid = p->uid;
		p->egid = p->gid;
	}
	error = find_at(p, at, path, flags, &node);
	if (!error)
		error = may(p, node, wanted);
	p->euid = euid;
	p->egid = egid;
	return error;
}

CALL(access)
{
	return access_at(p, AT_FDCWD, r->ebx, r->ecx, 0);
}

CALL(faccessat)
{
	return access_at(p, (int)r->ebx, r->ecx, r->edx, r->eax == 439 ? r->esi : 0); /* only faccessat2 has flags */
}

/* ---- the file system as a whole: a tmpfs ---- */

#define TMPFS 0x01021994u
#define FILES 1000000u      /* inodes: more than memory ever holds */
#define FILES_FREE 900000u

/* struct statfs64, or the older one; counts are in pages. */
static int give_statfs(struct process *p, address to, int wide)
{
	u32 s[21];

	memset(s, 0, sizeof s);
	s[0] = TMPFS;
	s[1] = PAGE_SIZE;
	if (wide) {
		s[2] = machine_frames_total();
		s[4] = s[6] = machine_frames_free();
		s[8] = FILES;
		s[10] = FILES_FREE;
		s[14] = NAME_LIMIT;
		s[15] = PAGE_SIZE;
		return user_write(p, to, s, 84);
	}
	s[2] = machine_frames_total();
	s[3] = s[4] = machine_frames_free();
	s[5] = FILES;
	s[6] = FILES_FREE;
	s[WIDE(p) ? 8 : 9] = NAME_LIMIT;
	s[WIDE(p) ? 9 : 10] = PAGE_SIZE;
	return user_give(p, to, s, WIDE(p) ? 15 : 16);
}

CALL(statfs64)
{
	struct node *node;
	int error = path_find(p, AT_FDCWD, r->ebx, 1, &node);

	return error ? error : r->ecx != 84 ? -EINVAL : give_statfs(p, r->edx, 1);
}

CALL(fstatfs64)
{
	return !descriptor_of(p, (int)r->ebx) ? -EBADF : r->ecx != 84 ? -EINVAL : give_statfs(p, r->edx, 1);
}

CALL(statfs)
{
	struct node *node;
	int error = path_find(p, AT_FDCWD, r->ebx, 1, &node);

	return error ? error : give_statfs(p, r->ecx, 0);
}

CALL(fstatfs)
{
	return descriptor_of(p, (int)r->ebx) ? give_statfs(p, r->ecx, 0) : -EBADF;
}
