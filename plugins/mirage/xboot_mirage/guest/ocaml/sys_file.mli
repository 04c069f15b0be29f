(* System calls that work on descriptors. Each is the call of its name: it reads its arguments from the registers of the process and answers what Linux answers.
   It raises Errno.Error with the number that Linux gives, and Proc.Wait when it must wait; it is then made again from its beginning. *)

(* Refuse an open file that only names something (O_PATH). Raises EBADF. *)
val no_path : Proc.file -> unit

val read : Proc.t -> int
val write : Proc.t -> int
val pread : Proc.t -> int
val pwrite : Proc.t -> int
(* The pieces of memory that readv and writev name: (address, bytes). Raises EINVAL, EFAULT. *)
val vectors : Proc.t -> (int * int) list

val readv : Proc.t -> int
val writev : Proc.t -> int
val preadv : Proc.t -> int
val pwritev : Proc.t -> int
val preadv2 : Proc.t -> int
val pwritev2 : Proc.t -> int
val close : Proc.t -> int
val close_range : Proc.t -> int
val lseek : Proc.t -> int
val llseek : Proc.t -> int
val dup : Proc.t -> int
val dup2 : Proc.t -> int
val dup3 : Proc.t -> int
val fcntl : Proc.t -> int
val pipe : Proc.t -> int
val pipe2 : Proc.t -> int
val ftruncate : Proc.t -> int
val ftruncate64 : Proc.t -> int
val fallocate : Proc.t -> int
val sync : Proc.t -> int
val readahead : Proc.t -> int
val syncfs : Proc.t -> int
val flock : Proc.t -> int
val ioctl : Proc.t -> int
val sendfile : Proc.t -> int
val sendfile64 : Proc.t -> int
val copy_file_range : Proc.t -> int
val splice : Proc.t -> int
val tee : Proc.t -> int
