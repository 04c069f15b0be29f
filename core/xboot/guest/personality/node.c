/* node.c: nodes of the file system: their life. A node lives while a directory names it (links) or somebody uses it (users). */

#include "personality.h"

struct node *root_node;
static u32 last_number = 1;

static struct stamp latest;
nanoseconds date_offset;

/* Times of files are coarse, as in Linux: read when another process runs, at a tick, and at every 64th use. A clock for every one-byte write costs more
   than the write. Within a step they never go back, so what was written later is never older. */
void stamp_refresh(void)
{
	nanoseconds now = machine_clock() + date_offset;

	latest.seconds = (u32)(now / 1000000000u);
	latest.nanoseconds = (u32)(now % 1000000000u);
}

void stamp_now(struct stamp *stamp)
{
	static unsigned uses;

	if (!(uses++ & 63))
		stamp_refresh();
	*stamp = latest;
}

/* Only of what a builder made: inputs are the same for all steps, whoever read them before. */
void stamp_access(struct process *p, struct node *node)
{
	if (p->euid && node->uid == p->euid)
		stamp_now(&node->access);
}

struct node *node_new(u32 mode, u32 uid, u32 gid)
{
	struct node *node = pool_of(POOL_NODES, sizeof *node);

	if (!node)
		return 0;
	node->mode = mode;
	node->uid = uid;
	node->gid = gid;
	node->number = ++last_number;
	node->users = 1;
	stamp_now(&node->modify);
	node->access = node->change = node->modify;
	return node;
}

/* Counted like every other node. 0: no memory. */
struct node *node_nameless(struct process *p, u32 mode)
{
	struct node *node = node_new(mode, p->euid, p->egid);

	if (node)
		node->nameless = 1;
	return node;
}

static void release(struct node *node)
{
	if ((node->mode & S_IFMT) == S_IFREG)
		content_free(node);
	if (node->target)
		pool_back(POOL_TEXT, node->target, (unsigned)node->size + 1);
	if (node->event)
		event_free(node->event);
	vector_free(&node->slots);
	pool_back(POOL_NODES, node, sizeof *node);
}

void node_keep(struct node *node)
{
	count_more(&node->users);
}

void node_drop(struct node *node)
{
	if (count_less(&node->users) == 0 && node->links == 0)
		release(node);
}

void node_unlinked(struct node *node)
{
	count_less(&node->links);
	stamp_now(&node->change);
	if (node->links == 0 && node->users == 0)
		release(node);
}
