(* Inodes and directories. Errors are raised as Errno.Error, with the number that Linux gives. Permissions are checked only by [demand], [demand_owner] and
   [demand_remove]: callers ask those first. *)

module IntMap : Map.S with type key = int

type pipe = {
  mutable buffer : Bytes.t; (* grows from 4 KiB to the capacity *)
  mutable capacity : int; (* 64 KiB, unless another is asked for *)
  mutable start : int;
  mutable used : int;
  mutable readers : int;
  mutable writers : int;
  mutable pushed : int; (* how often bytes came, and went: for edge-triggered epoll *)
  mutable pulled : int;
  mutable eased : int; (* how often they went from a full one: who met no full one does not wait for room *)
  named : bool; (* has, or had, a name in a directory: opening one end waits for the other *)
  mutable came : int; (* how often an end of a named pipe was opened: who waits for the other end may miss its short visit *)
}

type inode = {
  ino : int;
  kind : kind;
  mutable mode : int; (* permission bits *)
  mutable uid : int;
  mutable gid : int;
  mutable nlink : int;
  mutable opens : int; (* open files, mappings, working directories *)
  mutable atime : int; (* nanoseconds *)
  mutable mtime : int;
  mutable ctime : int;
  mutable sealed : bool; (* belongs to the store: nothing may change it *)
  mutable place : (inode * string) option; (* directory and name under which it was last opened or run, for the texts of /proc *)
  mutable nameless : bool; (* made by O_TMPFILE: may get a name although it has none *)
  mutable writers : int; (* open for writing: exec says ETXTBSY *)
  mutable seals : int; (* what fcntl shows of a regular file: 1 no more seals, 2 may not shrink, 4 grow, 8 be written, 16 be written but through mappings that are there *)
}

and kind =
  | File of Content.t
  | Dir of dir
  | Link of string
  | Device of int * int
  | Fifo of pipe
  | Console (* standard output and error of a builder: looks like a pipe *)
  | Dynamic of { find : string -> inode option; list : unit -> (string * inode) list } (* /proc *)
  | Socket (* the name of a bound socket *)
  | Text of (unit -> string) (* a file of /proc: its text is made when it is opened *)
  | Magic of { text : unit -> string; target : unit -> inode } (* links of /proc that lead to an inode whatever its name *)

and dir = {
  entries : (string, int * inode) Hashtbl.t; (* name -> position, inode *)
  mutable order : string IntMap.t; (* by position, which is the order of creation: readdir stays sane while entries come and go *)
  mutable next : int;
  mutable parent : inode option; (* none: its own parent, or removed *)
}

(* How many names there are in the step's tree, bounded by Limit.inodes. *)
val inodes : int ref

(* The time that changes are stamped with, in nanoseconds since 1970. Clock moves it. *)
val now : int ref

(* [make kind mode]: an inode without a name, of now. [uid] and [gid] are 0 unless given. *)
val make : ?uid:int -> ?gid:int -> kind -> int -> inode

(* An empty directory, for [make]. *)
val new_dir : unit -> kind

(* How many bytes a pipe may be asked to hold. *)
val pipe_capacity_most : int

(* An empty pipe without ends. *)
val new_pipe : named:bool -> pipe

(* A directory, of the tree or of /proc. *)
val is_dir : inode -> bool

(* The bits of st_mode that tell the kind. *)
val type_bits : inode -> int

(* The size as stat shows it, in bytes. *)
val size : inode -> int

(* An inode that has neither name nor user, and is not sealed, gives its memory back. To be called after either count has shrunk. *)
val release : inode -> unit

(* [find directory name]: the entry. Raises ENOTDIR. "." and ".." are no entries. *)
val find : inode -> string -> inode option

(* [add directory name inode]: enter a name that is not there yet; counts links and stamps times. Raises ENOSPC, ENOMEM, ENOTDIR. *)
val add : inode -> string -> inode -> unit

(* As [add], for a name that was taken away in the same call: it asks for no room, so it raises only ENOTDIR. *)
val enter : inode -> string -> inode -> unit

(* [remove directory name]: take a name away, if it is there. The inode stays as long as it is in use. Raises ENOTDIR. *)
val remove : inode -> string -> unit

(* [entries_from directory position]: (position, name, inode) in the order of their creation, from a position on; the first position is 3. Raises ENOTDIR. *)
val entries_from : inode -> int -> (int * string * inode) Seq.t

(* The names in a directory of the tree, in no order; [] of anything else. *)
val names : inode -> string list

(* Remove everything below a directory that no longer has users. What is sealed lives on. *)
val free_tree : inode -> unit

(* A builder has read it: of what builders own, the time of access moves. *)
val accessed : inode -> unit

(* Who asks. User 0 may do anything, and only the executor is that. *)
type who = { user : int; group : int }

(* [may who inode want]: [want] are the bits 4 (read), 2 (write), 1 (execute, search). *)
val may : who -> inode -> int -> bool

(* As [may]. Raises EACCES. *)
val demand : who -> inode -> int -> unit

(* Only the owner may, and nobody what is sealed. Raises EPERM. *)
val demand_owner : who -> inode -> unit

(* [demand_remove who directory inode]: may [who] take this inode's name out of the directory? Raises EACCES; EPERM by the sticky bit. *)
val demand_remove : who -> inode -> inode -> unit
