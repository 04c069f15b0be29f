(* System V's shared memory. Errors are raised as Errno.Error, with Linux's numbers. *)

(* [get key size flags]: shmget; sizes are in bytes. *)
val get : int -> int -> int -> int

(* [attach p id va flags]: shmat; the address. *)
val attach : Proc.t -> int -> int -> int -> int

(* [detach p va]: shmdt. *)
val detach : Proc.t -> int -> int

(* [control p id command va]: shmctl, IPC_64's form of the structure at [va]. *)
val control : Proc.t -> int -> int -> int -> int

(* The step is over: all of them are gone. No process lives. *)
val reset : unit -> unit
