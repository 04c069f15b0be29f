(* What builders print: it goes to the console alone, and only so much of it in a step. *)

(* A new step begins. *)
val reset : unit -> unit

(* [put b offset length]: print, or drop what is beyond the limit, which is said once. *)
val put : bytes -> int -> int -> unit
