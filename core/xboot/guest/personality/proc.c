/* proc.c: /proc: what stands there, and the way through it. Nothing of it is kept: each look-up makes a node without a name, whose text is as things stood
   then, and which is dropped when the next path is walked, unless somebody opened it. It lies where the step's first process mounted it, for the processes of
   that step alone; they see no others. Its directories are nodes with a `view`; where a descriptor, a program or a directory is meant, it is the thing itself.
   The texts are in proc_text.c. */

#include "proc.h"

#define LENT 40u /* steps into /proc in one path: ENOMEM */

static struct node *lent[LENT];
static u32 lent_count;

/* What stands in which kind of directory. Constant texts are the same on all kernels (docs/refusals.md). */
static const struct item {
	u8 in, kind;
	const char *name;
	u16 mode;         /* of a file */
	const char *text; /* 0: made by proc_text; of a link: where it leads */
} items[] = {
	{ VIEW_ROOT, VIEW_LINK, "self", 0, 0 },
	{ VIEW_ROOT, VIEW_LINK, "thread-self", 0, 0 },
	{ VIEW_ROOT, VIEW_CONSTANT, "cpuinfo", 0444, "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel name\t: i686\nflags\t\t: fpu tsc cx8 cmov mmx fxsr sse sse2\n\n" },
	{ VIEW_ROOT, VIEW_CONSTANT, "filesystems", 0444, "nodev\tproc\nnodev\ttmpfs\n" },
	{ VIEW_ROOT, VIEW_CONSTANT, "loadavg", 0444, "0.00 0.00 0.00 1/1 1\n" },
	{ VIEW_ROOT, VIEW_MEMINFO, "meminfo", 0444, 0 },
	{ VIEW_ROOT, VIEW_LINK, "mounts", 0, "self/mounts" },
	{ VIEW_ROOT, VIEW_SYSTEM, "stat", 0444, 0 },
	{ VIEW_ROOT, VIEW_SYS, "sys", 0, 0 },
	{ VIEW_ROOT, VIEW_UPTIME, "uptime", 0444, 0 },
	{ VIEW_ROOT, VIEW_CONSTANT, "version", 0444, "Linux version 6.1.0 (xboot) #1\n" },
	{ VIEW_SYS, VIEW_SYS_FS, "fs", 0, 0 },
	{ VIEW_SYS, VIEW_SYS_KERNEL, "kernel", 0, 0 },
	{ VIEW_SYS, VIEW_SYS_VM, "vm", 0, 0 },
	{ VIEW_SYS_FS, VIEW_CONSTANT, "file-max", 0444, "131072\n" },
	{ VIEW_SYS_FS, VIEW_CONSTANT, "pipe-max-size", 0444, "65536\n" },
	{ VIEW_SYS_KERNEL, VIEW_CONSTANT, "cap_last_cap", 0444, "40\n" },
	{ VIEW_SYS_KERNEL, VIEW_CONSTANT, "hostname", 0444, "localhost\n" },
	{ VIEW_SYS_KERNEL, VIEW_CONSTANT, "ngroups_max", 0444, "65536\n" },
	{ VIEW_SYS_KERNEL, VIEW_CONSTANT, "osrelease", 0444, "6.1.0\n" },
	{ VIEW_SYS_KERNEL, VIEW_CONSTANT, "ostype", 0444, "Linux\n" },
	{ VIEW_SYS_KERNEL, VIEW_CONSTANT, "overflowuid", 0444, "65534\n" },
	{ VIEW_SYS_KERNEL, VIEW_CONSTANT, "pid_max", 0444, "32768\n" },
	{ VIEW_SYS_KERNEL, VIEW_CONSTANT, "version", 0444, "#1\n" },
	{ VIEW_SYS_KERNEL, VIEW_SYS_RANDOM, "random", 0, 0 },
	{ VIEW_SYS_RANDOM, VIEW_CONSTANT, "boot_id", 0444, "00000000-0000-4000-8000-000000000000\n" },
	{ VIEW_SYS_RANDOM, VIEW_UUID, "uuid", 0444, 0 },
	{ VIEW_SYS_VM, VIEW_CONSTANT, "max_map_count", 0444, "65530\n" },
	{ VIEW_SYS_VM, VIEW_CONSTANT, "overcommit_memory", 0444, "0\n" },
	{ VIEW_PROCESS, VIEW_CMDLINE, "cmdline", 0444, 0 },
	{ VIEW_PROCESS, VIEW_COMM, "comm", 0444, 0 },
	{ VIEW_PROCESS, VIEW_CWD, "cwd", 0, 0 },
	{ VIEW_PROCESS, VIEW_ENVIRON, "environ", 0400, 0 },
	{ VIEW_PROCESS, VIEW_EXE, "exe", 0, 0 },
	{ VIEW_PROCESS, VIEW_FD, "fd", 0, 0 },
	{ VIEW_PROCESS, VIEW_MAPS, "maps", 0444, 0 },
	{ VIEW_PROCESS, VIEW_CONSTANT, "mountinfo", 0444, "20 1 0:12 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw\n" },
	{ VIEW_PROCESS, VIEW_CONSTANT, "mounts", 0444, "proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0\n" },
	{ VIEW_PROCESS, VIEW_CONSTANT, "oom_score_adj", 0444, "0\n" },
	{ VIEW_PROCESS, VIEW_ROOT_LINK, "root", 0, 0 },
	{ VIEW_PROCESS, VIEW_STAT, "stat", 0444, 0 },
	{ VIEW_PROCESS, VIEW_STATM, "statm", 0444, 0 },
	{ VIEW_PROCESS, VIEW_STATUS, "status", 0444, 0 },
	{ VIEW_PROCESS, VIEW_TASK, "task", 0, 0 },
};

#define ITEMS ((u32)(sizeof items / sizeof *items))

static u32 mode_of(const struct item *item)
{
	return item->kind < VIEW_CONSTANT ? S_IFDIR | 0555 : item->mode ? S_IFREG | item->mode : S_IFLNK | 0777;
}

void proc_forget(void)
{
	while (lent_count)
		node_drop(lent[--lent_count]);
}

/* view of a directory: its kind, and below that the number of the process that it is about. 0: it is not in /proc. */
static u32 view_of(struct process *p, struct node *directory)
{
	return directory->view ? directory->view : directory == p->group->proc ? VIEW_ROOT << 24 : 0;
}

int proc_is(struct process *p, struct node *directory)
{
	return view_of(p, directory) != 0;
}

static struct node *lend(struct process *p, u32 mode)
{
	struct node *node = lent_count < LENT ? node_nameless(p, mode) : 0;

	if (node)
		lent[lent_count++] = node;
	return node;
}

static int lend_link(struct process *p, const char *text, u32 length, struct node **node)
{
	*node = lend(p, S_IFLNK | 0777);
	if (!*node)
		return -ENOMEM;
	(*node)->target = pool_of(POOL_TEXT, length + 1);
	if (!(*node)->target)
		return -ENOMEM;
	memcpy((*node)->target, text, length);
	(*node)->size = length;
	return 0;
}

/* A thing that a link of /proc stands for: itself when the link is followed, else a link with its name. */
static int lend_thing(struct process *p, struct node *thing, int follow, struct node **node)
{
	static char text[PATH_LIMIT];

	if (!thing)
		return -ENOENT;
	*node = thing;
	return follow ? 0 : lend_link(p, text, node_text(p, thing, text), node);
}

static int number_of(const char *name, u32 length)
{
	u32 i, n = 0;

	for (i = 0; i < length; i++) {
		if (name[i] < '0' || name[i] > '9' || n > 100000000)
			return -1;
		n = n * 10 + (u32)(name[i] - '0');
	}
	return length && (name[0] != '0' || length == 1) && n <= 0xffffff ? (int)n : -1; /* as much as a view can hold */
}

static int lend_directory(struct process *p, u32 view, struct node **node)
{
	*node = lend(p, S_IFDIR | 0555);
	if (!*node)
		return -ENOMEM;
	(*node)->view = view;
	(*node)->number = view; /* so that it looks the same next time */
	return 0;
}

static int same_name(const char *a, const char *name, u32 length)
{
	return text_length(a) == length && !memcmp(a, name, length);
}

static int one_item(struct process *p, u32 i, struct process *about, int follow, struct node **node)
{
	struct node *n;
	char text[32];
	int error;

	switch (items[i].kind) {
	case VIEW_LINK:
		if (items[i].text)
			return lend_link(p, items[i].text, text_length(items[i].text), node);
		error = (int)proc_self(p, text, items[i].name[0] == 't');
		return lend_link(p, text, (u32)error, node);
	case VIEW_CWD:
		return lend_thing(p, about->cwd, follow, node);
	case VIEW_ROOT_LINK:
		return lend_thing(p, about->root, follow, node);
	case VIEW_EXE:
		return lend_thing(p, about->memory->program, follow, node);
	default:
		break;
	}
	if ((mode_of(&items[i]) & S_IFMT) == S_IFDIR)
		return lend_directory(p, (u32)items[i].kind << 24 | (about ? about->local : 0), node);
	n = lend(p, mode_of(&items[i]));
	if (!n)
		return -ENOMEM;
	if (about) {
		n->uid = about->euid;
		n->gid = about->egid;
	} else {
		n->uid = n->gid = 0;
	}
	*node = n;
	return items[i].text ? (content_put(n, 0, items[i].text, text_length(items[i].text)) < 0 ? -ENOMEM : 0) : proc_text(p, about, items[i].kind, n);
}

int proc_find(struct process *p, struct node *directory, const char *name, u32 length, int follow, struct node **node)
{
	u32 view = view_of(p, directory), kind = view >> 24, i;
	struct process *about = 0, *thread;
	int number = number_of(name, length);

	*node = 0;
	if (view & 0xffffff) {
		about = thread_by_number(p, view & 0xffffff);
		if (!about || about->state == ZOMBIE)
			return 0;
		if (p->euid && p->euid != about->euid && (kind == VIEW_FD || kind == VIEW_PROCESS))
			return -EACCES;
	}
	if (kind == VIEW_ROOT && number >= 0) {
		thread = thread_by_number(p, (u32)number);
		return thread && thread->state != ZOMBIE ? lend_directory(p, VIEW_PROCESS << 24 | thread->local, node) : 0;
	}
	if (kind == VIEW_TASK && number >= 0) {
		thread = thread_by_number(p, (u32)number);
		return thread && thread->state != ZOMBIE && thread->leader == about->leader ? lend_directory(p, VIEW_PROCESS << 24 | thread->local, node) : 0;
	}
	if (kind == VIEW_FD)
		return number >= 0 && number < DESCRIPTORS && about->files[number] ? lend_thing(p, about->files[number]->node, follow, node) : 0;
	for (i = 0; i < ITEMS; i++)
		if (items[i].in == kind && same_name(items[i].name, name, length))
			return one_item(p, i, about, follow, node);
	return 0;
}

struct node *proc_parent(struct process *p, struct node *directory)
{
	u32 kind = directory->view >> 24, number = directory->view & 0xffffff;
	struct node *node = 0;
	int error;

	if (!kind)
		return 0;
	if (kind == VIEW_FD || kind == VIEW_TASK)
		error = lend_directory(p, VIEW_PROCESS << 24 | number, &node);
	else if (kind == VIEW_SYS_RANDOM)
		error = lend_directory(p, VIEW_SYS_KERNEL << 24, &node);
	else if (kind > VIEW_SYS && kind <= VIEW_SYS_VM)
		error = lend_directory(p, VIEW_SYS << 24, &node);
	else
		return p->group->proc;
	return error ? 0 : node;
}

int proc_entry(struct process *p, struct node *directory, u32 index, char name[NAME_LIMIT + 1], struct node *like)
{
	u32 view = view_of(p, directory), kind = view >> 24, own = 0, i, digits;
	struct process *about = thread_by_number(p, view & 0xffffff), *q;

	memset(like, 0, sizeof *like);
	for (i = 0; i < ITEMS; i++) {
		if (items[i].in != kind || own++ != index)
			continue;
		memcpy(name, items[i].name, text_length(items[i].name) + 1);
		like->mode = mode_of(&items[i]);
		like->number = (u32)items[i].kind << 24 | (view & 0xffffff);
		return 1;
	}
	index -= own;
	if (kind == VIEW_FD) {
		if (index >= DESCRIPTORS || !about)
			return -1;
		if (!about->files[index])
			return 0;
		like->mode = S_IFLNK;
		digits = index;
	} else if (kind == VIEW_ROOT || kind == VIEW_TASK) {
		if (index >= PROCESSES)
			return -1;
		q = processes[index];
		if (!q || q->group != p->group || q->state == ZOMBIE || (kind == VIEW_ROOT ? q->leader != q : !about || q->leader != about->leader))
			return 0;
		like->mode = S_IFDIR;
		digits = q->local;
	} else {
		return -1;
	}
	like->number = VIEW_PROCESS << 24 | digits | 0x800000;
	number_text(name, digits);
	return 1;
}
