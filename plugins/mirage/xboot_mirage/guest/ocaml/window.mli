(* One-byte reads and writes that the base serves without OCaml. No physical address outlives a call, save within [run]. *)

(* Which of a process's two windows. *)
val reading : int
val writing : int

(* [wish p which fd file]: the call just made moved one byte of a file, so the next run may open a window there. *)
val wish : Proc.t -> int -> int -> Proc.file -> unit

(* Open a process's window, if it wished for one and the file, as it is now, has a page to show. No wish outlives its descriptor. [run] does it; only tests call it alone. *)
val open_ : Proc.t -> int -> unit

(* Enter into the file how far the program came. Raises Failure if a window moved that nobody opened. [run] does it; only tests call it alone. *)
val settle : Proc.t -> int -> unit

(* Enter the program until its next trap; the trap's vector. *)
val run : Proc.t -> int
