// SPDX-License-Identifier: GPL-2.0
/*
 * What System V's shared memory and semaphores need of the message queues that are left out, and of the settings of their limits:
 * no other kernel of xboot's serves messages either. Calls on queues answer ENOSYS.
 */
#include <linux/cred.h>
#include <linux/errno.h>
#include <linux/ipc_namespace.h>
#include <linux/proc_ns.h>
#include <linux/spinlock.h>
#include "util.h"

DEFINE_SPINLOCK(mq_lock);
int ipc_mni = IPCMNI;
int ipc_mni_shift = IPCMNI_SHIFT;
int ipc_min_cycle = RADIX_TREE_MAP_SIZE;

/* The first namespace, that of the executor. */
struct ipc_namespace init_ipc_ns = {
    .ns.count = REFCOUNT_INIT(1),
    .ns.inum = PROC_IPC_INIT_INO,
    .ns.ops = &ipcns_operations,
    .user_ns = &init_user_ns,
};

void __init msg_init(void)
{
}

int msg_init_ns(struct ipc_namespace *ns)
{
    return 0;
}

void msg_exit_ns(struct ipc_namespace *ns)
{
}

bool setup_ipc_sysctls(struct ipc_namespace *ns)
{
    return true;
}

void retire_ipc_sysctls(struct ipc_namespace *ns)
{
}

long no_messages(void);
long no_messages(void)
{
    return -ENOSYS;
}

#define LEFT_OUT(name) asm(".globl " #name "\n.set " #name ", no_messages\n")
LEFT_OUT(ksys_msgget);
LEFT_OUT(ksys_msgrcv);
LEFT_OUT(ksys_msgsnd);
LEFT_OUT(ksys_old_msgctl);
LEFT_OUT(compat_ksys_msgrcv);
LEFT_OUT(compat_ksys_msgsnd);
LEFT_OUT(compat_ksys_old_msgctl);
