(* /proc, for the processes of the step. Nothing of it is kept: each look-up makes an inode, each opening its text, as things stand then. *)

(* The directory. What it shows of a process that has ended is what is left of it. Looking at "self" raises Failure when no process is running. *)
val root : unit -> Vfs.inode
