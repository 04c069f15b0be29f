(* Inodes and directories. There is one tree for each step and nothing outside of it: a program sees only what its tree holds. *)

module IntMap = Map.Make (Int)

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
  mutable seals : int;
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

let inodes = ref 0 (* in use, bounded *)
let next_ino = ref 1
let now = ref 0 (* nanoseconds; set by Clock *)

let make ?(uid = 0) ?(gid = 0) kind mode =
  incr next_ino;
  { ino = !next_ino; kind; mode; uid; gid; nlink = 0; opens = 0; atime = !now; mtime = !now; ctime = !now; sealed = false; place = None; nameless = false; writers = 0; seals = 1 }

let new_dir () = Dir { entries = Hashtbl.create 8; order = IntMap.empty; next = 3; parent = None }

let pipe_capacity_most = 1 lsl 20 (* that anybody may ask for *)
let new_pipe ~named = { buffer = Bytes.create 4096; capacity = 65536; start = 0; used = 0; pushed = 0; pulled = 0; eased = 0; readers = 0; writers = 0; named; came = 0 }

let dir_of inode = match inode.kind with Dir d -> d | _ -> Errno.fail Errno.enotdir
let is_dir inode = match inode.kind with Dir _ | Dynamic _ -> true | _ -> false

let type_bits inode =
  match inode.kind with
  | File _ | Text _ -> 0o100000 | Dir _ | Dynamic _ -> 0o040000 | Link _ | Magic _ -> 0o120000
  | Device _ -> 0o020000 | Fifo _ | Console -> 0o010000 | Socket -> 0o140000

let size inode =
  match inode.kind with
  | File c -> c.Content.size | Link s -> String.length s | Dir d -> 40 + (20 * Hashtbl.length d.entries) | _ -> 0

(* An inode without name and without user gives its memory back. *)
let release inode =
  if inode.nlink <= 0 && inode.opens <= 0 && not inode.sealed then
    match inode.kind with File c -> Content.free c | _ -> ()

let find dir_inode name =
  match dir_inode.kind with
  | Dir d -> (match Hashtbl.find_opt d.entries name with Some (_, i) -> Some i | None -> None)
  | Dynamic d -> d.find name
  | _ -> Errno.fail Errno.enotdir

let enter dir_inode name inode =
  let d = dir_of dir_inode in
  Hashtbl.replace d.entries name (d.next, inode);
  d.order <- IntMap.add d.next name d.order;
  d.next <- d.next + 1;
  incr inodes;
  (match inode.kind with
   | Dir child -> child.parent <- Some dir_inode; dir_inode.nlink <- dir_inode.nlink + 1;
     inode.nlink <- Hashtbl.fold (fun _ (_, i) n -> match i.kind with Dir _ -> n + 1 | _ -> n) child.entries 2
   | _ -> inode.nlink <- inode.nlink + 1);
  dir_inode.mtime <- !now;
  dir_inode.ctime <- !now

let add dir_inode name inode =
  if !inodes >= Limit.inodes then Limit.reach Errno.enospc "400000 files and directories in a step";
  Limit.check_kernel_memory ();
  enter dir_inode name inode

(* Take a name away. The inode stays as long as it is in use. *)
let remove dir_inode name =
  let d = dir_of dir_inode in
  match Hashtbl.find_opt d.entries name with
  | None -> ()
  | Some (position, inode) ->
    Hashtbl.remove d.entries name;
    d.order <- IntMap.remove position d.order;
    decr inodes;
    (match inode.kind with
     | Dir child -> child.parent <- None; dir_inode.nlink <- dir_inode.nlink - 1; inode.nlink <- 0
     | _ -> inode.nlink <- inode.nlink - 1);
    inode.ctime <- !now;
    dir_inode.mtime <- !now;
    dir_inode.ctime <- !now;
    release inode

(* In /proc, where a name that is a number stands: what ends or is closed while somebody reads moves no other. Behind the words, of which there are fewer. *)
let first_number = 1024
let compare_places (a, _, _) (b, _, _) = compare (a : int) b

(* The entries of a directory from a position on: (position, name, inode), in the order of their creation. *)
let entries_from inode position =
  match inode.kind with
  | Dir d ->
    let _, here, after = IntMap.split position d.order in
    let after = match here with Some n -> IntMap.add position n after | None -> after in
    Seq.filter_map (fun (p, n) ->
      match Hashtbl.find_opt d.entries n with Some (_, i) -> Some (p, n, i) | None -> None) (IntMap.to_seq after)
  | Dynamic d ->
    let place n (name, i) = ((match int_of_string_opt name with Some number -> first_number + number | None -> n + 3), name, i) in
    Seq.filter (fun (p, _, _) -> p >= position) (List.to_seq (List.sort compare_places (List.mapi place (d.list ()))))
  | _ -> Errno.fail Errno.enotdir

let names inode = match inode.kind with Dir d -> Hashtbl.fold (fun n _ l -> n :: l) d.entries [] | _ -> []

(* Remove everything below a directory that no longer has users. With a work list: trees may be deeper than any stack. *)
let free_tree root =
  let work = ref [ root ] in
  while !work <> [] do
    let inode = List.hd !work in
    work := List.tl !work;
    if not inode.sealed then
      List.iter (fun name ->
        match find inode name with
        | None -> ()
        | Some child ->
          if child.sealed then (match inode.kind with Dir d -> Hashtbl.remove d.entries name; decr inodes | _ -> ())
          else begin
            if is_dir child then work := child :: !work;
            remove inode name
          end) (names inode)
  done

(* A builder has read it. Inputs are the same for all steps, whoever read them before. *)
let accessed inode = if inode.uid <> 0 && not inode.sealed then inode.atime <- !now

(* Who asks. The builder is an ordinary user; root exists only for what the executor makes itself. *)
type who = { user : int; group : int }

let may who inode want =
  who.user = 0
  ||
  let shift = if who.user = inode.uid then 6 else if who.group = inode.gid then 3 else 0 in
  inode.mode lsr shift land want = want

let demand who inode want = if not (may who inode want) then Errno.fail Errno.eacces
let demand_owner who inode = if inode.sealed || (who.user <> 0 && who.user <> inode.uid) then Errno.fail Errno.eperm

(* May [who] take [name]'s inode out of this directory? (the sticky bit protects other people's files) *)
let demand_remove who dir inode =
  if dir.sealed then Errno.fail Errno.eacces;
  demand who dir 3;
  if dir.mode land 0o1000 <> 0 && who.user <> 0 && who.user <> inode.uid && who.user <> dir.uid then Errno.fail Errno.eperm
