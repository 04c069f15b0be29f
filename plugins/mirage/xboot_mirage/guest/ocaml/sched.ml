(* Who runs. Cooperative and deterministic: a process runs until it waits, ends, or has made its share of system calls; only a program that never
   enters the kernel loses the processor to the timer. A call that must wait is made again when its condition holds. *)

open Proc

(* What a process may spend before another one's turn, in units of about a microsecond of this kernel's work: the price of a call, a fault, a fork, an exec. *)
let share = 400
let fault_price = 4

(* The step cannot go on, though no program ended: a limit of this kernel, named. *)
exception Stuck of string

let finish_call p result =
  p.call <- -1;
  p.deadline <- -1;
  p.progress <- 0;
  p.wake <- false;
  p.patient <- false;
  Signal.set p Base.rax result

(* Make the call that stands in the registers. *)
let rec make p number =
  Clock.step ();
  match
    match Abi.find p number with
    | Some entry -> entry.Abi.serve p
    | None -> Abi.unknown p number
  with
  | result -> finish_call p result
  | exception Errno.Error e -> finish_call p (-e)
  | exception Wait condition ->
    if condition () then (p.state <- Ready; make_again p number) else p.state <- Waiting condition
  | exception Sys_proc.Replaced -> if not (is_zombie p) then begin p.call <- -1; p.deadline <- -1; p.progress <- 0; p.wake <- false; p.patient <- false end

and make_again p number = if p.call >= 0 then make p number

let start_call p =
  let number = Base.ctx_get p.context Base.rax in
  let number = if is_wide p then number else number land 0xffffffff in
  p.call <- number;
  p.deadline <- -1;
  p.progress <- 0;
  p.wake <- false;
  make p number;
  let price = match Abi.find p number with Some e -> e.Abi.price | None -> 1 in
  Clock.pass (price - 1);
  price

(* What a call answers that a handler interrupts. Of a sleep for so long, what is left is told where the program wants to know. *)
let interrupted p name =
  let tell at ~wide =
    if at <> 0 then Sys_misc.put_time p at (max 0 (p.deadline - Clock.now ())) ~wide ~scale:1;
    -Errno.eintr in
  match name with
  | "nanosleep" -> tell (Arg.word p 1) ~wide:(is_wide p)
  | "clock_nanosleep" when Arg.int p 1 land 1 = 0 -> tell (Arg.word p 3) ~wide:(is_wide p)
  | "clock_nanosleep_time64" when Arg.int p 1 land 1 = 0 -> tell (Arg.word p 3) ~wide:true
  | _ -> -Errno.eintr

(* A call is given up because a signal arrived. *)
let interrupt p =
  let number = p.call in
  let name = match Abi.find p number with Some e -> e.Abi.name | None -> "" in
  let never_again = List.mem name
      [ "nanosleep"; "clock_nanosleep"; "clock_nanosleep_time64"; "pause"; "sigsuspend"; "rt_sigsuspend"; "poll"; "ppoll"; "ppoll_time64"; "select"; "pselect6"; "pselect6_time64"; "rt_sigtimedwait"; "epoll_wait"; "epoll_pwait"; "epoll_pwait2"; "semop"; "semtimedop"; "semtimedop_time64"; "ipc" ] in
  p.state <- Ready;
  if p.progress > 0 && (match Abi.find p number with Some { Abi.name = "write" | "writev" | "sendto" | "sendmsg" | "socketcall"; _ } -> true | _ -> false) then finish_call p p.progress
  else if Signal.wants_restart p && not never_again && (p.deadline < 0 || p.deadline = max_int) then begin
    let at = Signal.get p Base.rip in
    finish_call p number;
    Signal.set p Base.rip (at - 2) (* int 0x80 and syscall are two bytes long *)
  end
  else finish_call p (match interrupted p name with result -> result | exception Errno.Error e -> -e)

let fault p vector =
  let address = Signal.get p Base.trap_address in
  let die n code = Signal.force p n (code, address, 0, 0) in
  match vector with
  | 14 when Signal.get p Base.trap_error land 4 = 0 ->
    die 11 128 (* QEMU lets a program's iret read its stack with the kernel's rights, which SMAP forbids: no mapping would mend that *)
  | 14 ->
    let error = Signal.get p Base.trap_error in
    (match Mm.fault p.mm address ~write:(error land 2 <> 0) ~exec:(error land 16 <> 0) with
     | Mm.Mapped -> ()
     | Mm.Bad_address -> die 11 1
     | Mm.Bad_access -> die 11 2
     | Mm.Beyond_file -> die 7 2)
  | 0 -> die 8 1
  | 1 | 3 -> die 5 128
  | 6 -> die 4 2
  | 16 | 19 -> die 8 7
  | 17 -> die 7 1
  | _ -> die 11 128

(* The next moment that somebody waits for; max_int: nobody does. *)
let earliest_wake () =
  let real_alarm p t = let at = p.shared.alarms.(0).at in if at > 0 then min t at else t in
  List.fold_left (fun t p ->
    match p.state with
    | Waiting _ ->
      let t = if p.deadline >= 0 then min t p.deadline else t in
      real_alarm p t
    | Ready -> real_alarm p t
    | Stopped | Zombie _ -> t) (List.fold_left (fun t timer -> if Option.is_none timer.used && timer.at > Clock.now () then min t timer.at else t) max_int !timers) (all ())

(* Run one process until it gives up the processor. *)
let run p =
  let left = ref share in
  let going = ref true in
  while !going do
    Signal.deliver p;
    if not (is_ready p) then going := false
    else begin
      let vector = Window.run p in
      if vector = (if is_wide p then Base.vector_syscall else Base.vector_int80) then begin
        left := !left - start_call p;
        if !left <= 0 then going := false
      end
      else if vector = Base.vector_timer then begin
        (* whoever waits for a moment, or counts what it computes, does not wait for ever: only then does what a program computes take time *)
        if earliest_wake () < max_int || Timer.counts p then Clock.pass Clock.turn;
        going := false
      end
      else if vector = Base.vector_int80 then Signal.force p 11 (128, 0, 0, 0)
      else if vector = Base.vector_syscall then Signal.force p 4 (128, 0, 0, 0)
      else begin
        left := !left - fault_price;
        if !left <= 0 then going := false;
        fault p vector
      end;
      if not (is_ready p) then going := false
    end
  done

let alarms () =
  List.iter (fun p ->
    let t = p.shared in
    Array.iteri (fun n alarm ->
      let times = Timer.fired alarm in
      if times > 0 && not (is_zombie p) then begin
        Timer.go_on alarm times;
        Signal.send p [| 14; 26; 27 |].(n) (128, 0, 0, 0)
      end) t.alarms;
    if p.pid = p.tgid then List.iter (fun o -> if o.signal > 0 && not o.sent && Timer.fired o.clock_timer > 0 then Signal.expire p o) t.own_timers) (all ())

let able p =
  match p.state with
  | Ready -> true
  | Waiting condition ->
    (* what has happened meanwhile counts before a signal, as on Linux *)
    if condition () then begin p.state <- Ready; true end
    else if Signal.interrupts p && (not p.patient || Signal.deliverable p land Signal.bit Signal.sigkill <> 0) then begin interrupt p; true end
    else false
  | Stopped | Zombie _ -> false

(* The next process in order after the one that ran last. *)
let next_after last =
  let rec scan later earlier = function
    | [] -> List.rev_append later [] @ List.rev earlier
    | p :: rest -> if p.pid > last then scan (p :: later) earlier rest else scan later (p :: earlier) rest in
  List.find_opt able (scan [] [] (all ()))

(* Run until process 1 has ended; its wait status. *)
let until_first_ends () =
  let last = ref 0 in
  let rec loop () =
    match find 1 with
    | None -> 0
    | Some { state = Zombie status; _ } when has_ended 1 -> status
    | Some _ ->
      alarms ();
      (match next_after !last with
       | Some p ->
         last := p.pid;
         (* a call that waited is made again *)
         if p.call >= 0 then Timer.as_current p (fun p -> make p p.call);
         if is_ready p then Timer.as_current p run
       | None ->
         let wake = earliest_wake () in
         if wake = max_int then raise (Stuck "every process waits for an event that cannot come");
         Clock.sleep_until wake);
      loop () in
  loop ()

(* Whatever still lives is ended. *)
let kill_all () =
  List.iter (fun p -> Exit.finish p 9) (all ());
  Socket.reset ();
  Inet.reset ();
  Segments.reset ();
  Semaphores.reset ();
  List.iter (fun p -> if is_zombie p then ignore (Base.ctx_free p.context)) (all ());
  reset ()
