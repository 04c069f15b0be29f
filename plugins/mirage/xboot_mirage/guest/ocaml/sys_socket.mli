(* System calls that work on sockets. Each is the call of its name: it reads its arguments by [a n], the argument of number [n], and answers what Linux answers.
   It raises Errno.Error with the number that Linux gives, and Proc.Wait when it must wait; it is then made again from its beginning. *)

(* [by_registers call]: the arguments are in registers. *)
val by_registers : (Proc.t -> (int -> int) -> int) -> Proc.t -> int

(* i386's one call for all of them: the arguments are in memory. *)
val socketcall : Proc.t -> int

(* readv and writev; on a socket all pieces are one message. *)
val readv : Proc.t -> int
val writev : Proc.t -> int

val socket : Proc.t -> (int -> int) -> int
val socketpair : Proc.t -> (int -> int) -> int
val bind : Proc.t -> (int -> int) -> int
val listen : Proc.t -> (int -> int) -> int
val connect : Proc.t -> (int -> int) -> int
val accept : Proc.t -> (int -> int) -> int
val accept4 : Proc.t -> (int -> int) -> int
val getsockname : Proc.t -> (int -> int) -> int
val getpeername : Proc.t -> (int -> int) -> int
val shutdown : Proc.t -> (int -> int) -> int
val getsockopt : Proc.t -> (int -> int) -> int
val setsockopt : Proc.t -> (int -> int) -> int
val sendto : Proc.t -> (int -> int) -> int
val recvfrom : Proc.t -> (int -> int) -> int
val sendmsg : Proc.t -> (int -> int) -> int
val recvmsg : Proc.t -> (int -> int) -> int
