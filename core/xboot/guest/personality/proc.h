/* proc.h: the kinds of what stands in /proc, between proc.c and proc_text.c. */

#ifndef PROC_H
#define PROC_H

#include "call.h"

enum proc_kind {
	VIEW_ROOT = 1, VIEW_PROCESS, VIEW_FD, VIEW_TASK, VIEW_SYS, VIEW_SYS_FS, VIEW_SYS_KERNEL, VIEW_SYS_VM, VIEW_SYS_RANDOM, /* directories */
	VIEW_CONSTANT, VIEW_LINK, VIEW_CWD, VIEW_ROOT_LINK, VIEW_EXE,
	VIEW_MEMINFO, VIEW_SYSTEM, VIEW_UPTIME, VIEW_UUID,                                                                     /* texts about the system */
	VIEW_CMDLINE, VIEW_COMM, VIEW_ENVIRON, VIEW_MAPS, VIEW_STAT, VIEW_STATM, VIEW_STATUS                                   /* about a process */
};

int proc_text(struct process *p, struct process *about, u32 kind, struct node *node); /* writes it into the node; 0 or -ENOMEM */
u32 proc_self(struct process *p, char to[32], int thread);                           /* where /proc/self leads; its length */
u32 number_text(char *to, u32 number);                                               /* decimal, ends in 0; its length */

#endif
