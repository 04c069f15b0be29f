(* Time, in nanoseconds, and if nothing else is said since 1970. It is the same in each run: it moves by calls and by sleeping. *)

(* The date at which the machine started, if its clock had always been right: what uptime is counted from. *)
val started : int ref

(* A step begins: it is 2030-01-01 00:00:00 UTC again. Uptime goes on. *)
val begin_step : unit -> unit

(* From now on follow the processor's counter; for measuring. Takes about a tenth of a second. *)
val follow_the_machine : unit -> unit

(* The time. *)
val now : unit -> int

(* Time since the start. *)
val uptime : unit -> int

(* A system call was made: a microsecond passes, and one for each call that windows have served. *)
val step : unit -> unit

(* So many *microseconds* more have passed, for a call that costs more than others. *)
val pass : int -> unit

(* The microseconds that a program may compute without a call before it loses the processor. *)
val turn : int

(* Everybody sleeps: wait for real, then move the clock to that time. *)
val sleep_until : int -> unit
