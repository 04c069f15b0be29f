(* The executor (docs/contract.md, section 4). *)

(* Runs the script of the payload: checks, builds, hashes, reports, and ends the machine. Whatever fails after the host has told its nonce is reported to it; what fails before is
   raised (Cpio.Malformed, Channel.Broken, ...). *)
val run : unit -> 'a

(* [first_process root cwd program]: what process 1 of a step begins as, without program memory or descriptors; not entered in the table. Only tests call it from outside. Raises Base.No_memory. *)
val first_process : Vfs.inode -> Vfs.inode -> Vfs.inode -> Proc.t
