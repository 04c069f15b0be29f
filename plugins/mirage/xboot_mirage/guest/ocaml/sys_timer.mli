(* System calls on the timers of timer_create. Each is the call of its name: it reads its arguments from the registers of the process and answers what Linux answers.
   It raises Errno.Error with the number that Linux gives. *)

val timer_create : Proc.t -> int
val timer_settime : Proc.t -> int
val timer_settime64 : Proc.t -> int
val timer_gettime : Proc.t -> int
val timer_gettime64 : Proc.t -> int
val timer_getoverrun : Proc.t -> int
val timer_delete : Proc.t -> int
