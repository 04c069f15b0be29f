(* The system calls that are served, by number, for the two ABIs. README.md gives the reason for each. *)

open Sys_file
open Sys_path
open Sys_stat
open Sys_proc
open Futex
open Sys_mem
open Sys_signal
open Sys_misc
open Sys_event
open Sys_timer
open Sys_socket
open Sys_ipc

type entry = { name : string; serve : Proc.t -> int; price : int (* of the processor, for Sched *) }

(* Who asks a timer again and again what is left of it waits for it, awake, and computes between: at a microsecond a question it would ask ten
   times as often as elsewhere. The clocks themselves stay cheap: else a wait for ten microseconds, which is to sleep, would be over before it began. *)
let asks_a_timer name = List.mem name [ "getitimer"; "timer_gettime"; "timer_gettime64"; "timerfd_gettime"; "timerfd_gettime64" ]

let e name serve =
  { name; serve; price = (match name with "fork" | "vfork" | "clone" -> 60 | "execve" -> 120 | _ -> if asks_a_timer name then 20 else 1) }

let i386 = [
  1, e "exit" exit; 2, e "fork" fork; 3, e "read" read; 4, e "write" write; 5, e "open" open_; 6, e "close" close; 7, e "waitpid" waitpid;
  8, e "creat" creat; 9, e "link" link; 10, e "unlink" unlink; 11, e "execve" execve; 12, e "chdir" chdir; 13, e "time" time; 14, e "mknod" mknod;
  15, e "chmod" chmod; 16, e "lchown" lchown16; 19, e "lseek" lseek; 20, e "getpid" getpid; 21, e "mount" forbidden; 23, e "setuid" setuid; 24, e "getuid" getuid;
  27, e "alarm" alarm; 29, e "pause" pause; 30, e "utime" utime; 33, e "access" access; 34, e "nice" nice; 36, e "sync" nothing; 37, e "kill" kill;
  38, e "rename" rename; 39, e "mkdir" mkdir; 40, e "rmdir" rmdir; 41, e "dup" dup; 42, e "pipe" pipe; 43, e "times" times; 45, e "brk" brk;
  46, e "setgid" setgid; 47, e "getgid" getgid; 48, e "signal" signal; 49, e "geteuid" getuid; 50, e "getegid" getgid; 52, e "umount2" forbidden;
  54, e "ioctl" ioctl; 55, e "fcntl" fcntl; 57, e "setpgid" setpgid; 60, e "umask" umask; 61, e "chroot" forbidden; 63, e "dup2" dup2; 64, e "getppid" getppid;
  65, e "getpgrp" getpgrp; 66, e "setsid" setsid; 67, e "sigaction" sigaction; 70, e "setreuid" setreuid; 71, e "setregid" setregid; 72, e "sigsuspend" sigsuspend;
  74, e "sethostname" forbidden; 75, e "setrlimit" setrlimit; 76, e "old_getrlimit" old_getrlimit; 77, e "getrusage" getrusage;
  78, e "gettimeofday" gettimeofday; 80, e "getgroups" getgroups; 81, e "setgroups" setgroups; 83, e "symlink" symlink; 85, e "readlink" readlink; 88, e "reboot" forbidden;
  90, e "old_mmap" old_mmap; 91, e "munmap" munmap; 92, e "truncate" truncate; 93, e "ftruncate" ftruncate; 94, e "fchmod" fchmod; 95, e "fchown" fchown16; 96, e "getpriority" getpriority;
  97, e "setpriority" setpriority; 99, e "statfs" statfs; 100, e "fstatfs" fstatfs; 101, e "ioperm" forbidden; 104, e "setitimer" setitimer; 106, e "stat" stat; 107, e "lstat" lstat;
  108, e "fstat" fstat; 110, e "iopl" forbidden; 114, e "wait4" wait4; 116, e "sysinfo" sysinfo; 118, e "fsync" sync; 119, e "sigreturn" sigreturn; 120, e "clone" clone;
  122, e "uname" uname; 125, e "mprotect" mprotect; 126, e "sigprocmask" sigprocmask; 132, e "getpgid" getpgid; 133, e "fchdir" fchdir;
  136, e "personality" personality; 138, e "setfsuid" (setfsid 1000); 139, e "setfsgid" (setfsid 100); 140, e "_llseek" llseek; 141, e "getdents" getdents; 142, e "select" select;
  143, e "flock" flock; 144, e "msync" msync; 145, e "readv" readv; 146, e "writev" writev; 147, e "getsid" getsid; 148, e "fdatasync" sync; 150, e "mlock" mlock; 151, e "munlock" mlock; 152, e "mlockall" mlockall; 153, e "munlockall" nothing;
  154, e "sched_setparam" sched_setparam; 155, e "sched_getparam" sched_getparam; 156, e "sched_setscheduler" sched_setscheduler; 157, e "sched_getscheduler" sched_getscheduler;
  159, e "sched_get_priority_max" sched_get_priority_max; 160, e "sched_get_priority_min" sched_get_priority_min; 161, e "sched_rr_get_interval" sched_rr_get_interval; 423, e "sched_rr_get_interval_time64" sched_rr_get_interval64; 158, e "sched_yield" sched_yield; 162, e "nanosleep" nanosleep; 163, e "mremap" mremap; 164, e "setresuid" setresuid; 165, e "getresuid" getresuid;
  168, e "poll" poll; 170, e "setresgid" setresgid; 171, e "getresgid" getresgid; 172, e "prctl" prctl; 173, e "rt_sigreturn" rt_sigreturn; 174, e "rt_sigaction" rt_sigaction;
  175, e "rt_sigprocmask" rt_sigprocmask; 176, e "rt_sigpending" rt_sigpending; 177, e "rt_sigtimedwait" rt_sigtimedwait; 178, e "rt_sigqueueinfo" rt_sigqueueinfo; 335, e "rt_tgsigqueueinfo" rt_tgsigqueueinfo; 179, e "rt_sigsuspend" rt_sigsuspend;
  180, e "pread64" pread; 181, e "pwrite64" pwrite; 182, e "chown" chown16; 183, e "getcwd" getcwd; 186, e "sigaltstack" sigaltstack; 187, e "sendfile" sendfile;
  190, e "vfork" vfork; 191, e "ugetrlimit" getrlimit; 192, e "mmap2" mmap; 193, e "truncate64" truncate64; 194, e "ftruncate64" ftruncate64; 195, e "stat64" stat64;
  196, e "lstat64" lstat64; 197, e "fstat64" fstat64; 198, e "lchown32" lchown; 199, e "getuid32" getuid; 200, e "getgid32" getgid; 201, e "geteuid32" getuid;
  202, e "getegid32" getgid; 203, e "setreuid32" setreuid; 204, e "setregid32" setregid; 205, e "getgroups32" getgroups; 206, e "setgroups32" setgroups;
  207, e "fchown32" fchown; 208, e "setresuid32" setresuid; 209, e "getresuid32" getresuid; 210, e "setresgid32" setresgid; 211, e "getresgid32" getresgid;
  212, e "chown32" chown; 213, e "setuid32" setuid; 214, e "setgid32" setgid; 215, e "setfsuid32" (setfsid 1000); 216, e "setfsgid32" (setfsid 100); 218, e "mincore" mincore; 219, e "madvise" madvise;
  220, e "getdents64" getdents64; 221, e "fcntl64" fcntl; 224, e "gettid" gettid; 225, e "readahead" readahead; 238, e "tkill" tkill; 239, e "sendfile64" sendfile64; 240, e "futex" futex; 422, e "futex_time64" futex_time64; 312, e "get_robust_list" get_robust_list; 105, e "getitimer" getitimer;
  184, e "capget" capget; 185, e "capset" capset; 241, e "sched_setaffinity" sched_setaffinity; 378, e "preadv2" preadv2; 379, e "pwritev2" pwritev2; 242, e "sched_getaffinity" sched_getaffinity; 243, e "set_thread_area" set_thread_area; 252, e "exit_group" exit_group; 258, e "set_tid_address" set_tid_address; 264, e "clock_settime" clock_settime;
  265, e "clock_gettime" clock_gettime; 266, e "clock_getres" clock_getres; 267, e "clock_nanosleep" clock_nanosleep; 268, e "statfs64" statfs64; 269, e "fstatfs64" fstatfs64;
  270, e "tgkill" tgkill; 271, e "utimes" utimes; 272, e "fadvise64_64" sync; 250, e "fadvise64" sync; 284, e "waitid" waitid; 295, e "openat" openat; 296, e "mkdirat" mkdirat; 297, e "mknodat" mknodat;
  298, e "fchownat" fchownat; 299, e "futimesat" futimesat; 300, e "fstatat64" fstatat; 301, e "unlinkat" unlinkat; 302, e "renameat" renameat; 303, e "linkat" linkat;
  304, e "symlinkat" symlinkat; 305, e "readlinkat" readlinkat; 306, e "fchmodat" fchmodat; 307, e "faccessat" faccessat; 308, e "pselect6" pselect6; 309, e "ppoll" ppoll;
  311, e "set_robust_list" set_robust_list; 318, e "getcpu" getcpu; 320, e "utimensat" utimensat; 324, e "fallocate" fallocate; 330, e "dup3" dup3; 331, e "pipe2" pipe2; 333, e "preadv" preadv; 334, e "pwritev" pwritev;
  340, e "prlimit64" prlimit64; 344, e "syncfs" syncfs; 353, e "renameat2" renameat2; 355, e "getrandom" getrandom; 358, e "execveat" execveat; 377, e "copy_file_range" copy_file_range;
  383, e "statx" statx; 384, e "arch_prctl" absent; 386, e "rseq" absent; 403, e "clock_gettime64" clock_gettime64; 406, e "clock_getres_time64" clock_getres64;
  407, e "clock_nanosleep_time64" clock_nanosleep_time64; 412, e "utimensat_time64" utimensat_time64; 413, e "pselect6_time64" pselect6_time64;
  414, e "ppoll_time64" ppoll_time64; 435, e "clone3" absent; 436, e "close_range" close_range; 439, e "faccessat2" faccessat2;
  254, e "epoll_create" epoll_create; 255, e "epoll_ctl" epoll_ctl; 256, e "epoll_wait" epoll_wait; 313, e "splice" splice; 315, e "tee" tee; 319, e "epoll_pwait" epoll_pwait;
  321, e "signalfd" signalfd; 322, e "timerfd_create" timerfd_create; 323, e "eventfd" eventfd; 325, e "timerfd_settime" timerfd_settime; 326, e "timerfd_gettime" timerfd_gettime;
  327, e "signalfd4" signalfd4; 328, e "eventfd2" eventfd2; 329, e "epoll_create1" epoll_create1; 356, e "memfd_create" memfd_create; 410, e "timerfd_gettime64" timerfd_gettime64;
  411, e "timerfd_settime64" timerfd_settime64; 117, e "ipc" ipc; 393, e "semget" semget; 394, e "semctl" semctl; 395, e "shmget" shmget; 396, e "shmctl" shmctl;
  397, e "shmat" shmat; 398, e "shmdt" shmdt; 420, e "semtimedop_time64" semtimedop; 441, e "epoll_pwait2" epoll_pwait2; 102, e "socketcall" socketcall;
  259, e "timer_create" timer_create; 260, e "timer_settime" timer_settime; 261, e "timer_gettime" timer_gettime; 262, e "timer_getoverrun" timer_getoverrun; 263, e "timer_delete" timer_delete;
  408, e "timer_gettime64" timer_gettime64; 409, e "timer_settime64" timer_settime64;
  359, e "socket" (by_registers socket); 360, e "socketpair" (by_registers socketpair); 361, e "bind" (by_registers bind); 362, e "connect" (by_registers connect);
  363, e "listen" (by_registers listen); 364, e "accept4" (by_registers accept4); 365, e "getsockopt" (by_registers getsockopt); 366, e "setsockopt" (by_registers setsockopt);
  367, e "getsockname" (by_registers getsockname); 368, e "getpeername" (by_registers getpeername); 369, e "sendto" (by_registers sendto); 370, e "sendmsg" (by_registers sendmsg);
  371, e "recvfrom" (by_registers recvfrom); 372, e "recvmsg" (by_registers recvmsg); 373, e "shutdown" (by_registers shutdown);
]

let x86_64 = [
  0, e "read" read; 1, e "write" write; 2, e "open" open_; 3, e "close" close; 4, e "stat" stat; 5, e "fstat" fstat; 6, e "lstat" lstat; 7, e "poll" poll; 8, e "lseek" lseek;
  9, e "mmap" mmap; 10, e "mprotect" mprotect; 11, e "munmap" munmap; 12, e "brk" brk; 13, e "rt_sigaction" rt_sigaction; 14, e "rt_sigprocmask" rt_sigprocmask;
  15, e "rt_sigreturn" rt_sigreturn; 16, e "ioctl" ioctl; 17, e "pread64" pread; 18, e "pwrite64" pwrite; 19, e "readv" readv; 20, e "writev" writev; 21, e "access" access;
  22, e "pipe" pipe; 23, e "select" select; 142, e "sched_setparam" sched_setparam; 143, e "sched_getparam" sched_getparam; 144, e "sched_setscheduler" sched_setscheduler; 145, e "sched_getscheduler" sched_getscheduler;
  146, e "sched_get_priority_max" sched_get_priority_max; 147, e "sched_get_priority_min" sched_get_priority_min; 148, e "sched_rr_get_interval" sched_rr_get_interval; 24, e "sched_yield" sched_yield; 25, e "mremap" mremap; 26, e "msync" msync; 27, e "mincore" mincore; 28, e "madvise" madvise; 32, e "dup" dup; 33, e "dup2" dup2;
  34, e "pause" pause; 35, e "nanosleep" nanosleep; 37, e "alarm" alarm; 38, e "setitimer" setitimer; 39, e "getpid" getpid; 40, e "sendfile" sendfile; 56, e "clone" clone;
  57, e "fork" fork; 58, e "vfork" vfork; 59, e "execve" execve; 60, e "exit" exit; 61, e "wait4" wait4; 62, e "kill" kill; 63, e "uname" uname; 72, e "fcntl" fcntl; 73, e "flock" flock;
  74, e "fsync" sync; 75, e "fdatasync" sync; 76, e "truncate" truncate; 77, e "ftruncate" ftruncate; 78, e "getdents" getdents; 79, e "getcwd" getcwd; 80, e "chdir" chdir;
  81, e "fchdir" fchdir; 82, e "rename" rename; 83, e "mkdir" mkdir; 84, e "rmdir" rmdir; 85, e "creat" creat; 86, e "link" link; 87, e "unlink" unlink; 88, e "symlink" symlink;
  89, e "readlink" readlink; 90, e "chmod" chmod; 91, e "fchmod" fchmod; 92, e "chown" chown; 93, e "fchown" fchown; 94, e "lchown" lchown; 95, e "umask" umask;
  96, e "gettimeofday" gettimeofday; 97, e "getrlimit" getrlimit; 98, e "getrusage" getrusage; 99, e "sysinfo" sysinfo; 100, e "times" times; 102, e "getuid" getuid;
  104, e "getgid" getgid; 105, e "setuid" setuid; 106, e "setgid" setgid; 107, e "geteuid" getuid; 108, e "getegid" getgid; 109, e "setpgid" setpgid; 110, e "getppid" getppid;
  111, e "getpgrp" getpgrp; 112, e "setsid" setsid; 113, e "setreuid" setreuid; 114, e "setregid" setregid; 115, e "getgroups" getgroups; 116, e "setgroups" setgroups;
  117, e "setresuid" setresuid; 118, e "getresuid" getresuid; 119, e "setresgid" setresgid; 120, e "getresgid" getresgid; 121, e "getpgid" getpgid; 122, e "setfsuid" (setfsid 1000);
  123, e "setfsgid" (setfsid 100); 124, e "getsid" getsid; 127, e "rt_sigpending" rt_sigpending; 128, e "rt_sigtimedwait" rt_sigtimedwait; 129, e "rt_sigqueueinfo" rt_sigqueueinfo; 297, e "rt_tgsigqueueinfo" rt_tgsigqueueinfo; 130, e "rt_sigsuspend" rt_sigsuspend;
  131, e "sigaltstack" sigaltstack; 132, e "utime" utime; 133, e "mknod" mknod; 135, e "personality" personality; 137, e "statfs" statfs; 138, e "fstatfs" fstatfs;
  140, e "getpriority" getpriority; 141, e "setpriority" setpriority; 125, e "capget" capget; 126, e "capset" capset; 203, e "sched_setaffinity" sched_setaffinity; 327, e "preadv2" preadv2; 328, e "pwritev2" pwritev2; 149, e "mlock" mlock; 150, e "munlock" mlock; 151, e "mlockall" mlockall; 152, e "munlockall" nothing; 157, e "prctl" prctl; 158, e "arch_prctl" arch_prctl;
  160, e "setrlimit" setrlimit; 161, e "chroot" forbidden; 162, e "sync" nothing; 165, e "mount" forbidden; 166, e "umount2" forbidden; 169, e "reboot" forbidden; 170, e "sethostname" forbidden;
  172, e "iopl" forbidden; 173, e "ioperm" forbidden; 186, e "gettid" gettid; 187, e "readahead" readahead; 200, e "tkill" tkill; 201, e "time" time; 202, e "futex" futex; 204, e "sched_getaffinity" sched_getaffinity;
  217, e "getdents64" getdents64; 218, e "set_tid_address" set_tid_address; 221, e "fadvise64" sync; 227, e "clock_settime" clock_settime; 228, e "clock_gettime" clock_gettime;
  229, e "clock_getres" clock_getres; 230, e "clock_nanosleep" clock_nanosleep; 231, e "exit_group" exit_group; 234, e "tgkill" tgkill; 235, e "utimes" utimes; 247, e "waitid" waitid;
  257, e "openat" openat; 258, e "mkdirat" mkdirat; 259, e "mknodat" mknodat; 260, e "fchownat" fchownat; 261, e "futimesat" futimesat; 262, e "newfstatat" fstatat;
  263, e "unlinkat" unlinkat; 264, e "renameat" renameat; 265, e "linkat" linkat; 266, e "symlinkat" symlinkat; 267, e "readlinkat" readlinkat; 268, e "fchmodat" fchmodat;
  269, e "faccessat" faccessat; 270, e "pselect6" pselect6; 271, e "ppoll" ppoll; 273, e "set_robust_list" set_robust_list; 274, e "get_robust_list" get_robust_list; 36, e "getitimer" getitimer; 280, e "utimensat" utimensat; 285, e "fallocate" fallocate;
  292, e "dup3" dup3; 293, e "pipe2" pipe2; 295, e "preadv" preadv; 296, e "pwritev" pwritev; 302, e "prlimit64" prlimit64; 306, e "syncfs" syncfs; 309, e "getcpu" getcpu; 316, e "renameat2" renameat2;
  318, e "getrandom" getrandom; 322, e "execveat" execveat; 326, e "copy_file_range" copy_file_range; 332, e "statx" statx; 334, e "rseq" absent; 435, e "clone3" absent;
  436, e "close_range" close_range; 439, e "faccessat2" faccessat2;
  29, e "shmget" shmget; 30, e "shmat" shmat; 31, e "shmctl" shmctl; 64, e "semget" semget; 65, e "semop" semop; 66, e "semctl" semctl; 67, e "shmdt" shmdt; 220, e "semtimedop" semtimedop;
  213, e "epoll_create" epoll_create; 232, e "epoll_wait" epoll_wait; 233, e "epoll_ctl" epoll_ctl; 275, e "splice" splice; 276, e "tee" tee; 281, e "epoll_pwait" epoll_pwait;
  282, e "signalfd" signalfd; 283, e "timerfd_create" timerfd_create; 284, e "eventfd" eventfd; 286, e "timerfd_settime" timerfd_settime; 287, e "timerfd_gettime" timerfd_gettime;
  289, e "signalfd4" signalfd4; 290, e "eventfd2" eventfd2; 291, e "epoll_create1" epoll_create1; 319, e "memfd_create" memfd_create; 441, e "epoll_pwait2" epoll_pwait2;
  222, e "timer_create" timer_create; 223, e "timer_settime" timer_settime; 224, e "timer_gettime" timer_gettime; 225, e "timer_getoverrun" timer_getoverrun; 226, e "timer_delete" timer_delete;
  41, e "socket" (by_registers socket); 42, e "connect" (by_registers connect); 43, e "accept" (by_registers accept); 44, e "sendto" (by_registers sendto);
  45, e "recvfrom" (by_registers recvfrom); 46, e "sendmsg" (by_registers sendmsg); 47, e "recvmsg" (by_registers recvmsg); 48, e "shutdown" (by_registers shutdown);
  49, e "bind" (by_registers bind); 50, e "listen" (by_registers listen); 51, e "getsockname" (by_registers getsockname); 52, e "getpeername" (by_registers getpeername);
  53, e "socketpair" (by_registers socketpair); 54, e "setsockopt" (by_registers setsockopt); 55, e "getsockopt" (by_registers getsockopt); 288, e "accept4" (by_registers accept4);
]

let index list =
  let table = Array.make 512 None in
  List.iter (fun (number, entry) -> table.(number) <- Some entry) list;
  table

let table32 = index i386
let table64 = index x86_64

let find p number = if number < 0 || number >= 512 then None else (if Proc.is_wide p then table64 else table32).(number)

let reported : (string, unit) Hashtbl.t = Hashtbl.create 8

(* An unknown call: ENOSYS, and its number on the console, once. *)
let unknown p number =
  let what = String.concat "" [ "system call "; string_of_int number; " of "; (if Proc.is_wide p then "x86_64" else "i386") ] in
  if Hashtbl.length reported < 64 && not (Hashtbl.mem reported what) then begin
    Hashtbl.replace reported what ();
    Base.console ("xboot: not served: " ^ what ^ "\n")
  end;
  Errno.fail Errno.enosys
