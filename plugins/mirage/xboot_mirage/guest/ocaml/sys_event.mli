(* System calls that make descriptors of events, and epoll. Each is the call of its name: it reads its arguments from the registers of the process and answers what Linux answers.
   It raises Errno.Error with the number that Linux gives, and Proc.Wait when it must wait; it is then made again from its beginning. *)

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
