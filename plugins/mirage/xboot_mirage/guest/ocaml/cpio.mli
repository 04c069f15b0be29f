(* The payload: a newc cpio archive (docs/contract.md, section 2), read in place. *)

(* Whatever is not in that section; what and where. *)
exception Malformed of string

(* [address] is physical; the [size] bytes there lie within the archive. The name may be anything. *)
type entry = private { name : string; mode : int; address : int; size : int }

(* [iterate address size each]: every entry, in order, until the trailer. Raises Malformed. *)
val iterate : int -> int -> (entry -> unit) -> unit
