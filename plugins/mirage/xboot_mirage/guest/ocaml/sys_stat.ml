(* System calls that look: stat and its kin, times, and the entries of directories. *)

open Proc
open Sys_path

(* ---- stat *)

let by_path p fd va flags = existing_or_fd p fd (User.path p.mm va) flags ~follow:(flags land at_symlink_nofollow = 0)
let put p layout inode va = User.write p.mm va (layout inode); 0
let stat_layout p = if is_wide p then Stat.stat_x86_64 else Stat.stat_i386
let stat p = put p (stat_layout p) (by_path p at_fdcwd (Arg.word p 0) 0) (Arg.word p 1)
let lstat p = put p (stat_layout p) (by_path p at_fdcwd (Arg.word p 0) at_symlink_nofollow) (Arg.word p 1)
let fstat p = put p (stat_layout p) (file p (Arg.int p 0)).inode (Arg.word p 1)
let stat64 p = put p Stat.stat64_i386 (by_path p at_fdcwd (Arg.word p 0) 0) (Arg.word p 1)
let lstat64 p = put p Stat.stat64_i386 (by_path p at_fdcwd (Arg.word p 0) at_symlink_nofollow) (Arg.word p 1)
let fstat64 p = put p Stat.stat64_i386 (file p (Arg.int p 0)).inode (Arg.word p 1)
let fstatat p =
  put p (if is_wide p then Stat.stat_x86_64 else Stat.stat64_i386) (by_path p (Arg.int p 0) (Arg.word p 1) (Arg.int p 3)) (Arg.word p 2)
let statx p = put p Stat.statx (by_path p (Arg.int p 0) (Arg.word p 1) (Arg.int p 2)) (Arg.word p 4)

let statfs p =
  ignore (existing p at_fdcwd (User.path p.mm (Arg.word p 0)) ~follow:true);
  User.write p.mm (Arg.word p 1) (Stat.statfs ~wide:(is_wide p) ~large:false); 0
let fstatfs p = ignore (file p (Arg.int p 0)); User.write p.mm (Arg.word p 1) (Stat.statfs ~wide:(is_wide p) ~large:false); 0
let statfs64_size p = if Arg.int p 1 <> 84 then Errno.fail Errno.einval
let statfs64 p =
  statfs64_size p;
  ignore (existing p at_fdcwd (User.path p.mm (Arg.word p 0)) ~follow:true);
  User.write p.mm (Arg.word p 2) (Stat.statfs ~wide:false ~large:true); 0
let fstatfs64 p = statfs64_size p; ignore (file p (Arg.int p 0)); User.write p.mm (Arg.word p 2) (Stat.statfs ~wide:false ~large:true); 0

(* ---- times *)

let utime_now = 0x3fffffff and utime_omit = 0x3ffffffe

(* [times]: two of (seconds, nanoseconds), or none for now. *)
let set_times inode times =
  let now = Clock.now () in
  (match times with
   | None -> if not inode.Vfs.sealed && Vfs.may who inode 2 then () else Vfs.demand_owner who inode
   | Some _ -> Vfs.demand_owner who inode);
  let value old = function
    | _, n when n = utime_now -> now
    | _, n when n = utime_omit -> old
    | s, n -> if n < 0 || n > 999_999_999 then Errno.fail Errno.einval else (s * 1_000_000_000) + n in
  let a, m = match times with None -> ((0, utime_now), (0, utime_now)) | Some pair -> pair in
  let atime = value inode.Vfs.atime a and mtime = value inode.Vfs.mtime m in
  inode.Vfs.atime <- atime;
  inode.Vfs.mtime <- mtime;
  inode.Vfs.ctime <- now;
  0

let read_times p va ~wide ~scale =
  if va = 0 then None
  else begin
    let b = User.read p.mm va (if wide then 32 else 16) in
    let get n = if wide then User.i64 b (8 * n) else User.s32 b (4 * n) in
    let fraction n = let v = get n in if scale = 1 then v else if v < 0 || v > 999_999 then Errno.fail Errno.einval else v * scale in
    Some ((get 0, fraction 1), (get 2, fraction 3))
  end

let utimens_at p ~wide =
  let fd = Arg.int p 0 and va = Arg.word p 1 and flags = Arg.int p 3 in
  let times = read_times p (Arg.word p 2) ~wide ~scale:1 in
  let inode = if va = 0 then (file p fd).inode else by_path p fd va flags in
  set_times inode times

let utimensat p = utimens_at p ~wide:(is_wide p)
let utimensat_time64 p = utimens_at p ~wide:true
let utimes p = set_times (by_path p at_fdcwd (Arg.word p 0) 0) (read_times p (Arg.word p 1) ~wide:(is_wide p) ~scale:1000)
let futimesat p =
  let times = read_times p (Arg.word p 2) ~wide:(is_wide p) ~scale:1000 in
  set_times (if Arg.word p 1 = 0 then (file p (Arg.int p 0)).inode else by_path p (Arg.int p 0) (Arg.word p 1) 0) times
let utime p =
  let va = Arg.word p 1 in
  let times = if va = 0 then None
    else begin
      let w = User.word_size p.mm in
      let b = User.read p.mm va (2 * w) in
      let get n = if w = 8 then User.i64 b (8 * n) else User.s32 b (4 * n) in
      Some ((get 0, 0), (get 1, 0))
    end in
  set_times (by_path p at_fdcwd (Arg.word p 0) 0) times

(* ---- directories *)

let directory_type inode = match Vfs.type_bits inode with 0o040000 -> 4 | 0o100000 -> 8 | 0o120000 -> 10 | 0o020000 -> 2 | 0o010000 -> 1 | 0o140000 -> 12 | _ -> 0

(* [layout name ino position kind] gives one record. *)
let list_directory p layout =
  let f = file p (Arg.int p 0) and va = Arg.word p 1 and size = Arg.uint p 2 in
  if f.what <> Directory then Errno.fail (match f.what with Path_only -> Errno.ebadf | _ -> Errno.enotdir);
  Vfs.accessed f.inode;
  let dots = List.filter (fun (n, _, _) -> n >= f.position) [ (0, ".", f.inode); (1, "..", Path.up p.root f.inode) ] in
  let entries = Seq.append (List.to_seq dots) (Vfs.entries_from f.inode (max f.position 3)) in
  let buffer = Buffer.create 4096 in
  let rec fill entries =
    match entries () with
    | Seq.Nil -> ()
    | Seq.Cons ((position, name, inode), rest) ->
      let next = if position = 1 then 3 else position + 1 in
      let record = layout name inode next in
      if Buffer.length buffer + Bytes.length record <= size then begin
        Buffer.add_bytes buffer record;
        f.position <- next;
        fill rest
      end
      else if Buffer.length buffer = 0 then Errno.fail Errno.einval in
  let before = f.position in
  fill entries;
  (try User.write p.mm va (Buffer.to_bytes buffer) with e -> f.position <- before; raise e);
  Buffer.length buffer

let getdents64 p =
  list_directory p (fun name inode next ->
    let size = (19 + String.length name + 1 + 7) land lnot 7 in
    let b = Bytes.make size '\000' in
    User.set64 b 0 inode.Vfs.ino;
    User.set64 b 8 next;
    Bytes.set_uint16_le b 16 size;
    Bytes.set_uint8 b 18 (directory_type inode);
    Bytes.blit_string name 0 b 19 (String.length name);
    b)

let getdents p =
  let w = User.word_size p.mm in
  list_directory p (fun name inode next ->
    let size = ((2 * w) + 2 + String.length name + 2 + w - 1) land lnot (w - 1) in
    let b = Bytes.make size '\000' in
    let set = if w = 8 then User.set64 b else User.set32 b in
    set 0 inode.Vfs.ino;
    set w next;
    Bytes.set_uint16_le b (2 * w) size;
    Bytes.blit_string name 0 b ((2 * w) + 2) (String.length name);
    Bytes.set_uint8 b (size - 1) (directory_type inode);
    b)
