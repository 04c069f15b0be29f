(* The end of processes: what is given back, and who is told. A status is a wait status: the exit code times 256, or the signal. *)

val sigchld : int

(* Set by Signal: send a signal, with its info, to a process. *)
val send_hook : (Proc.t -> int -> int * int * int * int -> unit) ref

(* Set by Futex: wake one who waits at an address; walk a thread's list of robust futexes. *)
val wake_hook : (Proc.t -> int -> unit) ref
val robust_hook : (Proc.t -> unit) ref

(* Set by Tty: a process ends that may lead a session. *)
val leader_ends : (Proc.t -> unit) ref

(* Set by Semaphores: a process has ended, and what it did to them is undone. *)
val undo_hook : (Proc.t -> unit) ref

(* The parent that vfork made wait goes on. *)
val release_vfork : Proc.t -> unit

(* A zombie's last trace goes: its registers and its entry. *)
val reap : Proc.t -> unit

(* A child that never came to be: what it holds is given back. It was never entered in the table. *)
val discard : Proc.t -> unit

(* One thread ends, and with the last one its process. Nothing happens to who has ended. *)
val finish : Proc.t -> int -> unit

(* exit_group: all threads of the process end. *)
val finish_group : Proc.t -> int -> unit
