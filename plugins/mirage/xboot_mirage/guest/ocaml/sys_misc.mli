(* System calls that tell names and times, set limits, give chance. Each is the call of its name: it reads its arguments from the registers of the process and answers what Linux answers.
   It raises Errno.Error with the number that Linux gives, and Proc.Wait when it must wait; it is then made again from its beginning. *)

(* What uname calls the machine; the executor sets it for each step. *)
val machine : string ref

(* Granted without effect, refused by EPERM, and told not to exist (ENOSYS) without a word on the console. *)
val nothing : Proc.t -> int
val forbidden : Proc.t -> int
val absent : Proc.t -> int

(* [put_time p va ns ~wide ~scale]: nanoseconds into the program's memory, as span_at (sys_signal.mli) reads them. Raises EFAULT. *)
val put_time : Proc.t -> int -> int -> wide:bool -> scale:int -> unit

val uname : Proc.t -> int
val time : Proc.t -> int
val gettimeofday : Proc.t -> int
val clock_gettime : Proc.t -> int
val clock_gettime64 : Proc.t -> int
val clock_getres : Proc.t -> int
val clock_getres64 : Proc.t -> int
val clock_settime : Proc.t -> int
val times : Proc.t -> int
val getrusage : Proc.t -> int
val sysinfo : Proc.t -> int
val getrlimit : Proc.t -> int
val old_getrlimit : Proc.t -> int
val setrlimit : Proc.t -> int
val prlimit64 : Proc.t -> int
val getrandom : Proc.t -> int
val sched_yield : Proc.t -> int
val sched_getaffinity : Proc.t -> int
val sched_setaffinity : Proc.t -> int
val sched_get_priority_max : Proc.t -> int
val sched_get_priority_min : Proc.t -> int
val sched_getscheduler : Proc.t -> int
val sched_setscheduler : Proc.t -> int
val sched_getparam : Proc.t -> int
val sched_setparam : Proc.t -> int
val sched_rr_get_interval : Proc.t -> int
val sched_rr_get_interval64 : Proc.t -> int
val getcpu : Proc.t -> int
val getpriority : Proc.t -> int
val setpriority : Proc.t -> int
val nice : Proc.t -> int
val capget : Proc.t -> int
val capset : Proc.t -> int
val personality : Proc.t -> int
