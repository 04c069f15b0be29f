(* System calls that make descriptors of events, and epoll. Each is the call of its name: it reads its arguments from the registers of the process and answers what Linux answers.
   It raises Errno.Error with the number that Linux gives, and Proc.Wait when it must wait; it is then made again from its beginning. *)

(* [put_timer p timer va ~wide]: what is left of it and its period, as a struct itimerspec in the program's memory. Raises EFAULT. *)
val put_timer : Proc.t -> Proc.timer -> int -> wide:bool -> unit

(* [timer_setting p va ~wide]: such a struct: period and first time, in nanoseconds. Raises EINVAL, EFAULT. *)
val timer_setting : Proc.t -> int -> wide:bool -> int * int

(* Let a timer fire so long from now, or at that moment of its clock, and then with this period; 0: never, and once. *)
val set_timer : Proc.timer -> absolute:bool -> every:int -> value:int -> unit

val eventfd : Proc.t -> int
val eventfd2 : Proc.t -> int
val timerfd_create : Proc.t -> int
val timerfd_gettime : Proc.t -> int
val timerfd_gettime64 : Proc.t -> int
val timerfd_settime : Proc.t -> int
val timerfd_settime64 : Proc.t -> int
val signalfd : Proc.t -> int
val signalfd4 : Proc.t -> int
val epoll_create : Proc.t -> int
val epoll_create1 : Proc.t -> int
val epoll_ctl : Proc.t -> int
val epoll_wait : Proc.t -> int
val epoll_pwait : Proc.t -> int
val epoll_pwait2 : Proc.t -> int
val memfd_create : Proc.t -> int
