(* The arguments of a system call, from the registers, by the conventions of the process's ABI. The first is number 0, the last 5. *)

(* The slots of the registers, in order, of i386 and of x86_64. *)
val slots32 : int array
val slots64 : int array

(* Unsigned: an address or length. Of x86_64, min_int for what OCaml's integers cannot hold, and negative for negative numbers. *)
val word : Proc.t -> int -> int

(* The lower 32 bits of a number, with sign. *)
val sign32 : int -> int

(* C's int: 32 bits with sign. *)
val int : Proc.t -> int -> int

(* C's long: as wide as the ABI's words, with sign. *)
val long : Proc.t -> int -> int

(* 32 bits without sign. *)
val uint : Proc.t -> int -> int

(* 64 bits with sign, in two registers of i386; min_int or max_int for what OCaml's integers cannot hold. *)
val pair : Proc.t -> int -> int
