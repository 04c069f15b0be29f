(* Lower-case hexadecimal. *)
let of_bytes b =
  let out = Bytes.create (2 * Bytes.length b) in
  Bytes.iteri (fun i c ->
    Bytes.set out (2 * i) "0123456789abcdef".[Char.code c lsr 4];
    Bytes.set out ((2 * i) + 1) "0123456789abcdef".[Char.code c land 15]) b;
  Bytes.unsafe_to_string out

let is_digit c = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')
let value c = if c <= '9' then Char.code c - 48 else Char.code c - 87
