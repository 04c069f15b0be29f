(* System calls on System V's shared memory and semaphores. Each is the call of its name: it reads its arguments from the registers of the process and answers what Linux answers.
   It raises Errno.Error with the number that Linux gives, and Proc.Wait when it must wait; it is then made again from its beginning. *)

val shmget : Proc.t -> int
val shmat : Proc.t -> int
val shmdt : Proc.t -> int
val shmctl : Proc.t -> int
val semget : Proc.t -> int
val semctl : Proc.t -> int
val semop : Proc.t -> int
val semtimedop : Proc.t -> int

(* i386's one call for all of these. Messages are not served: ENOSYS. *)
val ipc : Proc.t -> int
