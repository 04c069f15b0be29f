(* Signals: sending, choosing, building the frame that a handler returns through. *)

open Proc

let bit n = 1 lsl (n - 1)
let sigkill = 9 and sigcont = 18 and sigstop = 19 and sigsegv = 11
let unblockable = bit sigkill lor bit sigstop
let stopping = bit 19 lor bit 20 lor bit 21 lor bit 22
let ignored_by_default = bit 17 lor bit 18 lor bit 23 lor bit 28
let sa_siginfo = 4 and sa_onstack = 0x08000000 and sa_restart = 0x10000000 and sa_nodefer = 0x40000000
and sa_resethand = 0x80000000 and sa_restorer = 0x04000000

let is_ignored p n =
  let a = p.handlers.actions.(n) in
  a.handler = 1 || (a.handler = 0 && bit n land ignored_by_default <> 0)

(* As in any process namespace, process 1 gets from inside only the signals that it handles. *)
let spared p n = p.tgid = 1 && p.handlers.actions.(n).handler = 0

let pending p = p.pending lor p.shared.pending
let deliverable p = pending p land lnot (p.blocked land lnot unblockable)

let first_real_time = 32
let queue_limit = 1024 (* real-time signals that wait in one queue *)

(* One more in a queue: an ordinary signal waits once, a real-time signal as often as it was sent, and so does a timer's. Does it wait there, with its info? *)
let enqueue ?(each = false) queue pending n info =
  let room = ((each || n >= first_real_time) && Queue.length queue < queue_limit) || pending land bit n = 0 in
  if room then Queue.push (n, info) queue;
  room

(* Take the first of signal [n] out: its info, and whether another waits. *)
let dequeue queue n =
  let kept = Queue.create () and found = ref None and more = ref false in
  Queue.iter (fun ((m, info) as entry) ->
    if m = n && !found = None then found := Some info
    else begin if m = n then more := true; Queue.push entry kept end) queue;
  Queue.clear queue;
  Queue.transfer kept queue;
  ((match !found with Some info -> info | None -> (0, 0, 0, 0)), !more)

(* Take a pending signal: the thread's own before the process's. *)
let take p n =
  if p.pending land bit n <> 0 then begin
    let info, more = dequeue p.queue n in
    if not more then p.pending <- p.pending land lnot (bit n);
    Timer.taken p n info
  end else begin
    let info, more = dequeue p.shared.queue n in
    if not more then p.shared.pending <- p.shared.pending land lnot (bit n);
    Timer.taken p n info
  end

(* Forget pending signals of a set. *)
let forget_signals p set =
  let drop queue =
    let kept = Queue.create () in
    Queue.iter (fun ((n, _) as entry) -> if set land bit n = 0 then Queue.push entry kept) queue;
    Queue.clear queue;
    Queue.transfer kept queue in
  p.pending <- p.pending land lnot set;
  drop p.queue;
  p.shared.pending <- p.shared.pending land lnot set;
  drop p.shared.queue

let resume_stopped p = match p.state with Stopped -> p.state <- Ready; p.shared.continued <- true | _ -> ()

(* SIGCONT and SIGKILL let a stopped process run again. *)
let wake_stopped p n =
  if n = sigcont || n = sigkill then
    List.iter (fun q -> resume_stopped q; forget_signals q stopping) (threads p.tgid)

(* To one thread. *)
let deposit ~each p n info =
  n >= 1 && n <= 62 && not (is_zombie p) && begin
    wake_stopped p n;
    not ((spared p n || is_ignored p n) && p.blocked land bit n = 0) && begin
      p.shared.signalled <- p.shared.signalled + 1;
      let waits = enqueue ~each p.queue p.pending n info in
      p.pending <- p.pending lor bit n;
      waits
    end
  end

let post p n info = ignore (deposit ~each:false p n info)

(* To a process: whichever of its threads does not block the signal will take it, the first one first. *)
let deposit_process ~each p n info =
  n >= 1 && n <= 62 &&
    match List.filter (fun q -> not (is_zombie q)) (threads p.tgid) with
    | [] -> false
    | all ->
      wake_stopped p n;
      not ((spared p n || is_ignored p n) && List.exists (fun q -> q.blocked land bit n = 0) all) && begin
        p.shared.signalled <- p.shared.signalled + 1;
        let waits = enqueue ~each p.shared.queue p.shared.pending n info in
        p.shared.pending <- p.shared.pending lor bit n;
        waits
      end

let send p n info = ignore (deposit_process ~each:false p n info)

(* A timer of the process has fired. Where its signal is ignored, or nobody is there for it, it goes on. *)
let expire p o =
  let info = (Timer.si_timer, o.number, 0, o.value) in
  o.sent <-
    (if o.thread = 0 then deposit_process ~each:true p o.signal info
     else match find o.thread with Some q when q.tgid = p.tgid -> deposit ~each:true q o.signal info | _ -> false);
  if not o.sent then Timer.go_on o.clock_timer (Timer.fired o.clock_timer)

let () = Exit.send_hook := send

(* A fault of the program's own: cannot be ignored, and ends even process 1. *)
let force p n info =
  let a = p.handlers.actions.(n) in
  if a.handler <= 1 || p.blocked land bit n <> 0 then Exit.finish_group p n
  else begin
    ignore (enqueue p.queue p.pending n info);
    p.pending <- p.pending lor bit n
  end

let get p slot = Base.ctx_get p.context slot
let set p slot v = ignore (Base.ctx_set p.context slot v)


let put_info b off n (code, x, y, z) ~wide =
  User.set32 b off n;
  User.set32 b (off + 8) code;
  let off = off + if wide then 16 else 12 in
  if n = 4 || n = 7 || n = 8 || n = 11 then (if wide then User.set64 b off x else User.set32 b off x)
  else begin
    User.set32 b off x;
    User.set32 b (off + 4) y;
    if wide then User.set64 b (off + 8) z else User.set32 b (off + 8) z
  end

let mask_out b off mask =
  User.set32 b off (mask land 0xffffffff);
  User.set32 b (off + 4) (mask lsr 32)

let mask_in b off = (User.u32 b off lor (User.u32 b (off + 4) lsl 32)) land lnot unblockable land ((1 lsl 62) - 1)

(* The slots of sigcontext in order. i386: from offset 16; x86_64: from 0. *)
let order32 = Base.[| rdi; rsi; rbp; rsp; rbx; rdx; rcx; rax |]
let order64 = Base.[| r8; r9; r10; r11; 12; 13; 14; 15; rdi; rsi; rbp; rbx; rdx; rax; rcx; rsp; rip; rflags |]

let put_context p b off fp =
  if is_wide p then begin
    (* as bytes: all 64 bits of a register are the program's *)
    let raw = Bytes.create 8 in
    Array.iteri (fun i slot -> ignore (Base.ctx_get_bytes p.context (8 * slot) raw 8); Bytes.blit raw 0 b (off + (8 * i)) 8) order64;
    Bytes.set_uint16_le b (off + 144) 0x33;
    Bytes.set_uint16_le b (off + 150) 0x2b;
    User.set64 b (off + 152) (get p Base.trap_error);
    User.set64 b (off + 176) (get p Base.trap_address);
    User.set64 b (off + 184) fp
  end else begin
    List.iteri (fun i slot -> User.set32 b (off + (4 * i)) (get p slot)) [ Base.gs; Base.fs; 22; 21 ];
    Array.iteri (fun i slot -> User.set32 b (off + 16 + (4 * i)) (get p slot)) order32;
    User.set32 b (off + 52) (get p Base.trap_error);
    User.set32 b (off + 56) (get p Base.rip);
    User.set32 b (off + 60) 0x23;
    User.set32 b (off + 64) (get p Base.rflags);
    User.set32 b (off + 68) (get p Base.rsp);
    User.set32 b (off + 72) 0x2b;
    User.set32 b (off + 76) fp;
    User.set32 b (off + 80) p.blocked;
    User.set32 b (off + 84) (get p Base.trap_address)
  end

(* What comes back from the program's stack may be anything: run_user (cpu.c) makes flags and selectors harmless, here it is MXCSR. *)
let take_context p b off =
  let fp =
    if is_wide p then begin
      Array.iteri (fun i slot -> ignore (Base.ctx_set_bytes p.context (8 * slot) (Bytes.sub b (off + (8 * i)) 8) 8)) order64;
      User.i64 b (off + 184)
    end else begin
      List.iteri (fun i slot -> set p slot (User.u32 b (off + (4 * i)) land 0xffff)) [ Base.gs; Base.fs; 22; 21 ];
      Array.iteri (fun i slot -> set p slot (User.u32 b (off + 16 + (4 * i)))) order32;
      set p Base.rip (User.u32 b (off + 56));
      set p Base.rflags (User.u32 b (off + 64));
      User.u32 b (off + 76)
    end in
  if fp <> 0 then begin
    let image = User.read p.mm fp 512 in
    Bytes.set_uint16_le image 26 0;
    ignore (Base.ctx_set_bytes p.context Base.fpu_offset image 512)
  end

let on_alternate p sp = let base, size = p.alternate in size > 0 && sp > base && sp <= base + size

(* Arrange that the program continues in its handler. *)
let push_frame p n a info_ =
  let wide = is_wide p in
  let sp = get p Base.rsp in
  let sp = if a.options land sa_onstack <> 0 && snd p.alternate > 0 && not (on_alternate p sp) then fst p.alternate + snd p.alternate
    else if wide then sp - 128 else sp in
  let fp = (sp - 512) land lnot 63 in
  let image = Bytes.create 512 in
  ignore (Base.ctx_get_bytes p.context Base.fpu_offset image 512);
  User.write p.mm fp image;
  let mask = match p.saved_mask with Some m -> m | None -> p.blocked in
  p.saved_mask <- None;
  let restorer = if a.options land sa_restorer <> 0 then a.restorer else 0 in
  if wide then begin
    let frame = ((fp - 440) land lnot 15) - 8 in
    let b = Bytes.make 440 '\000' in
    User.set64 b 0 restorer;
    User.set64 b 24 (fst p.alternate);
    User.set64 b 40 (snd p.alternate);
    put_context p b 48 fp;
    mask_out b 304 mask;
    put_info b 312 n info_ ~wide;
    User.write p.mm frame b;
    set p Base.rdi n;
    set p Base.rsi (frame + 312);
    set p Base.rdx (frame + 8);
    set p Base.rax 0;
    set p Base.rsp frame
  end
  else if a.options land sa_siginfo <> 0 then begin
    (* return address, signal, &info, &context, info (128), context: flags link stack(12) sigcontext(88) mask, code *)
    let size = 16 + 128 + 20 + 88 + 8 + 8 in
    let frame = ((fp - size) land lnot 15) - 4 in
    let b = Bytes.make size '\000' in
    let info = frame + 16 and uc = frame + 144 in
    User.set32 b 0 (if restorer <> 0 then restorer else frame + size - 8);
    User.set32 b 4 n;
    User.set32 b 8 info;
    User.set32 b 12 uc;
    put_info b 16 n info_ ~wide;
    User.set32 b 152 (fst p.alternate);
    User.set32 b 160 (snd p.alternate);
    put_context p b 164 fp;
    mask_out b 252 mask;
    Bytes.blit_string "\xb8\xad\000\000\000\xcd\x80\000" 0 b (size - 8) 8; (* mov $173, %eax; int $0x80 *)
    User.write p.mm frame b;
    set p Base.rsp frame;
    set p Base.rax n;
    set p Base.rdx info;
    set p Base.rcx uc
  end
  else begin
    (* return address, signal, sigcontext (88), upper half of the mask, code *)
    let size = 8 + 88 + 4 + 8 in
    let frame = ((fp - size) land lnot 15) - 4 in
    let b = Bytes.make size '\000' in
    User.set32 b 0 (if restorer <> 0 then restorer else frame + size - 8);
    User.set32 b 4 n;
    put_context p b 8 fp;
    User.set32 b 88 (mask land 0xffffffff);
    User.set32 b 96 (mask lsr 32);
    Bytes.blit_string "\x58\xb8\x77\000\000\000\xcd\x80" 0 b (size - 8) 8; (* pop %eax; mov $119, %eax; int $0x80 *)
    User.write p.mm frame b;
    set p Base.rsp frame;
    set p Base.rax n;
    set p Base.rdx 0;
    set p Base.rcx 0
  end;
  set p Base.rip a.handler;
  set p Base.rflags (get p Base.rflags land lnot 0x500);
  p.blocked <- (p.blocked lor a.mask lor if a.options land sa_nodefer <> 0 then 0 else bit n) land lnot unblockable;
  if a.options land sa_resethand <> 0 then p.handlers.actions.(n) <- no_action

let return_classic p =
  let frame = get p Base.rsp - 8 in
  let b = User.read p.mm frame 100 in
  p.blocked <- (User.u32 b 88 lor (User.u32 b 96 lsl 32)) land lnot unblockable land ((1 lsl 62) - 1);
  take_context p b 8

let return_siginfo p =
  if is_wide p then begin
    let b = User.read p.mm (get p Base.rsp - 8) 440 in
    p.blocked <- mask_in b 304;
    take_context p b 48
  end else begin
    let b = User.read p.mm (get p Base.rsp - 4) 260 in
    p.blocked <- mask_in b 252;
    take_context p b 164
  end

let rec lowest mask n = if mask land bit n <> 0 then n else lowest mask (n + 1)

(* Of a set that has some that wait: the thread's own come first, as on Linux. *)
let next p set = lowest (if p.pending land set <> 0 then p.pending land set else p.shared.pending land set) 1

let rec deliver p =
  let ready = deliverable p in
  if ready <> 0 && is_ready p then begin
    let n = next p ready in
    let info = take p n in
    let a = p.handlers.actions.(n) in
    if n = sigkill then Exit.finish_group p n
    else if a.handler = 1 then deliver p
    else if a.handler = 0 then begin
      if bit n land ignored_by_default <> 0 || spared p n then deliver p
      else if bit n land stopping <> 0 && n <> sigstop && is_orphaned p then deliver p (* nobody's job *)
      else if bit n land stopping <> 0 then begin
        List.iter (fun q -> q.stop_signal <- n; if not (is_zombie q) then q.state <- Stopped) (threads p.tgid);
        p.stop_reported <- false;
        p.shared.continued <- false;
        match find p.parent with
        | Some q when q.handlers.actions.(Exit.sigchld).options land 1 = 0 (* SA_NOCLDSTOP *) -> send q Exit.sigchld (5, p.pid, 1000, n)
        | _ -> ()
      end
      else Exit.finish_group p n
    end
    else
      match push_frame p n a info with
      | () -> deliver p
      | exception Errno.Error _ -> Exit.finish_group p sigsegv (* no stack to put the frame on *)
  end;
  match p.saved_mask with
  | Some m when is_ready p && deliverable p = 0 -> p.blocked <- m; p.saved_mask <- None
  | _ -> ()

(* A call that waits is interrupted by a signal with a handler; [restart] tells whether it is to be made again afterwards. *)
let interrupts p =
  let ready = deliverable p in
  ready <> 0 && (let n = next p ready in not (is_ignored p n))

let wants_restart p =
  let n = next p (deliverable p) in
  let a = p.handlers.actions.(n) in
  a.handler <= 1 || a.options land sa_restart <> 0
