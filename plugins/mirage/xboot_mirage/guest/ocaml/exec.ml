(* execve: `#!` lines, the new memory, the stack that a program starts with. The old program is untouched until nothing can fail any more. *)

open Proc

let stack_size = 8 lsl 20

(* The program's inode, and where it really lies. *)
let find p ?(from = None) path =
  let cwd = match from with Some d -> d | None -> p.place.cwd in
  let found = Path.resolve ~who ~root:p.root ~cwd path in
  let inode = Path.existing found in
  (match inode.Vfs.kind with Vfs.File _ -> () | _ -> Errno.fail Errno.eacces);
  if inode.Vfs.mode land 0o111 = 0 then Errno.fail Errno.eacces;
  Vfs.demand who inode 1;
  Path.remember found inode;
  if inode.Vfs.writers > 0 then Errno.fail Errno.etxtbsy;
  let by_proc = match found.Path.parent.Vfs.kind with Vfs.Dynamic _ -> true | _ -> false in
  (inode, if by_proc && inode == p.exe then p.exe_place else (found.Path.parent, found.Path.name)) (* exec of /proc/self/exe *)

let content inode = match inode.Vfs.kind with Vfs.File c -> c | _ -> Errno.fail Errno.eacces

(* The interpreter and its optional argument from a first line `#! program argument`. *)
let script_line c =
  let b = Bytes.make 256 '\000' in
  Content.read c 0 b 0 (min 256 c.Content.size);
  if Bytes.sub_string b 0 2 <> "#!" then None
  else begin
    let text = Bytes.sub_string b 2 254 in
    let line = match String.index_opt text '\n' with
      | Some n -> String.sub text 0 n
      | None -> (match String.index_opt text '\000' with Some n -> String.sub text 0 n | None -> Errno.fail Errno.enoexec) in
    let blank c = c = ' ' || c = '\t' in
    let n = String.length line in
    let rec skip i = if i < n && blank line.[i] then skip (i + 1) else i in
    let rec word i = if i < n && not (blank line.[i]) then word (i + 1) else i in
    let start = skip 0 in
    let stop = word start in
    if stop = start then Errno.fail Errno.enoexec;
    let rec trim e = if e > stop && blank line.[e - 1] then trim (e - 1) else e in
    let arg = skip stop and last = trim n in
    Some (String.sub line start (stop - start), if arg < last then [ String.sub line arg (last - arg) ] else [])
  end

let rec resolve p ?from path arguments depth =
  let inode, place = find p ~from path in
  match script_line (content inode) with
  | None -> (inode, place, arguments)
  | Some _ when depth = 0 -> Errno.fail Errno.eloop
  | Some (interpreter, extra) ->
    let rest = match arguments with [] -> [] | _ :: r -> r in
    resolve p interpreter ((interpreter :: extra) @ (path :: rest)) (depth - 1)

let put_words mm va words =
  let size = User.word_size mm in
  let b = Bytes.create (size * List.length words) in
  List.iteri (fun i w -> if size = 8 then User.set64 b (8 * i) w else User.set32 b (4 * i) w) words;
  User.write mm va b

(* The stack: strings at the top, below them auxiliary vector, environment, arguments, count. Returns the stack pointer. *)
let build_stack mm elf ~bias ~entry ~base ~path arguments environment =
  let top = if mm.Mm.wide then 0x7ffffffff000 else 0xffffd000 in
  let bottom = top - stack_size in
  if Mm.touching mm bottom top <> [] then Elf.refuse (); (* a segment lies where the stack goes *)
  Mm.add mm { Mm.first = bottom; last = top; shared = false; may_write = true; source = Mm.Anonymous;
    prot = (Base.prot_r lor Base.prot_w lor if elf.Elf.stack_exec then Base.prot_x else 0) };
  let at = ref (top - 16) in
  let push s =
    at := !at - String.length s - 1;
    User.write mm !at (Bytes.of_string (s ^ "\000"));
    !at in
  let name = push path in
  let rec push_all acc = function [] -> acc | s :: rest -> push_all (push s :: acc) rest in
  let env = push_all [] (List.rev environment) in
  let args = push_all [] (List.rev arguments) in
  let platform = push (if mm.Mm.wide then "x86_64" else "i686") in
  let random = push "xboot: no chance" in
  let auxiliary =
    [ (6, Base.page); (17, 100); (16, 0x078bfbff); (3, if elf.Elf.header_va = 0 then 0 else elf.Elf.header_va + bias);
      (4, if mm.Mm.wide then 56 else 32); (5, elf.Elf.headers); (7, base); (8, 0); (9, entry);
      (11, 1000); (12, 1000); (13, 100); (14, 100); (23, 0); (25, random); (31, name); (15, platform); (0, 0) ] in
  (* a builder may give 200,000 arguments: nothing here may recurse over them *)
  let before a b = List.rev_append (List.rev a) b in
  let words = List.length arguments :: before args (0 :: before env (0 :: List.concat_map (fun (k, v) -> [ k; v ]) auxiliary)) in
  let sp = (!at - (User.word_size mm * List.length words)) land lnot 15 in
  put_words mm sp words;
  sp

let check_size arguments environment =
  let total = List.fold_left (fun n s ->
    if String.length s >= Limit.string_bytes then Limit.reach Errno.e2big "one argument or variable of 131072 bytes";
    n + String.length s + 9) 0 in
  if total arguments + total environment > Limit.arguments_bytes then Limit.reach Errno.e2big "arguments and environment of 2 MiB"

type image = { mm : Mm.t; entry : int; sp : int; inode : Vfs.inode; place : Vfs.inode * string }

let prepare p ?from path arguments environment =
  let inode, place, arguments = resolve p ?from path arguments 4 in
  let arguments = if arguments = [] then [ "" ] else arguments in
  check_size arguments environment;
  let elf = Elf.parse (content inode) in
  let mm = Mm.make ~wide:elf.Elf.wide ~exec_all:(elf.Elf.stack_exec && not elf.Elf.wide) in
  try
    let _, high = Elf.span elf in
    let bias = if not elf.Elf.dynamic then 0 else if elf.Elf.wide then 0x555555554000 else 0x56555000 in
    if high + bias > Mm.limit mm then Elf.refuse ();
    Elf.load mm inode elf bias;
    mm.Mm.brk_start <- Base.page_up (high + bias);
    mm.Mm.brk <- mm.Mm.brk_start;
    let entry = elf.Elf.entry + bias in
    let start, base = match elf.Elf.interpreter with
      | None -> (entry, 0)
      | Some name ->
        let loader, _ = find p name in
        let le = Elf.parse (content loader) in
        if le.Elf.wide <> elf.Elf.wide then Elf.refuse ();
        let low, top = Elf.span le in
        let base = if le.Elf.dynamic then Mm.find_free mm (top - low) - low else 0 in
        Elf.load mm loader le base;
        (le.Elf.entry + base, base) in
    let sp = build_stack mm elf ~bias ~entry ~base ~path arguments environment in
    { mm; entry = start; sp; inode; place }
  with e -> Mm.free mm; raise e

let base_name path = match String.rindex_opt path '/' with Some n -> String.sub path (n + 1) (String.length path - n - 1) | None -> path

(* A thread that calls execve becomes the process's first: it takes the number over, and whoever had it ends without being a child that anybody waits for. *)
let succeed_leader p =
  match Proc.find p.tgid with
  | None -> ()
  | Some leader ->
    p.exit_signal <- leader.exit_signal;
    p.parent <- leader.parent;
    p.group <- leader.group;
    p.session <- leader.session;
    leader.pid <- p.pid;
    p.pid <- p.tgid;
    rename leader p;
    if is_zombie leader then Exit.reap leader

(* Become the new program. *)
let commit p image path arguments environment =
  if p.pid <> p.tgid then succeed_leader p;
  List.iter (fun q -> if q != p then Exit.finish q 9) (threads p.tgid);
  Exit.release_vfork p;
  Mm.free p.mm;
  p.mm <- image.mm;
  image.inode.Vfs.opens <- image.inode.Vfs.opens + 1;
  p.exe.Vfs.opens <- p.exe.Vfs.opens - 1;
  Vfs.release p.exe;
  p.exe <- image.inode;
  p.exe_place <- image.place;
  p.name <- (let n = base_name path in if String.length n > 15 then String.sub n 0 15 else n);
  let text = function [] -> "" | list -> String.concat "\000" list ^ "\000" in
  p.arguments <- text arguments;
  p.environment <- text environment;
  p.executed <- true;
  p.clear_tid <- 0;
  Timer.forget_all p.shared;
  p.robust <- 0;
  p.alternate <- (0, 0);
  if p.files.sharers > 1 then begin
    let own = copy_descriptors p.files in
    p.files.sharers <- p.files.sharers - 1;
    p.files <- own
  end;
  Array.iteri (fun fd close -> if close then take_descriptor p.files fd) p.files.close_on_exec;
  if p.handlers.handler_sharers > 1 then begin
    p.handlers.handler_sharers <- p.handlers.handler_sharers - 1;
    p.handlers <- { actions = Array.copy p.handlers.actions; handler_sharers = 1 }
  end;
  Array.iteri (fun n a -> if a.handler > 1 then p.handlers.actions.(n) <- no_action) p.handlers.actions;
  ignore (Base.ctx_reset p.context);
  Signal.set p Base.mode (if image.mm.Mm.wide then 1 else 0);
  Signal.set p Base.rip image.entry;
  Signal.set p Base.rsp image.sp
