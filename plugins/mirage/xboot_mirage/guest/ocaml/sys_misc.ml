(* Names, times, limits, chance. *)

open Proc

let release = "6.1.0" (* what programs compare with the oldest kernel they can run on *)

(* What the machine is called depends on the step's system, as with the personality that the daemons set. *)
let machine = ref "i686"

let uname p =
  let b = Bytes.make 390 '\000' in
  let put n s = Bytes.blit_string s 0 b (65 * n) (String.length s) in
  put 0 "Linux";
  put 1 "localhost";
  put 2 release;
  put 3 "#1";
  put 4 !machine;
  put 5 "(none)";
  User.write p.mm (Arg.word p 0) b;
  0

let put_time p va ns ~wide ~scale =
  let b = Bytes.make (if wide then 16 else 8) '\000' in
  let set i v = if wide then User.set64 b (8 * i) v else User.set32 b (4 * i) v in
  set 0 (ns / 1_000_000_000);
  set 1 (ns mod 1_000_000_000 / scale);
  User.write p.mm va b

let time p =
  let now = Clock.now () / 1_000_000_000 in
  if Arg.word p 0 <> 0 then User.put_word p.mm (Arg.word p 0) now;
  now

let gettimeofday p =
  if Arg.word p 0 <> 0 then put_time p (Arg.word p 0) (Clock.now ()) ~wide:(is_wide p) ~scale:1000;
  if Arg.word p 1 <> 0 then User.write p.mm (Arg.word p 1) (Bytes.make 8 '\000');
  0

(* A number below 0 names the process or thread whose processor time it shows. *)
let processor_time p n =
  let pid = lnot (n asr 3) and thread = n land 4 <> 0 in
  Timer.account ();
  match if n land 3 = 3 then None else if pid > 0 then find pid else if thread then Some p else find p.tgid with
  | Some q when thread && q.tgid = p.tgid -> q.thread_cpu
  | Some q when (not thread) && q.pid = q.tgid -> q.shared.cpu
  | _ -> Errno.fail Errno.einval

let clock_value p = match Arg.int p 0 with
  | 0 | 5 | 8 | 11 -> Clock.now ()
  | 1 | 4 | 6 | 7 | 9 -> Clock.uptime ()
  | 2 -> Timer.account (); p.shared.cpu
  | 3 -> Timer.account (); p.thread_cpu
  | n when n < 0 -> processor_time p n
  | _ -> Errno.fail Errno.einval

let clock_gettime p = put_time p (Arg.word p 1) (clock_value p) ~wide:(is_wide p) ~scale:1; 0
let clock_gettime64 p = put_time p (Arg.word p 1) (clock_value p) ~wide:true ~scale:1; 0
let clock_getres_with p ~wide =
  ignore (clock_value p);
  if Arg.word p 1 <> 0 then put_time p (Arg.word p 1) 1_000 ~wide ~scale:1;
  0
let clock_getres p = clock_getres_with p ~wide:(is_wide p)
let clock_getres64 p = clock_getres_with p ~wide:true
let clock_settime p = Errno.fail (if Arg.int p 0 = 0 then Errno.eperm else Errno.einval)

let times p =
  Timer.account ();
  if Arg.word p 0 <> 0 then begin
    let w = User.word_size p.mm in
    List.iteri (fun i cpu -> User.put_word p.mm (Arg.word p 0 + (i * w)) (cpu / 10_000_000)) [ p.shared.cpu; 0; p.shared.children; 0 ]
  end;
  Clock.uptime () / 10_000_000

let getrusage p =
  Timer.account ();
  Sys_proc.put_usage p (Arg.word p 1) (match Arg.int p 0 with 0 -> p.shared.cpu | -1 -> p.shared.children | 1 -> p.thread_cpu | _ -> Errno.fail Errno.einval);
  0

let sysinfo p =
  let w = User.word_size p.mm in
  let b = Bytes.make (if w = 8 then 112 else 64) '\000' in
  let set i v = if w = 8 then User.set64 b (8 * i) v else User.set32 b (4 * i) v in
  let free = Base.frames_free () * Base.page in
  set 0 (Clock.uptime () / 1_000_000_000);
  set 4 (min free (if w = 8 then free else 0xffffffff));
  set 5 (min free (if w = 8 then free else 0xffffffff));
  Bytes.set_uint16_le b (10 * w) (count ());
  User.set32 b (if w = 8 then 104 else 52) 1;
  User.write p.mm (Arg.word p 0) b;
  0

(* Resource limits: those on descriptors, the size of files and the address space hold, the others are kept and shown. *)
let infinity = -1
let resource p n = if n >= 0 && n < 16 then (p.limits.soft.(n), p.limits.hard.(n)) else Errno.fail Errno.einval

let put_limits p va (soft, hard) ~wide =
  let b = Bytes.create (if wide then 16 else 8) in
  if wide then begin User.set64 b 0 soft; User.set64 b 8 hard end
  else begin User.set32 b 0 soft; User.set32 b 4 hard end;
  User.write p.mm va b

let getrlimit p = put_limits p (Arg.word p 1) (resource p (Arg.int p 0)) ~wide:(is_wide p); 0
let old_getrlimit p =
  let clip v = if v = infinity then 0x7fffffff else v in
  let soft, hard = resource p (Arg.int p 0) in
  put_limits p (Arg.word p 1) (clip soft, clip hard) ~wide:false;
  0

let set_limit p n soft hard =
  let _, most = resource p n in
  let above a b = b <> infinity && (a = infinity || a < 0 || a > b) in
  if above soft hard then Errno.fail Errno.einval;
  if above hard most then Errno.fail Errno.eperm;
  p.limits.soft.(n) <- soft;
  p.limits.hard.(n) <- hard

let setrlimit p =
  let b = User.read p.mm (Arg.word p 1) (2 * User.word_size p.mm) in
  let get i = if is_wide p then Int64.to_int (Bytes.get_int64_le b (8 * i)) else (match User.u32 b (4 * i) with 0xffffffff -> infinity | v -> v) in
  set_limit p (Arg.int p 0) (get 0) (get 1);
  0

let prlimit64 p =
  if Arg.int p 0 <> 0 && find (Arg.int p 0) = None then Errno.fail Errno.esrch;
  let target = match find (Arg.int p 0) with Some q -> q | None -> p in
  let n = Arg.int p 1 in
  let now = resource target n in
  if Arg.word p 2 <> 0 then begin
    let b = User.read p.mm (Arg.word p 2) 16 in
    set_limit target n (Int64.to_int (Bytes.get_int64_le b 0)) (Int64.to_int (Bytes.get_int64_le b 8))
  end;
  if Arg.word p 3 <> 0 then put_limits p (Arg.word p 3) now ~wide:true;
  0

let getrandom p =
  if Arg.uint p 2 land lnot 7 <> 0 then Errno.fail Errno.einval;
  Io.check_length p (Arg.word p 0) (Arg.long p 1);
  Io.generate p (Arg.word p 0) (min (Arg.long p 1) 0x1ffffff) (fun b n -> Io.random_bytes b 0 n)

let sched_yield p = if p.progress = 1 then 0 else begin p.progress <- 1; raise (Wait (fun () -> true)) end

(* Scheduling: policies without priorities are granted and have no effect (0 usual, 3 batch, 5 idle); those with priorities (1 and 2) nobody here may have. *)
let scheduled p =
  match Arg.int p 0 with
  | 0 -> p
  | pid when pid < 0 -> Errno.fail Errno.einval
  | pid -> (match find pid with Some q -> q | None -> Errno.fail Errno.esrch)

(* The processor that there is, of a thread. *)
let placed p = if Arg.int p 0 < 0 then Errno.fail Errno.esrch else ignore (scheduled p)

let sched_getaffinity p =
  let w = User.word_size p.mm in
  if Arg.uint p 1 < w || Arg.uint p 1 land (w - 1) <> 0 then Errno.fail Errno.einval;
  placed p;
  let b = Bytes.make w '\000' in
  Bytes.set_uint8 b 0 1;
  User.write p.mm (Arg.word p 2) b;
  w

let sched_setaffinity p =
  let first = if Arg.uint p 1 = 0 then 0 else Bytes.get_uint8 (User.read p.mm (Arg.word p 2) 1) 0 in
  placed p;
  if first land 1 = 0 then Errno.fail Errno.einval else 0

(* Nice values: kept and shown. Nobody gets back what he gave up. A call is about a thread (0), a process group (1), a user (2), by number, 0: the caller's own. *)
let in_nice_bounds v = max (-20) (min 19 v)

let concerned p =
  let who_ = Arg.int p 1 in
  let means q =
    match Arg.int p 0 with
    | 0 -> if who_ = 0 then q == p else q.pid = who_
    | 1 -> q.group = (if who_ = 0 then p.group else who_)
    | 2 -> who_ = 0 || who_ = who.Vfs.user
    | _ -> Errno.fail Errno.einval in
  match List.filter means (all ()) with [] -> Errno.fail Errno.esrch | found -> found

let getpriority p = List.fold_left (fun best q -> max best (20 - q.nice)) 1 (concerned p)

let setpriority p =
  let nice = in_nice_bounds (Arg.int p 2) in
  let lowered, others = List.partition (fun q -> nice < q.nice) (concerned p) in
  List.iter (fun q -> q.nice <- nice) others;
  if lowered <> [] then Errno.fail Errno.eacces else 0

let nice p =
  if Arg.int p 0 < 0 then Errno.fail Errno.eperm;
  p.nice <- in_nice_bounds (p.nice + min 40 (Arg.int p 0));
  0

(* Capabilities: a builder has none, as in nix's sandbox, and gets none. The header is a version and a process; the first version's sets have one part. *)
let capability_version = 0x20080522

let capability_parts p =
  let b = User.read p.mm (Arg.word p 0) 8 in
  match User.u32 b 0 with
  | 0x19980330 -> (Some 1, User.s32 b 4)
  | v when v = capability_version || v = 0x20071026 -> (Some 2, User.s32 b 4)
  | _ -> User.put_int p.mm (Arg.word p 0) capability_version; (None, 0)

let capget p =
  match capability_parts p with
  | _, _ when Arg.word p 1 = 0 -> 0 (* asked for the version alone *)
  | None, _ -> Errno.fail Errno.einval
  | Some _, pid when pid < 0 -> Errno.fail Errno.einval
  | Some _, pid when pid > 0 && find pid = None -> Errno.fail Errno.esrch
  | Some n, _ -> User.write p.mm (Arg.word p 1) (Bytes.make (12 * n) '\000'); 0

let capset p =
  match capability_parts p with
  | None, _ -> Errno.fail Errno.einval
  | Some _, pid when pid <> 0 && pid <> p.pid -> Errno.fail Errno.eperm
  | Some n, _ -> if Bytes.exists (fun c -> c <> '\000') (User.read p.mm (Arg.word p 1) (12 * n)) then Errno.fail Errno.eperm else 0

let priority_at p va = if va = 0 then Errno.fail Errno.einval else User.get_int p.mm va

let sched_get_priority_max p = match Arg.int p 0 with 1 | 2 -> 99 | 0 | 3 | 5 | 6 -> 0 | _ -> Errno.fail Errno.einval
let sched_get_priority_min p = match Arg.int p 0 with 1 | 2 -> 1 | 0 | 3 | 5 | 6 -> 0 | _ -> Errno.fail Errno.einval
let sched_getscheduler p = (scheduled p).policy
let sched_getparam p = if Arg.word p 1 = 0 then Errno.fail Errno.einval; ignore (scheduled p); User.put_int p.mm (Arg.word p 1) 0; 0

let sched_setparam p =
  let priority = priority_at p (Arg.word p 1) in
  ignore (scheduled p);
  if priority <> 0 then Errno.fail Errno.einval else 0

let sched_setscheduler p =
  let policy = Arg.int p 1 in
  if policy < 0 then Errno.fail Errno.einval;
  let priority = priority_at p (Arg.word p 2) in
  let target = scheduled p in
  match policy land lnot 0x40000000 (* SCHED_RESET_ON_FORK *) with
  | (0 | 3 | 5) as granted when priority = 0 -> target.policy <- granted; 0
  | 1 | 2 when priority >= 1 && priority <= 99 -> Errno.fail Errno.eperm
  | _ -> Errno.fail Errno.einval

(* A hundred milliseconds, after which another has its turn. *)
let rr_interval p ~wide = ignore (scheduled p); put_time p (Arg.word p 1) 100_000_000 ~wide ~scale:1; 0
let sched_rr_get_interval p = rr_interval p ~wide:(is_wide p)
let sched_rr_get_interval64 p = rr_interval p ~wide:true

let getcpu p = List.iter (fun n -> if Arg.word p n <> 0 then User.put_int p.mm (Arg.word p n) 0) [ 0; 1 ]; 0
let personality p = match Arg.uint p 0 with 0xffffffff -> if is_wide p then 0 else 8 | v when v land 0xff = 8 || v land 0xff = 0 -> if is_wide p then 0 else 8 | _ -> Errno.fail Errno.einval

let nothing _ = 0 (* granted without effect *)
let forbidden _ = Errno.fail Errno.eperm
let absent _ = Errno.fail Errno.enosys
