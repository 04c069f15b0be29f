(* Numbers and names as text. *)

(* [hex width n]: lower-case hexadecimal without a sign (a number has 63 bits), with zeros before it up to [width] digits. *)
val hex : int -> int -> string

(* [left width s]: [s] with spaces after it up to [width]. *)
val left : int -> string -> string

(* The exception's name, and of the usual ones why. *)
val of_exception : exn -> string
