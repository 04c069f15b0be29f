/* call_process.c: processes, their numbers and their rights. */

#include "call.h"

/* One thread ends. */
CALL(exit)
{
	thread_exit(p, (int)(r->ebx & 255) << 8);
	return KEEP;
}

CALL(exit_group)
{
	process_exit(p, (int)(r->ebx & 255) << 8);
	return KEEP;
}

CALL(fork)
{
	UNUSED_REGISTERS;
	return process_fork(p, SIGCHLD, 0, 0, 0, 0);
}

CALL(vfork)
{
	UNUSED_REGISTERS;
	return process_fork(p, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
}

CALL(clone)
{
	return process_fork(p, r->ebx, r->ecx, r->edx, r->edi, r->esi);
}

CALL(execve)
{
	static char path[PATH_LIMIT];
	int error = path_get(p, r->ebx, path);

	return error < 0 ? error : exec_run(p, AT_FDCWD, path, r->ecx, r->edx);
}

/* The processor time of a child that is waited for, and of those that it has waited for. */
static nanoseconds used(struct news *found)
{
	return found->child->crew->cpu + found->child->crew->children;
}

static int wait(struct process *p, int pid, address status, u32 options, address usage)
{
	struct news found;
	int number;

	if (pid < -0x40000000)
		return -ECHILD; /* no group has such a number */
	number = process_wait(p, pid > 0 ? 1 : pid == -1 ? 0 : 2, pid > 0 ? (u32)pid : pid ? (u32)-pid : p->leader->pgid, options | WEXITED, &found);
	if (number <= 0)
		return number;
	if (status && user_write(p, status, &found.status, 4))
		return -EFAULT;
	if (usage && usage_tell(p, usage, used(&found)))
		return -EFAULT;
	process_waited(&found);
	return number;
}

CALL(waitpid)
{
	return wait(p, (int)r->ebx, r->ecx, r->edx, 0);
}

CALL(wait4)
{
	if (r->edx & ~0xe000000bu)
		return -EINVAL;
	return wait(p, (int)r->ebx, r->ecx, r->edx, r->esi);
}

/* waitid(kind, number, siginfo, options, usage): a pidfd is nothing here */
CALL(waitid)
{
	u32 info[32], wanted = r->ecx, at = WIDE(p) ? 4 : 3;
	struct news found;
	int number;

	if (r->esi & ~(WNOHANG | WUNTRACED | WEXITED | WCONTINUED | WNOWAIT | 0xe0000000u) || !(r->esi & (WUNTRACED | WEXITED | WCONTINUED)) || r->ebx > 2)
		return -EINVAL;
	if (r->ebx == 1 ? (int)wanted <= 0 : r->ebx == 2 && (int)wanted < 0)
		return -EINVAL;
	if (r->ebx == 2 && !wanted)
		wanted = p->leader->pgid;
	number = process_wait(p, r->ebx, wanted, r->esi, &found);
	if (number < 0)
		return number;
	memset(info, 0, sizeof info);
	if (number) {
		info[0] = SIGCHLD;
		info[2] = (u32)found.code;
		info[at] = (u32)number;
		info[at + 1] = found.uid;
		info[at + 2] = found.code == 1 ? found.status >> 8 : found.code == 2 ? found.status & 127 : found.code == 5 ? found.status >> 8 : SIGCONT;
	}
	if (r->edx && user_write(p, r->edx, info, sizeof info))
		return -EFAULT;
	if (r->edi && usage_tell(p, r->edi, number ? used(&found) : 0))
		return -EFAULT;
	if (number && !(r->esi & WNOWAIT))
		process_waited(&found);
	return 0;
}

CALL(getpid)
{
	UNUSED_REGISTERS;
	return (int)p->leader->local;
}

CALL(gettid)
{
	UNUSED_REGISTERS;
	return (int)p->local;
}

CALL(getppid)
{
	UNUSED_REGISTERS;
	return p->pid == 1 ? 0 : (int)process_number(p, p->leader->parent); /* 0: lies outside the namespace */
}

CALL(getuid)
{
	UNUSED_REGISTERS;
	return (int)p->uid;
}

CALL(geteuid)
{
	UNUSED_REGISTERS;
	return (int)p->euid;
}

CALL(getgid)
{
	UNUSED_REGISTERS;
	return (int)p->gid;
}

CALL(getegid)
{
	UNUSED_REGISTERS;
	return (int)p->egid;
}

static int give_three(struct process *p, struct machine_registers *r, u32 a, u32 b, u32 c)
{
	return user_write(p, r->ebx, &a, 4) || user_write(p, r->ecx, &b, 4) || user_write(p, r->edx, &c, 4) ? -EFAULT : 0;
}

CALL(getresuid)
{
	return give_three(p, r, p->uid, p->euid, p->suid);
}

CALL(getresgid)
{
	return give_three(p, r, p->gid, p->egid, p->sgid);
}

/* May the number be taken by one who is not root? */
static int known(u32 wanted, u32 a, u32 b, u32 c)
{
	return wanted == ~0u || wanted == a || wanted == b || wanted == c;
}

CALL(setuid)
{
	if (p->euid == 0)
		p->uid = p->suid = r->ebx;
	else if (r->ebx != p->uid && r->ebx != p->suid)
		return -EPERM;
	p->euid = r->ebx;
	return 0;
}

CALL(setgid)
{
	if (p->euid == 0)
		p->gid = p->sgid = r->ebx;
	else if (r->ebx != p->gid && r->ebx != p->sgid)
		return -EPERM;
	p->egid = r->ebx;
	return 0;
}

CALL(setresuid)
{
	if (p->euid && !(known(r->ebx, p->uid, p->euid, p->suid) && known(r->ecx, p->uid, p->euid, p->suid) && known(r->edx, p->uid, p->euid, p->suid)))
		return -EPERM;
	if (r->ebx != ~0u)
		p->uid = r->ebx;
	if (r->ecx != ~0u)
		p->euid = r->ecx;
	if (r->edx != ~0u)
		p->suid = r->edx;
	return 0;
}

CALL(setresgid)
{
	if (p->euid && !(known(r->ebx, p->gid, p->egid, p->sgid) && known(r->ecx, p->gid, p->egid, p->sgid) && known(r->edx, p->gid, p->egid, p->sgid)))
		return -EPERM;
	if (r->ebx != ~0u)
		p->gid = r->ebx;
	if (r->ecx != ~0u)
		p->egid = r->ecx;
	if (r->edx != ~0u)
		p->sgid = r->edx;
	return 0;
}

CALL(setreuid)
{
	if (p->euid && !(known(r->ebx, p->uid, p->euid, p->uid) && known(r->ecx, p->uid, p->euid, p->suid)))
		return -EPERM;
	if (r->ebx != ~0u)
		p->uid = r->ebx;
	if (r->ecx != ~0u)
		p->euid = r->ecx;
	if (r->ebx != ~0u || r->ecx != ~0u)
		p->suid = p->euid;
	return 0;
}

CALL(setregid)
{
	if (p->euid && !(known(r->ebx, p->gid, p->egid, p->gid) && known(r->ecx, p->gid, p->egid, p->sgid)))
		return -EPERM;
	if (r->ebx != ~0u)
		p->gid = r->ebx;
	if (r->ecx != ~0u)
		p->egid = r->ecx;
	if (r->ebx != ~0u || r->ecx != ~0u)
		p->sgid = p->egid;
	return 0;
}

CALL(getgroups)
{
	if ((int)r->ebx < 0 || (r->ebx && r->ebx < p->group_count))
		return -EINVAL;
	if (r->ebx && user_write(p, r->ecx, p->groups, p->group_count * 4))
		return -EFAULT;
	return (int)p->group_count;
}

/* Numbers of 16 bits: what is larger is shown as 65534. */
CALL(getgroups16)
{
	u32 i;
	u16 group;

	if ((int)r->ebx < 0 || (r->ebx && r->ebx < p->group_count))
		return -EINVAL;
	for (i = 0; r->ebx && i < p->group_count; i++) {
		group = p->groups[i] > 0xffff ? 65534 : (u16)p->groups[i];
		if (user_write(p, r->ecx + 2 * i, &group, 2))
			return -EFAULT;
	}
	return (int)p->group_count;
}

CALL(setgroups)
{
	if (p->euid)
		return -EPERM;
	if (r->ebx > 16)
		return -EINVAL;
	if (user_read(p, p->groups, r->ecx, r->ebx * 4))
		return -EFAULT;
	p->group_count = r->ebx;
	return 0;
}

/* The process with this number, 0 for one's own; never one of its other threads. */
static struct process *leader_of(struct process *p, u32 number)
{
	struct process *q = number ? process_by_number(p, number) : p;

	return q ? q->leader : 0;
}

/* Process group and session are the leader's; its other threads know them, too. */
static void set_groups(struct process *leader, u32 pgid, u32 sid)
{
	u32 i;

	for (i = 0; i < PROCESSES; i++)
		if (processes[i] && processes[i]->leader == leader) {
			processes[i]->pgid = pgid;
			processes[i]->sid = sid;
		}
}

CALL(getpgid)
{
	struct process *q = leader_of(p, r->ebx);

	return q ? (int)q->pgid : -ESRCH;
}

CALL(getpgrp)
{
	UNUSED_REGISTERS;
	return (int)p->pgid;
}

CALL(setpgid)
{
	struct process *q = leader_of(p, r->ebx);
	u32 pgid = r->ecx ? r->ecx : q ? q->local : 0, i;

	if ((int)r->ecx < 0)
		return -EINVAL;
	if (!q || (q != p->leader && q->parent != p->leader))
		return -ESRCH;
	if (q->sid == p->sid && q != p->leader && q->executed)
		return -EACCES;
	if (q->sid == q->local || q->sid != p->sid)
		return -EPERM;
	for (i = 0; i < PROCESSES && pgid != q->local; i++)
		if (processes[i] && processes[i]->group == p->group && processes[i]->pgid == pgid && processes[i]->sid == p->sid)
			break;
	if (i == PROCESSES)
		return -EPERM; /* there is no such group to join */
	set_groups(q, pgid, q->sid);
	return 0;
}

CALL(getsid)
{
	struct process *q = leader_of(p, r->ebx);

	return q ? (int)q->sid : -ESRCH;
}

CALL(setsid)
{
	UNUSED_REGISTERS;
	if (p->pgid == p->leader->local)
		return -EPERM;
	set_groups(p->leader, p->leader->local, p->leader->local);
	p->no_terminal = p->leader->no_terminal = 0;
	return (int)p->leader->local;
}

CALL(set_tid_address)
{
	p->clear_tid = r->ebx;
	return (int)p->local;
}

CALL(set_robust_list)
{
	p->robust = r->ebx;
	return r->ecx == 3 * WORD(p) ? 0 : -EINVAL;
}

CALL(sched_yield)
{
	UNUSED_PROCESS;
	UNUSED_REGISTERS;
	yield();
	return 0;
}

CALL(prctl)
{
	char name[16];

	switch (r->ebx) {
	case 1:  /* PR_SET_PDEATHSIG: a namespace's processes die with its first anyway */
	case 4:  /* PR_SET_DUMPABLE */
	case 36: /* PR_SET_CHILD_SUBREAPER */
		return 0;
	case 3:
		return 1;
	case 15: /* PR_SET_NAME */
		memset(name, 0, sizeof name);
		if (user_read(p, name, r->ecx, 15) && user_read(p, name, r->ecx, 1))
			return -EFAULT;
		memcpy(p->name, name, 16);
		return 0;
	case 16:
		return user_write(p, r->ecx, p->name, 16);
	case 38: /* PR_SET_NO_NEW_PRIVS: exec never gives any here */
		if (r->ecx != 1)
			return -EINVAL;
		p->no_new_privileges = 1;
		return 0;
	case 39:
		return (int)p->no_new_privileges;
	default:
		return -EINVAL;
	}
}

CALL(personality)
{
	u32 before = p->personality;

	if (r->ebx != ~0u)
		p->personality = r->ebx;
	return (int)before;
}

CALL(umask)
{
	u32 before = p->umask;

	p->umask = r->ebx & 0777;
	place_shared(p);
	return (int)before;
}
