/* table.c: which number is which call, and what is done about those that are not served: they are refused (ENOSYS) and named once on the console. */

#include "call.h"

#define LAST 450u

static const call calls[LAST + 1] = {
	[1] = call_exit, [2] = call_fork, [3] = call_read, [4] = call_write, [5] = call_open, [6] = call_close, [7] = call_waitpid, [8] = call_creat,
	[9] = call_link, [10] = call_unlink, [11] = call_execve, [12] = call_chdir, [13] = call_time, [14] = call_mknod, [15] = call_chmod,
	[16] = call_lchown16, [19] = call_lseek, [20] = call_getpid, [21] = call_mount, [22] = call_umount, [23] = call_setuid, [24] = call_getuid,
	[27] = call_alarm, [29] = call_pause, [30] = call_utime, [33] = call_access, [34] = call_nice, [36] = call_nothing, [37] = call_kill,
	[38] = call_rename, [39] = call_mkdir, [40] = call_rmdir, [41] = call_dup, [42] = call_pipe, [43] = call_times, [45] = call_brk,
	[46] = call_setgid, [47] = call_getgid, [48] = call_signal, [49] = call_geteuid, [50] = call_getegid, [52] = call_umount, [54] = call_ioctl,
	[55] = call_fcntl, [57] = call_setpgid, [60] = call_umask, [61] = call_chroot, [63] = call_dup2, [64] = call_getppid, [65] = call_getpgrp,
	[66] = call_setsid, [67] = call_sigaction, [74] = call_sethostname, [75] = call_setrlimit, [76] = call_getrlimit, [77] = call_getrusage,
	[78] = call_gettimeofday, [80] = call_getgroups16, [83] = call_symlink, [85] = call_readlink, [88] = call_reboot, [90] = call_mmap, [91] = call_munmap,
	[92] = call_truncate, [93] = call_ftruncate, [94] = call_fchmod, [95] = call_fchown16, [96] = call_getpriority, [97] = call_setpriority,
	[101] = call_ioperm, [104] = call_setitimer, [105] = call_getitimer, [106] = call_stat, [107] = call_lstat, [108] = call_fstat,
	[114] = call_wait4, [116] = call_sysinfo, [118] = call_sync_one, [119] = call_sigreturn, [120] = call_clone, [122] = call_uname,
	[125] = call_mprotect, [126] = call_sigprocmask, [132] = call_getpgid, [133] = call_fchdir, [136] = call_personality, [140] = call_llseek,
	[141] = call_getdents, [142] = call_select, [143] = call_flock, [144] = call_msync, [145] = call_readv, [146] = call_writev, [147] = call_getsid,
	[148] = call_sync_one, [150] = call_mlock, [151] = call_mlock, [152] = call_mlockall, [153] = call_nothing, [154] = call_sched_setparam,
	[155] = call_sched_getparam, [156] = call_sched_setscheduler, [157] = call_sched_getscheduler, [159] = call_sched_get_priority_max,
	[160] = call_sched_get_priority_min, [161] = call_sched_rr_get_interval, [423] = call_sched_rr_get_interval, [158] = call_sched_yield, [162] = call_nanosleep, [163] = call_mremap, [168] = call_poll,
	[172] = call_prctl, [173] = call_rt_sigreturn, [174] = call_rt_sigaction, [175] = call_rt_sigprocmask, [176] = call_rt_sigpending,
	[179] = call_rt_sigsuspend, [180] = call_pread64, [181] = call_pwrite64, [182] = call_chown16, [183] = call_getcwd, [186] = call_sigaltstack,
	[187] = call_sendfile, [190] = call_vfork, [191] = call_getrlimit, [192] = call_mmap2, [193] = call_truncate64, [194] = call_ftruncate64,
	[195] = call_stat64, [196] = call_lstat64, [197] = call_fstat64, [198] = call_lchown, [199] = call_getuid, [200] = call_getgid,
	[201] = call_geteuid, [202] = call_getegid, [203] = call_setreuid, [204] = call_setregid, [205] = call_getgroups, [206] = call_setgroups,
	[207] = call_fchown, [208] = call_setresuid, [209] = call_getresuid, [210] = call_setresgid, [211] = call_getresgid, [212] = call_chown,
	[213] = call_setuid, [214] = call_setgid, [219] = call_madvise, [220] = call_getdents64, [221] = call_fcntl, [224] = call_gettid, [225] = call_readahead, [238] = call_tkill,
	[226] = call_attributes, [227] = call_attributes, [228] = call_attributes, [229] = call_attributes, [230] = call_attributes,
	[231] = call_attributes, [232] = call_attributes, [233] = call_attributes, [234] = call_attributes, [235] = call_attributes,
	[236] = call_attributes, [237] = call_attributes,
	[239] = call_sendfile64, [240] = call_futex, [184] = call_capget, [185] = call_capset, [241] = call_sched_setaffinity, [242] = call_sched_getaffinity, [243] = call_set_thread_area, [250] = call_nothing,
	[252] = call_exit_group, [258] = call_set_tid_address, [264] = call_clock_settime, [265] = call_clock_gettime, [266] = call_clock_getres, [267] = call_clock_nanosleep,
	[268] = call_statfs64, [269] = call_fstatfs64, [270] = call_tgkill, [271] = call_utimes, [272] = call_nothing, [295] = call_openat,
	[296] = call_mkdirat, [297] = call_mknodat, [298] = call_fchownat, [300] = call_fstatat64, [301] = call_unlinkat, [302] = call_renameat,
	[303] = call_linkat, [304] = call_symlinkat, [305] = call_readlinkat, [306] = call_fchmodat, [307] = call_faccessat,
	[311] = call_set_robust_list, [318] = call_getcpu, [320] = call_utimensat, [324] = call_fallocate, [330] = call_dup3, [331] = call_pipe2, [340] = call_prlimit64, [344] = call_syncfs,
	[353] = call_renameat2, [355] = call_getrandom, [383] = call_statx, [403] = call_clock_gettime64, [406] = call_clock_getres,
	[407] = call_clock_nanosleep64, [412] = call_utimensat64, [436] = call_close_range, [439] = call_faccessat,
	[99] = call_statfs, [100] = call_fstatfs, [177] = call_rt_sigtimedwait, [178] = call_rt_sigqueueinfo, [218] = call_mincore,
	[254] = call_epoll_create, [255] = call_epoll_ctl, [256] = call_epoll_wait, [308] = call_pselect6, [309] = call_ppoll, [313] = call_splice, [315] = call_tee,
	[319] = call_epoll_pwait, [321] = call_signalfd, [322] = call_timerfd_create, [323] = call_eventfd, [325] = call_timerfd_settime,
	[326] = call_timerfd_gettime, [327] = call_signalfd, [328] = call_eventfd, [329] = call_epoll_create, [333] = call_preadv, [334] = call_pwritev,
	[377] = call_copy_file_range, [378] = call_preadv2, [379] = call_pwritev2, [410] = call_timerfd_gettime, [411] = call_timerfd_settime,
	[259] = call_timer_create, [260] = call_timer_settime, [261] = call_timer_gettime, [262] = call_timer_getoverrun, [263] = call_timer_delete,
	[408] = call_timer_gettime, [409] = call_timer_settime,
	[117] = call_ipc, [393] = call_semget, [394] = call_semctl, [395] = call_shmget, [396] = call_shmctl, [397] = call_shmat, [398] = call_shmdt,
	[420] = call_semtimedop64,
	[356] = call_memfd_create, [102] = call_socketcall, [359] = call_socket_direct, [360] = call_socket_direct, [361] = call_socket_direct, [362] = call_socket_direct,
	[363] = call_socket_direct, [364] = call_socket_direct, [365] = call_socket_direct, [366] = call_socket_direct, [367] = call_socket_direct,
	[368] = call_socket_direct, [369] = call_socket_direct, [370] = call_socket_direct, [371] = call_socket_direct, [372] = call_socket_direct,
	[373] = call_socket_direct,
#ifdef MACHINE_WIDE
	[384] = call_arch_prctl,
#endif
	[284] = call_waitid, [413] = call_pselect6, [414] = call_ppoll, [421] = call_rt_sigtimedwait, [422] = call_futex, [441] = call_epoll_pwait,
};

/* The names of all calls, in order; - where there is none. Only for messages. */
static const char names[] =
	"restart_syscall exit fork read write open close waitpid creat link unlink execve chdir time mknod chmod lchown break oldstat lseek getpid "
	"mount umount setuid getuid stime ptrace alarm oldfstat pause utime stty gtty access nice ftime sync kill rename mkdir rmdir dup pipe times "
	"prof brk setgid getgid signal geteuid getegid acct umount2 lock ioctl fcntl mpx setpgid ulimit oldolduname umask chroot ustat dup2 getppid "
	"getpgrp setsid sigaction sgetmask ssetmask setreuid setregid sigsuspend sigpending sethostname setrlimit getrlimit getrusage gettimeofday "
	"settimeofday getgroups setgroups select symlink oldlstat readlink uselib swapon reboot readdir mmap munmap truncate ftruncate fchmod "
	"fchown getpriority setpriority profil statfs fstatfs ioperm socketcall syslog setitimer getitimer stat lstat fstat olduname iopl vhangup "
	"idle vm86old wait4 swapoff sysinfo ipc fsync sigreturn clone setdomainname uname modify_ldt adjtimex mprotect sigprocmask create_module "
	"init_module delete_module get_kernel_syms quotactl getpgid fchdir bdflush sysfs personality afs_syscall setfsuid setfsgid _llseek getdents "
	"_newselect flock msync readv writev getsid fdatasync _sysctl mlock munlock mlockall munlockall sched_setparam sched_getparam "
	"sched_setscheduler sched_getscheduler sched_yield sched_get_priority_max sched_get_priority_min sched_rr_get_interval nanosleep mremap "
	"setresuid getresuid vm86 query_module poll nfsservctl setresgid getresgid prctl rt_sigreturn rt_sigaction rt_sigprocmask rt_sigpending "
	"rt_sigtimedwait rt_sigqueueinfo rt_sigsuspend pread64 pwrite64 chown getcwd capget capset sigaltstack sendfile getpmsg putpmsg vfork "
	"ugetrlimit mmap2 truncate64 ftruncate64 stat64 lstat64 fstat64 lchown32 getuid32 getgid32 geteuid32 getegid32 setreuid32 setregid32 "
	"getgroups32 setgroups32 fchown32 setresuid32 getresuid32 setresgid32 getresgid32 chown32 setuid32 setgid32 setfsuid32 setfsgid32 "
	"pivot_root mincore madvise getdents64 fcntl64 - - gettid readahead setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr "
	"llistxattr flistxattr removexattr lremovexattr fremovexattr tkill sendfile64 futex sched_setaffinity sched_getaffinity set_thread_area "
	"get_thread_area io_setup io_destroy io_getevents io_submit io_cancel fadvise64 - exit_group lookup_dcookie epoll_create epoll_ctl "
	"epoll_wait remap_file_pages set_tid_address timer_create timer_settime timer_gettime timer_getoverrun timer_delete clock_settime "
	"clock_gettime clock_getres clock_nanosleep statfs64 fstatfs64 tgkill utimes fadvise64_64 vserver mbind get_mempolicy set_mempolicy mq_open "
	"mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr kexec_load waitid - add_key request_key keyctl ioprio_set ioprio_get "
	"inotify_init inotify_add_watch inotify_rm_watch migrate_pages openat mkdirat mknodat fchownat futimesat fstatat64 unlinkat renameat linkat "
	"symlinkat readlinkat fchmodat faccessat pselect6 ppoll unshare set_robust_list get_robust_list splice sync_file_range tee vmsplice "
	"move_pages getcpu epoll_pwait utimensat signalfd timerfd_create eventfd fallocate timerfd_settime timerfd_gettime signalfd4 eventfd2 "
	"epoll_create1 dup3 pipe2 inotify_init1 preadv pwritev rt_tgsigqueueinfo perf_event_open recvmmsg fanotify_init fanotify_mark prlimit64 "
	"name_to_handle_at open_by_handle_at clock_adjtime syncfs sendmmsg setns process_vm_readv process_vm_writev kcmp finit_module sched_setattr "
	"sched_getattr renameat2 seccomp getrandom memfd_create bpf execveat socket socketpair bind connect listen accept4 getsockopt setsockopt "
	"getsockname getpeername sendto sendmsg recvfrom recvmsg shutdown userfaultfd membarrier mlock2 copy_file_range preadv2 pwritev2 "
	"pkey_mprotect pkey_alloc pkey_free statx arch_prctl io_pgetevents rseq - - - - - - semget semctl shmget shmctl shmat shmdt msgget msgsnd "
	"msgrcv msgctl clock_gettime64 clock_settime64 clock_adjtime64 clock_getres_time64 clock_nanosleep_time64 timer_gettime64 timer_settime64 "
	"timerfd_gettime64 timerfd_settime64 utimensat_time64 pselect6_time64 ppoll_time64 - io_pgetevents_time64 recvmmsg_time64 "
	"mq_timedsend_time64 mq_timedreceive_time64 semtimedop_time64 rt_sigtimedwait_time64 futex_time64 sched_rr_get_interval_time64 "
	"pidfd_send_signal io_uring_setup io_uring_enter io_uring_register open_tree move_mount fsopen fsconfig fsmount fspick pidfd_open clone3 "
	"close_range openat2 pidfd_getfd faccessat2 process_madvise epoll_pwait2 mount_setattr quotactl_fd landlock_create_ruleset "
	"landlock_add_rule landlock_restrict_self memfd_secret process_mrelease futex_waitv set_mempolicy_home_node ";

const char *call_name(u32 number)
{
	static char name[40];
	const char *at = names;
	u32 i;

	if (number > LAST)
		return "unknown";
	for (; number; number--, at++)
		while (*at != ' ')
			at++;
	for (i = 0; at[i] != ' ' && i < sizeof name - 1; i++)
		name[i] = at[i];
	name[i] = 0;
	return name;
}

/* Programs try these and do without; no word about them. */
static int expected(u32 number)
{
	return number == 386 /* rseq */ || number == 439 || number == 435 /* clone3 */;
}

static int refuse(struct process *p, u32 number)
{
	static u8 told[LAST + 1];
	u32 i = number > LAST ? 0 : number;

	if (!told[i] && !expected(number)) {
		told[i] = 1;
		note("system call ");
		note_number(number);
		note(" (");
		note(call_name(number));
		note(") is not served; first asked by ");
		note(p->name);
		note("\n");
	}
	return -ENOSYS;
}

#ifdef MACHINE_WIDE
#define REFUSE_WIDE(p) wide_refuse(p)
#else
#define REFUSE_WIDE(p) -ENOSYS
#endif

int serve(struct process *p)
{
	struct machine_registers *r = p->r;
	u32 number = (u32)r->eax;
	long result;

#ifdef MACHINE_WIDE
	if (WIDE(p))
		r = wide_arguments(p, &number);
#endif
	p->call = number;
	result = number <= LAST && calls[number] ? calls[number](p, r) : WIDE(p) && !number ? REFUSE_WIDE(p) : refuse(p, number);

	if (p->state == ZOMBIE || result == KEEP)
		return 0;
	if (result == WAIT && p->again)
		return WAIT;
	p->again = 0;
	p->progress = 0; /* of a call that waited, and then went another way */
	p->timed = 0;
	p->deadline = 0;
	p->r->eax = (machine_word)result;
	return 0;
}
