(* Time. A run must be the same each time, so the clock does not follow the machine's: it starts at a fixed date in each step and moves by one microsecond with
   each system call and by the requested time when all processes sleep. Sleeping itself takes real time (timer ticks).

   With `clock=real` on the command line it follows the processor's counter instead, for measuring. *)
let date = 1_893_456_000 * 1_000_000_000 (* 2030-01-01 00:00:00 UTC, as docs/contract.md says *)
let started = ref date (* the date at which the machine started, if its clock had always been right *)
let tick_ns = 10_000_000

let () = Vfs.now := date
let rate = ref 0 (* counts of the processor per millisecond; 0: the clock is not real *)
let origin = ref 0

let follow_the_machine () =
  Base.idle ();
  let before = Base.counter 0 in
  for _ = 1 to 10 do Base.idle () done;
  rate := max 1 ((Base.counter 0 - before) / 100);
  origin := Base.counter 0

let now () =
  if !rate > 0 then Vfs.now := !started + ((Base.counter 0 - !origin) * 1_000 / !rate * 1_000);
  !Vfs.now

let step () = if !rate = 0 then Vfs.now := !Vfs.now + (1_000 * (1 + Base.calls_fast_ 0))
(* A call that costs more than others takes more time: without that, a loop of forks would outlast a sleep a hundredfold. In microseconds. *)
let pass n = if !rate = 0 then Vfs.now := !Vfs.now + (1_000 * n)

let turn = 100_000 (* base/cpu.c's TICKS_BEFORE_SWITCH *)

let uptime () = now () - !started

let begin_step () =
  started := date - uptime ();
  Vfs.now := date

(* Everybody sleeps: wait for real, then move the clock. *)
let sleep_until time =
  let left = time - now () in
  for _ = 1 to (left + tick_ns - 1) / tick_ns do Base.idle () done;
  if left > 0 && !rate = 0 then Vfs.now := time
