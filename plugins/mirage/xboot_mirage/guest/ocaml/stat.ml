(* What stat and its kin tell, in the five layouts that programs of the two ABIs know. *)

open Vfs

(* rounded down, so that nanoseconds are never negative: before 1970 as after *)
let seconds ns = if ns >= 0 then ns / 1_000_000_000 else ((ns + 1) / 1_000_000_000) - 1
let nanos ns = ns - (seconds ns * 1_000_000_000)
let device = 0x10
let rdev inode = match inode.kind with Device (major, minor) -> (major lsl 8) lor minor | _ -> 0
let blocks inode = match inode.kind with File c -> Content.blocks c | _ -> 0
let mode inode = type_bits inode lor inode.mode

let stat64_i386 i =
  let b = Bytes.make 96 '\000' in
  let s = User.set32 b and l = User.set64 b in
  l 0 device; s 12 i.ino; s 16 (mode i); s 20 i.nlink; s 24 i.uid; s 28 i.gid; l 32 (rdev i); l 44 (size i); s 52 4096; l 56 (blocks i);
  s 64 (seconds i.atime); s 68 (nanos i.atime); s 72 (seconds i.mtime); s 76 (nanos i.mtime); s 80 (seconds i.ctime); s 84 (nanos i.ctime);
  l 88 i.ino;
  b

let stat_i386 i =
  if size i > 0x7fffffff then Errno.fail Errno.eoverflow;
  let b = Bytes.make 64 '\000' in
  let s = User.set32 b and h = Bytes.set_uint16_le b in
  s 0 device; s 4 i.ino; h 8 (mode i); h 10 i.nlink; h 12 i.uid; h 14 i.gid; s 16 (rdev i); s 20 (size i); s 24 4096; s 28 (blocks i);
  s 32 (seconds i.atime); s 36 (nanos i.atime); s 40 (seconds i.mtime); s 44 (nanos i.mtime); s 48 (seconds i.ctime); s 52 (nanos i.ctime);
  b

let stat_x86_64 i =
  let b = Bytes.make 144 '\000' in
  let s = User.set32 b and l = User.set64 b in
  l 0 device; l 8 i.ino; l 16 i.nlink; s 24 (mode i); s 28 i.uid; s 32 i.gid; l 40 (rdev i); l 48 (size i); l 56 4096; l 64 (blocks i);
  l 72 (seconds i.atime); l 80 (nanos i.atime); l 88 (seconds i.mtime); l 96 (nanos i.mtime); l 104 (seconds i.ctime); l 112 (nanos i.ctime);
  b

let statx i =
  let b = Bytes.make 256 '\000' in
  let s = User.set32 b and l = User.set64 b in
  s 0 0x7ff; s 4 4096; s 16 i.nlink; s 20 i.uid; s 24 i.gid; Bytes.set_uint16_le b 28 (mode i); l 32 i.ino; l 40 (size i); l 48 (blocks i);
  let time off t = l off (seconds t); s (off + 8) (nanos t) in
  time 64 i.atime; time 80 i.ctime; time 96 i.ctime; time 112 i.mtime;
  s 128 (rdev i lsr 8); s 132 (rdev i land 255); s 140 device;
  b

(* statfs: a memory file system *)
let tmpfs_magic = 0x01021994
let statfs ~wide ~large =
  let free = Base.frames_free () in
  let total = free + (free / 4) in
  if wide then begin
    let b = Bytes.make 120 '\000' in
    List.iteri (fun n v -> User.set64 b (8 * n) v) [ tmpfs_magic; 4096; total; free; free; Limit.inodes; Limit.inodes - !inodes; 0; 255; 4096; 0x20 ];
    b
  end else if large then begin
    let b = Bytes.make 84 '\000' in
    User.set32 b 0 tmpfs_magic; User.set32 b 4 4096;
    List.iteri (fun n v -> User.set64 b (8 + (8 * n)) v) [ total; free; free; Limit.inodes; Limit.inodes - !inodes ];
    List.iteri (fun n v -> User.set32 b (48 + (4 * n)) v) [ 0; 0; 255; 4096; 0x20 ];
    b
  end else begin
    let b = Bytes.make 64 '\000' in
    List.iteri (fun n v -> User.set32 b (4 * n) v) [ tmpfs_magic; 4096; total; free; free; Limit.inodes; Limit.inodes - !inodes; 0; 0; 255; 4096; 0x20 ];
    b
  end
