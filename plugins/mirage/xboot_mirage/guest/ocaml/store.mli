(* The store paths of a run: sources from the payload, then the outputs of the steps. Everything in here is sealed. *)

type item = private { path : string; inode : Vfs.inode; references : string list }

(* The item of a whole store path. *)
val find : string -> item option

(* Bring a tree to its canonical form (owner root, one time, modes by the owner's execute bit) and seal it. *)
val canonicalise : Vfs.inode -> unit

(* [add path inode references]: enter a tree that was canonicalised. *)
val add : string -> Vfs.inode -> string list -> unit

(* The paths that these paths need, themselves included, sorted; those that are not at hand too. *)
val closure : string list -> string list

(* [read_payload address size]: unpack it: the script's text, and a directory of the store's trees by name, not yet checked. Raises Cpio.Malformed. *)
val read_payload : int -> int -> string * Vfs.inode
