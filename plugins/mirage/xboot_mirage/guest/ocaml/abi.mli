(* The system calls that are served, by number, for the two ABIs. *)

(* A call: [serve] reads the arguments from the registers and answers the result; it raises Errno.Error, Proc.Wait, or Sys_proc.Replaced.
   [price] is what it costs of the process's share, in about microseconds. *)
type entry = { name : string; serve : Proc.t -> int; price : int }

(* By number, of i386 and of x86_64; others read [find]. *)
val table32 : entry option array
val table64 : entry option array

(* The call of a number, by the ABI of the process. *)
val find : Proc.t -> int -> entry option

(* A number that is not served: named once on the console. Raises Errno.Error ENOSYS. *)
val unknown : Proc.t -> int -> 'a
