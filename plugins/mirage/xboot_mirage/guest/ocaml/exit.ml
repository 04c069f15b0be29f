(* The end of processes: what is given back, and who is told. *)

open Proc

(* Set by Signal, which needs this module too. *)
let send_hook : (t -> int -> int * int * int * int -> unit) ref = ref (fun _ _ _ -> ())

let sigchld = 17
let stops_ignored p = let a = p.handlers.actions.(sigchld) in a.handler = 1 || a.options land 2 <> 0 (* SA_NOCLDWAIT *)

(* Set by Tty: a process ends that may lead a session. *)
let leader_ends : (t -> unit) ref = ref ignore

let release_vfork p =
  if p.vfork_parent <> 0 then begin
    (match find p.vfork_parent with Some q -> q.wake <- true | None -> ());
    p.vfork_parent <- 0
  end

(* A zombie's last trace. *)
let reap p =
  ignore (Base.ctx_free p.context);
  forget p

let tell_parent p status =
  match find p.parent with
  | Some q when not (is_zombie q) ->
    let code = if status land 0x7f = 0 then 1 else 2 in
    let value = if status land 0x7f = 0 then status lsr 8 else status land 0x7f in
    if p.exit_signal > 0 then !send_hook q p.exit_signal (code, p.pid, 1000, value);
    if p.exit_signal = sigchld && stops_ignored q then reap p
  | _ -> reap p

(* Set by Futex, which needs this module's users: wake one who waits at an address; walk the list of robust futexes. *)
let wake_hook : (t -> int -> unit) ref = ref (fun _ _ -> ())
let robust_hook : (t -> unit) ref = ref (fun _ -> ())

(* Set by Semaphores: what a process did to them is undone. *)
let undo_hook : (t -> unit) ref = ref (fun _ -> ())

(* A child that never came to be: what it holds is given back. *)
let discard p =
  close_all p.files;
  Mm.free p.mm;
  leave_place p.place;
  p.exe.Vfs.opens <- p.exe.Vfs.opens - 1;
  ignore (Base.ctx_free p.context)

(* A group that was somebody's job, and now is nobody's: if one of its processes is stopped, all are told, and go on. *)
let orphaned member =
  let group = List.filter (fun q -> q.group = member.group && q.pid = q.tgid) (all ()) in
  if is_orphaned member && List.exists (fun q -> match q.state with Stopped -> true | _ -> false) group then
    List.iter (fun n -> List.iter (fun q -> !send_hook q n (128, 0, 0, 0)) group) [ 1; 18 ]

(* The last thread of a process has ended. *)
let process_ended leader status =
  leader.state <- Zombie status;
  Timer.forget_all leader.shared;
  !leader_ends leader;
  !undo_hook leader;
  let orphans = children leader in
  (* orphans belong to process 1, as in any process namespace *)
  List.iter (fun c ->
    c.parent <- 1;
    if is_zombie c && has_ended c.tgid then match find 1 with Some one when one != leader -> tell_parent c (match c.state with Zombie s -> s | _ -> 0) | _ -> ())
    (children leader);
  let was_job_of p q = p.session = q.session && p.group <> q.group in
  List.iter (fun c -> if was_job_of leader c then orphaned c) orphans;
  (match find leader.parent with Some q when was_job_of q leader -> orphaned leader | _ -> ());
  if leader.pid <> 1 then tell_parent leader status

(* One thread ends. A process has ended when the last one has; its first thread stays until then, as what its parent waits for. *)
let finish p status =
  if not (is_zombie p) then begin
    !robust_hook p;
    if p.clear_tid <> 0 && p.mm.Mm.users > 1 then begin
      (try User.put_int p.mm p.clear_tid 0 with Errno.Error _ -> ());
      !wake_hook p p.clear_tid
    end;
    release_vfork p;
    close_all p.files;
    Mm.free p.mm;
    leave_place p.place;
    p.exe.Vfs.opens <- p.exe.Vfs.opens - 1;
    Vfs.release p.exe;
    p.state <- Zombie status;
    let leader = if p.pid = p.tgid then Some p else find p.tgid in
    if p.pid <> p.tgid then reap p;
    match leader with
    | Some leader when has_ended p.tgid ->
      (* without exit_group the last thread's status counts, as on Linux *)
      process_ended leader (match p.shared.ended with Some s -> s | None -> status)
    | _ -> ()
  end

(* exit_group: all threads of the process. *)
let finish_group p status =
  if p.shared.ended = None then p.shared.ended <- Some status;
  let all = threads p.tgid in
  List.iter (fun q -> if q.pid <> q.tgid then finish q status) all;
  List.iter (fun q -> if q.pid = q.tgid then finish q status) all
