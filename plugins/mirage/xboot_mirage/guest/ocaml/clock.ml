(* Time. A run must be the same each time, so the clock does not follow the machine's: it starts at a fixed date and moves by one microsecond with
   each system call and by the requested time when all processes sleep. Sleeping itself takes real time (timer ticks). *)
let start = 1_577_836_800 * 1_000_000_000 (* 2020-01-01 00:00:00 UTC *)
let tick_ns = 10_000_000

let () = Vfs.now := start
let now () = !Vfs.now
let step () = Vfs.now := !Vfs.now + 1_000
let uptime () = now () - start

(* Everybody sleeps: wait for real, then move the clock. *)
let sleep_until time =
  let left = time - now () in
  for _ = 1 to (left + tick_ns - 1) / tick_ns do Base.idle () done;
  if left > 0 then Vfs.now := time
