(* What System V's segments and sets of semaphores have in common: keys, numbers, modes. All of it is of the step that runs. *)

let create = 0o1000 and exclusive = 0o2000 and no_wait = 0o4000 and info = 3

type head = { mutable id : int; mutable key : int; mutable uid : int; mutable gid : int; mutable mode : int; mutable changed : int }

type 'a table = { what : string; objects : (int, 'a) Hashtbl.t; mutable next : int; head_of : 'a -> head }

let table what head_of = { what; objects = Hashtbl.create 8; next = 0; head_of }
let objects t = t.objects
let reset t = Hashtbl.reset t.objects; t.next <- 0
let highest t = Hashtbl.fold (fun id _ most -> max id most) t.objects 0
let seconds () = Clock.now () / 1_000_000_000

let head key flags =
  { id = 0; key; uid = Proc.who.Vfs.user; gid = Proc.who.Vfs.group; mode = flags land 0o777; changed = seconds () }

(* Whoever made it is the one user that a step has: the owner's bits count. *)
let demand head wanted =
  if (wanted lor (wanted lsr 3) lor (wanted lsr 6)) land lnot (head.mode lsr 6) land 7 <> 0 then Errno.fail Errno.eacces

let by_id t id = match Hashtbl.find_opt t.objects id with Some o -> o | None -> Errno.fail Errno.einval

let by_key t key flags =
  let found = if key = 0 then None else Hashtbl.fold (fun _ o found -> if (t.head_of o).key = key then Some o else found) t.objects None in
  (match found with
   | None -> if key <> 0 && flags land create = 0 then Errno.fail Errno.enoent
   | Some _ -> if flags land create <> 0 && flags land exclusive <> 0 then Errno.fail Errno.eexist);
  found

let enter t o =
  if Hashtbl.length t.objects >= Limit.ipc then Limit.reach Errno.enospc t.what;
  let head = t.head_of o in
  head.id <- t.next;
  t.next <- (t.next + 1) land 0x7fffffff;
  if Hashtbl.mem t.objects head.id then Errno.fail Errno.enospc;
  Hashtbl.replace t.objects head.id o;
  head.id

let remove t o = Hashtbl.remove t.objects (t.head_of o).id

(* struct ipc64_perm begins both structures: 36 bytes for i386, 48 for x86_64. *)
let head_size ~wide = if wide then 48 else 36

let put_head b head =
  List.iteri (fun i v -> User.set32 b (4 * i) v) [ head.key; head.uid; head.gid; Proc.who.Vfs.user; Proc.who.Vfs.group; head.mode ]

let set_head (p : Proc.t) head va =
  let b = User.read p.mm va (head_size ~wide:(Proc.is_wide p)) in
  head.uid <- User.u32 b 4;
  head.gid <- User.u32 b 8;
  head.mode <- head.mode land lnot 0o777 lor (User.u32 b 20 land 0o777);
  head.changed <- seconds ()
