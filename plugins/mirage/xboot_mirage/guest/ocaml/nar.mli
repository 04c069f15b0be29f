(* NAR, Nix's archive format: the one serialisation of a tree. *)

(* The tree holds what no output may hold, or is too deep; why. *)
exception Refused of string

(* [serialise inode emit]: the NAR of a tree, piece by piece; its size in bytes. A piece is valid only until [emit] returns. Raises Refused. *)
val serialise : Vfs.inode -> (View.t -> unit) -> int

(* The SHA-256 of a tree's NAR in lower-case hex, and its size in bytes; [also] sees every piece. Raises Refused. *)
val hash : ?also:(View.t -> unit) -> Vfs.inode -> string * int

(* The SHA-256 of one file's content in lower-case hex. *)
val hash_flat : Content.t -> string
