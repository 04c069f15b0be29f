(* Lower-case hexadecimal. *)

(* Two digits for each byte. *)
val of_bytes : bytes -> string

(* Is it one of 0-9 and a-f? *)
val is_digit : char -> bool

(* What a digit means; of other characters it means nothing. *)
val value : char -> int
