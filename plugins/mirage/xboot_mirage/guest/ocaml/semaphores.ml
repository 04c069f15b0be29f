(* System V's sets of semaphores. A call makes all its changes at once or waits; whoever changes a value makes the changes of those who wait and can go on in their place,
   in the order in which they came, as Linux does: so nobody overtakes them. *)

open Proc

type operation = { number : int; change : int; flags : int }

type set = {
  head : Ipc.head;
  values : int array;
  users : int array; (* who changed each last *)
  mutable operated : int; (* second of the last operation *)
  mutable undos : (int * int array) list; (* process, what its end gives back *)
}

(* A call that waits; [holds] is what it waits with, so that a process that does something else by now is told from one that waits here. *)
type attempt = { who : t; set : set; operations : operation list; mutable blocking : operation; mutable result : int option; mutable holds : unit -> bool }

let table = Ipc.table "4096 sets of semaphores in a step" (fun s -> s.head)
let attempts : attempt list ref = ref []
let most_value = 32767 and most_semaphores = 32_000 and most_operations = 500
let undo_bit = 0o10000

let get key count flags =
  if count < 0 || count > most_semaphores then Errno.fail Errno.einval;
  match Ipc.by_key table key flags with
  | Some s ->
    if count > Array.length s.values then Errno.fail Errno.einval;
    Ipc.demand s.head flags;
    s.head.Ipc.id
  | None ->
    if count = 0 then Errno.fail Errno.einval;
    Limit.check_kernel_memory ();
    Ipc.enter table { head = Ipc.head key flags; values = Array.make count 0; users = Array.make count 0; operated = 0; undos = [] }

(* ---- operations *)

exception Blocked of operation

let undo_of s process =
  match List.assoc_opt process s.undos with
  | Some adjust -> adjust
  | None ->
    Limit.check_kernel_memory ();
    let adjust = Array.make (Array.length s.values) 0 in
    s.undos <- (process, adjust) :: s.undos;
    adjust

let operate s process o =
  let value = s.values.(o.number) in
  if (o.change = 0 && value <> 0) || value + o.change < 0 then
    if o.flags land Ipc.no_wait <> 0 then Errno.fail Errno.eagain else raise (Blocked o);
  if value + o.change > most_value then Errno.fail Errno.erange;
  if o.flags land undo_bit <> 0 then begin
    let adjust = undo_of s process in
    let back = adjust.(o.number) - o.change in
    if back < -most_value - 1 || back > most_value then Errno.fail Errno.erange;
    adjust.(o.number) <- back
  end;
  s.values.(o.number) <- value + o.change

(* All or none. Raises Blocked, Errno.Error EAGAIN, ERANGE, ENOMEM. *)
let operate_all s process operations =
  let back o =
    s.values.(o.number) <- s.values.(o.number) - o.change;
    if o.flags land undo_bit <> 0 then begin let adjust = undo_of s process in adjust.(o.number) <- adjust.(o.number) + o.change end in
  ignore (List.fold_left (fun done_ o ->
    (try operate s process o with stop -> List.iter back done_; raise stop);
    o :: done_) [] operations);
  List.iter (fun o -> s.users.(o.number) <- process) operations;
  s.operated <- Ipc.seconds ()

let alters operations = List.exists (fun o -> o.change <> 0) operations
let waits a = a.result = None && match a.who.state with Waiting c -> c == a.holds | _ -> false
let waiting s = attempts := List.filter (fun a -> a.result <> None || waits a) !attempts; List.filter (fun a -> a.set == s && waits a) !attempts

(* May this one go on? Then its changes are made, or its error is known. *)
let settled a =
  match operate_all a.set a.who.tgid a.operations with
  | () -> a.result <- Some 0; true
  | exception Errno.Error e -> a.result <- Some (-e); true
  | exception Blocked o -> a.blocking <- o; false

(* Values have changed: first those who wait for nothing but zeros, then the first of the others who can, and so on. *)
let rec go_on s =
  List.iter (fun a -> if not (alters a.operations) then ignore (settled a)) (waiting s);
  match List.find_opt (fun a -> alters a.operations && settled a) (waiting s) with
  | Some _ -> go_on s
  | None -> ()

let read_operations p va count =
  let b = User.read p.mm va (6 * count) in
  List.init count (fun i -> { number = Bytes.get_uint16_le b (6 * i); change = Bytes.get_int16_le b ((6 * i) + 2); flags = Bytes.get_uint16_le b ((6 * i) + 4) })

let leave p = attempts := List.filter (fun a -> a.who != p) !attempts

(* Made again while it waits: [deadline] tells the first time. *)
let operate_call p id va count ~span =
  match if p.deadline = -1 then None else List.find_opt (fun a -> a.who == p) !attempts with
  | Some { result = Some r; _ } -> leave p; if r < 0 then Errno.fail (-r) else 0
  | Some a ->
    if Clock.now () >= p.deadline then begin leave p; Errno.fail Errno.eagain end;
    if settled a then begin (* it had been stopped meanwhile *)
      leave p;
      go_on a.set;
      match a.result with Some r when r < 0 -> Errno.fail (-r) | _ -> 0
    end
    else raise (Wait a.holds)
  | None ->
    leave p;
    if count < 1 || id < 0 then Errno.fail Errno.einval;
    if count > most_operations then Errno.fail Errno.e2big;
    let span = span () in
    let operations = read_operations p va count in
    let s = Ipc.by_id table id in
    if List.exists (fun o -> o.number >= Array.length s.values) operations then Errno.fail Errno.efbig;
    Ipc.demand s.head (if alters operations then 0o222 else 0o444);
    match operate_all s p.tgid operations with
    | () -> if alters operations then go_on s; 0
    | exception Blocked o ->
      if span = 0 then Errno.fail Errno.eagain;
      Sys_signal.with_deadline p span;
      let a = { who = p; set = s; operations; blocking = o; result = None; holds = (fun () -> false) } in
      a.holds <- (fun () -> a.result <> None || Clock.now () >= p.deadline);
      attempts := !attempts @ [ a ];
      raise (Wait a.holds)

(* ---- the end of a process, and of a set *)

let ended p =
  Hashtbl.iter (fun _ s ->
    match List.assoc_opt p.tgid s.undos with
    | None -> ()
    | Some adjust ->
      s.undos <- List.remove_assoc p.tgid s.undos;
      Array.iteri (fun i back ->
        if back <> 0 then begin
          s.values.(i) <- max 0 (min most_value (s.values.(i) + back));
          s.users.(i) <- p.tgid
        end) adjust;
      go_on s) (Ipc.objects table)

let () = Exit.undo_hook := ended

let remove s =
  Ipc.remove table s;
  List.iter (fun a -> a.result <- Some (-Errno.eidrm)) (waiting s)

let reset () = Ipc.reset table; attempts := []

(* ---- control *)

(* A value that is set counts anew for whoever would undo what he did. *)
let put p s number value =
  List.iter (fun (_, adjust) -> adjust.(number) <- 0) s.undos;
  s.values.(number) <- value;
  s.users.(number) <- p.tgid

let changed s = s.head.Ipc.changed <- Ipc.seconds (); go_on s; 0

(* struct semid64_ds *)
let tell p s va =
  let wide = is_wide p in
  let b = Bytes.make (if wide then 104 else 64) '\000' and base = Ipc.head_size ~wide in
  Ipc.put_head b s.head;
  let word i v = if wide then User.set64 b (base + (8 * i)) v else User.set32 b (base + (4 * i)) v in
  word 0 s.operated;
  word 2 s.head.Ipc.changed;
  word 4 (Array.length s.values);
  User.write p.mm va b;
  0

let set_all p s va =
  let b = User.read p.mm va (2 * Array.length s.values) in
  let value i = Bytes.get_uint16_le b (2 * i) in
  Array.iteri (fun i _ -> if value i > most_value then Errno.fail Errno.erange) s.values;
  Array.iteri (fun i _ -> put p s i (value i)) s.values;
  changed s

let get_all p s va =
  let b = Bytes.create (2 * Array.length s.values) in
  Array.iteri (fun i v -> Bytes.set_uint16_le b (2 * i) v) s.values;
  User.write p.mm va b;
  0

let set_val = 16 and set_all_command = 17 and sem_info = 19

(* struct seminfo: Linux's limits; or with what there is in two places. *)
let tell_limits p va ~used =
  let b = Bytes.make 40 '\000' in
  let sets, all =
    if used then Hashtbl.fold (fun _ s (sets, all) -> (sets + 1, all + Array.length s.values)) (Ipc.objects table) (0, 0) else (20, most_value) in
  List.iteri (fun i v -> User.set32 b (4 * i) v) [ 1024000000; 32000; 1024000000; 1024000000; 32000; 500; 500; sets; most_value; all ];
  User.write p.mm va b;
  Ipc.highest table

let control p id number command argument =
  if command = set_val && argument land 0xffffffff > most_value then Errno.fail Errno.erange;
  if (command = Ipc.info || command = sem_info) && id >= 0 then tell_limits p argument ~used:(command = sem_info) else
  let s = Ipc.by_id table id in
  let inside () = if number < 0 || number >= Array.length s.values then Errno.fail Errno.einval in
  let reads () = Ipc.demand s.head 0o444 in
  let count holds = List.length (List.filter (fun a -> a.blocking.number = number && holds a.blocking.change) (waiting s)) in
  match command with
  | 0 -> remove s; 0
  | 1 -> Ipc.set_head p s.head argument; 0
  | 2 -> reads (); tell p s argument
  | 11 -> reads (); inside (); s.users.(number)
  | 12 -> reads (); inside (); s.values.(number)
  | 13 -> reads (); get_all p s argument
  | 14 -> reads (); inside (); count (fun change -> change < 0)
  | 15 -> reads (); inside (); count (fun change -> change = 0)
  | n when n = set_val -> inside (); Ipc.demand s.head 0o222; put p s number (argument land 0xffffffff); changed s
  | n when n = set_all_command -> Ipc.demand s.head 0o222; set_all p s argument
  | _ -> Errno.fail Errno.einval
