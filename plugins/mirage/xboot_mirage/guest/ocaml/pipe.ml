(* Pipes: 64 KiB of bytes, mostly; a writer without reader gets EPIPE, a reader without writer the end of the file. *)

open Vfs

let room pipe = pipe.capacity - pipe.used

(* Into another buffer, which has room for what there is. *)
let move pipe b =
  let first = min pipe.used (Bytes.length pipe.buffer - pipe.start) in
  Bytes.blit pipe.buffer pipe.start b 0 first;
  Bytes.blit pipe.buffer 0 b first (pipe.used - first);
  pipe.buffer <- b;
  pipe.start <- 0

let grow pipe wanted =
  let have = Bytes.length pipe.buffer in
  if wanted > have then begin
    Limit.check_kernel_memory ();
    let size = ref (max have 4096) in
    while !size < wanted do size := !size * 2 done;
    move pipe (Bytes.create (min !size pipe.capacity))
  end

(* F_SETPIPE_SZ: the size in bytes that it has then. *)
let resize pipe wanted =
  if wanted < 0 || wanted > 1 lsl 31 then Errno.fail Errno.einval;
  let capacity = ref 4096 in
  while !capacity < wanted do capacity := !capacity * 2 done;
  if !capacity > pipe_capacity_most then Errno.fail Errno.eperm;
  if pipe.used > !capacity then Errno.fail Errno.ebusy;
  let b = Bytes.create (min !capacity (Bytes.length pipe.buffer)) in
  move pipe b;
  pipe.capacity <- !capacity;
  pipe.eased <- pipe.eased + 1;
  !capacity

(* [fetch b off len] fills part of the buffer and returns how much it did; 0 ends. *)
let push pipe len fetch =
  let len = min len (room pipe) in
  grow pipe (pipe.used + len);
  let size = Bytes.length pipe.buffer in
  let rec go done_ =
    if done_ = len then done_
    else begin
      let at = (pipe.start + pipe.used) mod size in
      let part = min (len - done_) (size - at) in
      let n = fetch pipe.buffer at part done_ in
      pipe.used <- pipe.used + n;
      if n > 0 then pipe.pushed <- pipe.pushed + 1;
      if n < part then done_ + n else go (done_ + n)
    end in
  go 0

(* The last [n] bytes have not come. *)
let take_back pipe n = pipe.used <- pipe.used - n

let pull pipe len give =
  let len = min len pipe.used in
  let size = Bytes.length pipe.buffer in
  if pipe.used > pipe.capacity - 4096 then pipe.eased <- pipe.eased + 1;
  let rec go done_ =
    if done_ = len then done_
    else begin
      let part = min (len - done_) (size - pipe.start) in
      let n = give pipe.buffer pipe.start part done_ in
      pipe.start <- (pipe.start + n) mod size;
      pipe.used <- pipe.used - n;
      if n > 0 then pipe.pulled <- pipe.pulled + 1;
      if n < part then done_ + n else go (done_ + n)
    end in
  let n = go 0 in
  if pipe.used = 0 then pipe.start <- 0;
  n

(* Copy [len] bytes that lie [from] behind the first one; they stay. *)
let peek pipe from b off len =
  let size = Bytes.length pipe.buffer in
  for i = 0 to len - 1 do Bytes.set b (off + i) (Bytes.get pipe.buffer ((pipe.start + from + i) mod size)) done
