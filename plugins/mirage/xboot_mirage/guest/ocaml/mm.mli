(* A program's memory: areas (what may be where) above page tables (what is there now). Pages come on the first touch.
   Addresses and sizes are in bytes; what is given as [start, stop) begins and ends at page borders, and the caller sees to that. *)

module Areas : Map.S with type key = int

(* What an area shows. Of a file: the offset at which the area starts. An area holds its inode until it is taken away. *)
type source = Anonymous | Backed of Vfs.inode * int

type area = {
  first : int;
  last : int; (* one past *)
  prot : int; (* Base.prot_r, _w, _x *)
  shared : bool;
  may_write : bool; (* false: a shared mapping of a file that was not opened for writing *)
  source : source;
}

type t = {
  mutable space : int; (* page table; 0 after free: the base takes no such table for one *)
  wide : bool; (* x86_64 *)
  mutable areas : area Areas.t; (* by first address *)
  mutable brk_start : int;
  mutable brk : int;
  mutable users : int; (* processes and threads that share it *)
  exec_all : bool; (* i386 without PT_GNU_STACK: what may be read may be executed *)
}

(* What became of a fault: the page is there now; no area; the area forbids it; behind the end of the file. *)
type fault = Mapped | Bad_address | Bad_access | Beyond_file

(* One past the highest address that the program may use. *)
val limit : t -> int

(* The lowest address that may be mapped: page 0 never is. *)
val lowest : int

(* Memory without areas, for one user. Raises Base.No_memory. *)
val make : wide:bool -> exec_all:bool -> t

(* One user less; the last one gives all of it back. *)
val free : t -> unit

(* The area that holds an address. *)
val find : t -> int -> area option

(* The source of a piece that begins so many bytes further. *)
val shift_source : source -> int -> source

(* The areas that begin in [start, stop), by address. *)
val within : t -> int -> int -> area list

(* The areas that have a page in [start, stop), by address. *)
val touching : t -> int -> int -> area list

(* Is there room for so many more areas? Asked before the first step of a call that takes several. Raises Errno.Error ENOMEM. *)
val demand_areas : t -> int -> unit

(* Take everything in [start, stop) away. Raises Errno.Error ENOMEM when an area would have to be cut and there are too many already. *)
val unmap : t -> int -> int -> unit

(* Enter an area where nothing is; nothing is mapped yet. The caller has looked that nothing is there (else the machine ends) and that it is below [limit]. Raises Errno.Error ENOMEM at the limit of areas. *)
val add : t -> area -> unit

(* [join t address]: the area there becomes one with those behind it, as long as they show what comes next, in the same way. *)
val join : t -> int -> unit

(* [protect t start stop prot]: in order of addresses, as on Linux. At the first hole it raises Errno.Error ENOMEM, at an area that must not be written to EACCES; what lies before is done. *)
val protect : t -> int -> int -> int -> unit

(* A file got shorter, to so many bytes: its pages behind the end are mapped here no more, private copies neither. *)
val forget_behind : t -> Vfs.inode -> int -> unit

(* The highest free range of so many bytes below the stack: its address. Raises Errno.Error ENOMEM. *)
val find_free : t -> int -> int

(* Bytes of all areas, without the stack, whose area is as large as it may become. *)
val size : t -> int

(* Move the program's break, within such a size (below 0: any); the break as it is then, unchanged when the wish cannot be granted. Raises Errno.Error
   ENOMEM at the limit of areas. *)
val grow_brk : t -> int -> most:int -> int

(* [map_frame t va frame area]: map with the area's rights; the caller's reference goes to the space. Raises Base.No_memory, and the reference is then given back. *)
val map_frame : t -> int -> int -> area -> unit

(* Bring the page of an address in, if the program may do there what it did. Raises Base.No_memory. *)
val fault : t -> int -> write:bool -> exec:bool -> fault

(* A copy for a child: private pages are copied on write. Raises Errno.Error ENOMEM. *)
val fork : t -> t
