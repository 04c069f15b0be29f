(* The root that a builder sees: made afresh for each step. Modes are permission bits. All may raise Errno.Error ENOSPC or ENOMEM at the limits. *)

(* [directory parent name mode]: a new, empty directory. [uid] and [gid] are 0 unless given. Nothing of that name may be there. *)
val directory : ?uid:int -> ?gid:int -> Vfs.inode -> string -> int -> Vfs.inode

(* [directories root path ~uid ~gid mode]: the directory [path], made with its parents where they are missing. Raises Failure where something else is in the way. *)
val directories : Vfs.inode -> string -> uid:int -> gid:int -> int -> Vfs.inode

(* What lies before the last slash, and behind it. *)
val parent_of : string -> string * string

(* [write_file root path text ~uid ~gid mode]: a file, in place of whatever had its name; parents are made. Raises as [directories]. *)
val write_file : Vfs.inode -> string -> string -> uid:int -> gid:int -> int -> unit

(* The root, and the store directory in it: devices, /proc, /tmp, and of the store exactly [visible], as (name, inode). *)
val make_root : store_dir:string -> visible:(string * Vfs.inode) list -> Vfs.inode * Vfs.inode
