(* System calls on processes. *)

open Proc

let clone_vm = 0x100 and clone_fs = 0x200 and clone_files = 0x400 and clone_sighand = 0x800 and clone_vfork = 0x4000
and clone_parent = 0x8000 and clone_thread = 0x10000 and clone_settls = 0x80000 and clone_parent_settid = 0x100000
and clone_child_cleartid = 0x200000 and clone_child_settid = 0x1000000
let namespaces = 0x7e020000 (* CLONE_NEW*: not for builders *)

(* ---- thread-local storage *)

(* struct user_desc -> a GDT descriptor that ring 3 may have: a data segment of privilege 3, whatever was asked for. It uses all
   64 bits and is therefore stored as bytes. *)
let set_tls p n b =
  let base = User.u32 b 4 and limit = User.u32 b 8 and flags = User.u32 b 12 in
  let bit k = flags lsr k land 1 in
  let contents = flags lsr 1 land 3 in
  if contents >= 2 then Errno.fail Errno.einval;
  let raw = Bytes.make 8 '\000' in
  if not (base = 0 && limit = 0 && (flags land 0x7f = 0x28 || flags land 0x7f = 0)) then begin
    Bytes.set_uint16_le raw 0 (limit land 0xffff);
    Bytes.set_uint16_le raw 2 (base land 0xffff);
    Bytes.set_uint8 raw 4 (base lsr 16 land 255);
    Bytes.set_uint8 raw 5 ((1 - bit 5) lsl 7 lor 0x70 lor (contents lsl 2) lor ((1 - bit 3) lsl 1) lor 1);
    Bytes.set_uint8 raw 6 ((limit lsr 16 land 15) lor (bit 6 lsl 4) lor (bit 0 lsl 6) lor (bit 4 lsl 7));
    Bytes.set_uint8 raw 7 (base lsr 24)
  end;
  ignore (Base.ctx_set_bytes p.context (8 * (Base.tls + n)) raw 8)

let tls_free p n =
  let raw = Bytes.create 8 in
  ignore (Base.ctx_get_bytes p.context (8 * (Base.tls + n)) raw 8);
  Int64.equal (Bytes.get_int64_le raw 0) 0L

let set_thread_area_of p va =
  let b = User.read p.mm va 16 in
  let entry = User.s32 b 0 in
  let n = if entry = -1 then (match List.find_opt (tls_free p) [ 0; 1; 2 ] with Some n -> n | None -> Errno.fail Errno.esrch) else entry - 12 in
  if n < 0 || n > 2 then Errno.fail Errno.einval;
  set_tls p n b;
  if entry = -1 then User.put_int p.mm va (n + 12);
  0

let set_thread_area p = set_thread_area_of p (Arg.word p 0)

let arch_prctl p =
  let va = Arg.word p 1 in
  let set slot =
    if va < 0 || va >= Base.user_limit64 then Errno.fail Errno.eperm;
    Signal.set p slot va;
    0 in
  let get slot = User.put_word p.mm va (Signal.get p slot); 0 in
  match Arg.int p 0 with
  | 0x1001 -> set Base.gs_base
  | 0x1002 -> set Base.fs_base
  | 0x1003 -> get Base.fs_base
  | 0x1004 -> get Base.gs_base
  | _ -> Errno.fail Errno.einval

(* ---- fork and clone *)

let copy_context p =
  let fresh = Base.ctx_new () in
  ignore (Base.ctx_copy fresh p.context);
  fresh

let most_processes = 6 (* RLIMIT_NPROC: all that there are, ended ones until somebody has waited for them, have one user *)

let fork_limit p =
  if count () >= Limit.processes then Limit.reach Errno.eagain "512 processes in a step";
  let most = p.limits.soft.(most_processes) in
  if most >= 0 && count () >= most then Errno.fail Errno.eagain

let clone_with p ~flags ~stack ~parent_tid ~child_tid ~tls =
  let has f = flags land f <> 0 in
  if has namespaces then Errno.fail Errno.eperm;
  if has clone_thread && not (has clone_sighand && has clone_vm) then Errno.fail Errno.einval;
  if has clone_sighand && not (has clone_vm) then Errno.fail Errno.einval;
  fork_limit p;
  Limit.check_kernel_memory ();
  let mm = if has clone_vm then begin p.mm.Mm.users <- p.mm.Mm.users + 1; p.mm end else Mm.fork p.mm in
  let context = try copy_context p with e -> Mm.free mm; raise e in
  let files = if has clone_files then begin p.files.sharers <- p.files.sharers + 1; p.files end else copy_descriptors p.files in
  let handlers = if has clone_sighand then begin p.handlers.handler_sharers <- p.handlers.handler_sharers + 1; p.handlers end
    else { actions = Array.copy p.handlers.actions; handler_sharers = 1 } in
  let place = if has clone_fs then begin p.place.place_sharers <- p.place.place_sharers + 1; p.place end else copy_place p.place in
  incr next_pid;
  let pid = !next_pid in
  let child =
    { p with pid; tgid = (if has clone_thread then p.tgid else pid); parent = (if has clone_thread || has clone_parent then p.parent else p.tgid);
      state = Ready; mm; context; files; handlers; pending = 0; queue = Queue.create ();
      shared = (if has clone_thread then p.shared else new_shared ()); place; saved_mask = None; deadline = -1;
      progress = 0; call = -1; wake = false; patient = false; policy = p.policy; thread_cpu = 0; robust = 0; vfork_parent = (if has clone_vfork then p.pid else 0);
      clear_tid = (if has clone_child_cleartid then child_tid else 0); exit_signal = (if has clone_thread then 0 else flags land 0xff);
      alternate = (if has clone_vm && not (has clone_vfork) then (0, 0) else p.alternate); executed = false; stop_reported = false; windows = no_windows ();
      limits = (if has clone_thread then p.limits else { soft = Array.copy p.limits.soft; hard = Array.copy p.limits.hard }) } in
  p.exe.Vfs.opens <- p.exe.Vfs.opens + 1;
  Signal.set child Base.rax 0;
  if stack <> 0 then Signal.set child Base.rsp stack;
  (try
     if has clone_settls then (if is_wide p then (if tls >= 0 && tls < Base.user_limit64 then Signal.set child Base.fs_base tls else Errno.fail Errno.eperm)
                               else ignore (set_thread_area_of child tls));
     if has clone_parent_settid then User.put_int p.mm parent_tid pid;
     if has clone_child_settid then User.put_int child.mm child_tid pid
   with Errno.Error e when has clone_settls && e <> Errno.efault ->
     Exit.discard child;
     Errno.fail e
      | Errno.Error _ -> ());
  enter child;
  if has clone_vfork then begin
    p.wake <- false;
    p.patient <- true;
    p.progress <- pid;
    raise (Wait (fun () -> p.wake))
  end;
  pid

let fork p = clone_with p ~flags:17 ~stack:0 ~parent_tid:0 ~child_tid:0 ~tls:0
let vfork p =
  if p.progress > 0 then p.progress
  else clone_with p ~flags:(clone_vfork lor clone_vm lor 17) ~stack:0 ~parent_tid:0 ~child_tid:0 ~tls:0

let clone p =
  if p.progress > 0 then p.progress
  else
    let a = Arg.word p in
    if is_wide p then clone_with p ~flags:(a 0) ~stack:(a 1) ~parent_tid:(a 2) ~child_tid:(a 3) ~tls:(a 4)
    else clone_with p ~flags:(a 0) ~stack:(a 1) ~parent_tid:(a 2) ~tls:(a 3) ~child_tid:(a 4)

(* ---- exec *)

let string_vector p va =
  let w = User.word_size p.mm in
  let rec go va acc total =
    let pointer = if va = 0 then 0 else User.word p.mm va in
    if pointer = 0 then List.rev acc
    else begin
      let s = User.string ~too_long:Errno.e2big p.mm pointer Limit.string_bytes in
      let total = total + String.length s + 9 in
      if total > Limit.arguments_bytes then Limit.reach Errno.e2big "arguments and environment of 2 MiB";
      go (va + w) (s :: acc) total
    end in
  go va [] 0

(* execve does not return to the old program: the new registers stand, the result is not stored. *)
exception Replaced

let exec_path p ?from path argv envp =
  let arguments = string_vector p argv and environment = string_vector p envp in
  let image = try Exec.prepare p ?from path arguments environment with Base.No_memory -> Limit.reach Errno.enomem "memory is exhausted" in
  Exec.commit p image path arguments environment;
  raise Replaced

let execve p = exec_path p (User.path p.mm (Arg.word p 0)) (Arg.word p 1) (Arg.word p 2)

let execveat p =
  let fd = Arg.int p 0 and path = User.path p.mm (Arg.word p 1) and flags = Arg.int p 4 in
  if path = "" && flags land Sys_path.at_empty_path <> 0 then
    exec_path p ("/proc/self/fd/" ^ string_of_int fd) (Arg.word p 2) (Arg.word p 3)
  else exec_path p ~from:(Sys_path.start p fd path) path (Arg.word p 2) (Arg.word p 3)

(* ---- exit and wait *)

let exit p =
  let status = (Arg.int p 0 land 255) lsl 8 in
  Exit.finish p status;
  raise Replaced

let exit_group p = Exit.finish_group p ((Arg.int p 0 land 255) lsl 8); raise Replaced

let wnohang = 1 and wuntraced = 2 and wexited = 4 and wcontinued = 8

let goes_on = 0xffff (* the status of a child that was stopped and runs again *)

(* A child that a wait may report, with its status. *)
let waitable p target options =
  let mine q =
    q.parent = p.tgid && q.pid = q.tgid
    && (target = -1 || (target = 0 && q.group = p.group) || (target < -1 && q.group = -target) || q.pid = target) in
  let candidates = List.filter mine (all ()) in
  if candidates = [] then Errno.fail Errno.echild;
  List.find_map (fun q ->
    match q.state with
    | Zombie status when options land wexited <> 0 && has_ended q.tgid -> Some (q, status)
    | Zombie _ -> None
    | Stopped when options land wuntraced <> 0 && not q.stop_reported -> Some (q, (q.stop_signal lsl 8) lor 0x7f)
    | _ when options land wcontinued <> 0 && q.shared.continued -> Some (q, goes_on)
    | _ -> None) candidates

let wait_for p target options =
  match waitable p target options with
  | Some found -> Some found
  | None when options land wnohang <> 0 -> None
  | None -> raise (Wait (fun () -> match waitable p target options with Some _ -> true | None -> false | exception Errno.Error _ -> true))

let used q = q.shared.cpu + q.shared.children

let take p (q, status) =
  if status = goes_on then q.shared.continued <- false
  else match q.state with Stopped -> q.stop_reported <- true | _ -> p.shared.children <- p.shared.children + used q; Exit.reap q

let put_usage p va cpu =
  let w = User.word_size p.mm in
  let b = Bytes.make (18 * w) '\000' in
  let set i v = if w = 8 then User.set64 b (8 * i) v else User.set32 b (4 * i) v in
  set 0 (cpu / 1_000_000_000);
  set 1 (cpu mod 1_000_000_000 / 1000);
  User.write p.mm va b

let wait4 p =
  let options = Arg.int p 2 in
  if options land lnot 0xe000000b <> 0 then Errno.fail Errno.einval;
  match wait_for p (Arg.int p 0) (options lor wexited) with
  | None -> 0
  | Some ((q, status) as found) ->
    let va = Arg.word p 1 and usage = if Arg.word p 3 <> 0 && p.call <> 7 then Arg.word p 3 else 0 in
    let pid = q.pid in
    take p found; (* as on Linux, before its status is told: a bad address loses it *)
    if va <> 0 then User.put_int p.mm va status;
    if usage <> 0 then put_usage p usage (used q);
    pid

let waitpid = wait4

let waitid p =
  let kind = Arg.int p 0 and id = Arg.int p 1 and va = Arg.word p 2 and options = Arg.int p 3 in
  if options land (wexited lor wuntraced lor wcontinued) = 0 then Errno.fail Errno.einval;
  let target = match kind with 0 -> -1 | 1 -> id | 2 -> if id = 0 then 0 else -id | _ -> Errno.fail Errno.einval in
  let found = wait_for p target options in
  (match found with Some f when options land 0x01000000 = 0 -> take p f | _ -> ());
  if Arg.word p 4 <> 0 then put_usage p (Arg.word p 4) (match found with Some (q, _) -> used q | None -> 0);
  if va <> 0 then begin
    let b = Bytes.make 128 '\000' in
    (match found with
     | None -> ()
     | Some (q, status) ->
       let code, value = if status = goes_on then (6, 18) else if status land 0xff = 0x7f then (5, status lsr 8) else if status land 0x7f = 0 then (1, status lsr 8) else (2, status land 0x7f) in
       Signal.put_info b 0 17 (code, q.pid, 1000, value) ~wide:(is_wide p));
    User.write p.mm va b
  end;
  0

(* ---- who am I *)

let getpid p = p.tgid
let gettid p = p.pid
let getppid p = if p.tgid = 1 then 0 else p.parent
let getuid _ = who.Vfs.user
let getgid _ = who.Vfs.group
let set_id allowed p = if Arg.int p 0 = allowed || Arg.int p 0 land 0xffff = allowed then 0 else Errno.fail Errno.eperm
let setuid p = set_id who.Vfs.user p
let setgid p = set_id who.Vfs.group p
let set_ids allowed n p =
  for i = 0 to n - 1 do
    let v = Arg.int p i in
    if v <> -1 && v land 0xffff <> 0xffff && v <> allowed then Errno.fail Errno.eperm
  done;
  0
let setreuid p = set_ids who.Vfs.user 2 p
let setregid p = set_ids who.Vfs.group 2 p
let setresuid p = set_ids who.Vfs.user 3 p
let setresgid p = set_ids who.Vfs.group 3 p
let get_three v p = for i = 0 to 2 do User.put_int p.mm (Arg.word p i) v done; 0
let getresuid p = get_three who.Vfs.user p
let getresgid p = get_three who.Vfs.group p
let setfsid v _ = v
let getgroups p = if Arg.int p 0 < 0 then Errno.fail Errno.einval else 0
let setgroups _ = Errno.fail Errno.eperm

let target p pid = if pid = 0 then p else match find pid with Some q when q.pid = q.tgid -> q | _ -> Errno.fail Errno.esrch

let getpgid p = (target p (Arg.int p 0)).group
let getpgrp p = p.group
let getsid p = (target p (Arg.int p 0)).session

let setpgid p =
  let pid = Arg.int p 0 and group = Arg.int p 1 in
  if group < 0 then Errno.fail Errno.einval;
  let q = if pid = 0 then (match find p.tgid with Some l -> l | None -> p) else target p pid in
  if q.tgid <> p.tgid && q.parent <> p.tgid then Errno.fail Errno.esrch;
  if q.session <> p.session then Errno.fail Errno.eperm;
  if q.tgid <> p.tgid && q.executed then Errno.fail Errno.eacces;
  if q.session = q.pid then Errno.fail Errno.eperm;
  let group = if group = 0 then q.pid else group in
  if group <> q.pid && not (List.exists (fun r -> r.group = group && r.session = p.session) (all ())) then Errno.fail Errno.eperm;
  q.group <- group;
  0

let setsid p =
  if List.exists (fun q -> q.group = p.tgid) (all ()) then Errno.fail Errno.eperm;
  p.session <- p.tgid;
  p.no_terminal <- false;
  p.group <- p.tgid;
  p.tgid

let set_tid_address p = p.clear_tid <- Arg.word p 0; p.pid
let set_robust_list p = if Arg.word p 1 = (if is_wide p then 24 else 12) then begin p.robust <- Arg.word p 0; 0 end else Errno.fail Errno.einval
let get_robust_list p =
  let q = if Arg.int p 0 = 0 then p else match find (Arg.int p 0) with Some q when not (is_zombie q) -> q | _ -> Errno.fail Errno.esrch in
  User.put_word p.mm (Arg.word p 1) q.robust;
  User.put_word p.mm (Arg.word p 2) (if is_wide p then 24 else 12);
  0

let prctl p =
  match Arg.int p 0 with
  | 15 ->
    let s = try User.string p.mm (Arg.word p 1) 16 with Errno.Error e when e = Errno.enametoolong -> Bytes.to_string (User.read p.mm (Arg.word p 1) 15) in
    p.name <- s;
    0
  | 16 -> User.write_string p.mm (Arg.word p 1) (p.name ^ String.make (16 - String.length p.name) '\000'); 0
  | 1 -> if Arg.long p 1 < 0 || Arg.long p 1 > 64 then Errno.fail Errno.einval else 0
  | 2 -> User.put_int p.mm (Arg.word p 1) 0; 0
  | 3 -> 1
  | 4 -> if Arg.long p 1 land lnot 1 <> 0 then Errno.fail Errno.einval else 0
  | 38 -> if Arg.word p 1 = 1 then 0 else Errno.fail Errno.einval
  | 39 -> 1
  | _ -> Errno.fail Errno.einval
