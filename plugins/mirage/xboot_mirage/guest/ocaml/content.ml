(* The content of a regular file: page frames, in chunks of 2 MiB, so that holes cost nothing and growing copies nothing.

   A frame may also be mapped by programs (exec, mmap). The file is written in place, so mappings see it, as on Linux; a program that writes to a private mapping takes a copy (aspace.c).
   Bytes past the end, in the last frame, are zero, unless a shared mapping wrote there. *)

open Base

type t = {
  mutable chunks : int array array; (* frames; [||] is a chunk of holes *)
  mutable size : int;
  mutable held : int; (* frames, for stat's blocks *)
}

let per_chunk = 512
let make () = { chunks = [||]; size = 0; held = 0 }

let frame t index =
  let c = index / per_chunk in
  if c >= Array.length t.chunks then 0
  else match t.chunks.(c) with [||] -> 0 | chunk -> chunk.(index mod per_chunk)

let set_frame t index f =
  let c = index / per_chunk in
  let have = Array.length t.chunks in
  if c >= have then begin
    let grown = Array.make (max (c + 1) (min (2 * have) (Limit.file_size / page / per_chunk))) [||] in
    Array.blit t.chunks 0 grown 0 have;
    t.chunks <- grown
  end;
  if Array.length t.chunks.(c) = 0 then t.chunks.(c) <- Array.make per_chunk 0;
  t.chunks.(c).(index mod per_chunk) <- f

(* Files leave this many frames to programs; set for each step. *)
let reserve = ref 0

let no_room () = Limit.reach Errno.enospc "files may fill three quarters of the memory, and do"
let demand_room () = if frames_free () <= !reserve then no_room ()

(* A frame that may be written to. *)
let frame_for_write t index =
  match frame t index with
  | 0 -> let f = frame_alloc () in set_frame t index f; t.held <- t.held + 1; f
  | f -> f

(* A frame to map: a hole gets one, since a mapping needs something to share. *)
let frame_for_map t index = match frame t index with 0 -> frame_for_write t index | f -> f

(* Calls [each address length] for the physical pieces of [off, off+len), 0 for a hole; [each] returns how much it took, and less ends the walk. *)
let pieces t off len each =
  let rec go off left done_ =
    if left = 0 then done_
    else begin
      let inside = off land (page - 1) in
      let part = min left (page - inside) in
      let f = frame t (off / page) in
      let took = each (if f = 0 then 0 else (f * page) + inside) part in
      if took < part then done_ + took else go (off + part) (left - part) (done_ + part)
    end in
  go off len 0

(* A page that was made for bytes that never came: behind the end nobody would ever free it. *)
let give_back t index =
  if index >= (t.size + page - 1) / page && frame t index <> 0 then begin unref_frame (frame t index); set_frame t index 0; t.held <- t.held - 1 end

let write_pieces t off len each =
  if len > 0 && (off > Limit.file_size || len > Limit.file_size - off) then Limit.reach Errno.efbig "a file may not grow beyond 4 GiB";
  let rec go off left done_ =
    if left = 0 then done_
    else if frames_free () <= !reserve && frame t (off / page) = 0 then (if done_ = 0 then demand_room (); done_)
    else begin
      let inside = off land (page - 1) in
      let part = min left (page - inside) in
      let took = each ((frame_for_write t (off / page) * page) + inside) part in
      if took > 0 && off + took > t.size then t.size <- off + took;
      if took = 0 then give_back t (off / page);
      if took < part then done_ + took else go (off + part) (left - part) (done_ + part)
    end in
  go off len 0

let read t off b at len =
  let len = max 0 (min len (t.size - off)) in
  let at = ref at in
  ignore @@ pieces t off len (fun address part ->
    if address = 0 then Bytes.fill b !at part '\000' else ignore (page_read address b !at part);
    at := !at + part;
    part)

(* Returns how much there was room for, as [write_pieces] does. *)
let write t off b at len =
  let at = ref at in
  write_pieces t off len (fun address part -> ignore (page_write address b !at part); at := !at + part; part)

let truncate t size =
  if size > Limit.file_size then Limit.reach Errno.efbig "a file may not grow beyond 4 GiB";
  if size < t.size then begin
    let inside = size land (page - 1) in
    if inside > 0 && frame t (size / page) <> 0 then ignore (page_fill ((frame t (size / page) * page) + inside) 0 (page - inside));
    let first = (size + page - 1) / page in
    for c = first / per_chunk to Array.length t.chunks - 1 do
      let chunk = t.chunks.(c) in
      if Array.length chunk > 0 then begin
        for i = (if c = first / per_chunk then first mod per_chunk else 0) to per_chunk - 1 do
          if chunk.(i) <> 0 then begin unref_frame chunk.(i); chunk.(i) <- 0; t.held <- t.held - 1 end
        done;
        if c > first / per_chunk then t.chunks.(c) <- [||]
      end
    done
  end;
  t.size <- size

(* Zeros in [start, stop), which may reach beyond the end; whole pages become holes. *)
let punch t start stop =
  let rec go at =
    if at < stop then begin
      let inside = at land (page - 1) in
      let part = min (stop - at) (page - inside) in
      let f = frame t (at / page) in
      if f <> 0 then begin
        if part = page && frame_refs f = 1 then begin unref_frame f; set_frame t (at / page) 0; t.held <- t.held - 1 end
        else ignore (page_fill ((f * page) + inside) 0 part)
      end;
      go (at + part)
    end in
  go start

(* Frames for all of [start, stop), as far as there is room. *)
let fill t start stop =
  for index = start / page to (stop - 1) / page do
    if frame t index = 0 then begin demand_room (); ignore (frame_for_write t index) end
  done

(* What was made behind the end (fallocate) goes, too. *)
let free t = t.size <- Limit.file_size; truncate t 0; t.chunks <- [||]

(* All of it or ENOSPC: a text that ends early would pass for the whole one. *)
let of_string s =
  let t = make () in
  if write t 0 (Bytes.unsafe_of_string s) 0 (String.length s) < String.length s then begin free t; no_room () end;
  t

(* Copy from physical memory (the payload). *)
let of_phys address len =
  let t = make () in
  let from = ref address in
  let n = write_pieces t 0 len (fun to_ part -> ignore (payload_copy to_ !from part); from := !from + part; part) in
  if n < len then begin free t; no_room () end;
  t

let blocks t = 8 * t.held
