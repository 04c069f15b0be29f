(* The script (docs/contract.md, section 3). All types are private: whatever holds a script holds one that [parse] has checked.
   Hashes are SHA-256 in 64 lower-case hex digits; paths of the store are whole, well-formed and in the script's store directory. *)

type source = private { path : string; hash : string; references : string list }

(* A fixed output: whether its file, or else its NAR, must have this hash. *)
type fixed = private { flat : bool; expected : string }
type output = private { name : string; out_path : string; fixed : fixed option }

type step = private {
  number : int; (* 1, 2, 3 *)
  drv : string;
  system : string;
  builder : string;
  argv : string list; (* not empty *)
  env : (string * string) list;
  cwd : string; (* absolute, without "." and ".." *)
  files : (string * string) list; (* absolute path, content *)
  graphs : (string * string list) list; (* absolute path, store paths, not empty *)
  inputs : string list; (* store paths *)
  outputs : output list; (* not empty *)
}

type t = private { store : string; sources : source list; steps : step list; results : string list }

(* Read a script. Raises Sexp.Malformed. What the paths name, and whether they are there, is not looked at. *)
val parse : string -> t
