(* What this kernel bounds, in one place. README.md says which error each limit gives. *)

(* Processes and threads in a step. *)
val processes : int

(* Open files in a step. *)
val open_files : int

(* Descriptors in one process. *)
val descriptors : int

(* Shared segments of System V, and as many sets of semaphores, in a step. *)
val ipc : int

(* Timers of timer_create in one process. *)
val timers : int

(* Bytes in a file. *)
val file_size : int

(* Names in a step's tree. *)
val inodes : int

(* Memory areas of one process. *)
val areas : int

(* Bytes that a step may print. *)
val console_bytes : int

(* Directories deep in an output. *)
val nesting : int

(* Bytes in one argument or variable, its end included. *)
val string_bytes : int

(* Bytes in all arguments and variables of a program. *)
val arguments_bytes : int

(* What is said when there is no room for a mapping, whatever memory there is. *)
val address_space : string

(* A new step: each limit may be named again. *)
val reset : unit -> unit

(* [note what]: name the limit on the console, once in a step. *)
val note : string -> unit

(* [reach errno what]: name the limit on the console, once in a step, and raise Errno.Error. *)
val reach : int -> string -> 'a

(* Is there enough memory that the kernel may remember more for programs? Raises Errno.Error ENOMEM. *)
val check_kernel_memory : unit -> unit
