(* Reading and writing a program's memory, by its own addresses. A page that the program could have touched itself is brought in; where it could
   not, the move ends. All functions that raise raise Errno.Error EFAULT, if nothing else is said. Base.No_memory may come of any of them.
   [va] is an address in the program, lengths are in bytes. Numbers are little-endian. *)

(* [ok_range mm va len]: it lies within what the program may use at all. Says nothing of whether anything is mapped. *)
val ok_range : Mm.t -> int -> int -> bool

(* [some moved wanted]: [moved]. Raises when bytes were wanted and none moved: what a call says that may move less than it was asked for. *)
val some : int -> int -> int

(* [read_some mm va b offset len] copies into [b]; how many bytes came. Never raises EFAULT. *)
val read_some : Mm.t -> int -> bytes -> int -> int -> int

(* [write_some mm va b offset len] copies from [b]; how many bytes went. Never raises EFAULT. *)
val write_some : Mm.t -> int -> bytes -> int -> int -> int

(* [to_phys mm va address len] copies to physical memory, a piece of one page frame; how many bytes. Never raises EFAULT. *)
val to_phys : Mm.t -> int -> int -> int -> int

(* [from_phys mm va address len] copies from physical memory, a piece of one page frame; how many bytes. Never raises EFAULT. *)
val from_phys : Mm.t -> int -> int -> int -> int

(* [read mm va len]: all of it, or it raises. The caller bounds [len]. *)
val read : Mm.t -> int -> int -> bytes

(* [write mm va b]: all of it, or it raises; what lies before the fault has been written then. *)
val write : Mm.t -> int -> bytes -> unit

(* As [write], without a zero byte at the end. *)
val write_string : Mm.t -> int -> string -> unit

(* A page of zeros. Nobody writes to it. *)
val zeros : bytes

(* [zero mm va len]: zeros, all of them, or it raises. *)
val zero : Mm.t -> int -> int -> unit

(* [string mm va limit]: a string that ends with a zero byte, without it, of less than [limit] bytes. Raises Errno.Error [too_long] (ENAMETOOLONG) when it is longer. *)
val string : ?too_long:int -> Mm.t -> int -> int -> string

(* As [string], with the limit of paths. *)
val path : Mm.t -> int -> string

(* Numbers in a byte sequence at an offset: 32 bits without sign, with sign, 64 bits with sign (min_int for what OCaml's integers cannot hold, which no check
   accepts); and into it, cut to the size. They raise Invalid_argument beyond the end. *)
val u32 : bytes -> int -> int
val s32 : bytes -> int -> int
val i64 : bytes -> int -> int
val set32 : bytes -> int -> int -> unit
val set64 : bytes -> int -> int -> unit

(* The size of the program's `long`: 8 or 4. *)
val word_size : Mm.t -> int

(* Read a word of [word_size]: min_int for what OCaml's integers cannot hold; without sign on i386. *)
val word : Mm.t -> int -> int

(* Write a word of [word_size]. *)
val put_word : Mm.t -> int -> int -> unit

(* Write an `int` of 32 bits. *)
val put_int : Mm.t -> int -> int -> unit

(* Read an `int` of 32 bits, with sign. *)
val get_int : Mm.t -> int -> int
