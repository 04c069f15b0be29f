(* SHA-256 as the base computes it (../base/digest.c). *)

type t = bytes

let start () =
  let sum = Bytes.create Base.sum_size in
  ignore (Base.sum_start sum);
  sum

let view = View.sum

let finish sum =
  ignore (Base.sum_end sum);
  Hex.of_bytes (Bytes.sub sum 0 32)

let of_string s =
  let sum = start () in
  ignore (Base.sum_bytes sum (Bytes.unsafe_of_string s) 0 (String.length s));
  finish sum
