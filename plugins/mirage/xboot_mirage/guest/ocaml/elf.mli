(* ELF headers, read with suspicion: a value of [t] has been checked in every field. Errors are raised as Errno.Error ENOEXEC. *)

type segment

type t = private {
  wide : bool;
  entry : int;
  dynamic : bool; (* ET_DYN: loaded wherever it is put *)
  header_va : int; (* of the program headers in memory, before the bias; 0: not loaded *)
  headers : int; (* how many *)
  loads : segment list;
  interpreter : string option;
  stack_exec : bool; (* no PT_GNU_STACK, or one that says so *)
}

(* Refuse a program: raises ENOEXEC. *)
val refuse : unit -> 'a

(* Read the headers of an executable for i386 or x86_64; refuses anything else. *)
val parse : Content.t -> t

(* The lowest address of the segments and the end of the highest, at page borders, before the bias. *)
val span : t -> int * int

(* [load mm inode elf bias]: put the segments into memory, [bias] bytes above where they want to be; file pages by reference. Refuses what does not fit;
   [mm] is then half filled. Raises Errno.Error ENOMEM and EFAULT, Base.No_memory too. *)
val load : Mm.t -> Vfs.inode -> t -> int -> unit
