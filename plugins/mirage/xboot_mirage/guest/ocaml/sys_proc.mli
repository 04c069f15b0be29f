(* System calls that work on processes. Each is the call of its name: it reads its arguments from the registers of the process and answers what Linux answers.
   It raises Errno.Error with the number that Linux gives, and Proc.Wait when it must wait; it is then made again from its beginning. *)

(* Raised by calls that do not return to where they came from (execve, exit, sigreturn): the registers stand as they are, there is no answer. *)
exception Replaced

(* [put_usage p va cpu]: a struct rusage of so much processor time, and nothing else, into the program's memory. Raises EFAULT. *)
val put_usage : Proc.t -> int -> int -> unit

val set_thread_area : Proc.t -> int
val arch_prctl : Proc.t -> int
val fork : Proc.t -> int
val vfork : Proc.t -> int
val clone : Proc.t -> int
val execve : Proc.t -> int
val execveat : Proc.t -> int
val exit : Proc.t -> int
val exit_group : Proc.t -> int
val wait4 : Proc.t -> int
val waitpid : Proc.t -> int
val waitid : Proc.t -> int
val getpid : Proc.t -> int
val gettid : Proc.t -> int
val getppid : Proc.t -> int
val getuid : Proc.t -> int
val getgid : Proc.t -> int
val setuid : Proc.t -> int
val setgid : Proc.t -> int
val setreuid : Proc.t -> int
val setregid : Proc.t -> int
val setresuid : Proc.t -> int
val setresgid : Proc.t -> int
val getresuid : Proc.t -> int
val getresgid : Proc.t -> int

(* [setfsid id]: the call of a user or group, whose number it answers; nothing changes. *)
val setfsid : int -> Proc.t -> int

val getgroups : Proc.t -> int
val setgroups : Proc.t -> int
val getpgid : Proc.t -> int
val getpgrp : Proc.t -> int
val getsid : Proc.t -> int
val setpgid : Proc.t -> int
val setsid : Proc.t -> int
val set_tid_address : Proc.t -> int
val set_robust_list : Proc.t -> int
val get_robust_list : Proc.t -> int
val prctl : Proc.t -> int
