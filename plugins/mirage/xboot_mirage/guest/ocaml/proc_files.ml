(* /proc, for the processes of the step. Nothing of it is kept: each look-up makes an inode, each opening its text, as things stand then. The constant texts are the same on
   all kernels: docs/refusals.md. *)

open Vfs

let magic text target = make (Magic { text; target }) 0o777
let dynamic find list = make (Dynamic { find; list }) 0o555
let text_file ?(uid = 0) ?(gid = 0) ?(mode = 0o444) text = make ~uid ~gid (Text text) mode
let link target = make (Link target) 0o777

(* A directory of (name, how to make it). *)
let directory items =
  dynamic
    (fun name -> match List.assoc_opt name items with Some f -> Some (f ()) | None -> None)
    (fun () -> List.map (fun (name, f) -> (name, f ())) items)

let number s = match int_of_string_opt s with Some n when n >= 0 && string_of_int n = s -> Some n | _ -> None

(* A directory of numbers: [numbers] lists them, [of_number] makes one. *)
let numbered numbers of_number rest =
  dynamic
    (fun name ->
      match number name with
      | Some n -> of_number n
      | None -> (match List.assoc_opt name rest with Some f -> Some (f ()) | None -> None))
    (fun () ->
      List.map (fun (name, f) -> (name, f ())) rest
      @ List.filter_map (fun n -> match of_number n with Some i -> Some (string_of_int n, i) | None -> None) (numbers ()))

(* ---- one process *)

let open_name p f =
  match f.Proc.what with
  | Proc.Pipe_end { named = false; _ } | Proc.To_console -> "pipe:[" ^ string_of_int f.Proc.inode.ino ^ "]"
  | Proc.Socket _ -> "socket:[" ^ string_of_int f.Proc.inode.ino ^ "]"
  | Proc.Event _ -> "anon_inode:[eventfd]"
  | Proc.Timer _ -> "anon_inode:[timerfd]"
  | Proc.Signals _ -> "anon_inode:[signalfd]"
  | Proc.Epoll _ -> "anon_inode:[eventpoll]"
  | _ when f.Proc.inode.place = None && f.Proc.opened_as <> "" -> f.Proc.opened_as
  | _ -> Path.name_of p.Proc.root f.Proc.inode

let descriptors p =
  let one n = match Proc.file_at p.Proc.files n with Some f -> Some (magic (fun () -> open_name p f) (fun () -> f.Proc.inode)) | None -> None in
  numbered (fun () -> List.filter (fun n -> Proc.file_at p.Proc.files n <> None) (List.init (Array.length p.Proc.files.Proc.table) (fun i -> i))) one []

let stack_top p = if p.Proc.mm.Mm.wide then 0x7ffffffff000 else 0xffffd000

let maps p =
  let b = Buffer.create 1024 in
  let mm = p.Proc.mm in
  Mm.Areas.iter (fun _ a ->
    let flag bit c = if a.Mm.prot land bit <> 0 then c else '-' in
    let offset, ino, name = match a.Mm.source with
      | Mm.Backed (inode, offset) -> (offset, inode.ino, if inode.place = None then (if a.Mm.shared then "/dev/zero (deleted)" else "") else Path.name_of p.Proc.root inode)
      | Mm.Anonymous -> (0, 0, if a.Mm.last = stack_top p then "[stack]" else if a.Mm.first < mm.Mm.brk && a.Mm.last > mm.Mm.brk_start then "[heap]" else "") in
    let line = String.concat "" [ Text.hex 8 a.Mm.first; "-"; Text.hex 8 a.Mm.last; " "; String.make 1 (flag 1 'r'); String.make 1 (flag 2 'w'); String.make 1 (flag 4 'x'); String.make 1 (if a.Mm.shared then 's' else 'p'); " "; Text.hex 8 offset; " 00:"; Text.hex 2 (if ino = 0 then 0 else 0x10); " "; string_of_int ino ] in
    Buffer.add_string b (if name = "" then line ^ " " else Text.left (if mm.Mm.wide then 72 else 48) line ^ " " ^ name);
    Buffer.add_char b '\n') mm.Mm.areas;
  Buffer.contents b

let pages p = Mm.Areas.fold (fun _ a n -> n + ((a.Mm.last - a.Mm.first) / Base.page)) p.Proc.mm.Mm.areas 0
let state p = match p.Proc.state with Proc.Ready -> ("R", "running") | Proc.Waiting _ -> ("S", "sleeping") | Proc.Stopped -> ("T", "stopped") | Proc.Zombie _ -> ("Z", "zombie")
let parent p = if p.Proc.tgid = 1 then 0 else p.Proc.parent
let thread_count p = List.length (List.filter (fun q -> not (Proc.is_zombie q)) (Proc.threads p.Proc.tgid))

let signals p test = snd (Array.fold_left (fun (n, mask) a -> (n + 1, if n >= 1 && n <= 62 && test a.Proc.handler then mask lor (1 lsl (n - 1)) else mask)) (0, 0) p.Proc.handlers.Proc.actions)

let status p =
  let letter, word = state p in
  let who = Proc.who in
  let four n = String.concat "" [ string_of_int n; "\t"; string_of_int n; "\t"; string_of_int n; "\t"; string_of_int n ] in
  String.concat ""
    [ String.concat "" [ "Name:\t"; p.Proc.name; "\nState:\t"; letter; " ("; word; ")\nTgid:\t"; string_of_int p.Proc.tgid; "\nPid:\t"; string_of_int p.Proc.pid; "\nPPid:\t"; string_of_int (parent p); "\nTracerPid:\t0\n" ];
      String.concat "" [ "Uid:\t"; four who.user; "\nGid:\t"; four who.group; "\nFDSize:\t"; string_of_int Limit.descriptors; "\n" ];
      String.concat "" [ "VmSize:\t"; string_of_int (4 * pages p); " kB\nVmRSS:\t"; string_of_int (4 * pages p); " kB\nThreads:\t"; string_of_int (thread_count p); "\n" ];
      String.concat "" [ "SigPnd:\t"; Text.hex 16 p.Proc.pending; "\nSigBlk:\t"; Text.hex 16 p.Proc.blocked; "\n" ];
      String.concat "" [ "SigIgn:\t"; Text.hex 16 (signals p (fun h -> h = 1)); "\nSigCgt:\t"; Text.hex 16 (signals p (fun h -> h > 1)); "\n" ];
      "CapEff:\t0000000000000000\nNoNewPrivs:\t1\nCpus_allowed:\t1\nCpus_allowed_list:\t0\n" ]

(* The 52 fields of Linux; 28 is where the stack begins, which garbage collectors ask for. *)
let one_line p =
  let field n =
    match n with
    | 4 -> parent p | 5 -> p.Proc.group | 6 -> p.Proc.session | 8 -> -1 | 18 -> 20 | 20 -> thread_count p
    | 23 -> pages p * Base.page | 24 -> pages p | 25 -> 4294967295 | 28 -> stack_top p | 38 -> 17 | _ -> 0 in
  String.concat "" [ string_of_int p.Proc.pid; " ("; p.Proc.name; ") "; fst (state p); " "; String.concat " " (List.init 49 (fun i -> string_of_int (field (i + 4)))); "\n" ]

let rec of_process ?(thread = false) p =
  let uid = Proc.who.user and gid = Proc.who.group in
  let text ?mode f () = text_file ~uid ~gid ?mode f in
  let alive = not (Proc.is_zombie p) in
  let always = [
    "comm", text (fun () -> p.Proc.name ^ "\n");
    "mountinfo", text (fun () -> "20 1 0:12 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw\n");
    "mounts", text (fun () -> "proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0\n");
    "oom_score_adj", text (fun () -> "0\n");
    "stat", text (fun () -> one_line p);
    "statm", text (fun () -> String.concat "" [ string_of_int (pages p); " "; string_of_int (pages p); " 0 0 0 0 0\n" ]);
    "status", text (fun () -> status p) ] in
  let living = [
    "cmdline", text (fun () -> p.Proc.arguments);
    "cwd", (fun () -> magic (fun () -> Path.name_of_dir p.Proc.root p.Proc.place.Proc.cwd) (fun () -> p.Proc.place.Proc.cwd));
    "environ", text ~mode:0o400 (fun () -> p.Proc.environment);
    "exe", (fun () -> magic (fun () -> Path.name_of p.Proc.root p.Proc.exe) (fun () -> p.Proc.exe));
    "fd", (fun () -> descriptors p);
    "maps", text (fun () -> maps p);
    "root", (fun () -> magic (fun () -> "/") (fun () -> p.Proc.root)) ] in
  let task = [ "task", (fun () -> tasks p) ] in
  directory ((if alive then living else []) @ always @ if thread then [] else task)

and tasks p =
  let alive q = not (Proc.is_zombie q) in
  numbered
    (fun () -> List.map (fun q -> q.Proc.pid) (List.filter alive (Proc.threads p.Proc.tgid)))
    (fun n -> match Proc.find n with Some q when q.Proc.tgid = p.Proc.tgid && alive q -> Some (of_process ~thread:true q) | _ -> None) []

(* ---- the system's own *)

let constant text () = text_file (fun () -> text)
let directory_of items () = directory items

let meminfo () = text_file @@ fun () ->
  let free = Base.frames_free () * 4 in
  let total = free + (free / 4) in
  String.concat "" [ "MemTotal:\t"; string_of_int total; " kB\nMemFree:\t"; string_of_int free; " kB\nMemAvailable:\t"; string_of_int free; " kB\nBuffers:\t0 kB\nCached:\t0 kB\nSwapTotal:\t0 kB\nSwapFree:\t0 kB\n" ]

let system = [
  "cpuinfo", constant "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel name\t: i686\nflags\t\t: fpu tsc cx8 cmov mmx fxsr sse sse2\n\n";
  "filesystems", constant "nodev\tproc\nnodev\ttmpfs\n";
  "loadavg", constant "0.00 0.00 0.00 1/1 1\n";
  "meminfo", meminfo;
  "mounts", (fun () -> link "self/mounts");
  "stat", (fun () -> text_file (fun () -> "cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\nintr 0\nctxt 0\nbtime " ^ string_of_int (!Clock.started / 1_000_000_000) ^ "\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n"));
  "sys", directory_of [
    "fs", directory_of [ "file-max", constant "131072\n"; "pipe-max-size", constant "65536\n" ];
    "kernel", directory_of [
      "cap_last_cap", constant "40\n"; "hostname", constant "localhost\n"; "ngroups_max", constant "65536\n"; "osrelease", constant "6.1.0\n"; "ostype", constant "Linux\n";
      "overflowuid", constant "65534\n"; "pid_max", constant "32768\n"; "version", constant "#1\n";
      "random", directory_of [ "boot_id", constant "00000000-0000-4000-8000-000000000000\n" ] ];
    "vm", directory_of [ "max_map_count", constant "65530\n"; "overcommit_memory", constant "0\n" ] ];
  "uptime", (fun () -> text_file (fun () -> string_of_int (Clock.uptime () / 1_000_000_000) ^ ".00 0.00\n"));
  "version", constant "Linux version 6.1.0 (xboot) #1\n" ]

let root () =
  let self () = Proc.running () in
  let leader n = match Proc.find n with Some q when q.Proc.pid = q.Proc.tgid -> Some q | _ -> None in
  let own name = magic (fun () -> name (self ())) in
  numbered
    (fun () -> List.map (fun q -> q.Proc.pid) (List.filter (fun q -> q.Proc.pid = q.Proc.tgid) (Proc.all ())))
    (fun n -> match leader n with Some q -> Some (of_process q) | None -> None)
    ([ "self", (fun () -> own (fun p -> string_of_int p.Proc.tgid) (fun () -> let p = self () in of_process (Option.value (Proc.find p.Proc.tgid) ~default:p)));
       "thread-self", (fun () -> own (fun p -> string_of_int p.Proc.tgid ^ "/task/" ^ string_of_int p.Proc.pid) (fun () -> of_process ~thread:true (self ()))) ]
     @ system)
