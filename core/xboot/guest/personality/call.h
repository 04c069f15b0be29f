/* call.h: the system calls, one function each, grouped by what they are about. Arguments are in r->ebx, ecx, edx, esi, edi, ebp. */

#ifndef CALL_H
#define CALL_H

#include "personality.h"

#define CALL(name) long call_##name(struct process *p, struct machine_registers *r)
#define UNUSED_REGISTERS (void)r
#define UNUSED_PROCESS (void)p

/* call_data.c */
CALL(read); CALL(write); CALL(readv); CALL(writev); CALL(pread64); CALL(pwrite64); CALL(lseek); CALL(llseek);
CALL(preadv); CALL(pwritev); CALL(preadv2); CALL(pwritev2);
CALL(truncate); CALL(ftruncate); CALL(truncate64); CALL(ftruncate64); CALL(getdents); CALL(getdents64); CALL(fallocate); CALL(sync_one);
CALL(syncfs); CALL(readahead);

/* call_open.c */
CALL(open); CALL(openat); CALL(creat); CALL(close); CALL(close_range); CALL(dup); CALL(dup2); CALL(dup3); CALL(pipe); CALL(pipe2); CALL(fcntl); CALL(ioctl); CALL(flock);

/* call_move.c */
CALL(sendfile); CALL(sendfile64); CALL(splice); CALL(tee); CALL(copy_file_range);

/* call_ready.c */
CALL(poll); CALL(ppoll); CALL(select); CALL(pselect6);

/* call_socket.c */
CALL(socket_direct); CALL(socketcall);

/* event.c, epoll.c */
CALL(eventfd); CALL(timerfd_create); CALL(timerfd_settime); CALL(timerfd_gettime); CALL(signalfd); CALL(epoll_create); CALL(epoll_ctl); CALL(epoll_wait); CALL(epoll_pwait);

/* timer.c */
CALL(timer_create); CALL(timer_settime); CALL(timer_gettime); CALL(timer_getoverrun); CALL(timer_delete);

/* seal.c */
CALL(memfd_create);

/* call_name.c */
CALL(mkdir); CALL(mkdirat); CALL(rmdir); CALL(unlink); CALL(unlinkat); CALL(link); CALL(linkat); CALL(symlink); CALL(symlinkat); CALL(rename); CALL(renameat);
CALL(renameat2); CALL(mknod); CALL(mknodat); CALL(chdir); CALL(fchdir); CALL(chroot); CALL(getcwd); CALL(readlink); CALL(readlinkat);

/* call_status.c */
CALL(stat); CALL(lstat); CALL(fstat); CALL(stat64); CALL(lstat64); CALL(fstat64); CALL(fstatat64); CALL(statx); CALL(access); CALL(faccessat);
CALL(statfs64); CALL(fstatfs64); CALL(statfs); CALL(fstatfs);

/* call_change.c */
CALL(chmod); CALL(fchmod); CALL(fchmodat); CALL(chown); CALL(lchown); CALL(fchown); CALL(fchownat); CALL(chown16); CALL(lchown16); CALL(fchown16); CALL(utime); CALL(utimes);
CALL(utimensat); CALL(utimensat64);

/* call_process.c */
CALL(exit); CALL(exit_group); CALL(waitid); CALL(fork); CALL(vfork); CALL(clone); CALL(execve); CALL(waitpid); CALL(wait4); CALL(getpid); CALL(getppid); CALL(gettid); CALL(getuid); CALL(geteuid);
CALL(getgid); CALL(getegid); CALL(getresuid); CALL(getresgid); CALL(setuid); CALL(setgid); CALL(setreuid); CALL(setregid); CALL(setresuid); CALL(setresgid);
CALL(getgroups); CALL(getgroups16); CALL(setgroups); CALL(getpgid); CALL(setpgid); CALL(getpgrp); CALL(getsid); CALL(setsid); CALL(set_tid_address); CALL(set_robust_list);
CALL(sched_yield); CALL(prctl); CALL(personality); CALL(umask);

/* call_sched.c */
CALL(sched_get_priority_max); CALL(sched_get_priority_min); CALL(sched_rr_get_interval); CALL(sched_getscheduler); CALL(sched_setscheduler); CALL(sched_getparam); CALL(sched_setparam);
CALL(mlock); CALL(mlockall); CALL(sched_getaffinity); CALL(sched_setaffinity); CALL(getpriority); CALL(setpriority); CALL(nice); CALL(getcpu);

/* call_signal.c */
CALL(kill); CALL(tkill); CALL(tgkill); CALL(signal); CALL(sigaction); CALL(rt_sigaction); CALL(rt_sigprocmask); CALL(sigprocmask); CALL(rt_sigpending);
CALL(rt_sigsuspend); CALL(sigreturn); CALL(rt_sigreturn); CALL(sigaltstack); CALL(pause);
CALL(rt_sigtimedwait); CALL(rt_sigqueueinfo);

/* call_memory.c */
CALL(brk); CALL(mmap); CALL(mmap2); CALL(munmap); CALL(mprotect); CALL(mremap); CALL(madvise); CALL(mincore); CALL(msync); CALL(set_thread_area);

/* ipc.c */
CALL(ipc); CALL(shmget); CALL(shmctl); CALL(shmat); CALL(shmdt); CALL(semget); CALL(semctl); CALL(semtimedop64);

/* futex.c */
CALL(futex);

/* call_time.c */
CALL(time); CALL(gettimeofday); CALL(clock_gettime); CALL(clock_gettime64); CALL(clock_settime); CALL(clock_getres); CALL(nanosleep); CALL(clock_nanosleep); CALL(clock_nanosleep64);
CALL(alarm); CALL(setitimer); CALL(getitimer); CALL(times); CALL(getrusage);

/* call_system.c */
CALL(uname); CALL(sethostname); CALL(getrlimit); CALL(setrlimit); CALL(prlimit64); CALL(sysinfo); CALL(getrandom); CALL(mount); CALL(umount); CALL(ioperm);
CALL(capget); CALL(capset); CALL(reboot); CALL(arch_prctl); CALL(attributes); CALL(nothing);

/* shared by them */
int find_at(struct process *p, int at, address path, u32 flags, struct node **node); /* a path, or with AT_EMPTY_PATH and an empty one the descriptor */
int read_into(struct process *p, struct file *f, address to, machine_word length);
int write_from(struct process *p, struct file *f, address from, machine_word length);
int let_through(struct process *p, u64 at, machine_word length); /* by the limit on files' sizes: how much; or EFBIG, and a signal */
void place_shared(struct process *p); /* after a change of root, working directory or umask */
int seal_command(struct file *f, int adds, u32 seals);
int lock_command(struct process *p, struct file *f, u32 command, address at);
int file_ready(struct file *f); /* POLL* bits */
void file_motions(struct file *f, struct motions *to);
extern int any_pipe;            /* what poll and select wait for: wake() knows it */
#define ENDLESS (~0ull)         /* of a time to wait */
int wait_ready(struct process *p, nanoseconds length);                           /* WAIT, or 0 when the time is over */
int time_get(struct process *p, address from, int wide, nanoseconds *length);   /* a struct timespec; ENDLESS: none given */
int mask_begin(struct process *p, address set, u32 size);                        /* a mask that holds while the call waits */
int mask_end(struct process *p, int result);                                     /* the call's answer */

#endif
