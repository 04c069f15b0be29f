(* A piece of physical memory, looked at in place. *)

type t = { at : int; length : int }

let make at length =
  if at < 0 || length < 0 || length > Base.memory_end_ 0 - at then invalid_arg "outside of memory";
  { at; length }

let length v = v.length

let sub v offset length =
  if offset < 0 || length < 0 || length > v.length - offset then invalid_arg "outside of a view";
  { at = v.at + offset; length }

let byte v i =
  if i < 0 || i >= v.length then invalid_arg "outside of a view";
  Base.memory_byte (v.at + i)

let to_string v =
  let b = Bytes.create v.length in
  ignore (Base.memory_read v.at b 0 v.length);
  Bytes.unsafe_to_string b

let copy target v =
  if target.length <> v.length then invalid_arg "views of different lengths";
  ignore (Base.memory_copy target.at v.at v.length)

let sum state v = ignore (Base.sum_memory state v.at v.length)
