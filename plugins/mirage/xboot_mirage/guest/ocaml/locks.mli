(* Advisory locks: flock, which an open file holds, and record locks. Both answer 0, raise Errno.Error with the number that Linux gives, and Proc.Wait while the call waits. *)

(* [whole p file operation]: flock; the operation is 1 (shared), 2 (exclusive) or 8 (none), plus 4 (do not wait: EAGAIN). *)
val whole : Proc.t -> Proc.file -> int -> int

(* [record p file command va]: fcntl's commands on record locks, of processes and of open files, with struct flock at [va]. Who would wait in a circle of processes gets EDEADLK. *)
val record : Proc.t -> Proc.file -> int -> int -> int
