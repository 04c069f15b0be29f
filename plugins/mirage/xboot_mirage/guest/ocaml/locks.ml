(* Advisory locks: flock, which an open file holds, and record locks, which a table of descriptors (a process) or an open file holds. Both really lock; who waits in a circle is told. *)

open Proc

type owner = Table of descriptors | Open of file
type lock = { owner : owner; pid : int; exclusive : bool; first : int; last : int (* inclusive *) }

let same a b = match (a, b) with Table x, Table y -> x == y | Open x, Open y -> x == y | _ -> false

(* By inode number; a file without locks has no entry. *)
let whole_files : (int, (file * bool) list) Hashtbl.t = Hashtbl.create 16
let records : (int, lock list) Hashtbl.t = Hashtbl.create 16
let of_ table ino = Option.value (Hashtbl.find_opt table ino) ~default:[]
let set table ino = function [] -> Hashtbl.remove table ino | l -> Hashtbl.replace table ino l

let () =
  forget_file := (fun f ->
    if Hashtbl.mem whole_files f.inode.Vfs.ino then set whole_files f.inode.Vfs.ino (List.filter (fun (g, _) -> g != f) (of_ whole_files f.inode.Vfs.ino));
    if Hashtbl.mem records f.inode.Vfs.ino then set records f.inode.Vfs.ino (List.filter (fun l -> not (same l.owner (Open f))) (of_ records f.inode.Vfs.ino)));
  forget_descriptor := (fun d inode ->
    if Hashtbl.mem records inode.Vfs.ino then set records inode.Vfs.ino (List.filter (fun l -> not (same l.owner (Table d))) (of_ records inode.Vfs.ino)))

(* flock: 1 shared, 2 exclusive, 8 none; 4: do not wait *)
let whole p f operation =
  ignore p;
  let ino = f.inode.Vfs.ino in
  let others () = List.filter (fun (g, _) -> g != f) (of_ whole_files ino) in
  match operation land lnot 4 with
  | 8 -> set whole_files ino (others ()); 0
  | 1 | 2 as kind ->
    let exclusive = kind = 2 in
    let free () = List.for_all (fun (_, x) -> not (x || exclusive)) (others ()) in
    (* a lock that changes its kind is given up first, as on Linux *)
    if not (free ()) then begin
      if operation land 4 <> 0 then Errno.fail Errno.eagain;
      set whole_files ino (others ());
      raise (Wait free)
    end;
    set whole_files ino ((f, exclusive) :: others ());
    0
  | _ -> Errno.fail Errno.einval

(* ---- record locks *)

let wide_layout p command = is_wide p || (command >= 12 && command <= 14) || command >= 36

(* struct flock: (type, whence, start, length), and where the number of the process stands. *)
let read p va command =
  if is_wide p then begin
    let b = User.read p.mm va 32 in
    (b, Bytes.get_uint16_le b 0, Bytes.get_uint16_le b 2, User.i64 b 8, User.i64 b 16, 24)
  end else if wide_layout p command then begin
    let b = User.read p.mm va 24 in
    (b, Bytes.get_uint16_le b 0, Bytes.get_uint16_le b 2, User.i64 b 4, User.i64 b 12, 20)
  end else begin
    let b = User.read p.mm va 16 in
    (b, Bytes.get_uint16_le b 0, Bytes.get_uint16_le b 2, User.s32 b 4, User.s32 b 8, 12)
  end

let most = max_int / 2

let range f whence start length =
  let base = match whence with 0 -> 0 | 1 -> f.position | 2 -> Vfs.size f.inode | _ -> Errno.fail Errno.einval in
  if abs start > most / 2 || abs length > most / 2 then Errno.fail Errno.eoverflow;
  let first = base + start in
  let first, last = if length > 0 then (first, first + length - 1) else if length = 0 then (first, most) else (first + length, first - 1) in
  if first < 0 then Errno.fail Errno.einval;
  (first, last)

let blocking ino owner ~exclusive first last =
  List.find_opt (fun l -> not (same l.owner owner) && (exclusive || l.exclusive) && l.first <= last && first <= l.last) (of_ records ino)

(* What [owner] holds outside of [first, last] stays. *)
let without ino owner first last =
  List.concat_map (fun l ->
    if not (same l.owner owner) || l.last < first || l.first > last then [ l ]
    else (if l.first < first then [ { l with last = first - 1 } ] else []) @ if l.last > last then [ { l with first = last + 1 } ] else []) (of_ records ino)

(* Who waits for whom; a new wait that closes a circle is refused. *)
let waiting : (t * owner * owner) list ref = ref []
let still_waits (p, _, _) = match p.state with Waiting _ -> p.call >= 0 | _ -> false

let closes_circle me blocker =
  let rec follow owner left =
    left > 0 && (same owner me || List.exists (fun (_, who, whom) -> same who owner && follow whom (left - 1)) !waiting) in
  follow blocker 64

let record p f command va =
  let b, kind, whence, start, length, pid_at = read p va command in
  let by_file = command >= 36 in
  if by_file && User.u32 b pid_at <> 0 then Errno.fail Errno.einval;
  let owner = if by_file then Open f else Table p.files in
  let first, last = range f whence start length in
  let ino = f.inode.Vfs.ino in
  waiting := List.filter (fun ((q, _, _) as w) -> q != p && still_waits w) !waiting;
  match command with
  | 5 | 12 | 36 ->
    if kind > 1 then Errno.fail Errno.einval;
    (match blocking ino owner ~exclusive:(kind = 1) first last with
     | None -> Bytes.set_uint16_le b 0 2
     | Some l ->
       let length = if l.last = most then 0 else l.last - l.first + 1 in
       Bytes.set_uint16_le b 0 (if l.exclusive then 1 else 0);
       Bytes.set_uint16_le b 2 0;
       if is_wide p then begin User.set64 b 8 l.first; User.set64 b 16 length end
       else if wide_layout p command then begin User.set64 b 4 l.first; User.set64 b 12 length end
       else begin User.set32 b 4 l.first; User.set32 b 8 length end;
       User.set32 b pid_at (match l.owner with Table _ -> l.pid | Open _ -> -1));
    User.write p.mm va b;
    0
  | _ ->
    (match kind with
     | 2 -> set records ino (without ino owner first last); 0
     | 0 | 1 ->
       let exclusive = kind = 1 in
       if (exclusive && not f.writable) || (not exclusive && not f.readable) then Errno.fail Errno.ebadf;
       (match blocking ino owner ~exclusive first last with
        | None ->
          let kept = without ino owner first last in
          if List.length kept >= 4096 then Limit.reach 37 "4096 locks on one file";
          (* neighbours of one kind become one *)
          let touches l = same l.owner owner && l.exclusive = exclusive && (l.last = first - 1 || (last < most && l.first = last + 1)) in
          let near, far = List.partition touches kept in
          let first = List.fold_left (fun n l -> min n l.first) first near and last = List.fold_left (fun n l -> max n l.last) last near in
          set records ino (List.sort (fun a c -> compare a.first c.first) ({ owner; pid = p.tgid; exclusive; first; last } :: far));
          0
        | Some _ when command = 6 || command = 13 || command = 37 -> Errno.fail Errno.eagain
        | Some l ->
          if not by_file && closes_circle owner l.owner then Errno.fail 35;
          waiting := (p, owner, l.owner) :: !waiting;
          raise (Wait (fun () -> blocking ino owner ~exclusive first last = None)))
     | _ -> Errno.fail Errno.einval)
