(* Pseudo-terminals of the step: their life, and the line discipline between a master, which types, and its other end, which reads and prints. Errors are raised as Errno.Error. *)

(* Bits of the settings, as struct termios has them: of input, output, local. *)
val ixon : int
val icanon : int
val tostop : int

(* Places of keys in the settings. *)
val key_start : int
val key_stop : int

(* A step begins: there are no terminals, and this is its /dev/pts. *)
val begin_step : Vfs.inode -> unit

(* The terminal that controls a process's session. *)
val of_process : Proc.t -> Proc.terminal option

(* [open_master p flags]: what ptmx opens: a new terminal, which is locked. Raises ENOSPC, ENOMEM. *)
val open_master : unit -> Proc.terminal

(* [open_slave p t ~take]: its other end. With [take] it becomes the session's terminal, if that has none and the terminal no session. Raises EIO when locked, or without a master. *)
val open_slave : Proc.t -> Proc.terminal -> take:bool -> Proc.what

(* The terminal whose other end this inode is. Raises EIO for none that lives. *)
val of_inode : Vfs.inode -> Proc.terminal

(* The process leads its session. *)
val leads : Proc.t -> bool

(* It becomes the terminal of the process's session. *)
val take : Proc.t -> Proc.terminal -> unit

(* [signal t n]: to all processes in its foreground. *)
val signal : Proc.terminal -> int -> unit

(* [demand_foreground p t n]: who is in the background of his own terminal gets the signal, and the call waits. Raises Proc.Wait; EIO when nobody could let him go on. *)
val demand_foreground : Proc.t -> Proc.terminal -> int -> unit

(* What is typed and not read is forgotten. *)
val flush : Proc.terminal -> unit

(* The bytes that a read would find: whole lines, or all. *)
val readable : Proc.terminal -> int

(* New settings: the bits of input, output, control, local, then the line and 19 keys. *)
val set : Proc.terminal -> int array -> string -> unit

(* [type_ t c]: one byte is typed; [show t]: what that echoed comes out, unless what is printed stands still. [put t s]: bytes come out at the master as they are. *)
val type_ : Proc.terminal -> char -> unit
val show : Proc.terminal -> unit
val put : Proc.terminal -> string -> unit

(* It was hung up since it was opened in this turn. *)
val is_dead : Proc.terminal -> int -> bool

(* Calls on open files that are terminals: [read p f va len], [write p f va len], and the bits of poll. *)
val read : Proc.t -> Proc.file -> int -> int -> int
val write : Proc.t -> Proc.file -> int -> int -> int
val ready : Proc.what -> int
