(* futex: waiting for a word of memory to change, and waking who waits. The arguments are read from the registers. Both answer what Linux does, and raise Errno.Error
   (EINVAL, EFAULT, EAGAIN, ETIMEDOUT; ENOSYS for priority inheritance), or Proc.Wait while the call waits. *)

(* `futex`: a time limit is made of two words of the program. *)
val futex : Proc.t -> int

(* `futex_time64`: a time limit is made of twice 64 bits. *)
val futex_time64 : Proc.t -> int
