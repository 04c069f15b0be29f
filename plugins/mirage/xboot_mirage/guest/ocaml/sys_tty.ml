(* What a terminal is asked and told. None of it leads to the console or the result channel: they are no terminals here. *)

open Proc

let o_noctty = 0o400 and o_cloexec = 0o2000000

(* An open file of what [open_] answers; what that has counted is undone when there is no room for the file. *)
let opened inode ~flags ~path ~readable ~writable open_ =
  demand_file ();
  open_file inode (open_ ()) ~flags:(flags land lnot o_noctty) ~path ~readable ~writable

let open_slave p t inode ~flags ~path ~readable ~writable =
  opened inode ~flags ~path ~readable ~writable (fun () -> Tty.open_slave p t ~take:(flags land o_noctty = 0 && readable))

let open_end p inode ~flags = open_slave p (Tty.of_inode inode) inode ~flags

let open_device p inode minor ~flags ~path ~readable ~writable =
  match minor with
  | 2 -> opened inode ~flags ~path ~readable ~writable (fun () -> Master (Tty.open_master ()))
  | _ ->
    match Tty.of_process p with
    | Some t -> open_slave p t inode ~flags:(flags lor o_noctty) ~path ~readable ~writable
    | None -> Errno.fail Errno.enxio

let peer p t flags =
  let access = flags land 3 in
  if access = 3 then Errno.fail Errno.einval;
  let f = open_slave p t t.slave_inode ~flags:(flags land (0o4003 lor o_noctty)) ~path:"" ~readable:(access <> 1) ~writable:(access <> 0) in
  install p f ~cloexec:(flags land o_cloexec <> 0)

let settings t =
  let b = Bytes.make 36 '\000' in
  Array.iteri (fun i v -> User.set32 b (4 * i) v) t.modes;
  Bytes.blit_string t.keys 0 b 16 20;
  b

(* struct termio, of System V: the lower halves, and the first keys *)
let old_settings t =
  let b = Bytes.make 18 '\000' in
  Array.iteri (fun i v -> Bytes.set_uint16_le b (2 * i) (v land 0xffff)) t.modes;
  Bytes.blit_string t.keys 0 b 8 9;
  b

let given p t va ~old =
  if old then
    let b = User.read p.mm va 18 in
    (Array.mapi (fun i v -> v land lnot 0xffff lor Bytes.get_uint16_le b (2 * i)) t.modes, Bytes.sub_string b 8 9 ^ String.sub t.keys 9 11)
  else
    let b = User.read p.mm va 36 in
    (Array.init 4 (fun i -> User.u32 b (4 * i)), Bytes.sub_string b 16 20)

let set p t va ~old ~flush =
  let modes, keys = given p t va ~old in
  modes.(2) <- modes.(2) land lnot 0o430 lor 0o260; (* eight bits, no parity *)
  if flush then Tty.flush t;
  Tty.set t modes keys;
  Tty.show t;
  0

let own p t = match Tty.of_process p with Some u -> u == t | None -> false

let become_controlling p f t =
  if Tty.leads p && own p t then 0
  else if (not (Tty.leads p)) || Tty.of_process p <> None || t.owner <> 0 || not f.readable then Errno.fail Errno.eperm
  else begin Tty.take p t; 0 end

let leave p t =
  if not (own p t) then Errno.fail Errno.enotty;
  List.iter (fun q -> q.no_terminal <- true) (threads p.tgid);
  if Tty.leads p then begin
    Tty.signal t 1;
    Tty.signal t 18;
    t.owner <- 0;
    t.foreground <- 0
  end;
  0

let set_foreground p t va =
  if not (own p t) then Errno.fail Errno.enotty;
  let group = User.get_int p.mm va in
  if group < 0 then Errno.fail Errno.einval;
  (match List.filter (fun q -> q.group = group) (all ()) with
   | [] -> Errno.fail Errno.esrch
   | members -> if List.exists (fun q -> q.session <> p.session) members then Errno.fail Errno.eperm);
  t.foreground <- group;
  0

let set_size p t va =
  let size = Bytes.to_string (User.read p.mm va 8) in
  if size <> t.window_size then begin t.window_size <- size; Tty.signal t 28 end;
  0

let ask_master p t request va =
  let tell v = User.put_int p.mm va v; 0 in
  match request with
  | 0x80045430 -> tell t.line
  | 0x40045431 -> t.locked <- User.get_int p.mm va <> 0; 0
  | 0x80045439 -> tell (if t.locked then 1 else 0)
  | 0x5441 -> peer p t va
  | _ -> Errno.fail Errno.enotty

let changes = [ 0x5402; 0x5403; 0x5404; 0x5406; 0x5407; 0x5408; 0x5409; 0x540a; 0x540b; 0x5410; 0x5425; 0x5427; 0x5428 ]

let ask p f t ~master request =
  let va = Arg.word p 2 in
  let tell v = User.put_int p.mm va v; 0 in
  if List.mem request changes then
    (try Tty.demand_foreground p t 22 with Errno.Error _ when request = 0x5410 -> Errno.fail Errno.enotty);
  match request with
  | 0x5401 -> User.write p.mm va (settings t); 0
  | 0x5402 | 0x5403 | 0x5404 -> set p t va ~old:false ~flush:(request = 0x5404)
  | 0x5405 -> User.write p.mm va (old_settings t); 0
  | 0x5406 | 0x5407 | 0x5408 -> set p t va ~old:true ~flush:(request = 0x5408)
  | 0x5456 -> User.zero p.mm va 36; 0 (* no setting is locked, *)
  | 0x5457 -> Errno.fail Errno.eperm (* which root alone could do *)
  | 0x5409 | 0x5425 | 0x5427 | 0x5428 -> 0 (* breaks, which nobody sees; all is sent at once *)
  | 0x540a ->
    (match va with
     | 0 -> t.stopped <- true
     | 1 -> t.stopped <- false; Tty.show t
     | 2 | 3 -> Tty.put t (String.make 1 t.keys.[1 + if va = 2 then Tty.key_stop else Tty.key_start])
     | _ -> Errno.fail Errno.einval);
    0
  | 0x540b ->
    if va < 0 || va > 2 then Errno.fail Errno.einval;
    if va <> 1 then (if master then ignore (Pipe.pull t.printed t.printed.Vfs.used (fun _ _ n _ -> n)) else Tty.flush t);
    0
  | 0x540e -> become_controlling p f t
  | 0x540f -> if master || own p t then tell t.foreground else Errno.fail Errno.enotty
  | 0x5410 -> set_foreground p t va
  | 0x5411 | 0x5424 -> tell 0
  | 0x5412 -> (* into one's own terminal alone *)
    if not (own p t) then Errno.fail Errno.eperm;
    Tty.type_ t (Bytes.get (User.read p.mm va 1) 0);
    Tty.show t;
    0
  | 0x5413 -> User.write_string p.mm va t.window_size; 0
  | 0x5414 -> set_size p t va
  | 0x541b -> tell (if master then t.printed.Vfs.used else Tty.readable t)
  | 0x541d -> Errno.fail Errno.eperm (* the console is not to be had *)
  | 0x5422 -> leave p t
  | 0x5429 -> if (master || own p t) && t.owner <> 0 then tell t.owner else Errno.fail Errno.enotty
  | _ -> if master then ask_master p t request va else Errno.fail Errno.enotty

let ioctl p f request =
  match f.what with
  | Master t -> ask p f t ~master:true request
  | Slave (t, turn) when Tty.is_dead t turn -> Errno.fail (if request = 0x5410 then Errno.enotty else Errno.eio)
  | Slave (t, _) -> ask p f t ~master:false request
  | _ -> Errno.fail Errno.enotty
