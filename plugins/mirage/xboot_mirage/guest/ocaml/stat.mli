(* What stat and its kin tell, as byte sequences in the layouts that programs of the two ABIs know. *)

(* struct stat64 of i386. *)
val stat64_i386 : Vfs.inode -> bytes

(* struct stat of i386. Raises Errno.Error EOVERFLOW for a size that it cannot hold. *)
val stat_i386 : Vfs.inode -> bytes

(* struct stat of x86_64. *)
val stat_x86_64 : Vfs.inode -> bytes

(* struct statx, of either. *)
val statx : Vfs.inode -> bytes

(* struct statfs of x86_64 ([wide]), and of i386 statfs64 ([large]) or statfs. *)
val statfs : wide:bool -> large:bool -> bytes
