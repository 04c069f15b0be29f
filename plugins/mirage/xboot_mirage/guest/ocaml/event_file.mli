(* Descriptors that are events: eventfd, timerfd, signalfd. [read_event p file event va len] and its kin move bytes between what the descriptor holds and the program's memory at
   [va]; how many bytes. They raise Errno.Error EINVAL (too short, a bad value), EFAULT, EAGAIN (nothing there, and O_NONBLOCK), and Proc.Wait otherwise. *)

(* Take the count, or 1 of a semaphore, as eight bytes. *)
val read_event : Proc.t -> Proc.file -> Proc.event -> int -> int -> int

(* Add eight bytes to the count. *)
val write_event : Proc.t -> Proc.file -> Proc.event -> int -> int -> int

(* Take how often the timer has fired, as eight bytes. *)
val read_timer : Proc.t -> Proc.file -> Proc.timer -> int -> int -> int

(* Take pending signals of the set, each as a signalfd_siginfo of 128 bytes, as many as there is room for. *)
val read_signals : Proc.t -> Proc.file -> Proc.signals -> int -> int -> int
