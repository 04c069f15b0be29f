(* System V's shared memory: a segment is a file without a name. It is open once as long as it was not removed, and once for each area that shows it, so its memory goes with the last of them. *)

open Proc

type segment = {
  head : Ipc.head;
  inode : Vfs.inode;
  size : int;
  maker : int;
  mutable removed : bool;
  mutable attached : int; (* second of the last attachment *)
  mutable detached : int;
  mutable last : int; (* the process that attached or detached it last *)
}

let table = Ipc.table "4096 shared segments in a step" (fun s -> s.head)
let areas s = s.inode.Vfs.opens - (if s.removed then 0 else 1)

(* One that was removed is there until nobody shows it. *)
let by_id id =
  let s = Ipc.by_id table id in
  if s.removed && areas s = 0 then begin Ipc.remove table s; Errno.fail Errno.einval end;
  s

let huge = 0o4000 and removed_bit = 0o1000 and locked_bit = 0o2000

let get key size flags =
  match Ipc.by_key table key flags with
  | Some s ->
    if size > s.size then Errno.fail Errno.einval;
    Ipc.demand s.head flags;
    s.head.Ipc.id
  | None ->
    if size <= 0 || flags land huge <> 0 then Errno.fail Errno.einval;
    if (size - 1) / Base.page >= 4 * !Content.reserve (* all that the step may have *) then Errno.fail Errno.enomem;
    if size > Limit.file_size then Limit.reach Errno.enospc "shared memory of more than 4 GiB";
    Limit.check_kernel_memory ();
    (* what was removed, and has been let go, counts no more *)
    if Hashtbl.length (Ipc.objects table) >= Limit.ipc then
      Hashtbl.filter_map_inplace (fun _ s -> if s.removed && areas s = 0 then None else Some s) (Ipc.objects table);
    let content = Content.make () in
    content.Content.size <- size;
    let inode = Vfs.make ~uid:who.Vfs.user ~gid:who.Vfs.group (Vfs.File content) (flags land 0o777) in
    let s = { head = Ipc.head key flags; inode; size; maker = (running ()).tgid; removed = false; attached = 0; detached = 0; last = 0 } in
    let id = Ipc.enter table s in
    inode.Vfs.opens <- 1;
    id

let read_only = 0o10000 and round = 0o20000 and remap = 0o40000 and executable = 0o100000

let attach p id va flags =
  let inside = va land (Base.page - 1) in
  if inside <> 0 && flags land round = 0 then Errno.fail Errno.einval;
  let at = va - inside in
  if at = 0 && flags land remap <> 0 then Errno.fail Errno.einval;
  let has bit = flags land bit <> 0 in
  let s = by_id id in
  Ipc.demand s.head (0o444 lor (if has read_only then 0 else 0o222) lor if has executable then 0o111 else 0);
  let mm = p.mm in
  let len = Base.page_up s.size in
  (* held meanwhile: what goes from there may be the last that shows it *)
  s.inode.Vfs.opens <- s.inode.Vfs.opens + 1;
  Base.ensure (fun () -> s.inode.Vfs.opens <- s.inode.Vfs.opens - 1; Vfs.release s.inode) @@ fun () ->
  let at =
    if at = 0 then Mm.find_free mm len
    else begin
      if at < 0 || len > Mm.limit mm || at > Mm.limit mm - len then Errno.fail Errno.einval;
      if not (has remap) && Mm.touching mm at (at + len) <> [] then Errno.fail Errno.einval;
      if at < Mm.lowest then Errno.fail Errno.eperm;
      Mm.demand_areas mm 3;
      Mm.unmap mm at (at + len);
      at
    end in
  let prot = Base.prot_r lor (if has read_only then 0 else Base.prot_w) lor if has executable then Base.prot_x else 0 in
  Mm.add mm { Mm.first = at; last = at + len; prot; shared = true; may_write = not (has read_only); source = Mm.Backed (s.inode, 0) };
  s.attached <- Ipc.seconds ();
  s.last <- p.tgid;
  at

let of_inode inode = Hashtbl.fold (fun _ s found -> if s.inode == inode then Some s else found) (Ipc.objects table) None

(* As Linux: the first segment that lies as if it had been attached here, with all pieces of it that do. *)
let detach p at =
  let mm = p.mm in
  let fits (a : Mm.area) = match a.source with Mm.Backed (i, offset) when a.first - at = offset -> of_inode i | _ -> None in
  if at land (Base.page - 1) <> 0 then Errno.fail Errno.einval;
  let above = Mm.within mm at (Mm.limit mm) in
  match List.find_map fits above with
  | None -> Errno.fail Errno.einval
  | Some s ->
    List.iter (fun (a : Mm.area) -> match fits a with Some t when t == s -> Mm.unmap mm a.first a.last | _ -> ()) above;
    s.detached <- Ipc.seconds ();
    s.last <- p.tgid;
    0

(* struct shmid64_ds *)
let tell p s va =
  let wide = is_wide p in
  let b = Bytes.make (if wide then 112 else 84) '\000' and base = Ipc.head_size ~wide in
  Ipc.put_head b s.head;
  let word i v = if wide then User.set64 b (base + (8 * i)) v else User.set32 b (base + (4 * i)) v in
  word 0 s.size;
  List.iteri (fun i t -> word (if wide then 1 + i else 1 + (2 * i)) t) [ s.attached; s.detached; s.head.Ipc.changed ];
  let numbers = if wide then base + 32 else base + 28 in
  User.set32 b numbers s.maker;
  User.set32 b (numbers + 4) s.last;
  if wide then User.set64 b (numbers + 8) (areas s) else User.set32 b (numbers + 8) (areas s);
  User.write p.mm va b;
  0

(* struct shminfo64: Linux's limits *)
let tell_limits p va =
  let size = User.word_size p.mm in
  let b = Bytes.make (9 * size) '\000' in
  let word i v = if size = 8 then User.set64 b (8 * i) v else User.set32 b (4 * i) v in
  List.iteri word [ -1 - 0x1000000; 1; 4096; 4096; -1 - 0x1000000 ];
  User.write p.mm va b;
  Ipc.highest table

let control p id command va =
  if command = Ipc.info && id >= 0 then tell_limits p va else
  let s = by_id id in
  match command with
  | 2 -> Ipc.demand s.head 0o444; tell p s va
  | 1 -> Ipc.set_head p s.head va; 0
  | 0 ->
    if not s.removed then begin
      s.removed <- true;
      s.head.Ipc.key <- 0; (* who has its number may still attach it, until nobody does *)
      s.head.Ipc.mode <- s.head.Ipc.mode lor removed_bit;
      s.inode.Vfs.opens <- s.inode.Vfs.opens - 1;
      if areas s = 0 then Ipc.remove table s;
      Vfs.release s.inode
    end;
    0
  | 11 -> s.head.Ipc.mode <- s.head.Ipc.mode lor locked_bit; 0 (* no memory ever leaves *)
  | 12 -> s.head.Ipc.mode <- s.head.Ipc.mode land lnot locked_bit; 0
  | _ -> Errno.fail Errno.einval

(* The step is over: nothing is mapped any more, and what was not removed gives its memory back. *)
let reset () =
  Hashtbl.iter (fun _ s -> if not s.removed then begin s.inode.Vfs.opens <- s.inode.Vfs.opens - 1; Vfs.release s.inode end) (Ipc.objects table);
  Ipc.reset table
