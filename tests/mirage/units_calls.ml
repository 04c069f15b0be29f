(* Tests of the personality: calls made by setting registers. *)

open Testing

let data = 0x10000 (* 64 KiB that the process may use *)

let process ~wide =
  let root, store = Tree.make_root ~store_dir:"/nix/store" ~visible:[] in
  ignore store;
  let cwd = Tree.directory ~uid:1000 ~gid:100 root "build" 0o700 in
  root.Vfs.opens <- 1;
  let p = Executor.first_process root cwd (Option.get (Vfs.find (Option.get (Vfs.find root "dev")) "null")) in
  p.Proc.exe.Vfs.opens <- p.Proc.exe.Vfs.opens + 1;
  cwd.Vfs.opens <- cwd.Vfs.opens + 1;
  Mm.free p.Proc.mm;
  p.Proc.mm <- Mm.make ~wide ~exec_all:false;
  Mm.add p.Proc.mm { Mm.first = data; last = data + 0x10000; prot = 3; shared = false; may_write = true; source = Mm.Anonymous };
  p.Proc.mm.Mm.brk_start <- 0x100000;
  p.Proc.mm.Mm.brk <- 0x100000;
  Proc.enter p;
  Proc.current := Some p;
  (root, p)

let finish root =
  Sched.kill_all ();
  Vfs.free_tree root

let call p number arguments =
  let slots = if Proc.is_wide p then Arg.slots64 else Arg.slots32 in
  List.iteri (fun i v -> Signal.set p slots.(i) v) arguments;
  Signal.set p Base.rax number;
  Proc.current := Some p;
  ignore (Sched.start_call p);
  let v = Signal.get p Base.rax in
  if Proc.is_wide p then v else Arg.sign32 v

let put p va s = User.write_string p.Proc.mm va (s ^ "\000")

let files_by_calls () =
  let root, p = process ~wide:false in
  put p data "f";
  let fd = call p 5 [ data; 0o102; 0o666 ] in
  check "open" (fd = 0);
  put p (data + 100) "hello";
  check "write" (call p 4 [ fd; data + 100; 5 ] = 5);
  check "seek" (call p 19 [ fd; 1; 0 ] = 1);
  check "read" (call p 3 [ fd; data + 200; 100 ] = 4 && User.string p.Proc.mm (data + 200) 10 = "ello");
  check "bad pointer" (call p 3 [ fd; 0x700000; 1 ] = 0 && call p 19 [ fd; 0; 0 ] = 0 && call p 3 [ fd; 0x700000; 1 ] = -Errno.efault);
  check "umask" (call p 195 [ data; data + 300 ] = 0 && User.u32 (User.read p.Proc.mm (data + 316) 4) 0 = 0o100644);
  check "setuid bit" (call p 15 [ data; 0o4755 ] = -Errno.eperm);
  put p data "/nix/store/x";
  check "store is open to all" (call p 39 [ data; 0o755 ] = 0);
  put p data "/nix/y";
  check "its parent is not" (call p 39 [ data; 0o755 ] = -Errno.eacces);
  check "close twice" (call p 6 [ fd ] = 0 && call p 6 [ fd ] = -Errno.ebadf);
  check "unknown" (call p 400 [] = -Errno.enosys && call p (-5) [] = -Errno.enosys);
  finish root

(* What a program in ring 3 would do between Window.open_ and Window.settle: one-byte calls, served by onebyte.c. *)
external program_byte : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_program_byte" [@@noalloc]
external program_stops : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_program_stops" [@@noalloc]

(* As Window.run, for a program that makes [n] one-byte calls; how many of them no OCaml was needed for. *)
let runs p which fd va n =
  Window.open_ p Window.reading;
  Window.open_ p Window.writing;
  let served = ref 0 in
  for i = 0 to n - 1 do served := !served + program_byte p.Proc.mm.Mm.space which fd (va + i) done;
  ignore (program_stops 0);
  Window.settle p Window.reading;
  Window.settle p Window.writing;
  !served

let windows_agree () =
  let root, p = process ~wide:false in
  put p data "f";
  let fd = call p 5 [ data; 0o102; 0o666 ] in
  for i = 1 to 10 do check "one byte" (call p 4 [ fd; data; 1 ] = 1); ignore i done;
  put p (data + 400) "ABC";
  check "served" (runs p Window.writing fd (data + 400) 3 = 3);
  check "position" (call p 19 [ fd; 0; 1 ] = 13);
  check "no window outlives a run" (program_byte p.Proc.mm.Mm.space Window.writing fd data = 0);
  ignore (call p 19 [ fd; 10; 0 ]);
  check "content" (call p 3 [ fd; data + 200; 9 ] = 3 && Bytes.to_string (User.read p.Proc.mm (data + 200) 3) = "ABC");
  check "not beyond the page" (call p 19 [ fd; 4090; 0 ] = 4090 && call p 4 [ fd; data; 1 ] = 1 && runs p Window.writing fd data 10 = 5);
  check "size" (call p 19 [ fd; 0; 2 ] = 4096);
  finish root

(* Whatever happens between two runs, a window is made of the file as it is then, or not at all. *)
let windows_are_never_stale () =
  let root, p = process ~wide:false in
  put p data "f";
  put p (data + 100) "g";
  let opened () = let fd = call p 5 [ data; 0o1102; 0o666 ] in ignore (call p 4 [ fd; data; 1 ]); fd in
  let nothing what fd = check what (runs p Window.writing fd data 5 = 0) in
  let fd = opened () in
  ignore (call p 93 [ fd; 0 ]);
  nothing "truncated" fd;
  let fd = opened () in
  ignore (call p 6 [ fd ]);
  nothing "closed" fd;
  let fd = opened () in
  let other = call p 5 [ data + 100; 0o102; 0o666 ] in
  ignore (call p 63 [ other; fd ]);
  nothing "another file under the number" fd;
  let fd = opened () in
  let mapping = call p 192 [ 0; 4096; 3; 2; fd; 0 ] land 0xffffffff in
  ignore (User.read p.Proc.mm mapping 1);
  ignore (runs p Window.writing fd data 5);
  check "a private mapping that was written to keeps its own" (let b = Bytes.of_string "x" in User.write p.Proc.mm mapping b; ignore (runs p Window.writing fd data 5); Bytes.to_string (User.read p.Proc.mm mapping 1) = "x");
  finish root

let copy_on_write () =
  let root, p = process ~wide:true in
  put p data "parent";
  let pid = call p 57 [] in
  let child = Option.get (Proc.find pid) in
  put child data "child";
  check "parent keeps its own" (User.string p.Proc.mm data 100 = "parent" && User.string child.Proc.mm data 100 = "child");
  finish root

(* An i386 program of one segment whose file goes on behind .bss with other bytes. *)
let zeros_behind_bss () =
  let root, p = process ~wide:false in
  let b = Bytes.make 4096 'x' in
  Bytes.fill b 0 84 '\000';
  Bytes.blit_string "\127ELF\001\001\001" 0 b 0 7;
  List.iter (fun (at, v) -> Bytes.set_uint16_le b at v) [ 16, 2; 18, 3; 40, 52; 42, 32; 44, 1 ];
  List.iter (fun (at, v) -> User.set32 b at v) [ 20, 1; 24, 0x08048054; 28, 52; 52, 1; 56, 0; 60, 0x08048000; 68, 1000; 72, 1200; 76, 6 ];
  let inode = Vfs.make (Vfs.File (Content.of_string (Bytes.to_string b))) 0o755 in
  Vfs.add root "program" inode;
  let mm = Mm.make ~wide:false ~exec_all:false in
  Elf.load mm inode (Elf.parse (Exec.content inode)) 0;
  check "the file's part" (Bytes.to_string (User.read mm (0x08048000 + 990) 10) = String.make 10 'x');
  check "zeros to the page's end" (Bytes.to_string (User.read mm (0x08048000 + 1000) 3096) = String.make 3096 '\000');
  Mm.free mm;
  finish root

(* Memory for files ends in the middle of a copy inside the kernel: the call says how much is in the file, and no text is cut short unseen. *)
let copies_without_room () =
  let root, p = process ~wide:true in
  put p data "from";
  put p (data + 100) "to";
  put p (data + 200) (String.make 30000 'x');
  let from = call p 2 [ data; 0o102; 0o666 ] and out = call p 2 [ data + 100; 0o102; 0o666 ] in
  check "filled" (call p 1 [ from; data + 200; 30000 ] = 30000);
  let copy name number arguments =
    ignore (call p 77 [ out; 0 ]);
    ignore (call p 8 [ out; 0; 0 ]);
    Content.reserve := Base.frames_free () - 3;
    let n = call p number arguments in
    Content.reserve := 0;
    check (Printf.sprintf "%s says %d of %d" name n (call p 8 [ out; 0; 2 ])) (n = 3 * Base.page && call p 8 [ out; 0; 2 ] = n) in
  ignore (call p 8 [ from; 0; 0 ]);
  copy "sendfile" 40 [ out; from; 0; 30000 ];
  ignore (call p 8 [ from; 0; 0 ]);
  copy "copy_file_range" 326 [ from; 0; out; 0; 30000; 0 ];
  ignore (call p 22 [ data + 40000 ]);
  let ends n = User.get_int p.Proc.mm (data + 40000 + (4 * n)) in
  check "in the pipe" (call p 1 [ ends 1; data + 200; 30000 ] = 30000);
  copy "splice" 275 [ ends 0; 0; out; 0; 30000; 0 ];
  Content.reserve := Base.frames_free () - 3;
  check "a text" (error (fun () -> Content.of_string (String.make 30000 'x')) = Errno.enospc);
  Content.reserve := 0;
  finish root

(* A source that finds no room is an error, and not a shorter source. *)
let payload_without_room () =
  let start = Base.initrd_start_ 0 in
  let whole = Content.of_phys start (16 * Base.page) in
  check "all of it" (whole.Content.size = 16 * Base.page);
  Content.free whole;
  let frames = Base.frames_free () in
  Content.reserve := frames - 3;
  check "refused" (error (fun () -> Content.of_phys start (16 * Base.page)) = Errno.enospc);
  Content.reserve := 0;
  check "nothing is held" (Base.frames_free () = frames)

(* Memory, descriptors or names run out between the steps of a call: what stands then is what stood before. *)
let errors_midway () =
  let root, p = process ~wide:true in
  let frames_taken = ref [] in
  let exhausted f =
    while Base.frames_free () >= 64 do frames_taken := Base.frame_alloc () :: !frames_taken done;
    let r = f () in
    List.iter Base.unref_frame !frames_taken;
    frames_taken := [];
    r in
  List.iteri (fun i name -> put p (data + (64 * i)) name) [ "a"; "b"; "d"; "e"; "new" ];
  let name i = data + (64 * i) in
  let create i = ignore (call p 3 [ call p 2 [ name i; 0o102; 0o644 ] ]) in
  create 0;
  create 1;
  ignore (call p 83 [ name 2; 0o755 ]);
  ignore (call p 83 [ name 3; 0o755 ]);
  let cwd = p.Proc.place.Proc.cwd in
  let tree () = List.sort compare (List.map (fun n -> let i = Option.get (Vfs.find cwd n) in (n, i.Vfs.ino, i.Vfs.nlink, i.Vfs.opens)) (Vfs.names cwd)) in
  let before = tree () in
  let same what n = check (Printf.sprintf "%s: %d" what n) (n < 0 && tree () = before) in
  same "rename over a file" (exhausted (fun () -> call p 82 [ name 0; name 1 ]));
  same "rename over a folder" (exhausted (fun () -> call p 82 [ name 2; name 3 ]));
  same "exchange" (exhausted (fun () -> call p 316 [ Sys_path.at_fdcwd; name 0; Sys_path.at_fdcwd; name 1; 2 ]));
  same "link" (exhausted (fun () -> call p 86 [ name 0; name 4 ]));
  same "mkdir" (exhausted (fun () -> call p 83 [ name 4; 0o755 ]));
  same "open" (exhausted (fun () -> call p 2 [ name 4; 0o102; 0o644 ]));
  ignore (call p 1 [ call p 2 [ name 0; 1; 0 ]; data; 100 ]);
  while call p 32 [ 0 ] >= 0 do () done;
  let size () = (Content.blocks (match (Option.get (Vfs.find cwd "a")).Vfs.kind with Vfs.File c -> c | _ -> assert false)) in
  check "no descriptor: nothing is made" (call p 2 [ name 4; 0o102; 0o644 ] = -Errno.emfile && Vfs.find cwd "new" = None);
  check "no descriptor: nothing is cut off" (call p 2 [ name 0; 0o1001; 0 ] = -Errno.emfile && size () > 0);
  finish root

external fail_at : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_fail_at" [@@noalloc]
external fails_in : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_fails_in" [@@noalloc]
external live : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_live" [@@noalloc]

(* A program of one segment, for exec. *)
let small_program () =
  let b = Bytes.make 6000 '\000' in
  Bytes.blit_string "\127ELF\001\001\001" 0 b 0 7;
  List.iter (fun (at, v) -> Bytes.set_uint16_le b at v) [ 16, 2; 18, 3; 40, 52; 42, 32; 44, 1 ];
  List.iter (fun (at, v) -> User.set32 b at v) [ 20, 1; 24, 0x08048054; 28, 52; 52, 1; 56, 0; 60, 0x08048000; 68, 5000; 72, 9000; 76, 7 ];
  Vfs.make ~uid:1000 (Vfs.File (Content.of_string (Bytes.to_string b))) 0o755

(* The n-th request of a frame finds none, for each n until a call gets through: it answers an error that says so or ends the step, the same names are there as before
   or after a call that went well, nothing is inconsistent, and all frames come back when the step is over. *)
let memory_ends_anywhere () =
  let name i = data + (64 * i) in
  let calls = [
    "fork", (fun p -> call p 57 []);
    "fork, and both write", (fun p ->
      let pid = call p 57 [] in
      if pid > 0 then begin put p data "parent"; put (Option.get (Proc.find pid)) data "child" end;
      pid);
    "thread", (fun p -> call p 56 [ 0x10f00; data + 0x8000; 0; 0; 0 ]);
    "exec", (fun p -> match call p 59 [ name 5; 0; 0 ] with n -> n);
    "open", (fun p -> call p 2 [ name 4; 0o102; 0o644 ]);
    "write", (fun p -> call p 1 [ 0; data; 30000 ]);
    "writev", (fun p -> User.write p.Proc.mm (name 8) (Bytes.concat Bytes.empty (List.map (fun v -> let b = Bytes.create 8 in User.set64 b 0 v; b) [ data; 9000; data; 9000 ])); call p 20 [ 0; name 8; 2 ]);
    "allocate", (fun p -> call p 285 [ 0; 0; 0; 50000 ]);
    "sendfile", (fun p -> ignore (call p 8 [ 1; 0; 0 ]); call p 40 [ 0; 1; 0; 20000 ]);
    "memory, touched", (fun p ->
      let at = call p 9 [ 0; 0x300000; 3; 0x22; -1; 0 ] in
      if at > 0 then begin User.put_int p.Proc.mm at 1; User.put_int p.Proc.mm (at + 0x2ff000) 1 end;
      at);
    "shared memory", (fun p -> let at = call p 9 [ 0; 0x10000; 3; 0x21; -1; 0 ] in if at > 0 then User.put_int p.Proc.mm (at + 0x8000) 1; at);
    "a file, mapped", (fun p -> let at = call p 9 [ 0; 0x4000; 3; 2; 1; 0 ] in if at > 0 then User.put_int p.Proc.mm (at + 0x1000) 1; at);
    "mremap", (fun p -> call p 25 [ data; 0x10000; 0x400000; 1; 0 ]);
    "brk", (fun p -> let at = call p 12 [ 0x140000 ] in User.put_int p.Proc.mm 0x13f000 1; at);
    "a text of /proc", (fun p -> call p 2 [ name 6; 0; 0 ]);
    "pipe", (fun p -> call p 22 [ name 9 ]);
    "sockets", (fun p -> call p 53 [ 1; 1; 0; name 9 ]);
    "rename", (fun p -> call p 82 [ name 0; name 1 ]);
    "signal", (fun p -> Signal.set p Base.rsp (data + 0x18000); Signal.push_frame p 10 { Proc.no_action with handler = 0x500000 } (0, 1, 1000, 0); 0) ] in
  let failed = ref 0 in
  let frames = Base.frames_free () and tables = live 0 in
  List.iter (fun (what, operate) ->
    let rec from n =
      let root, p = process ~wide:true in
      Mm.add p.Proc.mm { Mm.first = data + 0x10000; last = data + 0x20000; prot = 3; shared = false; may_write = true; source = Mm.Anonymous };
      List.iteri (fun i text -> put p (name i) text) [ "a"; "b"; "d"; "e"; "new"; "program"; "/proc/self/maps" ];
      let cwd = p.Proc.place.Proc.cwd in
      ignore (call p 2 [ name 0; 0o102; 0o644 ]);
      ignore (call p 2 [ name 1; 0o102; 0o644 ]);
      ignore (call p 1 [ 1; data; 20000 ]);
      Vfs.add cwd "program" (small_program ());
      let before = List.sort compare (Vfs.names cwd) in
      ignore (fail_at n);
      let answer = match operate p with
        | r -> Some r
        | exception Base.No_memory -> None
        | exception Errno.Error e -> Some (-e) in
      let hit = fails_in 0 = 0 in
      ignore (fail_at 0);
      let after = List.sort compare (Vfs.names cwd) in
      if hit then begin
        incr failed;
        let fits = match answer with Some r when r < 0 -> List.mem (-r) [ Errno.enomem; Errno.enospc; Errno.eagain; Errno.efault ] | _ -> true in
        check (Printf.sprintf "%s without frame %d: answers %s" what n (match answer with Some r -> string_of_int r | None -> "nothing")) fits;
        if (match answer with Some r -> r < 0 | None -> false) then check (what ^ ": the tree is as before") (before = after)
      end;
      finish root;
      check (Printf.sprintf "%s without frame %d: %d frames are left behind" what n (frames - Base.frames_free ())) (Base.frames_free () = frames);
      check (Printf.sprintf "%s without frame %d: %d tables and contexts are left behind" what n (live 0 - tables)) (live 0 = tables);
      if hit then from (n + 1) in
    from 1) calls;
  check (Printf.sprintf "%d failures" !failed) (!failed > 60)

(* A wait that cannot tell the status has reaped all the same, as on Linux. *)
let wait_with_bad_address () =
  let root, p = process ~wide:true in
  let child number =
    let pid = call p 57 [] in
    Exit.finish (Option.get (Proc.find pid)) 0;
    ignore number;
    pid in
  let pid = child 1 in
  check "wait4" (call p 61 [ pid; 0x700000; 0; 0 ] = -Errno.efault && call p 61 [ pid; 0; 0; 0 ] = -Errno.echild);
  let pid = child 2 in
  check "waitid" (call p 247 [ 1; pid; 0x700000; 4; 0 ] = -Errno.efault && call p 247 [ 1; pid; 0; 4; 0 ] = -Errno.echild);
  finish root

(* A program with a segment where its stack goes is no program; two areas never overlap. *)
let areas_never_overlap () =
  let root, p = process ~wide:false in
  let area first last = { Mm.first; last; prot = 3; shared = false; may_write = true; source = Mm.Anonymous } in
  check "refused" (match Mm.add p.Proc.mm (area (data - 0x1000) (data + 0x1000)) with () -> false | exception Failure _ -> true);
  let b = Bytes.make 4096 '\000' in
  Bytes.blit_string "\127ELF\001\001\001" 0 b 0 7;
  List.iter (fun (at, v) -> Bytes.set_uint16_le b at v) [ 16, 2; 18, 3; 40, 52; 42, 32; 44, 1 ];
  List.iter (fun (at, v) -> User.set32 b at v) [ 20, 1; 24, 0xffff8054; 28, 52; 52, 1; 56, 0; 60, 0xffff8000; 68, 4096; 72, 4096; 76, 7 ];
  let inode = Vfs.make (Vfs.File (Content.of_string (Bytes.to_string b))) 0o755 in
  Vfs.add p.Proc.place.Proc.cwd "program" inode;
  check "no program" (error (fun () -> Exec.prepare p "program" [] []) = Errno.enoexec);
  finish root

(* All 64 bits of all registers are the program's: over a handler, too. *)
let registers_over_signals () =
  let root, p = process ~wide:true in
  let slots = List.filter (fun slot -> slot <> Base.rsp && slot <> Base.rip && slot <> Base.rflags) (Array.to_list Signal.order64) in
  let value slot = Int64.add 0x8123456789abcdefL (Int64.mul 0x1e00000000000000L (Int64.of_int slot)) in
  let raw slot = let b = Bytes.create 8 in ignore (Base.ctx_get_bytes p.Proc.context (8 * slot) b 8); Bytes.get_int64_le b 0 in
  List.iter (fun slot -> let b = Bytes.create 8 in Bytes.set_int64_le b 0 (value slot); ignore (Base.ctx_set_bytes p.Proc.context (8 * slot) b 8)) slots;
  Signal.set p Base.rsp (data + 0x8000);
  Signal.set p Base.rip 0x400000;
  Signal.push_frame p 10 { Proc.no_action with handler = 0x500000; options = Signal.sa_siginfo } (0, 1, 1000, 0);
  List.iter (fun slot -> Signal.set p slot 7) slots;
  Signal.set p Base.rsp (Signal.get p Base.rsp + 8);
  (try ignore (Sys_signal.rt_sigreturn p) with Sys_proc.Replaced -> ());
  List.iter (fun slot -> check (Printf.sprintf "register %d" slot) (raw slot = value slot)) slots;
  check "where it was" (Signal.get p Base.rip = 0x400000 && Signal.get p Base.rsp = data + 0x8000);
  finish root

(* Descriptors in a message of which no byte could be taken stay in it: they do not arrive twice. *)
let rights_arrive_once () =
  let root, p = process ~wide:true in
  ignore (call p 53 [ 1; 1; 0; data ]);
  let socket n = match (Proc.file p (User.get_int p.Proc.mm (data + (4 * n)))).Proc.what with Proc.Socket s -> s | _ -> assert false in
  let sender = socket 0 and receiver = socket 1 in
  put p (data + 0x100) "f";
  let passed = Proc.file p (call p 2 [ data + 0x100; 0o102; 0o666 ]) in
  let send rights = ignore (Socket.send p sender ~again:true ~quiet:true ~rights 5 (fun _ n -> Bytes.make n 'x')) in
  let receive len = Socket.receive p receiver ~again:true ~peek:false ~whole:true len (fun off _ _ n -> if off < 5 then n else 0) in
  p.Proc.progress <- 0;
  send [ passed ];
  p.Proc.progress <- 5; (* a call with MSG_WAITALL that has five bytes already, and a buffer of no more *)
  let r = receive 10 in
  Socket.let_go r.Socket.files;
  check "no byte, no descriptor" (r.Socket.count = 5 && r.Socket.files = []);
  p.Proc.progress <- 0;
  let r = receive 5 in
  check "with the first byte" (r.Socket.count = 5 && (match r.Socket.files with [ f ] -> f == passed | _ -> false));
  Socket.let_go r.Socket.files;
  check "held once" (passed.Proc.holders = 1);
  finish root

(* Any call with any arguments: an answer, and all memory comes back. *)
let hostile_calls ~wide () =
  let frames = Base.frames_free () in
  let table = if wide then Abi.table64 else Abi.table32 in
  let values = [| 0; 1; 2; 3; -1; -100; 0x7fffffff; 0x80000000; 0xfffff000; 0xffffffff; data; data + 0xfffe; data + 0x10000; 0xff0; 4096; 0x10000; max_int; min_int; 1 lsl 47; 0x7ffffffff000; 17; 0x100 |] in
  for round = 1 to 12 do
    let root, p = process ~wide in
    ignore round;
    List.iteri (fun i name -> put p (data + (64 * i)) name) [ "f"; "/"; ".."; "/dev/null"; "/proc/self/fd/0"; "" ];
    Array.iteri (fun number entry ->
      match entry with
      | Some { Abi.name; _ } when not (List.mem name [ "exit"; "exit_group" ]) ->
        for _ = 1 to 12 do
          if not (Proc.is_zombie p) && Proc.find 1 <> None then begin
            let arguments = List.init 6 (fun _ -> if Random.int 3 = 0 then data + (64 * Random.int 6) else values.(Random.int (Array.length values))) in
            p.Proc.state <- Proc.Ready;
            Signal.forget_signals p (-1);
            p.Proc.mm.Mm.brk <- 0x100000;
            (match call p number arguments with
             | _ -> ()
             | exception e -> failwith (Printf.sprintf "%s(%s): %s" name (String.concat ", " (List.map string_of_int arguments)) (Printexc.to_string e)));
            if Mm.find p.Proc.mm data = None then
              Mm.add p.Proc.mm { Mm.first = data; last = data + 0x1000; prot = 3; shared = false; may_write = true; source = Mm.Anonymous }
          end
        done
      | _ -> ()) table;
    finish root
  done;
  check (Printf.sprintf "frames come back: %d, then %d" frames (Base.frames_free ())) (frames - Base.frames_free () < 64)
