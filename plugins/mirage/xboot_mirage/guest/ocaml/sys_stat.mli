(* System calls that look: stat and its kin, times, and the entries of directories. Each is the call of its name: it reads its arguments from the registers of the process and answers what Linux answers.
   It raises Errno.Error with the number that Linux gives, and Proc.Wait when it must wait; it is then made again from its beginning. *)

val stat : Proc.t -> int
val lstat : Proc.t -> int
val fstat : Proc.t -> int
val stat64 : Proc.t -> int
val lstat64 : Proc.t -> int
val fstat64 : Proc.t -> int
val fstatat : Proc.t -> int
val statx : Proc.t -> int
val statfs : Proc.t -> int
val fstatfs : Proc.t -> int
val statfs64 : Proc.t -> int
val fstatfs64 : Proc.t -> int
val utimensat : Proc.t -> int
val utimensat_time64 : Proc.t -> int
val utimes : Proc.t -> int
val futimesat : Proc.t -> int
val utime : Proc.t -> int
val getdents64 : Proc.t -> int
val getdents : Proc.t -> int
