(* The content of a regular file: page frames, of which a hole has none. Offsets and lengths are in bytes, [index] counts pages.
   A file holds one reference to each of its frames; mappings hold their own. *)

type t = {
  mutable chunks : int array array; (* frames; [||] is a chunk of holes *)
  mutable size : int;
  mutable held : int; (* frames, for stat's blocks *)
}

(* An empty file. *)
val make : unit -> t

(* A file that holds all of a string. Raises Errno.Error ENOSPC or EFBIG; nothing is held then. *)
val of_string : string -> t

(* [of_phys address len]: a file that holds a copy of a piece of the payload. Raises Errno.Error ENOSPC or EFBIG; nothing is held then. *)
val of_phys : int -> int -> t

(* Give all frames back, those behind the end too. *)
val free : t -> unit

(* Files leave this many frames to programs; set for each step. *)
val reserve : int ref

(* The frame of a page; 0: a hole. *)
val frame : t -> int -> int

(* The frame of a page to map; a hole gets one. Raises Base.No_memory. *)
val frame_for_map : t -> int -> int

(* [pieces t off len each] calls [each address length] for the physical pieces of [off, off+len), address 0 for a hole. [each] answers how much it took,
   and less than all ends the walk; the sum is the answer. The caller keeps within the size. *)
val pieces : t -> int -> int -> (int -> int -> int) -> int

(* As [pieces], for writing: holes get frames and the file grows by what was taken. It ends where there is no room; raises Errno.Error ENOSPC when nothing was
   written for that reason, EFBIG beyond the largest file. *)
val write_pieces : t -> int -> int -> (int -> int -> int) -> int

(* [read t off b at len] copies into [b] as far as the file goes; it does not say how far. *)
val read : t -> int -> bytes -> int -> int -> unit

(* [write t off b at len] copies from [b]; how many bytes there was room for. Raises as [write_pieces]. *)
val write : t -> int -> bytes -> int -> int -> int

(* Give the file another size: what lies behind is gone, what is new is a hole. Raises Errno.Error EFBIG. Only Proc.resize knows of mappings: a file that may be mapped is resized there. *)
val truncate : t -> int -> unit

(* [punch t start stop]: zeros, which may reach beyond the end; whole pages that nobody else holds become holes. *)
val punch : t -> int -> int -> unit

(* [fill t start stop]: frames for all of it, the size stays. Raises Errno.Error ENOSPC; what was got till then is kept. *)
val fill : t -> int -> int -> unit

(* How many blocks of 512 bytes the file takes. *)
val blocks : t -> int
