/* main.c: System V's shared memory and semaphores, in the manner of ../syscalls/main.c: one line a check, nothing judged, the same on every correct kernel that has
   them. NAME.c is a section, NAME.txt what Linux answers. Both of i386's ways to make these calls are used; x86_64 has one. */

#include "../syscalls/common.h"

enum {
    IPC = 117, SEMGET = 393, SEMCTL = 394, SHMGET = 395, SHMCTL = 396, SHMAT = 397, SHMDT = 398, SEMTIMEDOP = 420, SCHED_YIELD = 158, IPC_CREAT = 01000, IPC_EXCL = 02000, IPC_INFO = 3
};

#include "segments.c"
#include "semaphores.c"

void start_c(word *stack)
{
    self = (char *)stack[1];
    segments();
    semaphores();
    put("# end\n");
    sys(EXIT_GROUP, 0);
}
