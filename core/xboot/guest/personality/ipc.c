/* ipc.c: what System V's segments and sets of semaphores have in common: keys, rights, and i386's one call for all, beside the calls of their own. */

#include "ipc.h"

#define IPC_MOST 4096u /* of a kind, in a step */

u32 ipc_now(void)
{
	struct stamp now;

	stamp_refresh();
	stamp_now(&now);
	return now.seconds;
}

struct ipc *ipc_by(struct process *p, enum ipc_kind kind, u32 id)
{
	struct ipc *ipc;

	for (ipc = p->group->ipc[kind]; ipc && ipc->id != id; ipc = ipc->next)
		;
	return ipc;
}

/* The newest stands first. */
int ipc_highest(struct process *p, enum ipc_kind kind)
{
	struct ipc *ipc = p->group->ipc[kind];

	return ipc ? (int)ipc->id : 0;
}

/* The bits of the mode that count for p are those of its class. Process 1's own, and root, may all. */
int ipc_may(struct process *p, struct ipc *ipc, u32 wanted)
{
	u32 granted = ipc->mode;

	wanted = (wanted >> 6) | (wanted >> 3) | wanted;
	if (p->euid == ipc->uid || p->euid == ipc->maker_uid)
		granted >>= 6;
	else if (p->egid == ipc->gid || p->egid == ipc->maker_gid)
		granted >>= 3;
	return p->euid && wanted & ~granted & 7 ? -EACCES : 0;
}

int ipc_owns(struct process *p, struct ipc *ipc)
{
	return !p->euid || p->euid == ipc->uid || p->euid == ipc->maker_uid ? 0 : -EPERM;
}

int ipc_find(struct process *p, enum ipc_kind kind, u32 key, u32 flags, struct ipc **found)
{
	struct ipc *ipc = 0;

	if (key) /* 0: always a new one */
		for (ipc = p->group->ipc[kind]; ipc && ipc->key != key; ipc = ipc->next)
			;
	*found = ipc;
	if (!ipc)
		return key && !(flags & IPC_CREAT) ? -ENOENT : 0;
	return (flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL) ? -EEXIST : 0;
}

int ipc_add(struct process *p, enum ipc_kind kind, u32 key, u32 flags, struct ipc *made)
{
	static unsigned once[IPC_KINDS];
	struct group *group = p->group;

	if (group->ipc_count[kind] >= IPC_MOST) {
		limit_reached(&once[kind], kind == IPC_SEGMENTS ? "4096 shared segments in a step (ENOSPC)" : "4096 sets of semaphores in a step (ENOSPC)");
		return -ENOSPC;
	}
	made->group = group;
	made->key = key;
	made->uid = made->maker_uid = p->euid;
	made->gid = made->maker_gid = p->egid;
	made->mode = flags & 0777;
	made->changed = ipc_now();
	made->id = group->ipc_next[kind];
	group->ipc_next[kind] = (made->id + 1) & 0x7fffffff;
	if (ipc_by(p, kind, made->id)) /* after two thousand million of them */
		return -ENOSPC;
	made->next = group->ipc[kind];
	group->ipc[kind] = made;
	group->ipc_count[kind]++;
	return (int)made->id;
}

void ipc_out(enum ipc_kind kind, struct ipc *ipc)
{
	struct ipc **place = &ipc->group->ipc[kind];

	while (*place != ipc)
		place = &(*place)->next;
	*place = ipc->next;
	ipc->group->ipc_count[kind]--;
}

void ipc_tell(struct ipc *ipc, u32 to[9])
{
	memset(to, 0, 36);
	to[0] = ipc->key;
	to[1] = ipc->uid;
	to[2] = ipc->gid;
	to[3] = ipc->maker_uid;
	to[4] = ipc->maker_gid;
	to[5] = ipc->mode;
}

int ipc_set(struct process *p, struct ipc *ipc, address from)
{
	u32 given[9];

	if (user_read(p, given, from, sizeof given))
		return -EFAULT;
	if (ipc_owns(p, ipc))
		return -EPERM;
	ipc->uid = given[1];
	ipc->gid = given[2];
	ipc->mode = (ipc->mode & ~0777u) | (given[5] & 0777);
	ipc->changed = ipc_now();
	return 0;
}

/* A step is over: nothing of it is mapped, and nobody waits. */
void ipc_end(struct group *group)
{
	while (group->ipc[IPC_SEGMENTS])
		segment_free(group->ipc[IPC_SEGMENTS]);
	while (group->ipc[IPC_SETS])
		set_free(group->ipc[IPC_SETS]);
}

/* ---- the calls ---- */

CALL(shmget)
{
	return segment_get(p, r->ebx, r->ecx, r->edx);
}

CALL(shmctl)
{
	return segment_control(p, r->ebx, r->ecx | IPC_64, r->edx);
}

CALL(shmat)
{
	return segment_attach(p, r->ebx, r->ecx, r->edx);
}

CALL(shmdt)
{
	return segment_detach(p, r->ebx);
}

CALL(semget)
{
	return set_get(p, r->ebx, r->ecx, r->edx);
}

CALL(semctl)
{
	return set_control(p, r->ebx, r->ecx, r->edx | IPC_64, r->esi);
}

CALL(semtimedop64)
{
	return set_operate(p, r->ebx, r->ecx, r->edx, r->esi, 1);
}

/* ipc(which, first, second, third, pointer, fifth) */
CALL(ipc)
{
	static unsigned once;
	u32 argument;
	int result;

	switch (r->ebx & 0xffff) {
	case 1:
		return set_operate(p, r->ecx, r->edi, r->edx, 0, 0);
	case 2:
		return set_get(p, r->ecx, r->edx, r->esi);
	case 3:
		if (!r->edi)
			return -EINVAL;
		return user_read(p, &argument, r->edi, 4) ? -EFAULT : set_control(p, r->ecx, r->edx, r->esi, argument);
	case 4:
		return set_operate(p, r->ecx, r->edi, r->edx, r->ebp, 0);
	case 21:
		if (r->ebx >> 16 == 1) /* a form of another system */
			return -EINVAL;
		result = segment_attach(p, r->ecx, r->edi, r->edx);
		if (result < 0)
			return result;
		argument = (u32)result;
		return user_write(p, r->esi, &argument, 4);
	case 22:
		return segment_detach(p, r->edi);
	case 23:
		return segment_get(p, r->ecx, r->edx, r->esi);
	case 24:
		return segment_control(p, r->ecx, r->edx, r->edi);
	default:
		limit_reached(&once, "message queues of System V are not served (ENOSYS)");
		return -ENOSYS;
	}
}
