(* In place of the library's: values as blocks, for Hashtbl, for lazy values, and for the names of exceptions. *)
type t

external repr : 'a -> t = "%identity"
external obj : t -> 'a = "%identity"
external magic : 'a -> 'b = "%identity"
external size : t -> int = "%obj_size"
external tag : t -> int = "caml_obj_tag" [@@noalloc]
external field : t -> int -> t = "%obj_field"
external set_field : t -> int -> t -> unit = "%obj_set_field"

let lazy_tag = 246
let forward_tag = 250
