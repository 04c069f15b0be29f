(* Reading and writing open files, from and to a program's memory. A regular file is never read short: tools of the bootstrap chain take that for its end. *)

open Proc

let o_nonblock = 0o4000 and o_append = 0o2000

let content f = match f.inode.Vfs.kind with Vfs.File c -> c | _ -> Errno.fail Errno.einval

(* The same bytes in every run, for programs that want chance only to avoid collisions. *)
let random_state = ref 1
let random_bytes b off len =
  for i = off to off + len - 1 do
    random_state := (!random_state * 0x5851f42d4c957f2d + 0x14057b7ef767814f) land max_int;
    Bytes.unsafe_set b i (Char.unsafe_chr (!random_state lsr 40 land 255))
  done

let read_content p c position va len =
  let len = max 0 (min len (c.Content.size - position)) in
  let at = ref va in
  let n = Content.pieces c position len (fun address part ->
    let n = if address = 0 then User.write_some p.mm !at User.zeros 0 part else User.from_phys p.mm !at address part in
    at := !at + n;
    n) in
  User.some n len

let write_content p c position va len =
  let at = ref va in
  let n = Content.write_pieces c position len (fun address part ->
    let n = User.to_phys p.mm !at address part in
    at := !at + n;
    n) in
  User.some n len

(* Fill a program's buffer from a generator of pieces. *)
let generate p va len fill =
  let b = Bytes.create (min len 65536) in
  let rec go done_ =
    if done_ >= len then done_
    else begin
      let part = min (Bytes.length b) (len - done_) in
      fill b part;
      let n = User.write_some p.mm (va + done_) b 0 part in
      if n < part then done_ + n else go (done_ + n)
    end in
  User.some (go 0) len

let read_pipe p f pipe va len =
  if len = 0 then 0
  else if pipe.Vfs.used > 0 then
    User.some (Pipe.pull pipe len (fun b off part done_ -> User.write_some p.mm (va + done_) b off part)) (min len pipe.Vfs.used)
  else if pipe.Vfs.writers = 0 then 0
  else if f.flags land o_nonblock <> 0 then Errno.fail Errno.eagain
  else raise (Wait (fun () -> pipe.Vfs.used > 0 || pipe.Vfs.writers = 0))

(* Writes of at most 4096 bytes are not split. A longer one goes on when there is room again; [progress] remembers how far it was. *)
let write_pipe p f pipe va len =
  if len = 0 then 0
  else if pipe.Vfs.readers = 0 then begin
    if p.progress > 0 then p.progress
    else begin
      Signal.send p 13 (0, p.tgid, 1000, 0);
      Errno.fail Errno.epipe
    end
  end
  else begin
    let left = len - p.progress in
    let room = Pipe.room pipe in
    if room >= min left 4096 then begin
      let from = va + p.progress in
      let moved = Pipe.push pipe left (fun b off part done_ -> User.read_some p.mm (from + done_) b off part) in
      (* a piece that runs into a bad pointer is not begun, as on Linux *)
      let n = if moved < min left room then moved - (moved mod 4096) else moved in
      Pipe.take_back pipe (moved - n);
      if n = 0 then (if p.progress = 0 then Errno.fail Errno.efault);
      p.progress <- p.progress + n;
      if n < min left room then p.progress (* ran into a bad pointer *)
      else if p.progress = len || f.flags land o_nonblock <> 0 then p.progress
      else raise (Wait (fun () -> Pipe.room pipe >= 4096 || pipe.Vfs.readers = 0))
    end
    else if f.flags land o_nonblock <> 0 then (if p.progress > 0 then p.progress else Errno.fail Errno.eagain)
    else raise (Wait (fun () -> Pipe.room pipe >= min left 4096 || pipe.Vfs.readers = 0))
  end

let check_length p va len =
  if len < 0 then Errno.fail Errno.einval;
  if not (User.ok_range p.mm va len) then Errno.fail Errno.efault

let read_at p f position va len =
  if not f.readable then Errno.fail Errno.ebadf;
  check_length p va len;
  match f.what with
  | Plain -> Vfs.accessed f.inode; read_content p (content f) position va len
  | Directory -> Errno.fail Errno.eisdir
  | Pipe_end pipe -> read_pipe p f pipe va len
  | Null -> 0
  | Zero | Full -> generate p va len (fun b n -> Bytes.fill b 0 n '\000')
  | Random -> generate p va len (fun b n -> random_bytes b 0 n)
  | Event e -> Event_file.read_event p f e va len
  | Timer t -> Event_file.read_timer p f t va len
  | Signals s -> Event_file.read_signals p f s va len
  | Epoll _ -> Errno.fail Errno.einval
  | Socket s -> Socket.read p f s va len
  | Master _ | Slave _ -> Tty.read p f va len
  | To_console | Path_only -> Errno.fail Errno.ebadf

let read p f va len =
  let n = read_at p f f.position va len in
  (match f.what with Plain -> f.position <- f.position + n | _ -> ());
  n

let to_console p va len =
  let b = Bytes.create (min len 65536) in
  let rec go done_ =
    if done_ >= len then done_
    else begin
      let part = min (Bytes.length b) (len - done_) in
      let n = User.read_some p.mm (va + done_) b 0 part in
      Console.put b 0 n;
      if n < part then done_ + n else go (done_ + n)
    end in
  User.some (go 0) len

let unwritable = 24 (* the seals against writing *)

(* How much of a write the file's seals let through. One against growing lets whole pages through. Raises EPERM for nothing. *)
let seal_limit inode position len =
  let seals = inode.Vfs.seals in
  if seals land unwritable <> 0 then Errno.fail Errno.eperm;
  let size = match inode.Vfs.kind with Vfs.File c -> c.Content.size | _ -> 0 in
  if seals land 4 = 0 || position + len <= size then len
  else begin
    let whole = Base.page_down size - position in
    if whole > 0 then whole else Errno.fail Errno.eperm
  end

(* How much of a write RLIMIT_FSIZE lets through: nothing is a signal. *)
let file_limit p position len =
  let most = p.limits.soft.(1) in
  if most < 0 || position + len <= most then len
  else if position < most then most - position
  else begin Signal.send p 25 (0, p.tgid, 1000, 0); Errno.fail Errno.efbig end

let touch inode = inode.Vfs.mtime <- Clock.now (); inode.Vfs.ctime <- Clock.now ()

let write_at p f position va len =
  if not f.writable then Errno.fail Errno.ebadf;
  check_length p va len;
  match f.what with
  | Plain ->
    let c = content f in
    (* what is appended goes to the end, whatever the call says *)
    let position = if f.flags land o_append <> 0 then c.Content.size else position in
    let n = if len = 0 then 0 else write_content p c position va (seal_limit f.inode position (file_limit p position len)) in
    if len > 0 then touch f.inode;
    n
  | Pipe_end pipe -> write_pipe p f pipe va len
  | Null | Zero | Random -> len
  | Full -> if len = 0 then 0 else Errno.fail Errno.enospc
  | To_console -> to_console p va len
  | Event e -> Event_file.write_event p f e va len
  | Timer _ | Signals _ | Epoll _ -> Errno.fail Errno.einval
  | Socket s -> Socket.write p f s va len
  | Master _ | Slave _ -> Tty.write p f va len
  | Directory | Path_only -> Errno.fail Errno.ebadf

let write p f va len =
  match f.what with
  | Plain ->
    let end_ = (content f).Content.size in
    let n = write_at p f f.position va len in
    f.position <- (if f.flags land o_append <> 0 && len > 0 then end_ else f.position) + n;
    n
  | _ -> write_at p f 0 va len

(* From a file to a descriptor, inside the kernel (sendfile, copy_file_range, splice): the bytes pass through a buffer of 64 KiB. [at]: where in a regular
   file; else at its position, which moves. *)
let transfer p from position ?at out len =
  if not out.writable then Errno.fail Errno.ebadf;
  if not from.readable then Errno.fail Errno.ebadf;
  (* a pipe that nobody reads is broken, be there bytes to move or not *)
  let broken pipe = if pipe.Vfs.readers = 0 then begin Signal.send p 13 (0, p.tgid, 1000, 0); Errno.fail Errno.epipe end in
  (match out.what with Pipe_end pipe when len > 0 -> broken pipe | _ -> ());
  let b = Bytes.create 65536 in
  let c = content from in
  let put part done_ =
    match out.what with
    | Plain ->
      let oc = content out in
      let target = match at with
        | Some start -> start + done_
        | None -> if out.flags land o_append <> 0 then out.position <- oc.Content.size; out.position in
      let n = Content.write oc target b 0 (seal_limit out.inode target (file_limit p target part)) in
      touch out.inode;
      if at = None then out.position <- target + n;
      n
    | To_console -> Console.put b 0 part; part
    | Null | Zero | Random -> part
    | Pipe_end pipe ->
      broken pipe;
      let n = Pipe.push pipe part (fun t off m d -> Bytes.blit b d t off m; m) in
      if n > 0 then n
      else if out.flags land o_nonblock <> 0 then Errno.fail Errno.eagain
      else raise (Wait (fun () -> Pipe.room pipe > 0 || pipe.Vfs.readers = 0))
    | Full -> Errno.fail Errno.enospc
    | Socket s -> Socket.write_bytes p out s b part
    | _ -> Errno.fail Errno.einval in
  let rec go done_ =
    let part = min (Bytes.length b) (min (len - done_) (c.Content.size - position - done_)) in
    if part <= 0 then done_
    else begin
      Content.read c (position + done_) b 0 part;
      match put part done_ with
      | n when n < part -> done_ + n
      | _ -> go (done_ + part)
      | exception (Errno.Error _ | Wait _) when done_ > 0 -> done_
    end in
  go 0

(* From a pipe to anything that can be written to; what is not taken stays in the pipe. *)
let drain p pipe ?at out len ~wait =
  if pipe.Vfs.used = 0 then begin
    if pipe.Vfs.writers = 0 then 0
    else if not wait then Errno.fail Errno.eagain
    else raise (Wait (fun () -> pipe.Vfs.used > 0 || pipe.Vfs.writers = 0))
  end
  else
    match out.what with
    | Plain ->
      let oc = content out in
      let start = match at with Some s -> s | None -> if out.flags land o_append <> 0 then out.position <- oc.Content.size; out.position in
      let len = seal_limit out.inode start (file_limit p start len) in
      let n = Pipe.pull pipe len (fun b off part done_ -> Content.write oc (start + done_) (Bytes.sub b off part) 0 part) in
      touch out.inode;
      if at = None then out.position <- start + n;
      n
    | To_console -> Pipe.pull pipe len (fun b off part _ -> Console.put b off part; part)
    | Null -> Pipe.pull pipe len (fun _ _ part _ -> part)
    | Pipe_end to_ ->
      if to_.Vfs.readers = 0 then begin Signal.send p 13 (0, p.tgid, 1000, 0); Errno.fail Errno.epipe end;
      let room = min len (Pipe.room to_) in
      if room = 0 then (if wait then raise (Wait (fun () -> Pipe.room to_ > 0 || to_.Vfs.readers = 0)) else Errno.fail Errno.eagain)
      else Pipe.pull pipe room (fun b off part _ -> Pipe.push to_ part (fun t at m d -> Bytes.blit b (off + d) t at m; m))
    | _ -> Errno.fail Errno.einval

(* ---- what is ready: the bits of poll, whatever was asked for *)

let poll_in = 0x41 and poll_out = 0x104 and poll_err = 8 and poll_hup = 0x10

let rec ready p f =
  let if_ c bits = if c then bits else 0 in
  match f.what with
  | Pipe_end pipe ->
    if_ (f.readable && pipe.Vfs.used > 0) poll_in lor if_ (f.readable && pipe.Vfs.writers = 0) poll_hup
    lor if_ (f.writable && Pipe.room pipe >= 4096) poll_out lor if_ (f.writable && pipe.Vfs.readers = 0) poll_err
  | To_console -> poll_out
  | Event e -> if_ (e.count <> 0L) poll_in lor if_ (Int64.unsigned_compare e.count (-2L) < 0) poll_out
  | Timer t -> if_ (Timer.fired t > 0) poll_in
  | Signals s -> if_ (Signal.pending p land s.set <> 0) poll_in
  | Epoll e -> if_ (List.exists (fun i -> interest_ready p i <> 0) e.interests) poll_in
  | Socket s -> Socket.ready s
  | Master _ | Slave _ -> Tty.ready f.what
  | Path_only -> 0x20
  | Plain | Directory | Null | Zero | Full | Random -> poll_in lor poll_out

(* How often bytes came, and went. *)
and motions p f =
  match f.what with Pipe_end pipe -> (pipe.Vfs.pushed, pipe.Vfs.eased) | Signals _ -> (p.shared.signalled, 0) | Event e -> (e.writes, e.writes) | Timer t -> (Timer.fired t + t.at, 0) | Master t -> (t.printed.Vfs.pushed, t.taken_out) | Slave (t, _) -> (t.typed, t.printed.Vfs.pulled) | Socket s -> (s.came, match s.peer with Some q -> q.went | None -> 0) | _ -> (0, 0)

(* What epoll_wait has to report of one descriptor. *)
and interest_ready p i =
  if i.off || i.target.holders = 0 then 0
  else begin
    let now = ready p i.target land (i.wanted lor poll_err lor poll_hup) in
    if i.wanted land 0x80000000 = 0 then now (* EPOLLET *)
    else begin
      let came, went = motions p i.target and before_came, before_went, before = i.edge in
      let fresh = now land lnot before in
      let fresh = if came <> before_came then fresh lor (now land poll_in) else fresh in
      let fresh = if went <> before_went then fresh lor (now land poll_out) else fresh in
      if fresh <> 0 then now else 0
    end
  end
