(* execve, in two parts: what can fail, and what cannot. *)

(* How much of the address space a program's stack takes, in bytes. *)
val stack_size : int

(* The content of a regular file. Raises Errno.Error EACCES for anything else. *)
val content : Vfs.inode -> Content.t

(* A new program in memory, ready to be entered. *)
type image

(* [prepare p ?from path arguments environment]: find the program (from the directory [from], else the working directory), follow `#!`, load it. [p] is not
   changed. Raises Errno.Error with the number that Linux gives, Base.No_memory; nothing is held then. *)
val prepare : Proc.t -> ?from:Vfs.inode -> string -> string list -> string list -> image

(* [commit p image path arguments environment]: become the new program, with the names that /proc shows. Other threads end. Each image is committed once. *)
val commit : Proc.t -> image -> string -> string list -> string list -> unit
