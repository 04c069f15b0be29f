(* SHA-256 (FIPS 180-4). *)

(* A sum of the bytes that were given so far. *)
type t

(* The sum of no bytes. *)
val start : unit -> t

(* Takes the bytes of a view in. *)
val view : t -> View.t -> unit

(* The digest in lower-case hexadecimal. The sum is not to be used after this. *)
val finish : t -> string

(* The digest of a string, in lower-case hexadecimal. *)
val of_string : string -> string
