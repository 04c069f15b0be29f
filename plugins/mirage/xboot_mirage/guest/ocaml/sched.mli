(* Who runs. The order is the same each time: it depends on calls and faults, not on time, unless a program stays in user mode for 100 ms. *)

(* The step cannot go on, though no program ended: a limit of this kernel, named. *)
exception Stuck of string

(* Make the system call that stands in a process's registers, and put its answer there, or let the process wait; its price, in about microseconds. Only tests call it from outside. *)
val start_call : Proc.t -> int

(* Run all processes until process 1 and its threads have ended; its wait status. Raises Stuck, Base.No_memory. *)
val until_first_ends : unit -> int

(* End whatever still lives, and give back what the step's processes held. *)
val kill_all : unit -> unit
