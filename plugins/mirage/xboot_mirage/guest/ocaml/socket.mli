(* Sockets of the step, of AF_UNIX and what those of AF_INET (inet.ml) have in common with them: they live in memory only, nothing leads out of the step, and none outlives it. Lengths are in bytes.
   Errors are raised as Errno.Error, with the number that Linux gives; what must wait raises Proc.Wait, or EAGAIN when [again]. *)

(* Error numbers of sockets. *)
val enotsock : int
val emsgsize : int
val eprototype : int
val eopnotsupp : int
val eaddrinuse : int
val eisconn : int
val enotconn : int
val etoomanyrefs : int
val econnrefused : int

(* All that are open. *)
val sockets : unit -> Proc.socket list

(* The three styles. *)
val stream : int
val datagram : int
val seqpacket : int

(* How many bytes wait for one reader at most. *)
val capacity : int

(* The sockets that are bound: by abstract name and style, and by the number of the inode that is their name. *)
val abstract : (string * int, Proc.socket) Hashtbl.t
val by_ino : (int, Proc.socket) Hashtbl.t

(* How many descriptors are in messages. *)
val in_flight : int ref

(* [make p style]: a socket without peer and address. Raises ENOMEM. *)
val make : ?family:int -> Proc.t -> int -> Proc.socket

(* Nobody has it any more: those who wait for it are told, what was not read is given back. *)
val close : Proc.socket -> unit

(* The step is over: all are closed. *)
val reset : unit -> unit

(* How many bytes it would take now. *)
val room : Proc.socket -> int

(* [wait_unless p ~most ~again condition]: EAGAIN if [again], else wait, for at most [most] nanoseconds (0: for ever). When they are over: what was moved before, or EAGAIN. *)
val wait_unless : Proc.t -> most:int -> again:bool -> (unit -> bool) -> int

(* The error that it has is raised, once. *)
val take_error : Proc.socket -> unit

(* [deliver q data rights ~from ~pid]: a message more waits for [q]. *)
val deliver : ?source:Proc.inet -> Proc.socket -> Bytes.t -> Proc.file list -> from:Proc.socket -> pid:int -> unit

(* Set by Inet: [!send_joined p s len fetch], a datagram for whom the socket is joined to. *)
val send_joined : (Proc.t -> Proc.socket -> int -> (int -> int -> Bytes.t) -> int) ref

(* The bits of poll. *)
val waiting : Proc.socket -> int (* bytes that a reader will find: of datagrams the first one's *)
val ready : Proc.socket -> int

(* [send p socket len fetch]: [fetch off len] gives the bytes; how many were sent. [target]: for a datagram with an address. [quiet]: no SIGPIPE with EPIPE.
   [rights] go with the first byte, and are held by the message. *)
val send : Proc.t -> Proc.socket -> ?target:Proc.socket -> again:bool -> quiet:bool -> rights:Proc.file list -> int -> (int -> int -> Bytes.t) -> int

(* What came: how many bytes, whether a datagram was longer, the files, each with one reference for the caller to give back ([let_go]), the sender's address and process. *)
type received = private { count : int; truncated : bool; files : Proc.file list; from : string; from_pid : int; last : Proc.message option }

(* [receive p socket len store]: [store off bytes from len] puts bytes away and answers how many it took. [peek]: they stay. [whole]: wait for all of [len], of a stream. *)
val receive : Proc.t -> Proc.socket -> again:bool -> peek:bool -> whole:bool -> int -> (int -> Bytes.t -> int -> int -> int) -> received

(* Descriptors that travelled and arrive nowhere, or have arrived: their references are given back. *)
val let_go : Proc.file list -> unit

(* [store_at p va]: a [store] that writes to the program's memory. *)
val store_at : Proc.t -> int -> int -> bytes -> int -> int -> int

(* [fetch_from p va]: a [fetch] that reads the program's memory. Raises EFAULT. *)
val fetch_from : Proc.t -> int -> int -> int -> bytes

(* [read p file socket va len] and [write p file socket va len]: the plain calls. Descriptors that come with what is read are closed. *)
val read : Proc.t -> Proc.file -> Proc.socket -> int -> int -> int
val write : Proc.t -> Proc.file -> Proc.socket -> int -> int -> int

(* [write_bytes p file socket b len]: from the kernel's own memory, as much as there is room for. *)
val write_bytes : Proc.t -> Proc.file -> Proc.socket -> bytes -> int -> int
