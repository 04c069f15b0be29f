(* futex: waiting for a word of memory to change, and waking who waits. Waiters are woken in the order in which they came. *)

open Proc

(* Where a word lies: private memory by address space, shared memory by file, so that processes meet there. *)
type key = Private of Mm.t * int | Shared of Vfs.inode * int

type waiter = { who : t; mutable key : key; bits : int }

let waiters : waiter list ref = ref []

let same a b =
  match (a, b) with
  | Private (m, x), Private (n, y) -> m == n && x = y
  | Shared (i, x), Shared (j, y) -> i == j && x = y
  | _ -> false

let key p va =
  if va land 3 <> 0 then Errno.fail Errno.einval;
  if not (User.ok_range p.mm va 4) then Errno.fail Errno.efault;
  match Mm.find p.mm va with
  | Some ({ Mm.shared = true; source = Mm.Backed (inode, offset); _ } as a) -> Shared (inode, offset + va - a.Mm.first)
  | Some _ -> Private (p.mm, va)
  | None -> Errno.fail Errno.efault

let leave p = waiters := List.filter (fun w -> w.who != p) !waiters

(* Those that still wait: a call that was interrupted, or a thread that ended, leaves its entry behind. *)
let waits w = (match w.who.state with Waiting _ -> true | _ -> false) && not w.who.wake

(* Wake up to [count] waiters of [key] whose bits meet [bits]; how many there were. *)
let wake_key key count bits =
  let woken = ref 0 in
  waiters := List.filter (fun w ->
    if not (waits w) then false
    else if !woken < count && same w.key key && w.bits land bits <> 0 then begin incr woken; w.who.wake <- true; false end
    else true) !waiters;
  !woken

let requeue from count to_ =
  let moved = ref 0 in
  List.iter (fun w -> if waits w && !moved < count && same w.key from then begin w.key <- to_; incr moved end) !waiters;
  !moved

let every = 0xffffffff

let () =
  Exit.wake_hook := (fun p va -> match key p va with k -> ignore (wake_key k 1 every) | exception Errno.Error _ -> ());
  (* A thread ends: each futex that it holds says so, and who waits for it goes on. *)
  Exit.robust_hook := (fun p ->
    if p.robust <> 0 then
      try
        let w = User.word_size p.mm in
        let head = p.robust in
        let offset = let b = User.read p.mm (head + w) w in if w = 8 then Int64.to_int (Bytes.get_int64_le b 0) else User.s32 b 0 in
        let died entry =
          let va = entry + offset in
          let v = User.u32 (User.read p.mm va 4) 0 in
          if v land 0x3fffffff = p.pid then begin
            User.put_int p.mm va ((v land 0x80000000) lor 0x40000000);
            if v land 0x80000000 <> 0 then ignore (wake_key (key p va) 1 every)
          end in
        let rec walk entry left =
          if entry <> head && entry land lnot 1 <> 0 && left > 0 then begin
            let next = User.word p.mm (entry land lnot 1) in
            died (entry land lnot 1);
            walk next (left - 1)
          end in
        walk (User.word p.mm head) 2048;
        let pending = User.word p.mm (head + (2 * w)) land lnot 1 in
        if pending <> 0 then died pending
      with Errno.Error _ -> ())

(* The end of a wait: relative for FUTEX_WAIT, else a point in time of the clock that the call names. *)
let deadline p va ~wide ~relative ~realtime =
  if va = 0 then max_int
  else begin
    let b = User.read p.mm va (if wide then 16 else 8) in
    let s, n = if wide then (User.i64 b 0, User.i64 b 8) else (User.s32 b 0, User.s32 b 4) in
    if s < 0 || n < 0 || n > 999_999_999 then Errno.fail Errno.einval;
    let span = if s > 1 lsl 31 then 1 lsl 61 else (s * 1_000_000_000) + n in
    if relative then Clock.now () + min span (1 lsl 61) else if realtime then span else span + !Clock.started
  end

let wait p va value bits ~wide ~relative ~realtime =
  if bits = 0 then Errno.fail Errno.einval;
  if p.wake then begin p.wake <- false; 0 end
  else begin
    let k = key p va in
    if p.deadline = -1 then begin
      let until = deadline p (Arg.word p 3) ~wide ~relative ~realtime in
      if User.get_int p.mm va <> Arg.sign32 value then Errno.fail Errno.eagain;
      p.deadline <- until;
      leave p;
      waiters := !waiters @ [ { who = p; key = k; bits } ]
    end;
    if Clock.now () >= p.deadline then begin leave p; Errno.fail Errno.etimedout end;
    raise (Wait (fun () -> p.wake || Clock.now () >= p.deadline))
  end

(* FUTEX_WAKE_OP: change the second word, wake at the first, and at the second if its old value passes a test. *)
let wake_op p va value =
  let va2 = Arg.word p 4 and encoded = Arg.uint p 5 in
  let first = key p va and second = key p va2 in
  let argument = let a = Arg.sign32 (encoded lsl 8) asr 20 in if encoded land 0x80000000 <> 0 then 1 lsl (a land 31) else a in
  let comparand = Arg.sign32 (encoded lsl 20) asr 20 in
  let old = User.get_int p.mm va2 in
  let fresh = match encoded lsr 28 land 7 with
    | 0 -> argument | 1 -> old + argument | 2 -> old lor argument | 3 -> old land lnot argument | 4 -> old lxor argument | _ -> Errno.fail Errno.enosys in
  let test = match encoded lsr 24 land 15 with
    | 0 -> old = comparand | 1 -> old <> comparand | 2 -> old < comparand | 3 -> old <= comparand | 4 -> old > comparand | 5 -> old >= comparand
    | _ -> Errno.fail Errno.enosys in
  User.put_int p.mm va2 fresh;
  let woken = wake_key first value every in
  woken + if test then wake_key second (Arg.int p 3) every else 0

let call p ~wide =
  let va = Arg.word p 0 and operation = Arg.int p 1 and value = Arg.int p 2 in
  let realtime = operation land 0x100 <> 0 in
  match operation land 0x7f with
  | 0 -> wait p va value every ~wide ~relative:true ~realtime
  | 9 -> wait p va value (Arg.uint p 5) ~wide ~relative:false ~realtime
  | 1 -> wake_key (key p va) (max 1 value) every
  | 10 -> if Arg.uint p 5 = 0 then Errno.fail Errno.einval else wake_key (key p va) (max 1 value) (Arg.uint p 5)
  | 3 | 4 as which ->
    let from = key p va and to_ = key p (Arg.word p 4) and most = Arg.int p 3 in
    if value < 0 || most < 0 then Errno.fail Errno.einval;
    if which = 4 && User.get_int p.mm va <> Arg.sign32 (Arg.word p 5) then Errno.fail Errno.eagain;
    let woken = wake_key from value every in
    woken + requeue from most to_
  | 5 -> wake_op p va value
  | _ -> Errno.fail Errno.enosys (* priority inheritance *)

let futex p = call p ~wide:(is_wide p)
let futex_time64 p = call p ~wide:true
