(* Signals: sending, choosing, building the frame that a handler returns through. A signal is a number from 1; sets are bits, n - 1 for signal n.
   The info of a signal is (si_code, and the three words behind it: of a fault the address, else sender, user, value). *)

(* The bit of a signal. *)
val bit : int -> int

val sigkill : int

(* The set of those that nobody can block: SIGKILL and SIGSTOP. *)
val unblockable : int

(* Bits of sigaction's options. *)
val sa_siginfo : int
val sa_nodefer : int
val sa_resethand : int

(* A signal would do nothing to this process. *)
val is_ignored : Proc.t -> int -> bool

(* The set of those that wait for this thread or its process. *)
val pending : Proc.t -> int

(* As [pending], without those that the thread blocks. *)
val deliverable : Proc.t -> int

(* [next p set]: which of the signals of the set that wait comes first: the thread's own before the process's, then the lowest. Does not end if none waits. *)
val next : Proc.t -> int -> int

(* Take a pending signal away, the thread's own before the process's: its info. *)
val take : Proc.t -> int -> int * int * int * int

(* Forget pending signals of a set, of the thread and of its process. *)
val forget_signals : Proc.t -> int -> unit

(* Send to one thread. Nothing happens for a number that is none, to who has ended, or when it is ignored and not blocked.
   Process 1 gets only what it handles. *)
val post : Proc.t -> int -> int * int * int * int -> unit

(* As [post], to a process: whichever of its threads does not block the signal takes it. *)
val send : Proc.t -> int -> int * int * int * int -> unit

(* A timer of the process has fired: its signal is sent, once until that is taken. *)
val expire : Proc.t -> Proc.own_timer -> unit

(* A fault of the program's own: it cannot be ignored, and ends even process 1 when it has no handler or blocks it. *)
val force : Proc.t -> int -> int * int * int * int -> unit

(* A register of a process, by its slot (Base.rax and so on). *)
val get : Proc.t -> int -> int
val set : Proc.t -> int -> int -> unit

(* [put_info b offset signal info ~wide] writes the beginning of a siginfo; the rest is left as it is. *)
val put_info : bytes -> int -> int -> int * int * int * int -> wide:bool -> unit

(* [mask_out b offset set] writes a set as 64 bits. *)
val mask_out : bytes -> int -> int -> unit

(* [mask_in b offset] reads a set of 64 bits, without those that cannot be blocked and those above 62. *)
val mask_in : bytes -> int -> int

(* The slots of the registers in a x86_64 program's frame, in its order. *)
val order64 : int array

(* [push_frame p signal action info]: let the program continue in its handler. Raises Errno.Error EFAULT where there is no stack. Only tests call it from outside. *)
val push_frame : Proc.t -> int -> Proc.action -> int * int * int * int -> unit

(* An address lies on the thread's alternate stack. *)
val on_alternate : Proc.t -> int -> bool

(* sigreturn and rt_sigreturn: take registers and mask back from the frame on the stack, whatever is written there. Raise Errno.Error EFAULT. *)
val return_classic : Proc.t -> unit
val return_siginfo : Proc.t -> unit

(* Before a program is entered: let each deliverable signal do what it does. Afterwards the process may be ready with changed registers, stopped, or ended.
   Where there is no stack for a handler's frame, the process ends by SIGSEGV. *)
val deliver : Proc.t -> unit

(* A deliverable signal ends a wait: the first one is not ignored. *)
val interrupts : Proc.t -> bool

(* A call that such a signal has ended is to be made again. To be asked only when [interrupts]. *)
val wants_restart : Proc.t -> bool
