(* Processor time; timers: how often they have fired, and what those of a process's own send. Times are in nanoseconds, on the clock of Clock.now, or in processor time. *)

(* What the running process has used until now goes onto its account, and its thread's. *)
val account : unit -> unit

(* Let a process be the running one meanwhile; the time goes onto its account. *)
val as_current : Proc.t -> (Proc.t -> unit) -> unit

(* What a timer's times are told by. *)
val now : Proc.timer -> int

(* Has the process a timer that its own processor time drives? *)
val counts : Proc.t -> bool

(* How often it has fired since it was last read, or since its signal was taken. *)
val fired : Proc.timer -> int

(* So many times were told: it counts from there. One that fires once is off then. *)
val go_on : Proc.timer -> int -> unit

(* Until it fires next; 0: it is off, or has fired its once. *)
val left : Proc.timer -> int

(* The si_code of what a timer sends. *)
val si_timer : int

(* [taken p signal info]: a signal was taken. If one of the process's timers sent it, the timer counts anew from here; the info then says how often it had fired more than once. *)
val taken : Proc.t -> int -> int * int * int * int -> int * int * int * int

(* Timers that timer_create made are no more: one, and all of a process (it has ended, or runs another program). *)
val forget : Proc.shared -> Proc.own_timer -> unit
val forget_all : Proc.shared -> unit
