(* Bytes in a pipe. Who may read and write, and who waits, is not decided here (io.ml). *)

(* How many bytes fit. *)
val room : Vfs.pipe -> int

(* F_SETPIPE_SZ: so many bytes are asked for; how many it holds then. Raises Errno.Error EINVAL, EPERM, EBUSY. *)
val resize : Vfs.pipe -> int -> int

(* [push pipe len fetch] puts in at most [len] bytes, as far as there is room; how many. [fetch b off len done_] fills a piece of the buffer and answers how
   much it did, and less than all ends it. Raises Errno.Error ENOMEM when the kernel's memory is short. *)
val push : Vfs.pipe -> int -> (Bytes.t -> int -> int -> int -> int) -> int

(* [pull pipe len give] takes out at most [len] bytes; how many. [give b off len done_] takes a piece of the buffer and answers how much it did. *)
val pull : Vfs.pipe -> int -> (Bytes.t -> int -> int -> int -> int) -> int

(* [peek pipe from b off len] copies bytes that lie [from] behind the first one; they stay. The caller keeps within what is used. *)
val peek : Vfs.pipe -> int -> bytes -> int -> int -> unit


(* [take_back pipe n]: the last [n] bytes that were put in have not come. The caller keeps within what it has put in just now. *)
val take_back : Vfs.pipe -> int -> unit
