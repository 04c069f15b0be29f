(* What a terminal is asked and told. Errors are raised as Errno.Error. *)

(* [ioctl p f request]: of an open file that is an end of a terminal; the third argument is taken from the registers. Raises ENOTTY for what terminals do not know. *)
val ioctl : Proc.t -> Proc.file -> int -> int

(* [open_device p inode minor flags path]: /dev/tty (0) and ptmx (2); [open_end]: the other end of a terminal. Raise ENXIO, EIO, ENOSPC. *)
val open_device : Proc.t -> Vfs.inode -> int -> flags:int -> path:string -> readable:bool -> writable:bool -> Proc.file
val open_end : Proc.t -> Vfs.inode -> flags:int -> path:string -> readable:bool -> writable:bool -> Proc.file
