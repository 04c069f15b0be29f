(* A piece of physical memory, looked at in place: payload, file content, export window. Who keeps a view keeps the frames. What lies outside of
   a view is never seen through it: Invalid_argument. *)

type t

(* [make address length]. Raises Invalid_argument beyond the end of memory. *)
val make : int -> int -> t

(* In bytes. *)
val length : t -> int

(* [sub view offset length]: a part of it. *)
val sub : t -> int -> int -> t

(* The byte at an offset, 0 to 255. *)
val byte : t -> int -> int

(* Its bytes, copied. *)
val to_string : t -> string

(* [copy target view] writes the bytes of a view to another one of the same length, which it does not overlap. *)
val copy : t -> t -> unit

(* [sum state view] takes its bytes into a sum (Sha256, which alone calls this). *)
val sum : bytes -> t -> unit
