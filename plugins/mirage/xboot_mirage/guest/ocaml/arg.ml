(* The arguments of a system call, by the conventions of either ABI. *)

let slots32 = Base.[| rbx; rcx; rdx; rsi; rdi; rbp |]
let slots64 = Base.[| rdi; rsi; rdx; r10; r8; r9 |]

(* Unsigned: an address or length. *)
let word p n =
  if Proc.is_wide p then Base.ctx_get p.Proc.context slots64.(n) else Base.ctx_get p.Proc.context slots32.(n) land 0xffffffff

let sign32 v = let v = v land 0xffffffff in if v land 0x80000000 <> 0 then v - 0x100000000 else v

let int p n = sign32 (word p n) (* C's int *)
let long p n = if Proc.is_wide p then word p n else sign32 (word p n) (* C's long *)
let uint p n = word p n land 0xffffffff
(* 64 bits in two registers on i386 *)
let pair p n =
  let high = sign32 (word p (n + 1)) in
  if high < -(1 lsl 29) then min_int else if high >= 1 lsl 29 then max_int else (high lsl 32) lor uint p n
