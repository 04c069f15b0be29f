(* Reading and writing open files, from and to a program's memory. [p] is the process whose call it is, [va] an address in its memory, lengths and positions are in bytes.
   What moves bytes answers how many. It raises Errno.Error with the number that Linux gives, and Proc.Wait when the call must wait. *)

(* Bits of an open file's flags. *)
val o_nonblock : int
val o_append : int

(* The content of a regular file. Raises EINVAL for anything else. *)
val content : Proc.file -> Content.t

(* What the next bytes of chance are made of; the executor sets it for each step, so that they are the same in every run. *)
val random_state : int ref

(* [random_bytes b off len] fills a piece of [b]. Nobody may lean on its chance. *)
val random_bytes : bytes -> int -> int -> unit

(* [generate p va len fill] fills a program's buffer; [fill b n] makes the next [n] bytes, at the beginning of [b]. Raises EFAULT when none could be written. *)
val generate : Proc.t -> int -> int -> (bytes -> int -> unit) -> int

(* [check_length p va len]: a buffer that a program may name at all. Raises EINVAL, EFAULT. *)
val check_length : Proc.t -> int -> int -> unit

(* [read_at p file position va len]: from a position, which stays. Of what has no positions, it is ignored. *)
val read_at : Proc.t -> Proc.file -> int -> int -> int -> int

(* [read p file va len]: from the file's position, which moves. *)
val read : Proc.t -> Proc.file -> int -> int -> int

(* The seals against writing, of Vfs.inode. *)
val unwritable : int

(* [file_limit p position len]: how much of a write RLIMIT_FSIZE lets through. When nothing: sends SIGXFSZ and raises EFBIG. *)
val file_limit : Proc.t -> int -> int -> int

(* A file was written to: its times are now. *)
val touch : Vfs.inode -> unit

(* [write_at p file position va len]: to a position (the end, if the file was opened for appending), which stays. *)
val write_at : Proc.t -> Proc.file -> int -> int -> int -> int

(* [write p file va len]: to the file's position, which moves. *)
val write : Proc.t -> Proc.file -> int -> int -> int

(* [transfer p from position out len]: from a regular file to anything that can be written to, inside the kernel. [at]: where in a regular file; else at its position, which moves. *)
val transfer : Proc.t -> Proc.file -> int -> ?at:int -> Proc.file -> int -> int

(* [drain p pipe out len ~wait]: from a pipe to anything that can be written to; what is not taken stays in the pipe. [at] as in [transfer]. Without [wait]: EAGAIN. *)
val drain : Proc.t -> Vfs.pipe -> ?at:int -> Proc.file -> int -> wait:bool -> int

(* Bits of poll that are told whether asked for or not. *)
val poll_err : int
val poll_hup : int

(* What a file is ready for: the bits of poll, whatever was asked for. *)
val ready : Proc.t -> Proc.file -> int

(* How often bytes came, and went: a number that has not changed means that nothing happened. *)
val motions : Proc.t -> Proc.file -> int * int

(* What epoll_wait has to report of one descriptor; 0: nothing. *)
val interest_ready : Proc.t -> Proc.interest -> int
