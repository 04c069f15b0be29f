(* ELF headers, read with suspicion: every field is checked before it is used. *)

type segment = { offset : int; va : int; file_size : int; memory_size : int; flags : int (* 1 x, 2 w, 4 r *) }

type t = {
  wide : bool;
  entry : int;
  dynamic : bool; (* ET_DYN: loaded wherever it is put *)
  header_va : int; (* of the program headers in memory, before the bias; 0: not loaded *)
  headers : int;
  loads : segment list;
  interpreter : string option;
  stack_exec : bool; (* no PT_GNU_STACK, or one that says so *)
}

let refuse () = Errno.fail Errno.enoexec

let parse content =
  let size = content.Content.size in
  let piece off len =
    if off < 0 || len < 0 || off > size || len > size - off then refuse ();
    let b = Bytes.create len in
    Content.read content off b 0 len;
    b in
  let h = piece 0 (min size 64) in
  if Bytes.length h < 52 || Bytes.sub_string h 0 4 <> "\127ELF" || Bytes.get h 5 <> '\001' then refuse ();
  let wide = match Bytes.get h 4 with '\001' -> false | '\002' -> true | _ -> refuse () in
  if wide && Bytes.length h < 64 then refuse ();
  let u16 = Bytes.get_uint16_le in
  let kind = u16 h 16 and machine = u16 h 18 in
  if not (kind = 2 || kind = 3) || machine <> (if wide then 62 else 3) then refuse ();
  let entry, phoff, phsize, count =
    if wide then (User.i64 h 24, User.i64 h 32, u16 h 54, u16 h 56) else (User.u32 h 24, User.u32 h 28, u16 h 42, u16 h 44) in
  if phsize <> (if wide then 56 else 32) || count < 1 || count > 128 then refuse ();
  let table = piece phoff (phsize * count) in
  let limit = if wide then Base.user_limit64 else Base.user_limit32 in
  let loads = ref [] and interpreter = ref None and stack_exec = ref true in
  for n = 0 to count - 1 do
    let at = n * phsize in
    let flags, offset, va, file_size, memory_size =
      if wide then (User.u32 table (at + 4), User.i64 table (at + 8), User.i64 table (at + 16), User.i64 table (at + 32), User.i64 table (at + 40))
      else (User.u32 table (at + 24), User.u32 table (at + 4), User.u32 table (at + 8), User.u32 table (at + 16), User.u32 table (at + 20)) in
    match User.u32 table at with
    | 1 when memory_size <> 0 || file_size <> 0 ->
      if offset < 0 || va < 0 || file_size < 0 || memory_size < file_size || va > limit || memory_size > limit - va
         || file_size > size || offset > size - file_size || (va - offset) land (Base.page - 1) <> 0
         || (kind = 2 && va < Mm.lowest)
      then refuse ();
      loads := { offset; va; file_size; memory_size; flags } :: !loads
    | 3 ->
      if file_size < 2 || file_size > 4096 then refuse ();
      let b = piece offset file_size in
      if Bytes.get b (file_size - 1) <> '\000' then refuse ();
      interpreter := Some (Bytes.sub_string b 0 (file_size - 1))
    | 0x6474e551 -> stack_exec := flags land 1 <> 0
    | _ -> ()
  done;
  let loads = List.rev !loads in
  if loads = [] || entry < 0 then refuse ();
  let header_va = match List.find_opt (fun s -> s.offset <= phoff && phoff + (phsize * count) <= s.offset + s.file_size) loads with
    | Some s -> s.va + phoff - s.offset
    | None -> 0 in
  { wide; entry; dynamic = kind = 3; header_va; headers = count; loads; interpreter = !interpreter; stack_exec = !stack_exec }

let protection s =
  (if s.flags land 4 <> 0 then Base.prot_r else 0) lor (if s.flags land 2 <> 0 then Base.prot_w else 0)
  lor (if s.flags land 1 <> 0 then Base.prot_x else 0)

let span t =
  List.fold_left (fun (low, high) s -> (min low (Base.page_down s.va), max high (Base.page_up (s.va + s.memory_size)))) (max_int, 0) t.loads

(* Put the segments into memory: file pages by reference, what follows them by zeros. *)
let load mm inode t bias =
  let limit = Mm.limit mm in
  List.iter (fun s ->
    let va = s.va + bias in
    let first = Base.page_down va in
    let file_end = va + s.file_size and memory_end = va + s.memory_size in
    let file_top = if s.file_size = 0 then first else Base.page_up file_end in
    let top = Base.page_up memory_end in
    if first < Mm.lowest || top > limit then refuse ();
    Mm.unmap mm first top;
    let prot = protection s in
    if file_top > first then
      Mm.add mm { Mm.first; last = file_top; prot; shared = false; may_write = true; source = Mm.Backed (inode, s.offset - (va - first)) };
    if top > file_top then Mm.add mm { Mm.first = file_top; last = top; prot; shared = false; may_write = true; source = Mm.Anonymous };
    (* The last file page continues with other bytes of the file. Where .bss begins in it, zeros must be, to the page's end: ld.so hands out what lies behind .bss as zeroed. *)
    if memory_end > file_end && file_top > file_end && prot land Base.prot_w <> 0 then User.zero mm file_end (file_top - file_end)) t.loads
