(* Tests of what the guest reads, holds and writes: texts, scripts, files, paths, archives, hashes. *)

open Testing

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
