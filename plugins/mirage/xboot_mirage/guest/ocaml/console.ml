(* What builders print goes to the console alone, at most 1 MiB for each step. *)
let left = ref 0
let reset () = left := Limit.console_bytes

let put b off len =
  let n = min len !left in
  if n > 0 then Base.console_bytes b off n;
  if !left > 0 && n = !left then Base.console "\nxboot: limit: a step printed more than 1 MiB; the rest is dropped\n";
  left := !left - n
