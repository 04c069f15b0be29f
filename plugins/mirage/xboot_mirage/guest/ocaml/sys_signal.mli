(* System calls that work on signals, and those that wait for descriptors or time. Each is the call of its name: it reads its arguments from the registers of the process and answers what Linux answers.
   It raises Errno.Error with the number that Linux gives, and Proc.Wait when it must wait; it is then made again from its beginning. *)

(* [with_deadline p span]: when the call under way began to wait, note when it ends, in nanoseconds from now; negative: never. *)
val with_deadline : Proc.t -> int -> unit

(* [span_at p va ~wide ~scale]: a span of time in the program's memory, in nanoseconds, -1 if [va] is 0. [wide]: twice 64 bits; [scale]: nanoseconds in a unit of its second part.
   Raises EINVAL, EFAULT. *)
val span_at : Proc.t -> int -> wide:bool -> scale:int -> int

(* [temporary_mask p va ~size]: block the signals of the set at [va], if it is not 0, until the call is over. Raises EINVAL for a size other than 8 bytes, EFAULT. *)
val temporary_mask : Proc.t -> int -> size:int -> unit

val kill : Proc.t -> int
val tkill : Proc.t -> int
val tgkill : Proc.t -> int
val rt_sigqueueinfo : Proc.t -> int
val rt_tgsigqueueinfo : Proc.t -> int
val rt_sigaction : Proc.t -> int
val sigaction : Proc.t -> int
val signal : Proc.t -> int
val rt_sigprocmask : Proc.t -> int
val sigprocmask : Proc.t -> int
val rt_sigpending : Proc.t -> int
val rt_sigsuspend : Proc.t -> int
val sigsuspend : Proc.t -> int
val pause : Proc.t -> int
val sigreturn : Proc.t -> int
val rt_sigreturn : Proc.t -> int
val sigaltstack : Proc.t -> int
val rt_sigtimedwait : Proc.t -> int
val poll : Proc.t -> int
val ppoll : Proc.t -> int
val ppoll_time64 : Proc.t -> int
val select : Proc.t -> int
val pselect6 : Proc.t -> int
val pselect6_time64 : Proc.t -> int
val nanosleep : Proc.t -> int
val clock_nanosleep : Proc.t -> int
val clock_nanosleep_time64 : Proc.t -> int
val alarm : Proc.t -> int
val getitimer : Proc.t -> int
val setitimer : Proc.t -> int
