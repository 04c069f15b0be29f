(* In place of the library's. *)
type 'a t = 'a CamlinternalLazy.t

external force : 'a t -> 'a = "%lazy_force"
