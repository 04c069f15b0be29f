(* AF_INET and AF_INET6 on a loopback of the step's own. Nothing leads out of the step: all but 127.0.0.0/8 and ::1 is unreachable. Errors are raised as Errno.Error, with the
   number that Linux gives; what must wait raises Proc.Wait. *)

(* The families, beside AF_UNIX. *)
val inet : int
val inet6 : int

(* Is it of one of these? *)
val is : Proc.socket -> bool

(* [address p s va len]: what the program names; None: an address of no family. Raises EINVAL, EAFNOSUPPORT, EFAULT. *)
val address : Proc.t -> Proc.socket -> int -> int -> Proc.inet option

(* [give p s va len_va a]: an address as this socket sees it; the length is in and out. *)
val give : Proc.t -> Proc.socket -> int -> int -> Proc.inet -> unit

(* [bind p s va len]. *)
val bind : Proc.t -> Proc.socket -> int -> int -> int

(* May it listen? It has a port then. Raises EADDRINUSE. *)
val demand_listen : Proc.socket -> unit

(* [connect p s va len ~again]: streams are joined to who listens; [again]: without waiting, which EINPROGRESS says. *)
val connect : Proc.t -> Proc.socket -> int -> int -> again:bool -> int

(* [send p s ~named len fetch]: a datagram, to an address or to whom the socket is joined. *)
val send : Proc.t -> Proc.socket -> named:Proc.inet option -> int -> (int -> int -> Bytes.t) -> int

(* [get_option s level name], [set_option s level name value]: those of levels other than SOL_SOCKET. Raise ENOPROTOOPT, EINVAL. *)
val get_option : Proc.socket -> int -> int -> int
val set_option : Proc.socket -> int -> int -> int -> unit

(* The step is over: ports are given from the first one on. *)
val reset : unit -> unit
