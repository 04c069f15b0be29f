(* System calls on signals, and those that wait for descriptors or time. *)

open Proc

let check_signal n = if n < 0 || n > 64 then Errno.fail Errno.einval

let kill p =
  let pid = Arg.int p 0 and n = Arg.int p 1 in
  check_signal n;
  let info = (0, p.tgid, who.Vfs.user, 0) in
  let leaders = List.filter (fun q -> q.pid = q.tgid) (all ()) in
  let chosen =
    if pid > 0 then List.filter (fun q -> q.pid = pid) (all ())
    else if pid = 0 then List.filter (fun q -> q.group = p.group) leaders
    else if pid = -1 then List.filter (fun q -> q.pid <> 1 && q.pid <> p.tgid) leaders
    else List.filter (fun q -> q.group = -pid) leaders in
  if chosen = [] then Errno.fail Errno.esrch;
  if n > 0 then List.iter (fun q -> Signal.send q n info) chosen;
  0

let to_thread p tid n =
  check_signal n;
  match find tid with
  | None -> Errno.fail Errno.esrch
  | Some q -> if n > 0 then Signal.post q n (-6, p.tgid, who.Vfs.user, 0); 0

let tkill p = if Arg.int p 0 <= 0 then Errno.fail Errno.einval else to_thread p (Arg.int p 0) (Arg.int p 1)
let tgkill p =
  if Arg.int p 0 <= 0 || Arg.int p 1 <= 0 then Errno.fail Errno.einval;
  (match find (Arg.int p 1) with Some q when q.tgid = Arg.int p 0 -> () | _ -> Errno.fail Errno.esrch);
  to_thread p (Arg.int p 1) (Arg.int p 2)

(* The siginfo that a program sends: it must not look as if the kernel, or kill, had sent it, but to oneself. *)
let info_at p va ~target =
  let b = User.read p.mm va 32 in
  let code = User.s32 b 8 and at = if is_wide p then 16 else 12 in
  if (code >= 0 || code = -6) && target <> p.tgid then Errno.fail Errno.eperm;
  (code, User.u32 b at, User.u32 b (at + 4), if is_wide p then User.i64 b (at + 8) else User.u32 b (at + 8))

let rt_sigqueueinfo p =
  let pid = Arg.int p 0 and n = Arg.int p 1 in
  let info = info_at p (Arg.word p 2) ~target:pid in
  check_signal n;
  match find pid with
  | None -> Errno.fail Errno.esrch
  | Some q -> if n > 0 then Signal.send q n info; 0

let rt_tgsigqueueinfo p =
  let tgid = Arg.int p 0 and tid = Arg.int p 1 and n = Arg.int p 2 in
  if tgid <= 0 || tid <= 0 then Errno.fail Errno.einval;
  let info = info_at p (Arg.word p 3) ~target:tgid in
  check_signal n;
  match find tid with
  | Some q when q.tgid = tgid -> if n > 0 then Signal.post q n info; 0
  | _ -> Errno.fail Errno.esrch

let set_action p n a =
  p.handlers.actions.(n) <- { a with mask = a.mask land lnot Signal.unblockable };
  if Signal.is_ignored p n then List.iter (fun q -> Signal.forget_signals q (Signal.bit n)) (threads p.tgid)

let demand_settable n = if n < 1 || n > 64 || n = 9 || n = 19 then Errno.fail Errno.einval

let rt_sigaction p =
  let n = Arg.int p 0 and act = Arg.word p 1 and old = Arg.word p 2 in
  if n < 1 || n > 64 || (act <> 0 && (n = 9 || n = 19)) then Errno.fail Errno.einval;
  if Arg.word p 3 <> 8 then Errno.fail Errno.einval;
  let w = User.word_size p.mm in
  let size = (3 * w) + 8 in
  let before = p.handlers.actions.(n) in
  let fresh = if act = 0 then None else begin
      let b = User.read p.mm act size in
      let get i = if w = 8 then User.i64 b (8 * i) else User.u32 b (4 * i) in
      Some { handler = get 0; options = get 1 land 0xffffffff; restorer = get 2; mask = Signal.mask_in b (3 * w) }
    end in
  if old <> 0 then begin
    let b = Bytes.make size '\000' in
    let set i v = if w = 8 then User.set64 b (8 * i) v else User.set32 b (4 * i) v in
    set 0 before.handler;
    set 1 before.options;
    set 2 before.restorer;
    Signal.mask_out b (3 * w) before.mask;
    User.write p.mm old b
  end;
  (match fresh with Some a when n <= 62 -> set_action p n a | _ -> ());
  0

(* i386's first sigaction: handler, 32-bit mask, flags, restorer *)
let sigaction p =
  let n = Arg.int p 0 and act = Arg.word p 1 and old = Arg.word p 2 in
  if n < 1 || n > 31 then Errno.fail Errno.einval;
  if act <> 0 then demand_settable n;
  let before = p.handlers.actions.(n) in
  let fresh = if act = 0 then None else begin
      let b = User.read p.mm act 16 in
      Some { handler = User.u32 b 0; mask = User.u32 b 4; options = User.u32 b 8; restorer = User.u32 b 12 }
    end in
  if old <> 0 then begin
    let b = Bytes.create 16 in
    List.iteri (fun i v -> User.set32 b (4 * i) v) [ before.handler; before.mask; before.options; before.restorer ];
    User.write p.mm old b
  end;
  (match fresh with Some a -> set_action p n a | None -> ());
  0

let signal p =
  let n = Arg.int p 0 in
  demand_settable n;
  if n > 62 then Errno.fail Errno.einval;
  let old = p.handlers.actions.(n).handler in
  set_action p n { handler = Arg.word p 1; options = Signal.sa_resethand lor Signal.sa_nodefer; restorer = 0; mask = 0 };
  old

let change_mask p how set =
  p.blocked <-
    (match how with
     | 0 -> p.blocked lor set
     | 1 -> p.blocked land lnot set
     | 2 -> set
     | _ -> Errno.fail Errno.einval) land lnot Signal.unblockable

let rt_sigprocmask p =
  if Arg.word p 3 <> 8 then Errno.fail Errno.einval;
  let before = p.blocked and old = Arg.word p 2 in
  if Arg.word p 1 <> 0 then change_mask p (Arg.int p 0) (Signal.mask_in (User.read p.mm (Arg.word p 1) 8) 0);
  if old <> 0 then begin let b = Bytes.create 8 in Signal.mask_out b 0 before; User.write p.mm old b end;
  0

let sigprocmask p =
  let before = p.blocked and old = Arg.word p 2 in
  if Arg.word p 1 <> 0 then begin
    let set = User.u32 (User.read p.mm (Arg.word p 1) 4) 0 in
    change_mask p (Arg.int p 0) (if Arg.int p 0 = 2 then (p.blocked land lnot 0xffffffff) lor set else set)
  end;
  if old <> 0 then User.put_int p.mm old (before land 0xffffffff);
  0

let rt_sigpending p =
  let size = Arg.word p 1 in
  if size > 8 || size < 0 then Errno.fail Errno.einval;
  let b = Bytes.create 8 in
  Signal.mask_out b 0 (Signal.pending p land p.blocked);
  User.write p.mm (Arg.word p 0) (Bytes.sub b 0 size);
  0

let never () = false

(* The mask of the call holds while it waits; the handler's frame restores the old one. *)
let suspend p mask =
  if p.saved_mask = None then p.saved_mask <- Some p.blocked;
  p.blocked <- mask land lnot Signal.unblockable;
  raise (Wait never)

let rt_sigsuspend p =
  if Arg.word p 1 <> 8 then Errno.fail Errno.einval;
  suspend p (Signal.mask_in (User.read p.mm (Arg.word p 0) 8) 0)
let sigsuspend p = suspend p (Arg.uint p 2)
let pause _ = raise (Wait never)

(* A frame that cannot be read is the program's fault, not an error that it could look at. *)
let return p take = (try take p with Errno.Error _ -> Signal.force p 11 (128, 0, 0, 0)); raise Sys_proc.Replaced
let sigreturn p = return p Signal.return_classic
let rt_sigreturn p = return p Signal.return_siginfo

let sigaltstack p =
  let w = User.word_size p.mm in
  let fresh = Arg.word p 0 and old = Arg.word p 1 in
  let base, size = p.alternate in
  let inside = Signal.on_alternate p (Signal.get p Base.rsp) in
  let next = if fresh = 0 then None else begin
      let b = User.read p.mm fresh (3 * w) in
      let get i = if w = 8 then User.i64 b (8 * i) else User.u32 b (4 * i) in
      if inside then Errno.fail Errno.eperm;
      match get 1 land 0xffffffff with
      | 2 -> Some (0, 0)
      | 0 | 1 -> if get 2 < 2048 then Errno.fail Errno.enomem else Some (get 0, get 2)
      | _ -> Errno.fail Errno.einval
    end in
  if old <> 0 then begin
    let b = Bytes.make (3 * w) '\000' in
    let set i v = if w = 8 then User.set64 b (8 * i) v else User.set32 b (4 * i) v in
    set 0 base;
    User.set32 b w (if size = 0 then 2 else if inside then 1 else 0);
    set 2 size;
    User.write p.mm old b
  end;
  (match next with Some a -> p.alternate <- a | None -> ());
  0

(* Wait for one of a set of signals (they are blocked, so they stay pending). *)
let rt_sigtimedwait p =
  if Arg.word p 3 <> 8 then Errno.fail Errno.einval;
  let set = Signal.mask_in (User.read p.mm (Arg.word p 0) 8) 0 in
  if Signal.pending p land set <> 0 then begin
    let n = Signal.next p set in
    let info = Signal.take p n in
    if Arg.word p 1 <> 0 then begin
      let b = Bytes.make 128 '\000' in
      Signal.put_info b 0 n info ~wide:(is_wide p);
      User.write p.mm (Arg.word p 1) b
    end;
    n
  end
  else begin
    if p.deadline = -1 then
      p.deadline <- (if Arg.word p 2 = 0 then max_int else begin
          let b = User.read p.mm (Arg.word p 2) (if is_wide p then 16 else 8) in
          let s, n = if is_wide p then (User.i64 b 0, User.i64 b 8) else (User.s32 b 0, User.s32 b 4) in
          Clock.now () + (s * 1_000_000_000) + n end);
    if Clock.now () >= p.deadline then Errno.fail Errno.eagain;
    raise (Wait (fun () -> Signal.pending p land set <> 0 || Clock.now () >= p.deadline))
  end

(* ---- waiting for descriptors *)

let events p fd wanted =
  match file_at p.files fd with
  | None -> 0x20
  | Some f -> Io.ready p f land (wanted lor Io.poll_err lor Io.poll_hup lor 0x20)

let with_deadline p span = if p.deadline = -1 then p.deadline <- (if span < 0 then max_int else if span > 1 lsl 60 then max_int else Clock.now () + span)

let poll_until p =
  let count = Arg.uint p 1 in
  if count > Limit.descriptors then Errno.fail Errno.einval;
  let va = Arg.word p 0 in
  let b = User.read p.mm va (8 * count) in
  let scan () =
    let ready = ref 0 in
    for i = 0 to count - 1 do
      let fd = User.s32 b (8 * i) in
      let r = if fd < 0 then 0 else events p fd (Bytes.get_uint16_le b ((8 * i) + 4)) in
      Bytes.set_uint16_le b ((8 * i) + 6) r;
      if r <> 0 then incr ready
    done;
    !ready in
  let ready = scan () in
  if ready > 0 || Clock.now () >= p.deadline then begin User.write p.mm va b; ready end
  else raise (Wait (fun () -> scan () > 0 || Clock.now () >= p.deadline))

let poll p = with_deadline p (let t = Arg.int p 2 in if t < 0 then -1 else t * 1_000_000); poll_until p

let span_at p va ~wide ~scale =
  if va = 0 then -1
  else begin
    let b = User.read p.mm va (if wide then 16 else 8) in
    let s, n = if wide then (User.i64 b 0, User.i64 b 8) else (User.s32 b 0, User.s32 b 4) in
    if s < 0 || n < 0 || n * scale > 999_999_999 * (if scale = 1 then 1 else 1000) then Errno.fail Errno.einval;
    if s > 1 lsl 31 then 1 lsl 61 else (s * 1_000_000_000) + (n * scale) (* also a moment of a clock: those of this century must fit *)
  end

let temporary_mask p va ~size = if va <> 0 && size <> 8 then Errno.fail Errno.einval else if va <> 0 && p.saved_mask = None then begin
    let mask = Signal.mask_in (User.read p.mm va 8) 0 in
    p.saved_mask <- Some p.blocked;
    p.blocked <- mask
  end

let ppoll_with p ~wide =
  with_deadline p (span_at p (Arg.word p 2) ~wide ~scale:1);
  temporary_mask p (Arg.word p 3) ~size:(Arg.word p 4);
  poll_until p

let ppoll p = ppoll_with p ~wide:(is_wide p)
let ppoll_time64 p = ppoll_with p ~wide:true

let select_sets p ~read ~write ~except =
  let count = Arg.int p 0 in
  if count < 0 then Errno.fail Errno.einval;
  let count = min count Limit.descriptors in
  let size = (count + 31) / 32 * 4 in
  let get va = if va = 0 then Bytes.make size '\000' else User.read p.mm va size in
  let r = get read and w = get write and x = get except in
  let member b fd = Bytes.get_uint8 b (fd / 8) lsr (fd land 7) land 1 = 1 in
  let scan () =
    let ready = ref 0 in
    let ro = Bytes.make size '\000' and wo = Bytes.make size '\000' in
    let mark b fd = incr ready; Bytes.set_uint8 b (fd / 8) (Bytes.get_uint8 b (fd / 8) lor (1 lsl (fd land 7))) in
    for fd = 0 to count - 1 do
      if member r fd || member w fd || member x fd then begin
        let e = events p fd 5 in
        if e land 0x20 <> 0 then Errno.fail Errno.ebadf;
        if member r fd && e land 0x19 <> 0 then mark ro fd; (* an error, too: a read would tell it *)
        if member w fd && e land 0xc <> 0 then mark wo fd
      end
    done;
    (!ready, ro, wo) in
  let ready, ro, wo = scan () in
  if ready > 0 || Clock.now () >= p.deadline then begin
    if read <> 0 then User.write p.mm read ro;
    if write <> 0 then User.write p.mm write wo;
    if except <> 0 then User.write p.mm except (Bytes.make size '\000');
    ready
  end
  else raise (Wait (fun () -> Clock.now () >= p.deadline || match scan () with n, _, _ -> n > 0 | exception Errno.Error _ -> true))

let select p =
  with_deadline p (span_at p (Arg.word p 4) ~wide:(is_wide p) ~scale:1000);
  select_sets p ~read:(Arg.word p 1) ~write:(Arg.word p 2) ~except:(Arg.word p 3)

let pselect_with p ~wide =
  with_deadline p (span_at p (Arg.word p 4) ~wide ~scale:1);
  let pair = Arg.word p 5 in
  if pair <> 0 then temporary_mask p (User.word p.mm pair) ~size:(User.word p.mm (pair + User.word_size p.mm));
  select_sets p ~read:(Arg.word p 1) ~write:(Arg.word p 2) ~except:(Arg.word p 3)

let pselect6 p = pselect_with p ~wide:(is_wide p)
let pselect6_time64 p = pselect_with p ~wide:true

(* ---- sleeping *)

let sleep p span =
  if p.deadline = -1 then p.deadline <- Clock.now () + span;
  if Clock.now () >= p.deadline then 0 else raise (Wait (fun () -> Clock.now () >= p.deadline))

let need_span p va ~wide = if va = 0 then Errno.fail Errno.efault else span_at p va ~wide ~scale:1

let nanosleep p = sleep p (need_span p (Arg.word p 0) ~wide:(is_wide p))

let clock_nanosleep_with p ~wide =
  (match Arg.int p 0 with 0 | 1 | 7 | 8 | 9 | 11 -> () | n when n = 2 || n < 0 -> Errno.fail Errno.enotsup (* nobody waits for processor time but by a timer *) | _ -> Errno.fail Errno.einval);
  let span = need_span p (Arg.word p 2) ~wide in
  let span = if Arg.int p 1 land 1 <> 0 then span - (if Arg.int p 0 = 0 then Clock.now () else Clock.uptime ()) else span in
  sleep p (max 0 span)

let clock_nanosleep p = clock_nanosleep_with p ~wide:(is_wide p)
let clock_nanosleep_time64 p = clock_nanosleep_with p ~wide:true

let set_alarm t ~every ~value =
  t.at <- (if value = 0 then 0 else Timer.now t + value);
  t.every <- every

let alarm p =
  let t = p.shared.alarms.(0) in
  let left = if t.at = 0 then 0 else max 1 ((t.at - Timer.now t + 999_999_999) / 1_000_000_000) in
  set_alarm t ~every:0 ~value:(Arg.uint p 0 * 1_000_000_000);
  left

let put_timer p t va =
  let w = User.word_size p.mm in
  let left = if t.at = 0 then 0 else max 1000 (t.at - Timer.now t) in
  let b = Bytes.make (4 * w) '\000' in
  let set i v = if w = 8 then User.set64 b (8 * i) v else User.set32 b (4 * i) v in
  set 0 (t.every / 1_000_000_000);
  set 1 (t.every mod 1_000_000_000 / 1000);
  set 2 (left / 1_000_000_000);
  set 3 (left mod 1_000_000_000 / 1000);
  User.write p.mm va b

let interval_timer p = match Arg.int p 0 with 0 | 1 | 2 as n -> p.shared.alarms.(n) | _ -> Errno.fail Errno.einval

let getitimer p = put_timer p (interval_timer p) (Arg.word p 1); 0

let setitimer p =
  let t = interval_timer p in
  let w = User.word_size p.mm in
  let fresh = if Arg.word p 1 = 0 then (0, 0) else begin
      let b = User.read p.mm (Arg.word p 1) (4 * w) in
      let get i = if w = 8 then User.i64 b (8 * i) else User.s32 b (4 * i) in
      let span s u = if s < 0 || s > 1 lsl 29 || u < 0 || u > 999_999 then Errno.fail Errno.einval else (s * 1_000_000_000) + (u * 1000) in
      let interval = span (get 0) (get 1) in
      (interval, span (get 2) (get 3))
    end in
  if Arg.word p 2 <> 0 then put_timer p t (Arg.word p 2);
  let every, value = fresh in
  set_alarm t ~every ~value;
  0
