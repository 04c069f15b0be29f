(* Processes, open files, and who is who. One table for the step that runs; it is emptied when the step ends. Threads are entries of the same table.
   Errors are raised as Errno.Error. A *descriptor* is a number in a process's table, an *open file* what it leads to; several descriptors may share one. *)

type file = {
  inode : Vfs.inode;
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
  | Plain | Directory | Pipe_end of Vfs.pipe | Null | Zero | Full | Random | To_console | Path_only
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
  mutable choices : int; (* options that are on or off: bit n for option n *)
  mutable linger : int * int; (* whether, and for how many seconds: kept and shown *)
  mutable room_in : int; (* what SO_RCVBUF and SO_SNDBUF say; they have no effect *)
  mutable room_out : int;
  mutable most_in : int; (* nanoseconds that a call waits for what comes, 0: no bound (SO_RCVTIMEO) *)
  mutable most_out : int; (* and for room (SO_SNDTIMEO) *)
  mutable reached : bool; (* while Socket looks for circles *)
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
  slave_inode : Vfs.inode;
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
  printed : Vfs.pipe; (* what the master will read *)
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

type place = { mutable cwd : Vfs.inode; mutable umask : int; mutable place_sharers : int }

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
  mutable root : Vfs.inode;
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
  mutable policy : int; (* of scheduling, as sched_getscheduler says: 0, 3, 5; it has no effect *)
  mutable nice : int; (* neither has this *)
  mutable thread_cpu : int; (* its processor time *)
  mutable exit_signal : int;
  mutable no_terminal : bool; (* it gave up its session's for itself (TIOCNOTTY) *)
  mutable name : string;
  mutable exe : Vfs.inode;
  mutable exe_place : Vfs.inode * string; (* directory and name, for /proc/self/exe *)
  mutable arguments : string;
  mutable environment : string;
  mutable executed : bool;
  mutable stop_reported : bool;
  mutable stop_signal : int; (* that stopped it *)
  mutable limits : limits;
  windows : window array; (* for one-byte reads, and for one-byte writes *)
}

(* No address at all. *)
val no_address : inet

(* The timers that somebody holds. *)
val timers : timer list ref

(* Set by Socket: the last descriptor of one goes away. *)
val close_socket : (socket -> unit) ref

(* Set by Tty: the last descriptor of an open file of a terminal's goes away. *)
val close_terminal : (what -> unit) ref

(* Set by Locks: an open file, or a process's descriptor of a file, goes away. *)
val forget_file : (file -> unit) ref
val forget_descriptor : (descriptors -> Vfs.inode -> unit) ref

(* A system call that cannot go on until the condition holds: raised by the call, which Sched makes again from its beginning. *)
exception Wait of (unit -> bool)

(* The builder's user and group: 1000 and 100. *)
val who : Vfs.who

(* ---- the table *)

(* The number that was given out last. *)
val next_pid : int ref

(* Whose call or fault is being served; None between turns. *)
val current : t option ref

(* As [current]. Raises Failure when there is none. *)
val running : unit -> t

(* Forget all processes, without giving anything of theirs back: they have ended before. *)
val reset : unit -> unit

(* The entry of a number, ended ones included until somebody has waited for them. *)
val find : int -> t option

(* How many entries there are. *)
val count : unit -> int

(* All entries, by number. *)
val all : unit -> t list

(* Enter a new entry, whose number is the highest. *)
val enter : t -> unit

(* Take an entry out; nothing else is given back. *)
val forget : t -> unit

(* Two threads have exchanged their numbers. *)
val rename : t -> t -> unit

val is_ready : t -> bool
val is_zombie : t -> bool

(* A x86_64 program. *)
val is_wide : t -> bool

(* Nobody in its process group has a parent outside of it, in the same session, who could let it go on. *)
val is_orphaned : t -> bool

(* The processes, not threads, whose parent is this entry's process. *)
val children : t -> t list

(* The threads of the process of that number, ended ones included. *)
val threads : int -> t list

(* No thread of the process of that number runs any more. *)
val has_ended : int -> bool

(* ---- open files *)

(* The one way to shorten or lengthen a file that programs may have mapped, to a size in bytes. Raises EINVAL (no regular file), EFBIG. *)
val resize : Vfs.inode -> int -> unit

(* Some process that has not ended runs this program. *)
val is_running : Vfs.inode -> bool

(* Is there room for one more open file? Raises ENFILE, ENOMEM. *)
val demand_file : unit -> unit

(* An open file without descriptors; it counts among the inode's users. Permissions have been checked. Raises ENFILE, ENOMEM. *)
val open_file : ?flags:int -> ?path:string -> Vfs.inode -> what -> readable:bool -> writable:bool -> file

(* One holder less; the last one closes the file. *)
val close_file : file -> unit

(* ---- descriptors *)

(* An empty table for one process. *)
val new_descriptors : unit -> descriptors

(* What a descriptor leads to. *)
val file_at : descriptors -> int -> file option

(* As [file_at]. Raises EBADF. *)
val file : t -> int -> file

(* Close a descriptor, if it is open. *)
val take_descriptor : descriptors -> int -> unit

(* [put_at table fd file ~cloexec]: one holder more; what was at that number is closed. The caller bounds the number. *)
val put_at : descriptors -> int -> file -> cloexec:bool -> unit

(* The lowest free number from [from] on, below [most]. Raises EMFILE. *)
val free_descriptor : most:int -> descriptors -> int -> int

(* How many descriptors a process may have. *)
val most_descriptors : t -> int

(* Is there a free descriptor, and room for an open file? Asked before a call makes anything. Raises EMFILE, ENFILE, ENOMEM. *)
val demand_descriptor : t -> unit

(* Give an open file the lowest free number from [from] (0) on: the number. Raises EMFILE, and a file that nobody holds is closed then. *)
val install : ?from:int -> t -> file -> cloexec:bool -> int

(* A process leaves its table; the last one closes all. *)
val close_all : descriptors -> unit

(* A table of one's own with the same open files. *)
val copy_descriptors : descriptors -> descriptors

(* ---- parts of a new process *)

val new_shared : unit -> shared
val new_handlers : unit -> handlers
val no_action : action
val no_windows : unit -> window array

(* No limits but those of Limit, and a soft one on the stack, in bytes. *)
val new_limits : stack:int -> limits

(* ---- working directories, which must not lose their memory *)

(* Make a directory the working directory. Permissions have been checked. *)
val stand : t -> Vfs.inode -> unit

(* The same place, for one process more that does not share it. *)
val copy_place : place -> place

(* A process leaves its place. *)
val leave_place : place -> unit
