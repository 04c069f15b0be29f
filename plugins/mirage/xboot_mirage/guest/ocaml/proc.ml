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

and what =
  | Plain | Directory | Pipe_end of pipe | Null | Zero | Full | Random | To_console | Path_only
  | Event of event
  | Timer of timer
  | Signals of signals
  | Epoll of epoll
  | Socket of socket
  | Master of terminal
  | Slave of terminal * int (* the turn in which it was opened *)

(* A socket of the step's own (AF_UNIX, AF_INET, AF_INET6). *)
and socket = {
  family : int;
  mutable own : inet; (* its address on the loopback *)
  mutable other_end : inet; (* whom it is joined to there *)
  mutable only6 : bool; (* of AF_INET6: nothing of version 4 *)
  mutable port_asked : bool; (* by bind *)
  mutable connecting : connecting;
  tuning : int array; (* options that are remembered (Inet) *)
  style : int; (* 1: stream, 2: datagrams, 5: datagrams in order, of a connection *)
  mutable peer : socket option;
  mutable peer_pid : int;
  owner_pid : int;
  mutable address : string; (* sun_path; "": none; begins with a zero byte: abstract *)
  mutable place_ino : int; (* of the name in the file system, 0: none *)
  mutable backlog : int; (* of a listening socket, -1: does not listen *)
  connections : socket Queue.t; (* not accepted yet *)
  incoming : message Queue.t;
  mutable held : int; (* bytes in it *)
  mutable shut_in : bool;
  mutable shut_out : bool;
  mutable gone : bool;
  mutable error : int;
  mutable pass_credentials : bool;
  mutable choices : int;
  mutable linger : int * int; (* whether, and for how many seconds: kept and shown *)
  mutable room_in : int;
  mutable room_out : int;
  mutable most_in : int;
  mutable most_out : int;
  mutable reached : bool;
  mutable came : int;
  mutable went : int;
}

(* An address of the loopback: of version 4 a host as a number, of version 6 the last byte of ::1; 0: any. A port of 0: none. *)
and inet = { version : int; host : int; port : int }

(* A connection that nobody waited for has ended so, and connect has not said it. *)
and connecting = Not_begun | Joined | Refused

and message = { source : inet (* of a datagram of AF_INET *); data : Bytes.t; mutable taken : int; rights : file list; sender : socket; sender_pid : int }

(* A pseudo-terminal. Of its two ends the master is opened once; the other one has any number of open files. *)
and terminal = {
  line : int; (* its number *)
  slave_inode : inode;
  mutable master : bool; (* is open *)
  mutable slaves : int; (* open files of the other end *)
  mutable met : bool; (* the other end was open once: without one a master then reads no further *)
  mutable locked : bool;
  mutable turn : int; (* how often it was hung up: who was opened in an earlier turn is dead *)
  mutable owner : int; (* the session that it controls, 0: none *)
  mutable foreground : int; (* process group, 0: none *)
  modes : int array; (* of input, output, control, local *)
  mutable keys : string; (* after the line's number *)
  mutable window_size : string;
  lines : typed_line Queue.t; (* in lines: those that are whole *)
  edit : Buffer.t; (* the line that is being typed; in bytes: all that is not read *)
  mutable typed : int; (* how often something came, and went: for edge-triggered epoll *)
  mutable taken_out : int;
  mutable typed_at : int; (* when the last byte came *)
  mutable typing : bool; (* a byte is being typed: what comes out are echoes *)
  mutable literal : bool; (* the next one is no key *)
  mutable stopped : bool; (* nothing is printed *)
  mutable column : int;
  mutable begun : int; (* the column where the line began *)
  printed : pipe; (* what the master will read *)
  held : Buffer.t; (* echoes that are not shown yet: while bytes are typed, or what is printed stands still *)
}

and typed_line = { text : string; mutable read : int; end_of_file : bool (* ended so, which is not read *) }

(* eventfd: 64 bits without sign *)
and event = { mutable count : int64; semaphore : bool; mutable writes : int }

(* When it fires next, on the clock of Clock.now, or of the processor time that [used] tells; 0: never *)
and timer = { clock : int; used : (unit -> int) option; mutable at : int; mutable every : int }

(* What timer_create made. [clock.every] counts from when its signal was taken. *)
and own_timer = {
  number : int;
  clock_timer : timer;
  signal : int; (* 0: none is sent *)
  thread : int; (* that gets it, 0: the process *)
  value : int;
  mutable sent : bool; (* its signal waits: until it is taken, the timer only counts *)
  mutable overrun : int; (* how often it had fired once more when its last signal was taken *)
}

and signals = { mutable set : int }
and epoll = { mutable interests : interest list }

(* What epoll_wait is to look at. [edge]: how often bytes had come and gone when it was last reported, and what was ready then. *)
and interest = { fd : int; target : file; mutable wanted : int; mutable data : int64; mutable edge : int * int * int; mutable off : bool (* EPOLLONESHOT has fired *) }

type descriptors = {
  mutable table : file option array;
  mutable close_on_exec : bool array;
  mutable lowest : int; (* no free descriptor below *)
  mutable sharers : int;
}

type action = { handler : int; options : int; restorer : int; mask : int } (* handler 0: default, 1: ignore *)

(* Resource limits, -1: none. Shared by the threads of a process. *)
type limits = { soft : int array; hard : int array }

let most_file_descriptors = 7

type handlers = { actions : action array; mutable handler_sharers : int }

(* What the threads of a process have in common, and what CLONE_FS shares. *)
type shared = {
  mutable pending : int; (* signals sent to the process *)
  queue : (int * (int * int * int * int)) Queue.t; (* their infos: one of each signal, real-time signals as often as they were sent *)
  mutable alarms : timer array; (* of setitimer: ITIMER_REAL, _VIRTUAL, _PROF *)
  mutable cpu : int; (* processor time: of its threads, and of children that were waited for *)
  mutable children : int;
  mutable signalled : int; (* how often a signal was sent to it or to a thread of its *)
  mutable own_timers : own_timer list;
  mutable next_timer : int; (* its number *)
  mutable ended : int option; (* the wait status that exit_group or a signal gave *)
  mutable continued : bool; (* it was stopped and goes on, and no wait has told its parent *)
}

type place = { mutable cwd : inode; mutable umask : int; mutable place_sharers : int }

type state =
  | Ready
  | Waiting of (unit -> bool) (* in a system call that is made again when the condition holds *)
  | Stopped
  | Zombie of int (* wait status *)

type t = {
  mutable pid : int; (* a thread that calls execve takes the process's *)
  tgid : int; (* the process that a thread belongs to *)
  mutable parent : int;
  mutable state : state;
  mutable mm : Mm.t;
  context : int; (* frame of registers *)
  mutable files : descriptors;
  mutable place : place;
  mutable root : inode;
  mutable group : int; (* process group *)
  mutable session : int;
  mutable handlers : handlers;
  mutable blocked : int; (* signal masks: bit n-1 for signal n, up to 62 *)
  mutable pending : int; (* signals sent to this thread *)
  queue : (int * (int * int * int * int)) Queue.t; (* their infos: code, and three words *)
  shared : shared;
  mutable saved_mask : int option; (* sigsuspend: restored after the handler *)
  mutable alternate : int * int; (* sigaltstack *)
  mutable deadline : int; (* of the blocking call under way, -1: not set *)
  mutable progress : int; (* bytes already moved by the blocking call under way *)
  mutable call : int; (* number of the call under way, -1: none *)
  mutable wake : bool; (* somebody ended this wait: a futex, or the child of vfork *)
  mutable patient : bool; (* in a wait that only SIGKILL ends *)
  mutable robust : int; (* head of the list of robust futexes, 0: none *)
  mutable vfork_parent : int; (* to be released at exec or exit, 0: none *)
  mutable clear_tid : int;
  mutable policy : int;
  mutable nice : int; (* has no effect, like policy *)
  mutable thread_cpu : int;
  mutable exit_signal : int;
  mutable no_terminal : bool; (* it gave up its session's for itself (TIOCNOTTY) *)
  mutable name : string;
  mutable exe : inode;
  mutable exe_place : inode * string; (* directory and name, for /proc/self/exe *)
  mutable arguments : string;
  mutable environment : string;
  mutable executed : bool;
  mutable stop_reported : bool;
  mutable stop_signal : int; (* that stopped it *)
  mutable limits : limits;
  windows : window array; (* for one-byte reads, and for one-byte writes *)
}

let no_address = { version = 0; host = 0; port = 0 }
let timers : timer list ref = ref [] (* those that somebody holds *)

(* Set by Socket: the last descriptor of one goes away. *)
let close_socket : (socket -> unit) ref = ref ignore

(* Set by Tty: the last descriptor of an open file of a terminal's goes away. *)
let close_terminal : (what -> unit) ref = ref ignore

(* Set by Locks: an open file, or a process's descriptor of a file, goes away. *)
let forget_file : (file -> unit) ref = ref ignore
let forget_descriptor : (descriptors -> inode -> unit) ref = ref (fun _ _ -> ())

(* A system call that cannot go on until the condition holds. *)
exception Wait of (unit -> bool)

let who = { user = 1000; group = 100 }

let table : (int, t) Hashtbl.t = Hashtbl.create 64
let order : t list ref = ref [] (* by pid; for scans *)
let next_pid = ref 1
let current : t option ref = ref None
let open_files = ref 0

let reset () =
  Hashtbl.reset table; order := []; next_pid := 1; current := None; open_files := 0; timers := []

let running () = match !current with Some p -> p | None -> failwith "no process is running"
let find pid = Hashtbl.find_opt table pid
let count () = Hashtbl.length table
let all () = !order
let enter p = Hashtbl.replace table p.pid p; order := !order @ [ p ]
let forget p = Hashtbl.remove table p.pid; order := List.filter (fun q -> q != p) !order
(* Two threads have exchanged their numbers. *)
let rename a b =
  Hashtbl.replace table a.pid a;
  Hashtbl.replace table b.pid b;
  order := List.sort (fun p q -> compare p.pid q.pid) !order
let is_ready p = match p.state with Ready -> true | _ -> false
let is_zombie p = match p.state with Zombie _ -> true | _ -> false
let children p = List.filter (fun q -> q.parent = p.tgid && q.pid = q.tgid) !order
let threads tgid = List.filter (fun q -> q.tgid = tgid) !order
(* No thread of it runs any more. *)
let has_ended tgid = List.for_all is_zombie (threads tgid)
let is_wide p = p.mm.Mm.wide

(* Nobody in its process group has a parent outside of it, in the same session, who could let it go on. *)
let is_orphaned p =
  not (List.exists (fun q ->
    q.group = p.group && q.pid = q.tgid && not (has_ended q.tgid)
    && match find q.parent with Some parent -> parent.group <> q.group && parent.session = q.session | None -> false) !order)

(* ---- files that change their size *)

(* The one way to shorten or lengthen a file that programs may have mapped. Raises EPERM for what its seals are against. *)
let resize inode size =
  match inode.kind with
  | File c ->
    let before = c.Content.size in
    if (size < before && inode.seals land 2 <> 0) || (size > before && inode.seals land 4 <> 0) then Errno.fail Errno.eperm;
    Content.truncate c size;
    if size < before then List.iter (fun q -> if not (is_zombie q) then Mm.forget_behind q.mm inode size) (all ());
    inode.mtime <- !Vfs.now;
    inode.ctime <- !Vfs.now
  | _ -> Errno.fail Errno.einval

let is_running inode = List.exists (fun q -> q.exe == inode && not (is_zombie q)) (all ())

(* ---- open files *)

let demand_file () =
  if !open_files >= Limit.open_files then Limit.reach Errno.enfile "8192 open files in a step";
  Limit.check_kernel_memory ()

let open_file ?(flags = 0) ?(path = "") inode what ~readable ~writable =
  demand_file ();
  incr open_files;
  inode.opens <- inode.opens + 1;
  if writable && what = Plain then inode.writers <- inode.writers + 1;
  { inode; what; readable; writable; flags; position = 0; holders = 0; opened_as = path }

let close_file f =
  f.holders <- f.holders - 1;
  if f.holders <= 0 then begin
    decr open_files;
    !forget_file f;
    f.inode.opens <- f.inode.opens - 1;
    if f.writable && f.what = Plain then f.inode.writers <- f.inode.writers - 1;
    (match f.what with
     | Pipe_end pipe ->
       if f.readable then pipe.readers <- pipe.readers - 1;
       if f.writable then pipe.writers <- pipe.writers - 1;
       if pipe.readers = 0 && pipe.writers = 0 then begin pipe.buffer <- Bytes.empty; pipe.start <- 0; pipe.used <- 0 end
     | Socket s -> !close_socket s
     | Master _ | Slave _ -> !close_terminal f.what
     | Timer t -> timers := List.filter (fun u -> u != t) !timers
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
    !forget_descriptor d f.inode;
    close_file f

let put_at d fd f ~cloexec =
  f.holders <- f.holders + 1;
  grow d (fd + 1);
  take_descriptor d fd;
  d.table.(fd) <- Some f;
  d.close_on_exec.(fd) <- cloexec

let free_descriptor ~most d from =
  let rec go fd =
    if fd >= Limit.descriptors then Limit.reach Errno.emfile "1024 descriptors in one process"
    else if fd >= most then Errno.fail Errno.emfile
    else match file_at d fd with None -> fd | Some _ -> go (fd + 1) in
  if from <= d.lowest then begin
    let fd = go d.lowest in
    d.lowest <- fd;
    fd
  end else go from

let most_descriptors p = let most = p.limits.soft.(most_file_descriptors) in if most < 0 then Limit.descriptors else min most Limit.descriptors

let demand_descriptor p = ignore (free_descriptor ~most:(most_descriptors p) p.files 0); demand_file ()

(* Give an open file a number, or close it again when there is none. *)
let install ?(from = 0) p f ~cloexec =
  match free_descriptor ~most:(most_descriptors p) p.files from with
  | fd -> put_at p.files fd f ~cloexec; fd
  | exception e -> if f.holders = 0 then begin f.holders <- 1; close_file f end; raise e

let close_all d =
  d.sharers <- d.sharers - 1;
  if d.sharers = 0 then Array.iteri (fun fd _ -> take_descriptor d fd) d.table

let copy_descriptors d =
  Array.iter (function Some f -> f.holders <- f.holders + 1 | None -> ()) d.table;
  { d with table = Array.copy d.table; close_on_exec = Array.copy d.close_on_exec; sharers = 1 }

let new_shared () : shared =
  let s = { pending = 0; queue = Queue.create (); alarms = [||]; cpu = 0; children = 0; signalled = 0; own_timers = []; next_timer = 0; ended = None; continued = false } in
  s.alarms <- Array.init 3 (fun n -> { clock = 0; used = (if n = 0 then None else Some (fun () -> s.cpu)); at = 0; every = 0 });
  s

let no_action = { handler = 0; options = 0; restorer = 0; mask = 0 }
let new_limits ~stack =
  let set n v a = a.(n) <- v; a in
  let base = Array.make 16 (-1) |> set 6 Limit.processes |> set most_file_descriptors Limit.descriptors |> set 13 0 |> set 14 0 (* nice values, priorities *) in
  { soft = Array.copy base |> set 3 stack |> set 4 0; hard = base }

let no_windows () : window array = [| None; None |]
let new_handlers () = { actions = Array.make 65 no_action; handler_sharers = 1 }

(* A directory that a process stands in must not lose its memory. *)
let stand p inode =
  inode.opens <- inode.opens + 1;
  p.place.cwd.opens <- p.place.cwd.opens - 1;
  release p.place.cwd;
  p.place.cwd <- inode

let copy_place place =
  place.cwd.opens <- place.cwd.opens + 1;
  { place with place_sharers = 1 }

let leave_place place =
  place.place_sharers <- place.place_sharers - 1;
  if place.place_sharers = 0 then begin
    place.cwd.opens <- place.cwd.opens - 1;
    release place.cwd
  end
