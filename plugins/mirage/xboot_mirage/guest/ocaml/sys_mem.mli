(* System calls that work on memory. Each is the call of its name: it reads its arguments from the registers of the process and answers what Linux answers.
   It raises Errno.Error with the number that Linux gives, and Proc.Wait when it must wait; it is then made again from its beginning. *)

val brk : Proc.t -> int
val mmap : Proc.t -> int
val old_mmap : Proc.t -> int
val munmap : Proc.t -> int
val mprotect : Proc.t -> int
val madvise : Proc.t -> int
val mincore : Proc.t -> int
val mlock : Proc.t -> int
val mlockall : Proc.t -> int
val msync : Proc.t -> int
val mremap : Proc.t -> int
