(* The result channel (docs/contract.md, section 5). Only the executor holds it; nothing in a builder's tree leads here. Every line carries the nonce, which the base keeps:
   a [run] is the proof that the host has told it. Hashes are SHA-256 in lower-case hex, sizes and offsets are in bytes. *)

(* The host said what it must not say; what. *)
exception Broken of string

(* Where the host reads exports: physical address and size (0: none); and which store paths it wants. *)
type run = private { window : int; window_size : int; exports : string list }

(* Greet, and wait for the host's run line. Raises Broken. *)
val read_run : unit -> run

(* [hello run hash]: the hash of the script. *)
val hello : run -> string -> unit

(* [source run path hash size]: a source was checked; of its NAR. *)
val source : run -> string -> string -> int -> unit

(* A step begins, by its number. *)
val begin_ : run -> int -> unit

(* [output run step name hash size references]: an output, by its NAR and the store paths that it mentions. *)
val output : run -> int -> string -> string -> int -> string list -> unit

(* [export run step name offset length]: a piece of an output's NAR lies in the window. Returns when the host has copied it. Raises Broken. *)
val export : run -> int -> string -> int -> int -> unit

(* [fail run step kind why]: the run has failed, in a step or before the first one (0). The kind is one of the contract's. *)
val fail : run -> int -> string -> string -> unit

(* All steps are done. *)
val done_ : run -> unit
