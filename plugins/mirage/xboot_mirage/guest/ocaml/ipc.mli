(* What System V's segments and sets of semaphores have in common: keys, numbers, modes. All of it is of the step that runs, which has one user, so nobody is refused but by the owner's bits. *)

(* Of flags: IPC_CREAT, IPC_EXCL, IPC_NOWAIT; of commands: IPC_INFO. *)
val create : int
val exclusive : int
val no_wait : int
val info : int

(* [changed]: the second of the last change. *)
type head = { mutable id : int; mutable key : int; mutable uid : int; mutable gid : int; mutable mode : int; mutable changed : int }

type 'a table

(* [table what head_of]: for one kind; [what] names its limit on the console. *)
val table : string -> ('a -> head) -> 'a table

(* All that there are, by number. *)
val objects : 'a table -> (int, 'a) Hashtbl.t

(* Forget all of them, without giving anything back. *)
val reset : 'a table -> unit

(* The highest number; 0, too, when there is none. *)
val highest : 'a table -> int

(* Now, in seconds. *)
val seconds : unit -> int

(* [head key flags]: of a new one, with the mode of the flags. It has no number yet. *)
val head : int -> int -> head

(* [demand head wanted]: the bits of a mode that are wanted, of any class. Raises EACCES. *)
val demand : head -> int -> unit

(* Raises EINVAL. *)
val by_id : 'a table -> int -> 'a

(* [by_key t key flags]: what is there, None: it shall be made. Raises ENOENT, EEXIST. *)
val by_key : 'a table -> int -> int -> 'a option

(* Enter a new one: its number. Raises ENOSPC. *)
val enter : 'a table -> 'a -> int

(* Nobody finds it any more. *)
val remove : 'a table -> 'a -> unit

(* The size of struct ipc64_perm. *)
val head_size : wide:bool -> int

(* Write it at the begin of a byte sequence. *)
val put_head : bytes -> head -> unit

(* [set_head p head va]: owner and mode from one in the program's memory. Raises EFAULT. *)
val set_head : Proc.t -> head -> int -> unit
