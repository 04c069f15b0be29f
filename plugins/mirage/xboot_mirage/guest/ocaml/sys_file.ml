(* System calls on descriptors. *)

open Proc

let fd_file p n = file p (Arg.int p n)

let no_path f = if f.what = Path_only then Errno.fail Errno.ebadf
let seekable f = match f.what with Path_only -> Errno.fail Errno.ebadf | Plain | Directory -> () | Null | Zero | Full | Random -> () | _ -> Errno.fail Errno.espipe

(* [windowed]: a call of one byte on a regular file wishes for the fast way for the next ones. *)
let windowed which operate p =
  let f = fd_file p 0 and len = Arg.long p 2 in
  let n = operate p f (Arg.word p 1) len in
  if len = 1 && n = 1 && f.what = Plain then Window.wish p which (Arg.int p 0) f;
  n

let read p = windowed Window.reading Io.read p
let write p = windowed Window.writing Io.write p

let positioned p operate offset =
  if offset < 0 then Errno.fail Errno.einval;
  let f = fd_file p 0 in
  seekable f;
  operate p f offset (Arg.word p 1) (Arg.long p 2)

let offset p n = if is_wide p then Arg.word p n else Arg.pair p n
let pread p = positioned p Io.read_at (offset p 3)
let pwrite p = positioned p Io.write_at (offset p 3)

(* struct iovec: (address, length) *)
let vectors p =
  let count = Arg.long p 2 in
  if count < 0 || count > 1024 then Errno.fail Errno.einval;
  let w = User.word_size p.mm in
  let b = User.read p.mm (Arg.word p 1) (2 * w * count) in
  let get off = if w = 8 then User.i64 b off else User.u32 b off in
  (* as much as one call moves in Linux: its answer is a positive number of 32 bits *)
  let rec bounded left = function
    | [] -> []
    | (va, len) :: rest -> let len = min len left in (va, len) :: bounded (left - len) rest in
  bounded 0x7ffff000 @@ List.init count (fun i ->
    let len = get (((2 * i) + 1) * w) in
    if len < 0 || (w = 4 && len > 0x7fffffff) then Errno.fail Errno.einval;
    (get (2 * i * w), len))

let each_vector vectors operate =
  let rec go done_ = function
    | [] -> done_
    | (_, 0) :: rest -> go done_ rest
    | (va, len) :: rest ->
      (match operate done_ va len with
       | n when n = len -> go (done_ + n) rest
       | n -> done_ + n
       | exception (Errno.Error _ | Wait _) when done_ > 0 -> done_) in
  go 0 vectors

(* Be there no bytes at all. *)
let demand_way f allowed =
  if not allowed then Errno.fail Errno.ebadf;
  match f.what with Epoll _ -> Errno.fail Errno.einval | _ -> ()

let readv p = let f = fd_file p 0 in no_path f; let v = vectors p in demand_way f f.readable; each_vector v (fun _ va len -> Io.read p f va len)

(* On a pipe or a terminal, [progress] counts over all pieces: each is skipped as far as it was written before. *)
let writev p =
  let f = fd_file p 0 in
  no_path f;
  let v = vectors p in
  demand_way f f.writable;
  match f.what with
  | Pipe_end _ | Master _ | Slave _ ->
    let total = ref 0 in
    let done_before = ref p.progress in
    List.iter (fun (va, len) ->
      if !done_before >= len then begin done_before := !done_before - len; total := !total + len end
      else begin
        p.progress <- !done_before;
        done_before := 0;
        (match Io.write p f va len with
         | n -> total := !total + n
         | exception Wait c -> p.progress <- !total + p.progress; raise (Wait c)
         | exception (Errno.Error _ as e) -> if !total = 0 then raise e)
      end) v;
    !total
  | _ -> each_vector v (fun _ va len -> Io.write p f va len)

let vector_offset p =
  let at = if is_wide p then Arg.word p 3 else Arg.pair p 3 in
  if at < 0 then Errno.fail Errno.einval else at

let preadv p =
  let start = vector_offset p in
  let f = fd_file p 0 in
  seekable f;
  let v = vectors p in
  demand_way f f.readable;
  each_vector v (fun d va len -> Io.read_at p f (start + d) va len)

let pwritev p =
  let start = vector_offset p in
  let f = fd_file p 0 in
  seekable f;
  let v = vectors p in
  demand_way f f.writable;
  each_vector v (fun d va len -> Io.write_at p f (start + d) va len)

(* With flags: those that only ask for haste or for storage are granted by doing nothing; an offset of -1 is the description's own. *)
let with_flags p ~here ~there =
  ignore (fd_file p 0);
  if Arg.uint p 5 land lnot 7 <> 0 then Errno.fail Errno.enotsup;
  let at = if is_wide p then Arg.word p 3 else Arg.pair p 3 in
  if at = -1 then here p else there p

let preadv2 p = with_flags p ~here:readv ~there:preadv
let pwritev2 p = with_flags p ~here:writev ~there:pwritev

let close p =
  let fd = Arg.int p 0 in
  ignore (file p fd);
  take_descriptor p.files fd;
  0

let close_range p =
  let first = Arg.uint p 0 and last = Arg.uint p 1 and flags = Arg.uint p 2 in
  if first > last || flags land lnot 6 <> 0 then Errno.fail Errno.einval;
  for fd = first to min last (Array.length p.files.table - 1) do
    if flags land 4 <> 0 then (if file_at p.files fd <> None then p.files.close_on_exec.(fd) <- true) else take_descriptor p.files fd
  done;
  0

let seek p f position whence =
  ignore p;
  if whence < 0 || whence > 4 then Errno.fail Errno.einval;
  (match f.what with Pipe_end _ | To_console | Socket _ | Master _ | Slave _ -> Errno.fail Errno.espipe | Path_only -> Errno.fail Errno.ebadf | _ -> ());
  match f.what with
  | Null | Zero | Full | Random | Event _ | Timer _ | Signals _ | Epoll _ -> 0
  | _ ->
    let size = match f.inode.Vfs.kind with Vfs.File c -> c.Content.size | _ -> 0 in
    let target = match whence with
      | 0 -> position
      | 1 -> f.position + position
      | 2 when f.what <> Directory -> size + position
      | _ when f.what = Directory -> Errno.fail Errno.einval
      | 3 -> if position < 0 || position >= size then Errno.fail Errno.enxio else position (* SEEK_DATA: no holes are told *)
      | 4 -> if position < 0 || position >= size then Errno.fail Errno.enxio else size
      | _ -> Errno.fail Errno.einval in
    if target < 0 || target > 1 lsl 60 then Errno.fail Errno.einval;
    f.position <- target;
    target

let lseek p = seek p (fd_file p 0) (Arg.long p 1) (Arg.int p 2)

let llseek p =
  let at = seek p (fd_file p 0) ((Arg.sign32 (Arg.word p 1) lsl 32) lor Arg.uint p 2) (Arg.int p 4) in
  let b = Bytes.create 8 in
  User.set64 b 0 at;
  User.write p.mm (Arg.word p 3) b;
  0

let dup p = install p (fd_file p 0) ~cloexec:false

let dup_to p ~cloexec =
  let f = fd_file p 0 and to_ = Arg.int p 1 in
  if to_ < 0 || to_ >= most_descriptors p then Errno.fail Errno.ebadf;
  put_at p.files to_ f ~cloexec;
  to_

let dup2 p =
  if Arg.int p 0 = Arg.int p 1 then begin ignore (fd_file p 0); Arg.int p 1 end else dup_to p ~cloexec:false

let o_cloexec = 0o2000000

let dup3 p =
  let flags = Arg.int p 2 in
  if flags land lnot o_cloexec <> 0 || Arg.int p 0 = Arg.int p 1 then Errno.fail Errno.einval;
  dup_to p ~cloexec:(flags <> 0)

(* Some process may write to it through a mapping. *)
let is_mapped_to_write inode =
  let writes a = a.Mm.shared && a.Mm.may_write && match a.Mm.source with Mm.Backed (i, _) -> i == inode | Mm.Anonymous -> false in
  List.exists (fun q -> (not (is_zombie q)) && Mm.Areas.exists (fun _ a -> writes a) q.mm.Mm.areas) (all ())

let add_seals f seals =
  if not f.writable then Errno.fail Errno.eperm;
  if seals land lnot 31 <> 0 || (match f.inode.Vfs.kind with Vfs.File _ -> false | _ -> true) then Errno.fail Errno.einval;
  let there = f.inode.Vfs.seals in
  if there land 1 <> 0 then Errno.fail Errno.eperm;
  if seals land lnot there land 8 <> 0 && is_mapped_to_write f.inode then Errno.fail Errno.ebusy;
  f.inode.Vfs.seals <- there lor seals;
  0

let get_seals f = match f.inode.Vfs.kind with Vfs.File _ -> f.inode.Vfs.seals | _ -> Errno.fail Errno.einval

let fcntl p =
  let fd = Arg.int p 0 and f = fd_file p 0 and argument = Arg.long p 2 in
  match Arg.int p 1 with
  | 0 | 1030 as command ->
    let from = Arg.uint p 2 in
    if from >= most_descriptors p then Errno.fail Errno.einval;
    install p f ~from ~cloexec:(command = 1030)
  | 1 -> if p.files.close_on_exec.(fd) then 1 else 0
  | 2 -> p.files.close_on_exec.(fd) <- argument land 1 <> 0; 0
  | 3 -> f.flags lor (match f.what with Socket _ -> 0 | _ -> if is_wide p then 0 else 0o100000)
  | 4 -> no_path f; f.flags <- f.flags land lnot 0o6000 lor (argument land 0o6000); 0
  | 5 | 6 | 7 | 12 | 13 | 14 | 36 | 37 | 38 as command -> no_path f; Locks.record p f command (Arg.word p 2)
  | 8 | 10 -> 0 (* F_SETOWN, F_SETSIG *)
  | 9 -> 0
  | 1033 -> no_path f; add_seals f argument
  | 1034 -> no_path f; get_seals f
  | 1031 -> (match f.what with Pipe_end pipe -> Pipe.resize pipe (Arg.word p 2) | _ -> Errno.fail Errno.ebadf)
  | 1032 -> (match f.what with Pipe_end pipe -> pipe.Vfs.capacity | _ -> Errno.fail Errno.ebadf)
  | _ -> Errno.fail Errno.einval

let pipe_with p flags =
  if flags land lnot (o_cloexec lor Io.o_nonblock) <> 0 then Errno.fail Errno.einval;
  let pipe = Vfs.new_pipe ~named:false in
  let inode = Vfs.make ~uid:who.Vfs.user ~gid:who.Vfs.group (Vfs.Fifo pipe) 0o600 in
  inode.Vfs.nlink <- 1; (* as shown by fstat; there is no name, and there will be none: link_at *)
  let cloexec = flags land o_cloexec <> 0 and status = flags land Io.o_nonblock in
  let r = open_file inode (Pipe_end pipe) ~flags:status ~readable:true ~writable:false in
  let w = open_file inode (Pipe_end pipe) ~flags:(status lor 1) ~readable:false ~writable:true in
  pipe.Vfs.readers <- 1;
  pipe.Vfs.writers <- 1;
  let rfd = try install p r ~cloexec with e -> w.holders <- 1; close_file w; raise e in
  let wfd = try install p w ~cloexec with e -> take_descriptor p.files rfd; raise e in
  let b = Bytes.create 8 in
  User.set32 b 0 rfd;
  User.set32 b 4 wfd;
  (try User.write p.mm (Arg.word p 0) b with e -> take_descriptor p.files rfd; take_descriptor p.files wfd; raise e);
  0

let pipe p = pipe_with p 0
let pipe2 p = pipe_with p (Arg.int p 1)

let set_size p f size =
  no_path f;
  if not f.writable then Errno.fail Errno.einval;
  ignore (Io.file_limit p 0 size = size || (Signal.send p 25 (0, p.tgid, 1000, 0); Errno.fail Errno.efbig));
  resize f.inode size;
  0

let ftruncate_to p size = if size < 0 then Errno.fail Errno.einval else set_size p (fd_file p 0) size
let ftruncate p = ftruncate_to p (Arg.long p 1)
let ftruncate64 p = ftruncate_to p (Arg.pair p 1)

let fallocate p =
  let f = fd_file p 0 in
  let mode = Arg.int p 1 in
  let start, len = if is_wide p then (Arg.word p 2, Arg.word p 3) else (Arg.pair p 2, Arg.pair p 4) in
  no_path f;
  if start < 0 || len <= 0 then Errno.fail Errno.einval;
  if mode <> 0 && mode <> 1 && mode <> 3 then Errno.fail Errno.enotsup;
  if not f.writable then Errno.fail Errno.ebadf;
  if start > Limit.file_size || len > Limit.file_size then Limit.reach Errno.efbig "a file may not grow beyond 4 GiB";
  let keep_size = mode land 1 <> 0 in
  let c = match f.what with Plain -> Io.content f | Pipe_end _ -> Errno.fail Errno.espipe | _ -> Errno.fail Errno.enodev in
  if start + len > Limit.file_size then Limit.reach Errno.efbig "a file may not grow beyond 4 GiB";
  (match mode with
   | 0 | 1 ->
     if not keep_size && start + len > c.Content.size then ignore (Io.file_limit p start len);
     if start + len > c.Content.size && f.inode.Vfs.seals land 4 <> 0 then Errno.fail Errno.eperm;
     Content.fill c start (start + len);
     if not keep_size && start + len > c.Content.size then resize f.inode (start + len)
   | 3 when f.inode.Vfs.seals land Io.unwritable <> 0 -> Errno.fail Errno.eperm
   | _ -> Content.punch c start (start + len); Io.touch f.inode);
  0

(* Only what could lie on a disk. *)
let sync p = match (fd_file p 0).what with Plain | Directory -> 0 | Path_only -> Errno.fail Errno.ebadf | _ -> Errno.fail Errno.einval

(* All is in memory already. *)
let readahead p =
  let f = fd_file p 0 in
  if f.what = Path_only || not f.readable then Errno.fail Errno.ebadf;
  if f.what = Plain then 0 else Errno.fail Errno.einval

(* Of a whole file system: every descriptor has one, also a pipe's. *)
let syncfs p = match (fd_file p 0).what with Path_only -> Errno.fail Errno.ebadf | _ -> 0
let flock p = let f = fd_file p 0 in no_path f; Locks.whole p f (Arg.int p 1)

let ioctl p =
  let f = fd_file p 0 in
  no_path f;
  match Arg.uint p 1 with
  | 0x5451 -> p.files.close_on_exec.(Arg.int p 0) <- true; 0
  | 0x5450 -> p.files.close_on_exec.(Arg.int p 0) <- false; 0
  | 0x5421 ->
    let on = User.get_int p.mm (Arg.word p 2) <> 0 in
    f.flags <- (if on then f.flags lor Io.o_nonblock else f.flags land lnot Io.o_nonblock);
    0
  | request when (match f.what with Master _ | Slave _ -> true | _ -> false) -> Sys_tty.ioctl p f request
  | 0x541b ->
    (match f.what with
     | Pipe_end pipe -> User.put_int p.mm (Arg.word p 2) pipe.Vfs.used; 0
     | Socket s -> User.put_int p.mm (Arg.word p 2) (Socket.waiting s); 0
     | Plain -> User.put_int p.mm (Arg.word p 2) ((Io.content f).Content.size - f.position); 0
     | _ -> Errno.fail Errno.enotty)
  | _ -> Errno.fail Errno.enotty (* it is no terminal *)

(* sendfile: the offset in memory is 32 or 64 bits wide *)
let sendfile_sized p size =
  let out = fd_file p 0 and from = fd_file p 1 and at = Arg.word p 2 and len = Arg.long p 3 in
  if not from.readable then Errno.fail Errno.ebadf;
  (match from.what with Pipe_end _ | Socket _ | Event _ | Timer _ | Signals _ | Epoll _ when at <> 0 -> Errno.fail Errno.espipe | _ -> ());
  if not out.writable then Errno.fail Errno.ebadf;
  if len < 0 then Errno.fail Errno.einval;
  (match from.what with Plain -> () | _ -> Errno.fail Errno.einval);
  (match out.what with Pipe_end _ -> () | _ -> if out.flags land Io.o_append <> 0 then Errno.fail Errno.einval);
  if at = 0 then begin
    let n = Io.transfer p from from.position out len in
    from.position <- from.position + n;
    n
  end else begin
    let b = User.read p.mm at size in
    let start = if size = 8 then User.i64 b 0 else User.s32 b 0 in
    if start < 0 then Errno.fail Errno.einval;
    let n = Io.transfer p from start out len in
    if size = 8 then User.set64 b 0 (start + n) else User.set32 b 0 (start + n);
    User.write p.mm at b;
    n
  end

let sendfile p = sendfile_sized p (if is_wide p then 8 else 4)
let sendfile64 p = sendfile_sized p 8

(* A position in memory, or none: the file's own is meant. *)
let position_at p va = if va = 0 then None else begin
    let at = User.i64 (User.read p.mm va 8) 0 in
    if at < 0 || at > 1 lsl 60 then Errno.fail Errno.einval else Some at
  end
let put_position p va v = let b = Bytes.create 8 in User.set64 b 0 v; User.write p.mm va b

let copy_file_range p =
  let from = fd_file p 0 and out = fd_file p 2 in
  let from_at = Arg.word p 1 and to_at = Arg.word p 3 and len = Arg.long p 4 in
  if Arg.uint p 5 <> 0 || len < 0 then Errno.fail Errno.einval;
  (match (from.what, out.what) with
   | Plain, Plain -> ()
   | (Directory, _ | _, Directory) -> Errno.fail Errno.eisdir
   | (Path_only, _ | _, Path_only) -> Errno.fail Errno.ebadf
   | _ -> Errno.fail Errno.einval);
  if not from.readable || not out.writable || out.flags land Io.o_append <> 0 then Errno.fail Errno.ebadf;
  let start = Option.value (position_at p from_at) ~default:from.position and target = Option.value (position_at p to_at) ~default:out.position in
  let len = max 0 (min len ((Io.content from).Content.size - start)) in
  if from.inode == out.inode && start < target + len && target < start + len then Errno.fail Errno.einval;
  let n = Io.transfer p from start ~at:target out len in
  if to_at <> 0 then put_position p to_at (target + n) else out.position <- target + n;
  if from_at <> 0 then put_position p from_at (start + n) else from.position <- start + n;
  n

(* One end is a pipe. *)
let splice p =
  let from = fd_file p 0 and out = fd_file p 2 in
  let from_at = Arg.word p 1 and to_at = Arg.word p 3 and len = Arg.long p 4 and flags = Arg.uint p 5 in
  if flags land lnot 15 <> 0 || len < 0 then Errno.fail Errno.einval;
  no_path from;
  no_path out;
  if not from.readable || not out.writable then Errno.fail Errno.ebadf;
  let wait f = flags land 2 = 0 && f.flags land Io.o_nonblock = 0 in
  if len = 0 then 0
  else
    match (from.what, out.what) with
    | Pipe_end a, Pipe_end b ->
      if from_at <> 0 || to_at <> 0 then Errno.fail Errno.espipe;
      if a == b then Errno.fail Errno.einval;
      Io.drain p a out len ~wait:(wait from && wait out)
    | Pipe_end pipe, what ->
      if from_at <> 0 then Errno.fail Errno.espipe;
      if to_at <> 0 && what <> Plain then Errno.fail Errno.einval;
      if what = Plain && out.flags land Io.o_append <> 0 then Errno.fail Errno.einval;
      (match position_at p to_at with
       | None -> Io.drain p pipe out len ~wait:(wait from)
       | Some at -> let n = Io.drain p pipe ~at out len ~wait:(wait from) in put_position p to_at (at + n); n)
    | Plain, Pipe_end pipe ->
      if to_at <> 0 then Errno.fail Errno.espipe;
      if not (wait out) && Pipe.room pipe = 0 && pipe.Vfs.readers > 0 then Errno.fail Errno.eagain;
      let start = Option.value (position_at p from_at) ~default:from.position in
      let n = Io.transfer p from start out (min len (max 1 (Pipe.room pipe))) in
      if from_at <> 0 then put_position p from_at (start + n) else from.position <- start + n;
      n
    | _ -> Errno.fail Errno.einval

(* What lies in one pipe is written to another and stays where it is. *)
let tee p =
  let from = fd_file p 0 and out = fd_file p 1 and len = Arg.long p 2 and flags = Arg.uint p 3 in
  if flags land lnot 15 <> 0 || len < 0 then Errno.fail Errno.einval;
  if not from.readable || not out.writable then Errno.fail Errno.ebadf;
  match (from.what, out.what) with
  | Pipe_end a, Pipe_end b when a != b ->
    let wait = flags land 2 = 0 && from.flags land Io.o_nonblock = 0 in
    if len = 0 then 0
    else if b.Vfs.readers = 0 then begin Signal.send p 13 (0, p.tgid, 1000, 0); Errno.fail Errno.epipe end
    else if a.Vfs.used = 0 then
      (if a.Vfs.writers = 0 then 0 else if wait then raise (Wait (fun () -> a.Vfs.used > 0 || a.Vfs.writers = 0)) else Errno.fail Errno.eagain)
    else if Pipe.room b = 0 then (if wait then raise (Wait (fun () -> Pipe.room b > 0 || b.Vfs.readers = 0)) else Errno.fail Errno.eagain)
    else Pipe.push b (min len a.Vfs.used) (fun t off m d -> Pipe.peek a d t off m; m)
  | _ -> Errno.fail Errno.einval
