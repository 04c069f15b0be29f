(* The executor (docs/contract.md, section 4): runs the steps of the script, checks, hashes and reports. *)

open Script

(* kind and reason of a `fail` line *)
exception Failed of string * string

let failed kind why = raise (Failed (kind, why))

let store_name path = snd (Tree.parent_of path)

(* ---- sources *)

let check_sources run script trees =
  let known = Hashtbl.create 64 in
  List.iter (fun s ->
    let name = store_name s.path in
    if Hashtbl.mem known name then failed "source" (s.path ^ " is named twice in the script");
    Hashtbl.replace known name ();
    match Vfs.find trees name with
    | None -> failed "source" (s.path ^ " is not in the image")
    | Some inode ->
      Store.canonicalise inode;
      let hash, size = try Nar.hash inode with Nar.Refused why -> failed "source" (s.path ^ ": " ^ why) in
      if hash <> s.hash then failed "source" (String.concat "" [ s.path; ": the script says sha256 "; s.hash; ", the image holds "; hash ]);
      Store.add s.path inode s.references;
      Channel.source run s.path hash size) script.sources;
  List.iter (fun name -> if not (Hashtbl.mem known name) then failed "source" ("the image holds " ^ name ^ ", which the script does not name")) (Vfs.names trees)

(* ---- one step *)

(* Nix's registration format, for exportReferencesGraph. *)
let graph paths =
  let b = Buffer.create 1024 in
  List.iter (fun p ->
    let references = match Store.find p with Some i -> List.sort_uniq String.compare i.Store.references | None -> [] in
    Buffer.add_string b (String.concat "" [ p; "\n\n"; string_of_int (List.length references); "\n" ]);
    List.iter (fun r -> Buffer.add_string b (r ^ "\n")) references) (Store.closure paths);
  Buffer.contents b

let first_process root cwd exe =
  let open Proc in
  let context = Base.ctx_new () in
  ignore (Base.ctx_reset context);
  { pid = 1; tgid = 1; parent = 0; state = Ready; mm = Mm.make ~wide:false ~exec_all:false; context; files = new_descriptors ();
    place = { cwd; umask = 0o022; place_sharers = 1 }; root;
    group = 1; session = 1; handlers = new_handlers (); blocked = 0; pending = 0; queue = Queue.create (); shared = new_shared (); saved_mask = None;
    alternate = (0, 0); deadline = -1; progress = 0; call = -1; wake = false; patient = false; robust = 0; vfork_parent = 0; clear_tid = 0; policy = 0; nice = 0; thread_cpu = 0; exit_signal = 0; no_terminal = false;
    name = ""; exe; exe_place = (root, ""); arguments = ""; environment = ""; executed = false; stop_reported = false; stop_signal = 0; limits = new_limits ~stack:Exec.stack_size; windows = no_windows () }

let error_text e =
  match List.assoc_opt e Errno.[ enoent, "no such file"; eacces, "permission denied"; enoexec, "not a program of a kind that this kernel runs";
    enotdir, "not a directory"; eloop, "too many symbolic links or interpreters"; e2big, "arguments and environment are too large"; enomem, "out of memory" ] with
  | Some s -> s
  | None -> "error " ^ string_of_int e

let start_builder step root cwd =
  let open Proc in
  let dev = Option.get (Vfs.find root "dev") in
  let p = first_process root cwd (Option.get (Vfs.find dev "null")) in
  cwd.Vfs.opens <- cwd.Vfs.opens + 1;
  p.exe.Vfs.opens <- p.exe.Vfs.opens + 1;
  enter p;
  let null = open_file p.exe Null ~flags:2 ~readable:true ~writable:true ~path:"/dev/null" in
  put_at p.files 0 null ~cloexec:false;
  let console = Vfs.make ~uid:who.Vfs.user ~gid:who.Vfs.group Vfs.Console 0o600 in
  console.Vfs.nlink <- 1;
  let out = open_file console To_console ~flags:1 ~readable:false ~writable:true in
  put_at p.files 1 out ~cloexec:false;
  put_at p.files 2 out ~cloexec:false;
  current := Some p;
  let environment = List.map (fun (k, v) -> k ^ "=" ^ v) step.env in
  (match Exec.prepare p step.builder step.argv environment with
   | image -> Exec.commit p image step.builder step.argv environment
   | exception Errno.Error e -> failed "start" (String.concat "" [ step.builder; " could not be started: execve failed with error "; string_of_int e; " ("; error_text e; ")" ]));
  current := None

(* Wait for the builder; its end must be exit status 0. *)
let run_builder () =
  match Sched.until_first_ends () with
  | 0 -> ()
  | status when status land 0x7f = 0 -> failed "exit" ("the builder ended with status " ^ string_of_int (status lsr 8))
  | status -> failed "signal" ("the builder was killed by signal " ^ string_of_int (status land 0x7f))
  | exception Sched.Stuck why -> failed "limit" why

(* ---- outputs *)

let export run step o inode =
  if run.Channel.window_size > 0 && List.mem o.out_path run.Channel.exports then begin
    let size = run.Channel.window_size and offset = ref 0 and fill = ref 0 in
    let flush () =
      if !fill > 0 then begin
        Channel.export run step.number o.name !offset !fill;
        offset := !offset + !fill;
        fill := 0
      end in
    let window = View.make run.Channel.window size in
    let rec put piece =
      let n = min (View.length piece) (size - !fill) in
      View.copy (View.sub window !fill n) (View.sub piece 0 n);
      fill := !fill + n;
      if !fill = size then flush ();
      if n < View.length piece then put (View.sub piece n (View.length piece - n)) in
    ignore (Nar.serialise inode put);
    flush ()
  end

let check_fixed o inode hash =
  match o.fixed with
  | None -> ()
  | Some { flat = false; expected } -> if hash <> expected then failed "output" (String.concat "" [ o.out_path; ": fixed to sha256 "; expected; " (recursive), built "; hash ])
  | Some { flat = true; expected } ->
    (match inode.Vfs.kind with
     | Vfs.File c when inode.Vfs.mode land 0o111 = 0 ->
       let flat = Nar.hash_flat c in
       if flat <> expected then failed "output" (String.concat "" [ o.out_path; ": fixed to sha256 "; expected; " (flat), built "; flat ])
     | _ -> failed "output" (o.out_path ^ ": fixed to a flat hash, but it is not a regular, non-executable file"))

let collect run step store visible =
  let candidates = visible @ List.map (fun o -> o.out_path) step.outputs in
  List.iter (fun o ->
    match Vfs.find store (store_name o.out_path) with
    | None -> failed "output" ("the builder did not make " ^ o.out_path)
    | Some inode ->
      Store.canonicalise inode;
      let scan = Scan.make candidates in
      let hash, size = try Nar.hash ~also:(Scan.feed scan) inode with Nar.Refused why -> failed "output" (o.out_path ^ ": " ^ why) in
      check_fixed o inode hash;
      let references = Scan.result scan in
      Store.add o.out_path inode references;
      Channel.output run step.number o.name hash size references;
      export run step o inode) step.outputs


let run_step run script step =
  Channel.begin_ run step.number;
  Console.reset ();
  Limit.reset ();
  Clock.begin_step ();
  Io.random_state := 1;
  Content.reserve := 0;
  Sys_misc.machine := (match step.system with "i686-linux" -> "i686" | "x86_64-linux" -> "x86_64" | s -> failed "start" ("this backend does not run builders for " ^ s));
  List.iter (fun p -> if Store.find p = None then failed "start" ("input " ^ p ^ " is neither a source nor an output of an earlier step")) step.inputs;
  let paths = Store.closure step.inputs in
  let visible = List.map (fun p -> match Store.find p with Some i -> (store_name p, i.Store.inode) | None -> failed "start" (p ^ " is referred to, but not at hand")) paths in
  List.iter (fun o -> if List.mem_assoc (store_name o.out_path) visible then failed "start" ("output " ^ o.out_path ^ " is also an input")) step.outputs;
  let root, store = Tree.make_root ~store_dir:script.store ~visible in
  let uid = Proc.who.Vfs.user and gid = Proc.who.Vfs.group in
  let cwd = Tree.directories root step.cwd ~uid:0 ~gid:0 0o755 in
  cwd.Vfs.uid <- uid;
  cwd.Vfs.gid <- gid;
  cwd.Vfs.mode <- 0o700;
  List.iter (fun (path, text) -> Tree.write_file root path text ~uid ~gid 0o644) step.files;
  List.iter (fun (path, roots) -> Tree.write_file root path (graph roots) ~uid ~gid 0o644) step.graphs;
  root.Vfs.opens <- root.Vfs.opens + 1;
  Content.reserve := Base.frames_free () / 4;
  start_builder step root cwd;
  run_builder ();
  Sched.kill_all ();
  Content.reserve := 0;
  collect run step store paths;
  Vfs.free_tree root;
  (* what this step made the kernel remember must not be missing to the next one *)
  if Base.heap_words 0 > 1 lsl 23 then Base.compact ()

(* ---- the whole run *)

let run () =
  if List.mem "clock=real" (String.split_on_char ' ' (Base.command_line ())) then Clock.follow_the_machine ();
  let text, trees =
    try Store.read_payload (Base.initrd_start_ 0) (Base.initrd_size_ 0)
    with Errno.Error _ | Base.No_memory -> Base.console "xboot: limit: memory is too small for this payload (--memory gives the machine more)\n"; Base.exit 0x11 in
  let run = Channel.read_run () in
  Channel.hello run (Sha256.of_string text);
  let at = ref 0 in
  let fail kind why =
    Base.console (String.concat "" [ "\nxboot: "; kind; ": "; why; "\n" ]);
    Channel.fail run !at kind why;
    Base.exit 0x21 in
  match
    let script = Script.parse text in
    check_sources run script trees;
    Vfs.inodes := 0;
    List.iter (fun step -> at := step.number; run_step run script step) script.steps
  with
  | () -> Channel.done_ run; Base.exit 0x31
  | exception Failed (kind, why) -> fail kind why
  | exception Sexp.Malformed why -> fail "internal" ("the script: " ^ why)
  | exception Base.No_memory -> fail "limit" "memory is exhausted (--memory gives the machine more)"
  | exception Out_of_memory -> fail "limit" "the kernel's own memory is exhausted (--memory gives the machine more)"
  | exception Channel.Broken why -> fail "internal" why
  | exception Stack_overflow -> fail "limit" "the kernel's stack is exhausted"
  | exception Errno.Error e -> fail "internal" ("unexpected error " ^ string_of_int e)
  | exception e -> fail "internal" (Text.of_exception e)
