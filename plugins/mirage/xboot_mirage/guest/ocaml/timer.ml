(* Timers: how often they have fired, and what those of a process's own send. *)

open Proc

let fired t = if t.at = 0 || Clock.now () < t.at then 0 else if t.every = 0 then 1 else 1 + ((Clock.now () - t.at) / t.every)

let go_on t n = t.at <- (if t.every = 0 then 0 else t.at + (n * t.every))

let left t = if t.at = 0 then 0 else if t.every > 0 then t.at + (fired t * t.every) - Clock.now () else max 0 (t.at - Clock.now ())

let si_timer = -2

let taken p n ((code, number, _, value) as info) =
  match List.find_opt (fun o -> o.number = number && o.signal = n && o.sent) p.shared.own_timers with
  | Some o when code = si_timer ->
    let times = fired o.clock_timer in
    o.sent <- false;
    o.overrun <- min 0x7fffffff (max 0 (times - 1));
    go_on o.clock_timer times;
    (code, number, o.overrun, value)
  | _ -> info

let forget (shared : shared) o =
  shared.own_timers <- List.filter (fun other -> other != o) shared.own_timers;
  timers := List.filter (fun t -> t != o.clock_timer) !timers

let forget_all (shared : shared) = List.iter (forget shared) shared.own_timers
