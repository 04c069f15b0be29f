(* Unit and property tests of the OCaml side, on the host over fake_base.c. Each line of output is "ok NAME" or "FAIL NAME: WHY". Chance has a fixed seed. *)

let failures = ref 0

let test name f =
  Random.init (match Sys.getenv_opt "SEED" with Some s -> int_of_string s | None -> 20231);
  match f () with
  | () -> Printf.printf "ok %s\n%!" name
  | exception e -> incr failures; Printf.printf "FAIL %s: %s\n%!" name (Printexc.to_string e)

let check what ok = if not ok then failwith what
let error f = match f () with _ -> 0 | exception Errno.Error e -> e
let random_string n = String.init (Random.int (n + 1)) (fun _ -> Char.chr (Random.int 256))

(* A text as views of physical memory, one after the other. *)
let in_pieces text most each =
  let frame = Base.frame_alloc () in
  let at = ref 0 in
  while !at < String.length text do
    let n = min (1 + Random.int most) (String.length text - !at) in
    let inside = Random.int (Base.page - n + 1) in
    ignore (Base.page_write ((frame * Base.page) + inside) (Bytes.unsafe_of_string text) !at n);
    each (View.make ((frame * Base.page) + inside) n);
    at := !at + n
  done;
  Base.unref_frame frame

(* ---- SHA-256: the vectors are lines of message and digest *)

let sums file =
  let channel = open_in_bin file in
  let rec go n =
    match input_line channel with
    | exception End_of_file -> check "vectors" (n > 0)
    | line ->
      let r = Sexp.reader line in
      let text = Sexp.text r in
      let expected = Sexp.text r in
      check "at once" (Sha256.of_string text = expected);
      let sum = Sha256.start () in
      in_pieces text (if n land 1 = 0 then 70 else 4096) (Sha256.view sum);
      check "in pieces" (Sha256.finish sum = expected);
      go (n + 1) in
  go 0;
  (* FIPS 180-2, example B.3 *)
  check "a million" (Sha256.of_string (String.make 1_000_000 'a') = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")

(* ---- views, text *)

let refused f = match f () with _ -> false | exception Invalid_argument _ -> true

let views () =
  let frame = Base.frame_alloc () in
  let at = frame * Base.page in
  ignore (Base.page_write at (Bytes.of_string "0123456789") 0 10);
  let v = View.make at 10 in
  check "text" (View.to_string v = "0123456789" && View.to_string (View.sub v 3 4) = "3456" && View.byte v 9 = Char.code '9');
  View.copy (View.make (at + 100) 4) (View.sub v 6 4);
  check "copied" (View.to_string (View.make (at + 100) 4) = "6789");
  let limit = Base.memory_end_ 0 in
  List.iter (fun f -> check "refused" (refused f))
    [ (fun () -> ignore (View.byte v 10)); (fun () -> ignore (View.byte v (-1))); (fun () -> ignore (View.sub v 3 8)); (fun () -> ignore (View.sub v (-1) 2));
      (fun () -> ignore (View.sub v 1 max_int)); (fun () -> ignore (View.sub v max_int 1)); (fun () -> ignore (View.make (limit - 1) 2));
      (fun () -> ignore (View.make (-1) 1)); (fun () -> ignore (View.make 0 max_int)); (fun () -> ignore (View.make max_int 1));
      (fun () -> View.copy v (View.sub v 0 4)) ];
  Base.unref_frame frame

exception Odd of int

let texts () =
  for _ = 1 to 1000 do
    let n = Random.bits () lsl Random.int 33 in
    check "hex" (Text.hex 1 n = Printf.sprintf "%x" n && Text.hex 16 n = Printf.sprintf "%016x" n)
  done;
  check "negative" (Text.hex 1 (-1) = Printf.sprintf "%x" (-1));
  check "left" (Text.left 5 "abc" = "abc  " && Text.left 2 "abc" = "abc");
  check "exceptions" (Text.of_exception Not_found = "Not_found" && Text.of_exception (Failure "why") = "Failure: why");
  let name = Text.of_exception (Odd 1) in
  check "its name" (String.length name >= 3 && String.sub name (String.length name - 3) 3 = "Odd")

(* ---- sexp, script *)

let sexp_round_trip () =
  for _ = 1 to 2000 do
    let s = random_string 40 in
    let r = Sexp.reader (Sexp.quote s) in
    check "round trip" (Sexp.text r = s && Sexp.token r = Sexp.End)
  done

let sexp_strict () =
  List.iter (fun bad ->
    match Sexp.token (Sexp.reader bad) with
    | _ -> failwith ("accepted " ^ bad)
    | exception Sexp.Malformed _ -> ())
    [ "\"\\x41\""; "\"\\x4\""; "\"\\q\""; "\"open"; "\"\n\""; "\"\xff\""; "\"\\x0a\""; "007"; "1234567890123456789012"; "[" ; "\"\\xAB\"" ]

let golden =
  let p c name = Printf.sprintf "\"/nix/store/%s-%s\"" (String.make 32 c) name in
  Printf.sprintf "(xboot-script 1\n (store \"/nix/store\")\n (source %s (nar \"sha256\" \"%s\") (references))\n (step 1 %s\n  (system \"i686-linux\")\n  (builder \"/bin/sh\")\n  (argv \"sh\" \"-c\")\n  (env (\"a\" \"b\\n\\x80\"))\n  (cwd \"/build\")\n  (files (\"/build/x\" \"y\"))\n  (graphs (\"/build/g\" %s))\n  (inputs %s)\n  (outputs (\"out\" %s (fixed \"flat\" \"sha256\" \"%s\"))))\n (result %s))\n"
    (p 'a' "src") (String.make 64 '0') (p 'b' "x.drv") (p 'a' "src") (p 'a' "src") (p 'c' "out") (String.make 64 'f') (p 'c' "out")

let script_reads () =
  let s = Script.parse golden in
  match s.Script.steps with
  | [ step ] ->
    check "argv" (step.Script.argv = [ "sh"; "-c" ]);
    check "env" (step.Script.env = [ ("a", "b\n\x80") ]);
    check "fixed" (match step.Script.outputs with [ { Script.fixed = Some { Script.flat = true; _ }; _ } ] -> true | _ -> false)
  | _ -> failwith "steps"

(* A damaged script is refused, or read; never anything else. *)
let script_damaged () =
  let refused = ref 0 in
  let attempt s = match Script.parse s with _ -> () | exception Sexp.Malformed _ -> incr refused in
  for i = 0 to String.length golden - 1 do
    attempt (String.sub golden 0 i);
    attempt (String.sub golden 0 i ^ String.sub golden (i + 1) (String.length golden - i - 1));
    let b = Bytes.of_string golden in
    Bytes.set b i (Char.chr (Random.int 256));
    attempt (Bytes.to_string b)
  done;
  check "most are refused" (!refused > 2 * String.length golden);
  List.iter (fun (from, to_) ->
    let damaged = Str.replace_first (Str.regexp_string from) to_ golden in
    match Script.parse damaged with _ -> failwith ("accepted: " ^ to_) | exception Sexp.Malformed _ -> ())
    [ "(step 1", "(step 2"; "(system", "(sistem"; "/build\")", "/bu/../ild\")"; "\"/bin/sh\"", "\"/bin\\x00sh\""; "xboot-script 1", "xboot-script 2";
      "(references)", ""; "\"flat\"", "\"round\""; " (result", " (source" ]

(* ---- files and pipes *)

let content_like_bytes () =
  for _ = 1 to 30 do
    let c = Content.make () and model = ref "" in
    let extend n = if String.length !model < n then model := !model ^ String.make (n - String.length !model) '\000' in
    for _ = 1 to 40 do
      let off = Random.int 20000 in
      match Random.int 3 with
      | 0 | 1 ->
        let s = random_string 6000 in
        let n = String.length s in
        check "written" (Content.write c off (Bytes.of_string s) 0 n = n);
        if n > 0 then begin
          extend (off + n);
          model := String.sub !model 0 off ^ s ^ String.sub !model (off + n) (String.length !model - off - n)
        end
      | _ ->
        Content.truncate c off;
        if String.length !model > off then model := String.sub !model 0 off else extend off
    done;
    check "size" (c.Content.size = String.length !model);
    let b = Bytes.make (String.length !model) 'x' in
    Content.read c 0 b 0 (Bytes.length b);
    check "content" (Bytes.to_string b = !model);
    Content.free c
  done

let sparse_file () =
  let c = Content.make () in
  ignore (Content.write c (Limit.file_size - 1) (Bytes.of_string "x") 0 1);
  check "blocks" (Content.blocks c = 8);
  check "too large" (error (fun () -> Content.write c Limit.file_size (Bytes.of_string "x") 0 1) = Errno.efbig);
  Content.free c

let pipe_like_queue () =
  let pipe = Vfs.new_pipe ~named:false and model = Buffer.create 1000 and taken = Buffer.create 1000 in
  for _ = 1 to 3000 do
    if Random.bool () then begin
      let s = random_string 9000 in
      let n = Pipe.push pipe (String.length s) (fun b off part d -> Bytes.blit_string s d b off part; part) in
      check "as much as fits" (n = min (String.length s) (pipe.Vfs.capacity - (pipe.Vfs.used - n)));
      Buffer.add_string model (String.sub s 0 n)
    end
    else ignore (Pipe.pull pipe (Random.int 9000) (fun b off part _ -> Buffer.add_subbytes taken b off part; part))
  done;
  ignore (Pipe.pull pipe max_int (fun b off part _ -> Buffer.add_subbytes taken b off part; part));
  check "order" (Buffer.contents model = Buffer.contents taken)

(* ---- paths *)

let root_user = { Vfs.user = 0; group = 0 }

let small_tree () =
  let root = Vfs.make (Vfs.new_dir ()) 0o755 in
  let dir parent name = Tree.directory parent name 0o755 in
  let a = dir root "a" in
  let b = dir a "b" in
  Vfs.add b "f" (Vfs.make (Vfs.File (Content.make ())) 0o644);
  Vfs.add a "up" (Vfs.make (Vfs.Link "../a/b/f") 0o777);
  Vfs.add a "abs" (Vfs.make (Vfs.Link "/a/b") 0o777);
  Vfs.add a "loop" (Vfs.make (Vfs.Link "loop") 0o777);
  Vfs.add a "out" (Vfs.make (Vfs.Link "../../../../a/b/f") 0o777);
  (root, a, b)

let paths () =
  let root, a, b = small_tree () in
  let resolve ?(follow = true) p = Path.resolve ~who:root_user ~root ~cwd:a ~follow p in
  let same p q = match ((resolve p).Path.node, (resolve q).Path.node) with Some x, Some y -> x == y | _ -> false in
  check ".. through a link" (same "up" "/a/b/f");
  check "absolute link" (same "abs/f" "b/../b/./f");
  check "not above the root" (same "out" "b/f");
  check "loop" (error (fun () -> resolve "loop") = Errno.eloop);
  check "file as directory" (error (fun () -> resolve "b/f/x") = Errno.enotdir && error (fun () -> resolve "b/f/") = Errno.enotdir);
  check "long name" (error (fun () -> resolve (String.make 256 'x')) = Errno.enametoolong);
  check "long path" (error (fun () -> resolve (String.concat "/" (List.init 2100 (fun _ -> ".")))) = Errno.enametoolong);
  check "empty" (error (fun () -> resolve "") = Errno.enoent);
  check "not followed" ((resolve ~follow:false "up").Path.node <> None && not (same "up" "b"));
  check "name" (Path.name_of_dir root b = "/a/b");
  a.Vfs.mode <- 0;
  check "no search" (error (fun () -> Path.resolve ~who:Proc.who ~root ~cwd:root "a/b") = Errno.eacces)

let deep_tree_is_freed () =
  let root = Vfs.make (Vfs.new_dir ()) 0o755 in
  let at = ref root in
  for _ = 1 to 100_000 do at := Tree.directory !at "d" 0o755 done;
  Vfs.free_tree root;
  check "empty" (Vfs.names root = [])

(* ---- NAR, references *)

let rec tree r =
  Sexp.open_ r;
  match Sexp.token r with
  | Sexp.Symbol "file" ->
    let s = Sexp.text r in
    let times = Sexp.number r in
    let executable = Sexp.number r in
    Sexp.close r;
    let b = Buffer.create 100 in
    for _ = 1 to times do Buffer.add_string b s done;
    Vfs.make ~uid:7 (Vfs.File (Content.of_string (Buffer.contents b))) (if executable = 1 then 0o740 else 0o604)
  | Sexp.Symbol "link" -> let t = Sexp.text r in Sexp.close r; Vfs.make (Vfs.Link t) 0o777
  | Sexp.Symbol "folder" ->
    let d = Vfs.make (Vfs.new_dir ()) 0o1712 in
    ignore (Sexp.many r (fun r ->
      Sexp.open_ r;
      let name = Sexp.text r in
      Vfs.add d name (tree r);
      Sexp.close r));
    d
  | _ -> Sexp.malformed r "tree"

let nar_vectors file () =
  let channel = open_in_bin file in
  let text = really_input_string channel (in_channel_length channel) in
  let r = Sexp.reader text in
  let count = ref 0 in
  while Sexp.look r <> Sexp.End do
    Sexp.open_ r;
    let name = Sexp.text r in
    let t = tree r in
    let hash = Sexp.text r in
    let size = Sexp.number r in
    Sexp.close r;
    Store.canonicalise t;
    let h, s = Nar.hash t in
    check name (h = hash && s = size);
    incr count
  done;
  check "some vectors" (!count > 10)

let scan_like_search () =
  let alphabet = "0123456789abcdfghijklmnpqrsvwxyz" in
  let part () = String.init 32 (fun _ -> alphabet.[Random.int 32]) in
  for _ = 1 to 200 do
    let paths = List.init 5 (fun i -> Printf.sprintf "/nix/store/%s-n%d" (part ()) i) in
    let b = Buffer.create 1000 in
    for _ = 1 to 30 do
      match Random.int 4 with
      | 0 -> Buffer.add_string b (Scan.hash_part (List.nth paths (Random.int 5)))
      | 1 -> Buffer.add_string b (String.sub (Scan.hash_part (List.nth paths (Random.int 5))) 0 31)
      | 2 -> Buffer.add_string b (part ())
      | _ -> Buffer.add_string b (random_string 50)
    done;
    let text = Buffer.contents b in
    let contains s = try ignore (Str.search_forward (Str.regexp_string s) text 0); true with Not_found -> false in
    let expected = List.sort compare (List.filter (fun p -> contains (Scan.hash_part p)) paths) in
    let t = Scan.make paths in
    in_pieces text 70 (Scan.feed t);
    check "found" (Scan.result t = expected)
  done

(* ---- the personality: calls made by setting registers *)

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

let () =
  test "sexp round trip" sexp_round_trip;
  test "sexp strict" sexp_strict;
  test "script reads" script_reads;
  test "script damaged" script_damaged;
  test "content" content_like_bytes;
  test "sparse file" sparse_file;
  test "pipe" pipe_like_queue;
  test "paths" paths;
  test "deep tree" deep_tree_is_freed;
  test "nar vectors" (nar_vectors Sys.argv.(1));
  test "scan" scan_like_search;
  test "sha-256" (fun () -> sums Sys.argv.(2));
  test "views" views;
  test "texts" texts;
  test "files by calls" files_by_calls;
  test "windows" windows_agree;
  test "windows are never stale" windows_are_never_stale;
  test "copy on write" copy_on_write;
  test "zeros behind bss" zeros_behind_bss;
  test "copies without room" copies_without_room;
  test "payload without room" payload_without_room;
  test "errors midway" errors_midway;
  test "memory ends anywhere" memory_ends_anywhere;
  test "wait with a bad address" wait_with_bad_address;
  test "areas never overlap" areas_never_overlap;
  test "registers over signals" registers_over_signals;
  test "rights arrive once" rights_arrive_once;
  test "hostile calls i386" (hostile_calls ~wide:false);
  test "hostile calls x86_64" (hostile_calls ~wide:true);
  exit (if !failures = 0 then 0 else 1)
