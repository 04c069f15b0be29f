(* In place of the library's: of the system around a program there is none here. The numbers are those of a processor of 64 bits. *)
type backend_type = Native | Bytecode | Other of string

external opaque_identity : 'a -> 'a = "%opaque"

let backend_type = Native
let big_endian = false
let word_size = 64
let int_size = 63
let max_array_length = (1 lsl 54) - 1
let max_floatarray_length = max_array_length
let max_string_length = (8 * max_array_length) - 1
let getenv _ = raise Not_found
