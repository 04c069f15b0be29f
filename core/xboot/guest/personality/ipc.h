/* ipc.h: System V's shared memory and semaphores, between ipc.c (keys, rights, the call for all), segment.c and semaphore.c. All of it is of one step: a group
   holds the lists, and gives back what is left with its last process. Message queues are not served. */

#ifndef IPC_H
#define IPC_H

#include "call.h"

#define IPC_CREAT 01000u
#define IPC_EXCL 02000u
#define IPC_NOWAIT 04000
#define IPC_RMID 0u
#define IPC_SET 1u
#define IPC_STAT 2u
#define IPC_INFO 3u
#define IPC_64 0x100u         /* of a command: structures as they are today, the only ones served */
#define IPC_READ 0444u
#define IPC_WRITE 0222u

struct ipc { /* the head of a segment and of a set */
	struct ipc *next;
	struct group *group;
	u32 id, key, uid, gid, maker_uid, maker_gid, mode;
	u32 changed;              /* the second of its last change */
};

struct ipc *ipc_by(struct process *p, enum ipc_kind kind, u32 id);                        /* 0: none */
int ipc_find(struct process *p, enum ipc_kind kind, u32 key, u32 flags, struct ipc **found); /* 0, found or to be made (0); or an error */
int ipc_add(struct process *p, enum ipc_kind kind, u32 key, u32 flags, struct ipc *made);  /* its number; or -ENOSPC, and it is in no list */
void ipc_out(enum ipc_kind kind, struct ipc *ipc);                                         /* of the list */
int ipc_may(struct process *p, struct ipc *ipc, u32 wanted);                               /* 0 or -EACCES */
int ipc_owns(struct process *p, struct ipc *ipc);                                          /* 0 or -EPERM */
int ipc_set(struct process *p, struct ipc *ipc, address from);                             /* owner and mode, from a struct ipc64_perm; 0 or an error */
void ipc_tell(struct ipc *ipc, u32 to[9]);                                                 /* as one */
int ipc_highest(struct process *p, enum ipc_kind kind);                                    /* number that is in use; 0, too: none */
u32 ipc_now(void);                                                                         /* the second */

/* segment.c */
int segment_get(struct process *p, u32 key, u32 size, u32 flags);
int segment_control(struct process *p, u32 id, u32 command, address buffer);
long segment_attach(struct process *p, u32 id, address at, u32 flags);                      /* where, or an error */
int segment_detach(struct process *p, address at);
void segment_free(struct ipc *ipc);

/* semaphore.c */
int set_get(struct process *p, u32 key, u32 count, u32 flags);
int set_control(struct process *p, u32 id, u32 number, u32 command, u32 argument);
int set_operate(struct process *p, u32 id, address from, u32 count, address time, int wide); /* 0, WAIT, or an error */
void set_free(struct ipc *ipc);

#endif
