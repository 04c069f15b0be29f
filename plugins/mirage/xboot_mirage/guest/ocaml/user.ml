(* Reading and writing a program's memory. The base layer moves what is mapped and permitted; where it stops, the page is brought in if the
   program itself could have touched it, else the call ends with EFAULT. *)

open Base

(* Moves [len] bytes by [step done], faulting pages in; returns how many were moved. *)
let rec move mm va len ~write step done_ =
  if done_ >= len then done_
  else
    let n = step done_ in
    if n > 0 then move mm va len ~write step (done_ + n)
    else
      match Mm.fault mm (va + done_) ~write ~exec:false with
      | Mm.Mapped -> let n = step done_ in if n = 0 then done_ else move mm va len ~write step (done_ + n)
      | _ -> done_

let ok_range mm va len = va >= 0 && len >= 0 && va <= Mm.limit mm && len <= Mm.limit mm - va

let whole moved len = if moved < len then Errno.fail Errno.efault

let some moved len = if moved = 0 && len > 0 then Errno.fail Errno.efault else moved

let read_some mm va b off len =
  if not (ok_range mm va len) then 0
  else move mm va len ~write:false (fun d -> user_read mm.Mm.space (va + d) b (off + d) (len - d)) 0

let write_some mm va b off len =
  if not (ok_range mm va len) then 0
  else move mm va len ~write:true (fun d -> user_write mm.Mm.space (va + d) b (off + d) (len - d)) 0

let to_phys mm va address len =
  if not (ok_range mm va len) then 0
  else move mm va len ~write:false (fun d -> user_to_phys mm.Mm.space (va + d) (address + d) (len - d)) 0

let from_phys mm va address len =
  if not (ok_range mm va len) then 0
  else move mm va len ~write:true (fun d -> user_from_phys mm.Mm.space (va + d) (address + d) (len - d)) 0

let read mm va len =
  let b = Bytes.create len in
  whole (read_some mm va b 0 len) len;
  b

let write mm va b = whole (write_some mm va b 0 (Bytes.length b)) (Bytes.length b)
let write_string mm va s = write mm va (Bytes.unsafe_of_string s)

let zeros = Bytes.make page '\000'
let zero mm va len =
  let rec go va left =
    if left > 0 then begin
      let part = min left page in
      whole (write_some mm va zeros 0 part) part;
      go (va + part) (left - part)
    end in
  go va len

(* A NUL-terminated string of less than [limit] bytes. *)
let rec string ?(too_long = Errno.enametoolong) mm va limit =
  if va < 0 || va >= Mm.limit mm then Errno.fail Errno.efault;
  let n = user_strlen mm.Mm.space va limit in
  if n < 0 then
    match Mm.fault mm (va - 1 - n) ~write:false ~exec:false with
    | Mm.Mapped -> string ~too_long mm va limit
    | _ -> Errno.fail Errno.efault
  else if n >= limit then Errno.fail too_long
  else Bytes.unsafe_to_string (read mm va n)

let path mm va = string mm va Path.path_limit

let u32 b off = Int32.to_int (Bytes.get_int32_le b off) land 0xffffffff
let s32 b off = Int32.to_int (Bytes.get_int32_le b off)
(* 64 bits where only 62 bits of magnitude can be right: anything else becomes a value that no check accepts *)
let i64 b off =
  let v = Bytes.get_int64_le b off in
  let n = Int64.to_int v in
  if Int64.equal (Int64.of_int n) v then n else min_int
let set32 b off v = Bytes.set_int32_le b off (Int32.of_int v)
let set64 b off v = Bytes.set_int64_le b off (Int64.of_int v)

let word mm va = if mm.Mm.wide then i64 (read mm va 8) 0 else u32 (read mm va 4) 0
let word_size mm = if mm.Mm.wide then 8 else 4
let put_word mm va v =
  let b = Bytes.make (word_size mm) '\000' in
  if mm.Mm.wide then set64 b 0 v else set32 b 0 v;
  write mm va b
let put_int mm va v = let b = Bytes.create 4 in set32 b 0 v; write mm va b
let get_int mm va = s32 (read mm va 4) 0
