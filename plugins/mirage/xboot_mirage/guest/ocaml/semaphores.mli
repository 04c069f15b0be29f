(* System V's semaphores. Errors are raised as Errno.Error, with Linux's numbers. *)

(* [get key count flags]: semget. *)
val get : int -> int -> int -> int

(* [operate_call p id va count ~span]: semop and its kin; [count] operations at [va], and for how long to wait at most, in nanoseconds, -1: no bound, asked for once. Raises Proc.Wait. *)
val operate_call : Proc.t -> int -> int -> int -> span:(unit -> int) -> int

(* [control p id number command argument]: semctl, IPC_64's form of structures. *)
val control : Proc.t -> int -> int -> int -> int -> int

(* The step is over: all of them are gone. *)
val reset : unit -> unit
