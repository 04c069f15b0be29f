(* Processor time; timers: how often they have fired, and what those of a process's own send. *)

open Proc

let since = ref 0

let account () =
  let now = Clock.uptime () in
  (match !current with
   | Some p ->
     p.thread_cpu <- p.thread_cpu + now - !since;
     p.shared.cpu <- p.shared.cpu + now - !since
   | None -> ());
  since := now

let as_current p run = account (); current := Some p; run p; account (); current := None

let now t = match t.used with None -> Clock.now () | Some used -> account (); used ()

let fired t = if t.at = 0 || now t < t.at then 0 else if t.every = 0 then 1 else 1 + ((now t - t.at) / t.every)

let counts p = List.exists (fun t -> t.at > 0 && Option.is_some t.used) (Array.to_list p.shared.alarms @ List.map (fun o -> o.clock_timer) p.shared.own_timers)

let go_on t n = t.at <- (if t.every = 0 then 0 else t.at + (n * t.every))

let left t = if t.at = 0 then 0 else if t.every > 0 then t.at + (fired t * t.every) - now t else max 0 (t.at - now t)

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
