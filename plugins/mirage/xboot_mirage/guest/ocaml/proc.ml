(* Processes, open files, and who is who. One table for the step that runs; it is emptied when the step ends. *)

open Vfs

type file = {
  inode : inode;
  what : what;
  readable : bool;
  writable : bool;
  mutable flags : int; (* as fcntl shows them *)
  mutable position : int;
  mutable holders : int; (* descriptors that share this open file *)
  opened_as : string;
}

(* A descriptor whose last call moved one byte: the next ones may go through a window (window.ml). No address is kept here. *)
and window = (int * file) option

and what = Plain | Directory | Pipe_end of pipe | Null | Zero | Full | Random | To_console | Path_only

type descriptors = {
  mutable table : file option array;
  mutable close_on_exec : bool array;
  mutable lowest : int; (* no free descriptor below *)
  mutable sharers : int;
}

type action = { handler : int; options : int; restorer : int; mask : int } (* handler 0: default, 1: ignore *)

type handlers = { actions : action array; mutable handler_sharers : int }

type state =
  | Ready
  | Waiting of (unit -> bool) (* in a system call that is made again when the condition holds *)
  | Stopped
  | Zombie of int (* wait status *)

type t = {
  pid : int;
  tgid : int; (* the process that a thread belongs to *)
  mutable parent : int;
  mutable state : state;
  mutable mm : Mm.t;
  context : int; (* frame of registers *)
  mutable files : descriptors;
  mutable cwd : inode;
  mutable root : inode;
  mutable umask : int;
  mutable group : int; (* process group *)
  mutable session : int;
  mutable handlers : handlers;
  mutable blocked : int; (* signal masks: bit n-1 for signal n, up to 62 *)
  mutable pending : int;
  infos : (int * int * int * int) array; (* of pending signals: code, and three words *)
  mutable saved_mask : int option; (* sigsuspend: restored after the handler *)
  mutable alternate : int * int; (* sigaltstack *)
  mutable alarm : int; (* clock time, 0: none *)
  mutable deadline : int; (* of the blocking call under way, -1: not set *)
  mutable progress : int; (* bytes already moved by the blocking call under way *)
  mutable call : int; (* number of the call under way, -1: none *)
  mutable wake : bool; (* a futex was woken *)
  mutable vfork_parent : int; (* to be released at exec or exit, 0: none *)
  mutable clear_tid : int;
  mutable exit_signal : int;
  mutable name : string;
  mutable exe : inode;
  mutable exe_place : inode * string; (* directory and name, for /proc/self/exe *)
  mutable arguments : string;
  mutable executed : bool;
  mutable stop_reported : bool;
  windows : window array; (* for one-byte reads, and for one-byte writes *)
}

(* A system call that cannot go on until the condition holds. *)
exception Wait of (unit -> bool)

let who = { user = 1000; group = 100 }

let table : (int, t) Hashtbl.t = Hashtbl.create 64
let order : t list ref = ref [] (* by pid; for scans *)
let next_pid = ref 1
let current : t option ref = ref None
let open_files = ref 0

let reset () =
  Hashtbl.reset table; order := []; next_pid := 1; current := None; open_files := 0

let running () = match !current with Some p -> p | None -> failwith "no process is running"
let find pid = Hashtbl.find_opt table pid
let count () = Hashtbl.length table
let all () = !order
let enter p = Hashtbl.replace table p.pid p; order := !order @ [ p ]
let forget p = Hashtbl.remove table p.pid; order := List.filter (fun q -> q != p) !order
let is_ready p = match p.state with Ready -> true | _ -> false
let is_zombie p = match p.state with Zombie _ -> true | _ -> false
let children p = List.filter (fun q -> q.parent = p.tgid && q.pid = q.tgid) !order
let threads tgid = List.filter (fun q -> q.tgid = tgid) !order
let is_wide p = p.mm.Mm.wide

(* ---- open files *)

let open_file ?(flags = 0) ?(path = "") inode what ~readable ~writable =
  if !open_files >= Limit.open_files then Limit.reach Errno.enfile "8192 open files in a step";
  Limit.check_kernel_memory ();
  incr open_files;
  inode.opens <- inode.opens + 1;
  if writable && what = Plain then inode.writers <- inode.writers + 1;
  { inode; what; readable; writable; flags; position = 0; holders = 0; opened_as = path }

let close_file f =
  f.holders <- f.holders - 1;
  if f.holders <= 0 then begin
    decr open_files;
    f.inode.opens <- f.inode.opens - 1;
    if f.writable && f.what = Plain then f.inode.writers <- f.inode.writers - 1;
    (match f.what with
     | Pipe_end pipe ->
       if f.readable then pipe.readers <- pipe.readers - 1;
       if f.writable then pipe.writers <- pipe.writers - 1;
       if pipe.readers = 0 && pipe.writers = 0 then begin pipe.buffer <- Bytes.empty; pipe.used <- 0 end
     | _ -> ());
    release f.inode
  end

(* ---- descriptors *)

let new_descriptors () = { table = Array.make 16 None; close_on_exec = Array.make 16 false; lowest = 0; sharers = 1 }

let file_at d fd = if fd >= 0 && fd < Array.length d.table then d.table.(fd) else None
let file p fd = match file_at p.files fd with Some f -> f | None -> Errno.fail Errno.ebadf

let grow d size =
  let have = Array.length d.table in
  if size > have then begin
    let size = max size (2 * have) in
    let table = Array.make size None and cloexec = Array.make size false in
    Array.blit d.table 0 table 0 have;
    Array.blit d.close_on_exec 0 cloexec 0 have;
    d.table <- table;
    d.close_on_exec <- cloexec
  end

let take_descriptor d fd =
  match file_at d fd with
  | None -> ()
  | Some f ->
    d.table.(fd) <- None;
    d.close_on_exec.(fd) <- false;
    if fd < d.lowest then d.lowest <- fd;
    close_file f

let put_at d fd f ~cloexec =
  f.holders <- f.holders + 1;
  grow d (fd + 1);
  take_descriptor d fd;
  d.table.(fd) <- Some f;
  d.close_on_exec.(fd) <- cloexec

let free_descriptor d from =
  let rec go fd =
    if fd >= Limit.descriptors then Limit.reach Errno.emfile "1024 descriptors in one process"
    else match file_at d fd with None -> fd | Some _ -> go (fd + 1) in
  if from <= d.lowest then begin
    let fd = go d.lowest in
    d.lowest <- fd;
    fd
  end else go from

(* Give an open file a number, or close it again when there is none. *)
let install ?(from = 0) p f ~cloexec =
  match free_descriptor p.files from with
  | fd -> put_at p.files fd f ~cloexec; fd
  | exception e -> if f.holders = 0 then begin f.holders <- 1; close_file f end; raise e

let close_all d =
  d.sharers <- d.sharers - 1;
  if d.sharers = 0 then Array.iteri (fun fd _ -> take_descriptor d fd) d.table

let copy_descriptors d =
  Array.iter (function Some f -> f.holders <- f.holders + 1 | None -> ()) d.table;
  { d with table = Array.copy d.table; close_on_exec = Array.copy d.close_on_exec; sharers = 1 }

let no_action = { handler = 0; options = 0; restorer = 0; mask = 0 }
let no_windows () : window array = [| None; None |]
let new_handlers () = { actions = Array.make 65 no_action; handler_sharers = 1 }

(* A directory that a process stands in must not lose its memory. *)
let stand p inode =
  inode.opens <- inode.opens + 1;
  p.cwd.opens <- p.cwd.opens - 1;
  release p.cwd;
  p.cwd <- inode
