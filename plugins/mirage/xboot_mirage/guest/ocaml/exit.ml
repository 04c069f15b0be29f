(* The end of processes: what is given back, and who is told. *)

open Proc

(* Set by Signal, which needs this module too. *)
let send_hook : (t -> int -> int * int * int * int -> unit) ref = ref (fun _ _ _ -> ())

let sigchld = 17
let stops_ignored p = let a = p.handlers.actions.(sigchld) in a.handler = 1 || a.options land 2 <> 0 (* SA_NOCLDWAIT *)

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

(* One thread or process ends. *)
let finish p status =
  if not (is_zombie p) then begin
    if p.clear_tid <> 0 then begin
      (try User.put_int p.mm p.clear_tid 0 with Errno.Error _ -> ());
      List.iter (fun q -> if q != p && q.mm == p.mm then q.wake <- true) (all ()) (* futex waiters look again *)
    end;
    release_vfork p;
    close_all p.files;
    Mm.free p.mm;
    p.cwd.Vfs.opens <- p.cwd.Vfs.opens - 1;
    Vfs.release p.cwd;
    p.exe.Vfs.opens <- p.exe.Vfs.opens - 1;
    Vfs.release p.exe;
    p.state <- Zombie status;
    if p.pid = p.tgid then begin
      (* orphans belong to process 1, as in any process namespace *)
      List.iter (fun c -> c.parent <- 1; if is_zombie c then match find 1 with Some one when one != p -> tell_parent c (match c.state with Zombie s -> s | _ -> 0) | _ -> ())
        (children p);
      if p.pid <> 1 then tell_parent p status
    end
    else reap p
  end

(* exit_group: all threads of the process. *)
let finish_group p status =
  List.iter (fun q -> if q.pid <> q.tgid then finish q status) (threads p.tgid);
  match find p.tgid with Some leader -> finish leader status | None -> finish p status
