(* From a path to an inode. Errors are raised as Errno.Error, with the number that Linux gives. *)

type found = private {
  parent : Vfs.inode; (* the directory that holds, or would hold, the last name *)
  name : string; (* "" when the path ends in a root, "." or ".." *)
  node : Vfs.inode option;
  slash : bool; (* written with a slash at its end: only a directory will do *)
}

(* A path has less bytes than this: 4096. *)
val path_limit : int

(* The non-empty components, in order. *)
val split : string -> string list

(* [up root dir]: the directory above; a root is its own, and so is one that was removed, or of /proc. *)
val up : Vfs.inode -> Vfs.inode -> Vfs.inode

(* Walks from [root] or [cwd]; `..` never leads above [root]. The last name need not exist. [follow] (true): whether a symbolic link in the last place is followed.
   [bare] (false): not even when a slash is written after it. Raises ENOENT, ENOTDIR, EACCES, ELOOP (more than 40 links), ENAMETOOLONG. *)
val resolve : who:Vfs.who -> root:Vfs.inode -> cwd:Vfs.inode -> ?follow:bool -> ?bare:bool -> string -> found

(* The inode that was found. Raises ENOENT. *)
val existing : found -> Vfs.inode

(* Remember where an inode was found, for the texts of /proc. *)
val remember : found -> Vfs.inode -> unit

(* [name_of_dir root dir]: the absolute name of a directory, as seen from [root]; "(unreachable)" after its removal. *)
val name_of_dir : Vfs.inode -> Vfs.inode -> string

(* [name_of root inode]: the absolute name under which an inode was last opened; one that is gone ends in " (deleted)". *)
val name_of : Vfs.inode -> Vfs.inode -> string
