(* System calls that work on names. Each is the call of its name: it reads its arguments from the registers of the process and answers what Linux answers.
   It raises Errno.Error with the number that Linux gives, and Proc.Wait when it must wait; it is then made again from its beginning. *)

(* Arguments of the `*at` calls: the descriptor that means the working directory, and bits of the flags. *)
val at_fdcwd : int
val at_symlink_nofollow : int
val at_empty_path : int

(* [start p fd path]: the directory where a path begins. Raises EBADF, ENOTDIR. *)
val start : Proc.t -> int -> string -> Vfs.inode

(* [resolve_name p fd path]: for calls that make a name or take one away: links in the last place are never followed. Raises as Path.resolve. *)
val resolve_name : Proc.t -> int -> string -> Path.found

(* [existing p fd path ~follow]: the inode of a path. Raises as Path.resolve. *)
val existing : Proc.t -> int -> string -> follow:bool -> Vfs.inode

(* [existing_or_fd p fd path flags ~follow]: as [existing], and with at_empty_path and an empty path what the descriptor itself leads to. *)
val existing_or_fd : Proc.t -> int -> string -> int -> follow:bool -> Vfs.inode

(* A name may be made here. Raises EEXIST, EACCES, ENOENT (the directory was removed). *)
val demand_make : Path.found -> unit

(* [make_in found kind mode]: make the builder's inode under that name, after [demand_make]. Raises ENOSPC, ENOMEM. *)
val make_in : Path.found -> Vfs.kind -> int -> Vfs.inode

val open_ : Proc.t -> int
val openat : Proc.t -> int
val creat : Proc.t -> int
val mkdir : Proc.t -> int
val mkdirat : Proc.t -> int
val mknod : Proc.t -> int
val mknodat : Proc.t -> int
val symlink : Proc.t -> int
val symlinkat : Proc.t -> int
val link : Proc.t -> int
val linkat : Proc.t -> int
val unlink : Proc.t -> int
val rmdir : Proc.t -> int
val unlinkat : Proc.t -> int
val rename : Proc.t -> int
val renameat : Proc.t -> int
val renameat2 : Proc.t -> int
val readlink : Proc.t -> int
val readlinkat : Proc.t -> int
val access : Proc.t -> int
val faccessat : Proc.t -> int
val faccessat2 : Proc.t -> int
val chmod : Proc.t -> int
val fchmod : Proc.t -> int
val fchmodat : Proc.t -> int
val chown : Proc.t -> int
val lchown : Proc.t -> int
val chown16 : Proc.t -> int
val lchown16 : Proc.t -> int
val fchown : Proc.t -> int
val fchown16 : Proc.t -> int
val fchownat : Proc.t -> int
val truncate : Proc.t -> int
val truncate64 : Proc.t -> int
val chdir : Proc.t -> int
val fchdir : Proc.t -> int
val getcwd : Proc.t -> int
val umask : Proc.t -> int
