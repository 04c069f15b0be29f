(* System calls that make descriptors of events, and epoll. *)

open Proc

let o_cloexec = 0o2000000

(* A descriptor of something that has no name and no mode of its own. *)
let nameless p what ~flags ~readable ~writable =
  let inode = Vfs.make ~uid:0 ~gid:0 (Vfs.Device (0, 0)) 0o600 in
  inode.Vfs.nlink <- 1;
  let f = open_file inode what ~flags:(flags land Io.o_nonblock lor 2) ~path:"anon_inode" ~readable ~writable in
  install p f ~cloexec:(flags land o_cloexec <> 0)

let known flags mask = if flags land lnot mask <> 0 then Errno.fail Errno.einval

let eventfd_with p flags =
  known flags (o_cloexec lor Io.o_nonblock lor 1);
  nameless p (Event { count = Int64.of_int (Arg.uint p 0); semaphore = flags land 1 <> 0; writes = 0 }) ~flags ~readable:true ~writable:true

let eventfd p = eventfd_with p 0
let eventfd2 p = eventfd_with p (Arg.int p 1)

(* ---- timerfd *)

let timerfd_create p =
  known (Arg.int p 1) (o_cloexec lor Io.o_nonblock);
  (match Arg.int p 0 with 0 | 1 | 7 | 8 | 9 -> () | _ -> Errno.fail Errno.einval);
  let t = { clock = Arg.int p 0; used = None; at = 0; every = 0 } in
  let fd = nameless p (Timer t) ~flags:(Arg.int p 1) ~readable:true ~writable:true in
  timers := t :: !timers;
  fd

let timer p = match (file p (Arg.int p 0)).what with Timer t -> t | _ -> Errno.fail Errno.einval

let put_timer p t va ~wide =
  let left = Timer.left t in
  let b = Bytes.make (if wide then 32 else 16) '\000' in
  let set i v = if wide then User.set64 b (8 * i) v else User.set32 b (4 * i) v in
  List.iteri set [ t.every / 1_000_000_000; t.every mod 1_000_000_000; left / 1_000_000_000; left mod 1_000_000_000 ];
  User.write p.mm va b

let timerfd_gettime_with p ~wide = put_timer p (timer p) (Arg.word p 1) ~wide; 0

let timer_setting p va ~wide =
  let size = if wide then 16 else 8 in
  let every = Sys_signal.span_at p va ~wide ~scale:1 and value = Sys_signal.span_at p (va + size) ~wide ~scale:1 in
  if every < 0 || value < 0 then Errno.fail Errno.efault;
  (every, value)

let set_timer t ~absolute ~every ~value =
  t.every <- every;
  t.at <- (if value = 0 then 0 else if not absolute then Timer.now t + value else max 1 (if Option.is_some t.used || t.clock = 0 || t.clock = 8 || t.clock = 11 then value else value + !Clock.started))

let timerfd_settime_with p ~wide =
  let t = timer p and flags = Arg.int p 1 and old = Arg.word p 3 in
  known flags 3;
  let every, value = timer_setting p (Arg.word p 2) ~wide in
  if old <> 0 then put_timer p t old ~wide;
  set_timer t ~absolute:(flags land 1 <> 0) ~every ~value;
  0

let timerfd_gettime p = timerfd_gettime_with p ~wide:(is_wide p)
let timerfd_gettime64 p = timerfd_gettime_with p ~wide:true
let timerfd_settime p = timerfd_settime_with p ~wide:(is_wide p)
let timerfd_settime64 p = timerfd_settime_with p ~wide:true

(* ---- signalfd *)

let signalfd_with p flags =
  if Arg.word p 2 <> 8 then Errno.fail Errno.einval;
  known flags (o_cloexec lor Io.o_nonblock);
  let set = Signal.mask_in (User.read p.mm (Arg.word p 1) 8) 0 in
  match Arg.int p 0 with
  | -1 -> nameless p (Signals { set }) ~flags ~readable:true ~writable:true
  | fd -> (match (file p fd).what with Signals s -> s.set <- set; fd | _ -> Errno.fail Errno.einval)

let signalfd p = signalfd_with p 0
let signalfd4 p = signalfd_with p (Arg.int p 3)

(* ---- epoll *)

let epoll_with p flags =
  known flags o_cloexec;
  nameless p (Epoll { interests = [] }) ~flags ~readable:true ~writable:true

let epoll_create p = if Arg.int p 0 <= 0 then Errno.fail Errno.einval else epoll_with p 0
let epoll_create1 p = epoll_with p (Arg.int p 0)

(* How deep epolls lie in each other; one that holds [self] is a circle. *)
let rec depth self f =
  match f.what with
  | Epoll e ->
    if e == self then Errno.fail Errno.eloop;
    let below = List.fold_left (fun n i -> max n (depth self i.target)) 0 e.interests in
    if below >= 4 then Errno.fail Errno.eloop;
    below + 1
  | _ -> 0

let epoll_of f = match f.what with Epoll e -> e | Path_only -> Errno.fail Errno.ebadf | _ -> Errno.fail Errno.einval

let epoll_ctl p =
  let f = file p (Arg.int p 0) and fd = Arg.int p 2 in
  let target = file p fd in
  let event () =
    let b = User.read p.mm (Arg.word p 3) 12 in
    (User.u32 b 0, Bytes.get_int64_le b 4) in
  let operation = Arg.int p 1 in
  let fresh = if operation = 1 || operation = 3 then event () else (0, 0L) in
  (match f.what with Path_only -> Errno.fail Errno.ebadf | _ -> ());
  (match target.what with Plain | Directory | Null | Zero | Full -> Errno.fail Errno.eperm | Path_only -> Errno.fail Errno.ebadf | _ -> ());
  if f == target then Errno.fail Errno.einval;
  let e = epoll_of f in
  e.interests <- List.filter (fun i -> i.target.holders > 0) e.interests;
  let same i = i.fd = fd && i.target == target in
  let found = List.find_opt same e.interests in
  match (operation, found) with
  | 1, Some _ -> Errno.fail Errno.eexist
  | 1, None ->
    if List.length e.interests >= 4096 then Limit.reach Errno.enospc "4096 descriptors in one epoll";
    ignore (depth e target);
    let wanted, data = fresh in
    e.interests <- e.interests @ [ { fd; target; wanted; data; edge = (-1, -1, 0); off = false } ];
    0
  | (2 | 3), None -> Errno.fail Errno.enoent
  | 2, Some _ -> e.interests <- List.filter (fun i -> not (same i)) e.interests; 0
  | 3, Some i ->
    let wanted, data = fresh in
    i.wanted <- wanted;
    i.data <- data;
    i.off <- false;
    i.edge <- (-1, -1, 0);
    0
  | _ -> Errno.fail Errno.einval

let epoll_wait_until p =
  let e = epoll_of (file p (Arg.int p 0)) and most = Arg.int p 2 in
  if most <= 0 || most > 100_000_000 then Errno.fail Errno.einval;
  let ready () = List.exists (fun i -> Io.interest_ready p i <> 0) e.interests in
  if ready () then begin
    let b = Buffer.create 64 and count = ref 0 in
    let reported, others = List.partition (fun i ->
      let bits = if !count < most then Io.interest_ready p i else 0 in
      bits <> 0 && begin
        incr count;
        Buffer.add_int32_le b (Int32.of_int bits);
        Buffer.add_int64_le b i.data;
        let came, went = Io.motions p i.target in
        i.edge <- (came, went, Io.ready p i.target);
        if i.wanted land 0x40000000 <> 0 then i.off <- true;
        true
      end) e.interests in
    User.write p.mm (Arg.word p 1) (Buffer.to_bytes b);
    e.interests <- others @ reported; (* who was served goes behind the others *)
    !count
  end
  else if Clock.now () >= p.deadline then 0
  else raise (Wait (fun () -> ready () || Clock.now () >= p.deadline))

let milliseconds p n = let t = Arg.int p n in if t < 0 then -1 else t * 1_000_000

let epoll_wait p = Sys_signal.with_deadline p (milliseconds p 3); epoll_wait_until p
let epoll_pwait p = Sys_signal.with_deadline p (milliseconds p 3); Sys_signal.temporary_mask p (Arg.word p 4) ~size:(Arg.word p 5); epoll_wait_until p
let epoll_pwait2 p =
  Sys_signal.with_deadline p (Sys_signal.span_at p (Arg.word p 3) ~wide:true ~scale:1);
  Sys_signal.temporary_mask p (Arg.word p 4) ~size:(Arg.word p 5);
  epoll_wait_until p

(* ---- memory that has the form of a file *)

let memfd_create p =
  let name = User.string ~too_long:Errno.einval p.mm (Arg.word p 0) 250 and flags = Arg.int p 1 in
  known flags 3;
  let inode = Vfs.make ~uid:who.Vfs.user ~gid:who.Vfs.group (Vfs.File (Content.make ())) 0o777 in
  if flags land 2 <> 0 then inode.Vfs.seals <- 0;
  install p (open_file inode Plain ~flags:2 ~path:("/memfd:" ^ name ^ " (deleted)") ~readable:true ~writable:true) ~cloexec:(flags land 1 <> 0)
