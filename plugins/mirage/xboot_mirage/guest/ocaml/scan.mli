(* Which store paths does a stream of bytes mention? One is mentioned where its 32-character hash part stands. *)

(* A search, and what it has found so far. *)
type t

(* For each byte: may it stand in a hash part? *)
val in_alphabet : bool array

(* The hash part of a store path. *)
val hash_part : string -> string

(* A search for some of these store paths. *)
val make : string list -> t

(* The next piece of the stream; mentions over the border of pieces count. *)
val feed : t -> View.t -> unit

(* The paths that were mentioned, sorted. *)
val result : t -> string list
