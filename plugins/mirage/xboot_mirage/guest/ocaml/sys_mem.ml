(* System calls on memory. *)

open Proc

let brk p = Mm.grow_brk p.mm (Arg.word p 0)

let map_shared = 1 and map_private = 2 and map_fixed = 0x10 and map_anonymous = 0x20 and map_noreplace = 0x100000

let map p ~va ~len ~prot ~flags ~fd ~offset =
  if len <= 0 || offset < 0 || offset land (Base.page - 1) <> 0 then Errno.fail Errno.einval;
  if prot land lnot 0x01000007 <> 0 then Errno.fail Errno.einval;
  let mm = p.mm in
  if len > Mm.limit mm then Errno.fail Errno.enomem;
  let len = Base.page_up len in
  let shared = match flags land 15 with 1 | 3 -> true | 2 -> false | _ -> Errno.fail Errno.einval in
  let source =
    if flags land map_anonymous <> 0 then Mm.Anonymous
    else begin
      let f = file p fd in
      match f.what with
      | Plain ->
        if not f.readable then Errno.fail Errno.eacces;
        if shared && prot land 2 <> 0 && not f.writable then Errno.fail Errno.eacces;
        if shared && prot land 2 <> 0 then (Io.content f).Content.pinned <- true;
        Mm.Backed (f.inode, offset)
      | Zero -> Mm.Anonymous
      | _ -> Errno.fail Errno.enodev
    end in
  let fixed = flags land (map_fixed lor map_noreplace) <> 0 in
  let free at = at land (Base.page - 1) = 0 && at >= 0x10000 && at + len <= Mm.limit mm && Mm.within mm at (at + len) = []
                && (match Mm.find mm at with None -> true | Some _ -> false) in
  let at =
    if fixed then begin
      if va land (Base.page - 1) <> 0 then Errno.fail Errno.einval;
      if va < Mm.lowest then Errno.fail Errno.eperm;
      if va > Mm.limit mm - len then Errno.fail Errno.enomem;
      if flags land map_noreplace <> 0 && not (free va) then Errno.fail Errno.eexist;
      va
    end
    else if va > 0 && va < Mm.limit mm && free (Base.page_down va) then Base.page_down va
    else Mm.find_free mm len in
  if fixed then Mm.unmap mm at (at + len);
  let shared_memory = shared && (source = Mm.Anonymous || prot land 2 <> 0) in
  Mm.add mm { Mm.first = at; last = at + len; prot = prot land 7; shared = shared_memory; source };
  (* what fork is to share must be there before it *)
  if shared_memory && source = Mm.Anonymous then begin
    let rec fill va = if va < at + len then begin
        if prot land 7 <> 0 then ignore (Mm.fault mm va ~write:false ~exec:false);
        fill (va + Base.page) end in
    try fill at with Base.No_memory -> Mm.unmap mm at (at + len); Limit.reach Errno.enomem "memory is exhausted"
  end;
  at

let mmap p =
  map p ~va:(Arg.word p 0) ~len:(Arg.word p 1) ~prot:(Arg.uint p 2) ~flags:(Arg.uint p 3) ~fd:(Arg.int p 4)
    ~offset:(if is_wide p then Arg.word p 5 else Arg.word p 5 * Base.page)

(* i386's first mmap: the arguments are in memory *)
let old_mmap p =
  let b = User.read p.mm (Arg.word p 0) 24 in
  let w n = User.u32 b (4 * n) in
  map p ~va:(w 0) ~len:(w 1) ~prot:(w 2) ~flags:(w 3) ~fd:(User.s32 b 16) ~offset:(w 5)

let range p =
  let va = Arg.word p 0 and len = Arg.word p 1 in
  if va land (Base.page - 1) <> 0 || va < 0 || len < 0 || va > Mm.limit p.mm || len > Mm.limit p.mm - va then Errno.fail Errno.einval;
  (va, va + Base.page_up len)

let munmap p =
  let first, last = range p in
  if first = last then Errno.fail Errno.einval;
  Mm.unmap p.mm first last;
  0

let mprotect p =
  let va = Arg.word p 0 in
  if va land (Base.page - 1) <> 0 then Errno.fail Errno.einval;
  let first, last = try range p with Errno.Error _ -> Errno.fail Errno.enomem in
  if Arg.uint p 2 land lnot 7 <> 0 then Errno.fail Errno.einval;
  if first < last then Mm.protect p.mm first last (Arg.uint p 2);
  0

let madvise p =
  let first, last = range p in
  (match Arg.int p 2 with
   | 4 | 8 -> (* what was there is forgotten: pages come back as zeros, or from the file *)
     List.iter (fun a -> if not a.Mm.shared then ignore (Base.as_unmap p.mm.Mm.space (max first a.Mm.first) (min last a.Mm.last))) (Mm.within p.mm first last)
   | _ -> ());
  0

let msync p = ignore (range p); 0

(* The frames move, not the bytes. *)
let mremap p =
  let mm = p.mm in
  let old = Arg.word p 0 and old_len = Base.page_up (Arg.word p 1) and len = Base.page_up (Arg.word p 2) and flags = Arg.int p 3 in
  if old < 0 || old land (Base.page - 1) <> 0 || len <= 0 || old_len <= 0 || flags land lnot 1 <> 0 then Errno.fail Errno.einval;
  if len > Mm.limit mm || old_len > Mm.limit mm - old then Errno.fail Errno.enomem;
  let area = match Mm.find mm old with Some a when old + old_len <= a.Mm.last -> a | _ -> Errno.fail Errno.efault in
  if len <= old_len then begin
    if len < old_len then Mm.unmap mm (old + len) (old + old_len);
    old
  end
  else if old + old_len = area.Mm.last && old + len <= Mm.limit mm && Mm.within mm (old + old_len) (old + len) = [] then begin
    Mm.add mm { area with Mm.first = old + old_len; last = old + len; source = Mm.shift_source area.Mm.source (old + old_len - area.Mm.first) };
    old
  end
  else if flags land 1 = 0 then Errno.fail Errno.enomem
  else begin
    let at = Mm.find_free mm len in
    let moved = { area with Mm.first = at; last = at + len; source = Mm.shift_source area.Mm.source (old - area.Mm.first) } in
    Mm.add mm moved;
    let rec carry offset =
      if offset < old_len then begin
        (match Base.as_query mm.Mm.space (old + offset) with
         | -1 -> ()
         | entry ->
           let frame = (entry land 0xffffffffff000) / Base.page in
           Base.ref_frame frame;
           ignore (Base.as_unmap mm.Mm.space (old + offset) (old + offset + Base.page));
           Mm.map_frame mm (at + offset) frame moved);
        carry (offset + Base.page)
      end in
    carry 0;
    Mm.unmap mm old (old + old_len);
    at
  end
