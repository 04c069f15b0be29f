(* Tokens of the script and of the channel (docs/contract.md, section 1). Strict: there is one way to write each string.
   Everything that reads moves the reader on, and raises Malformed with what is wrong and at which byte. *)

exception Malformed of string

type token = Open | Close | Symbol of string | Number of int | Text of string | End

(* A text, and how far it is read. *)
type reader

(* Read a text from its beginning. *)
val reader : string -> reader

(* Raise Malformed with these words and the place. *)
val malformed : reader -> string -> 'a

(* The next token; End for ever at the end. *)
val token : reader -> token

(* The next token, which stays. *)
val look : reader -> token

(* [expect r token what]: exactly this token must come; [what] names it in the error. *)
val expect : reader -> token -> string -> unit

(* A parenthesis must come. *)
val open_ : reader -> unit
val close : reader -> unit

(* This symbol must come. *)
val symbol : reader -> string -> unit

(* A string must come: its bytes. *)
val text : reader -> string

(* A number must come, from 0 to 10^18 - 1. *)
val number : reader -> int

(* Items until the closing parenthesis, which is read too. *)
val many : reader -> (reader -> 'a) -> 'a list

(* [clause r name body]: `(name` must come, then what [body] reads, which includes the closing parenthesis. *)
val clause : reader -> string -> (reader -> 'a) -> 'a

(* Bytes as a string is written, with its quotes. *)
val quote : string -> string
