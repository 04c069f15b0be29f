(* The timers of timer_create: each sends its signal when it fires, and counts until that signal is taken. *)

open Proc

(* What to send, from a struct sigevent: signal, thread, value. Without one it is SIGALRM, with the timer's number. *)
let wish p va number =
  if va = 0 then (14, 0, number)
  else begin
    let b = User.read p.mm va 64 and w = User.word_size p.mm in
    let value = if w = 8 then User.i64 b 0 else User.u32 b 0 and signal = User.s32 b w and thread = User.s32 b (w + 8) in
    let demand_signal () = if signal < 1 || signal > 64 then Errno.fail Errno.einval in
    match User.s32 b (w + 4) with
    | 1 -> (0, 0, value)
    | 0 | 2 -> demand_signal (); (signal, 0, value)
    | 4 ->
      (match find thread with Some q when q.tgid = p.tgid && not (is_zombie q) -> () | _ -> Errno.fail Errno.einval);
      demand_signal ();
      (signal, thread, value)
    | _ -> Errno.fail Errno.einval
  end

let timer_create p =
  let clock = Arg.int p 0 in
  (match clock with
   | 0 | 1 | 2 | 3 | 7 | 11 -> ()
   | 4 | 5 | 6 -> Errno.fail Errno.enotsup
   | 8 | 9 -> Errno.fail Errno.eperm (* they would wake the machine *)
   | _ -> Errno.fail Errno.einval);
  let all = p.shared.own_timers in
  if List.length all >= Limit.timers then Limit.reach Errno.eagain "256 timers in one process";
  let number = p.shared.next_timer in (* no number comes again, but after 2^31 *)
  if List.exists (fun o -> o.number = number) all then Errno.fail Errno.eagain;
  p.shared.next_timer <- (number + 1) land 0x7fffffff;
  let signal, thread, value = wish p (Arg.word p 1) number in
  User.put_int p.mm (Arg.word p 2) number;
  let used = match clock with 2 -> Some (fun () -> p.shared.cpu) | 3 -> Some (fun () -> p.thread_cpu) | _ -> None in
  let clock_timer = { clock; used; at = 0; every = 0 } in
  p.shared.own_timers <- { number; clock_timer; signal; thread; value; sent = false; overrun = 0 } :: all;
  timers := clock_timer :: !timers;
  0

let own p = match List.find_opt (fun o -> o.number = Arg.int p 0) p.shared.own_timers with Some o -> o | None -> Errno.fail Errno.einval

let timer_settime_with p ~wide =
  if Arg.word p 2 = 0 then Errno.fail Errno.einval;
  let every, value = Sys_event.timer_setting p (Arg.word p 2) ~wide in
  let o = own p in
  if Arg.word p 3 <> 0 then Sys_event.put_timer p o.clock_timer (Arg.word p 3) ~wide;
  Sys_event.set_timer o.clock_timer ~absolute:(Arg.int p 1 land 1 <> 0) ~every ~value;
  o.sent <- false;
  o.overrun <- 0;
  0

let timer_settime p = timer_settime_with p ~wide:(is_wide p)
let timer_settime64 p = timer_settime_with p ~wide:true

let timer_gettime_with p ~wide = Sys_event.put_timer p (own p).clock_timer (Arg.word p 1) ~wide; 0
let timer_gettime p = timer_gettime_with p ~wide:(is_wide p)
let timer_gettime64 p = timer_gettime_with p ~wide:true

let timer_getoverrun p = (own p).overrun
let timer_delete p = Timer.forget p.shared (own p); 0
