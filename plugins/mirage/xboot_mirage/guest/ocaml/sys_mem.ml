(* System calls on memory. *)

open Proc

(* RLIMIT_AS *)
let most p = p.limits.soft.(9)
let demand_space p more = if most p >= 0 && Mm.size p.mm + more > most p then Errno.fail Errno.enomem

(* No number of an error is ever its answer: C libraries take it for an address. *)
let brk p = try Mm.grow_brk p.mm (Arg.word p 0) ~most:(most p) with Errno.Error _ -> p.mm.Mm.brk

let map_fixed = 0x10 and map_anonymous = 0x20 and map_noreplace = 0x100000

(* Memory that processes share without a file of their own, as on Linux: a file without a name. *)
let shared_memory len =
  if len > Limit.file_size then Limit.reach Errno.enomem "shared memory of more than 4 GiB";
  let c = Content.make () in
  c.Content.size <- len;
  Mm.Backed (Vfs.make ~uid:who.Vfs.user ~gid:who.Vfs.group (Vfs.File c) 0o777, 0)

let map p ~va ~len ~prot ~flags ~fd ~offset =
  if offset land (Base.page - 1) <> 0 then Errno.fail Errno.einval;
  let opened = if flags land map_anonymous <> 0 then None else Some (file p fd) in
  (match opened with Some { what = Path_only; _ } -> Errno.fail Errno.ebadf | _ -> ());
  if len = 0 then Errno.fail Errno.einval;
  if offset < 0 || offset > 1 lsl 52 then Errno.fail Errno.eoverflow;
  if prot land lnot 0x01000007 <> 0 then Errno.fail Errno.einval;
  let mm = p.mm in
  if len < 0 || len > Mm.limit mm then Limit.reach Errno.enomem Limit.address_space;
  let len = Base.page_up len in
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
  let shared = match flags land 15 with 1 -> true | 3 when opened <> None -> true | 2 -> false | _ -> Errno.fail Errno.einval in
  let may_write = ref true in
  let anonymous () = if shared then shared_memory len else Mm.Anonymous in
  let source =
    match opened with
    | None -> anonymous ()
    | Some f ->
      if not f.readable || (shared && prot land 2 <> 0 && not f.writable) then Errno.fail Errno.eacces;
      match f.what with
      | Plain ->
        let sealed = shared && f.inode.Vfs.seals land Io.unwritable <> 0 in
        if sealed && prot land 2 <> 0 then Errno.fail Errno.eperm;
        may_write := (f.writable && not sealed) || not shared;
        Mm.Backed (f.inode, offset)
      | Zero -> anonymous ()
      | _ -> Errno.fail Errno.enodev in
  let covered a = max 0 (min a.Mm.last (at + len) - max a.Mm.first at) in
  if most p >= 0 then demand_space p (len - List.fold_left (fun n a -> n + covered a) 0 (Mm.touching mm at (at + len)));
  (match opened with Some { what = Plain; inode; _ } -> Vfs.accessed inode | _ -> ());
  if fixed then begin Mm.demand_areas mm 3; Mm.unmap mm at (at + len) end;
  Mm.add mm { Mm.first = at; last = at + len; prot = prot land 7; shared; may_write = !may_write; source };
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

(* Up to the first hole in [first, last). *)
let rec until_hole mm at last = if at >= last then last else match Mm.find mm at with Some a -> until_hole mm a.Mm.last last | None -> at

let madvise p =
  let first, last = range p in
  (match Arg.int p 2 with
   | 0 | 1 | 2 | 3 | 8 | 16 | 17 | 20 | 21 -> () (* how it will be used, and what may be forgotten but need not *)
   | 4 -> (* what was there is forgotten: pages come back as zeros, or from the file *)
     List.iter (fun a -> if not a.Mm.shared then ignore (Base.as_unmap p.mm.Mm.space (max first a.Mm.first) (min last a.Mm.last))) (Mm.touching p.mm first last)
   | _ -> Errno.fail Errno.einval);
  if Mm.touching p.mm first last = [] && last > first || until_hole p.mm first last < last then Errno.fail Errno.enomem;
  0

(* Is each page in memory? What is not mapped at all is an error. *)
let mincore p =
  let first, last = (try range p with Errno.Error _ when Arg.word p 0 land (Base.page - 1) = 0 -> Errno.fail Errno.enomem) in
  if until_hole p.mm first last < last then Errno.fail Errno.enomem;
  let here va =
    Base.as_query p.mm.Mm.space va <> -1
    || match Mm.find p.mm va with
       | Some { Mm.source = Mm.Backed ({ Vfs.kind = Vfs.File c; _ }, offset); first; _ } -> Content.frame c ((offset + va - first) / Base.page) <> 0
       | _ -> false in
  let pages = (last - first) / Base.page in
  let rec go at =
    if at < pages then begin
      let b = Bytes.init (min Base.page (pages - at)) (fun n -> if here (first + ((at + n) * Base.page)) then '\001' else '\000') in
      User.write p.mm (Arg.word p 2 + at) b;
      go (at + Base.page)
    end in
  go 0;
  0

(* Memory never leaves for a disk, so locking it is granted; what is not mapped is an error, as on Linux. *)
let mlock p =
  let first = Base.page_down (Arg.word p 0) in
  let last = Base.page_up (Arg.word p 0 + Arg.word p 1) in
  if Arg.word p 0 < 0 || Arg.word p 1 < 0 || last > Mm.limit p.mm || until_hole p.mm first last < last then Errno.fail Errno.enomem;
  0

let mlockall p = match Arg.uint p 0 with 1 | 2 | 3 | 5 | 6 | 7 -> 0 | _ -> Errno.fail Errno.einval

let msync p =
  let first, last = range p and flags = Arg.uint p 2 in
  if flags land lnot 7 <> 0 || flags land 5 = 5 then Errno.fail Errno.einval;
  if until_hole p.mm first last < last then Errno.fail Errno.enomem;
  0

(* Frames move from [old, old+len) to [at, at+len), not bytes. *)
let carry mm old at len area =
  let rec go offset =
    if offset < len then begin
      (match Base.as_query mm.Mm.space (old + offset) with
       | -1 -> ()
       | entry ->
         let frame = (entry land 0xffffffffff000) / Base.page in
         Base.ref_frame frame;
         ignore (Base.as_unmap mm.Mm.space (old + offset) (old + offset + Base.page));
         Mm.map_frame mm (at + offset) frame area);
      go (offset + Base.page)
    end in
  go 0

(* As on Linux, a size that shrinks may reach over several areas and holes; one that grows is of one area. What lay in a given place is gone, whatever comes after. *)
let mremap p =
  let mm = p.mm in
  let old = Arg.word p 0 and old_len = Base.page_up (Arg.word p 1) and len = Base.page_up (Arg.word p 2) and flags = Arg.int p 3 in
  let fixed = flags land 2 <> 0 and target = Arg.word p 4 in
  if old < 0 || old land (Base.page - 1) <> 0 || len <= 0 || old_len <= 0 || flags land lnot 3 <> 0 || flags = 2 then Errno.fail Errno.einval;
  if Mm.find mm old = None then Errno.fail Errno.efault;
  Mm.join mm old; (* it may have been moved, or grown, or been under other rights before *)
  if len > old_len then demand_space p (len - old_len);
  if len > Mm.limit mm || old > Mm.limit mm || old_len > Mm.limit mm - old then Errno.fail Errno.enomem;
  if fixed then begin
    if target land (Base.page - 1) <> 0 || target < 0 || target > Mm.limit mm - len || (target < old + old_len && old < target + len) then Errno.fail Errno.einval;
    if target < Mm.lowest then Errno.fail Errno.eperm;
    Mm.demand_areas mm 6;
    Mm.unmap mm target (target + len)
  end;
  if len < old_len then begin Mm.demand_areas mm 4; Mm.unmap mm (old + len) (old + old_len) end;
  let kept = min old_len len in
  let area () = match Mm.find mm old with Some a when old + kept <= a.Mm.last -> a | _ -> Errno.fail Errno.efault in
  let move at =
    let area = area () in
    Mm.demand_areas mm 4;
    let moved = { area with Mm.first = at; last = at + len; source = Mm.shift_source area.Mm.source (old - area.Mm.first) } in
    Mm.add mm moved;
    carry mm old at kept moved;
    Mm.unmap mm old (old + kept);
    at in
  if fixed then move target
  else if len <= old_len then old
  else begin
    let area = area () in
    if old + old_len = area.Mm.last && old + len <= Mm.limit mm && Mm.within mm (old + old_len) (old + len) = [] then begin
      Mm.add mm { area with Mm.first = old + old_len; last = old + len; source = Mm.shift_source area.Mm.source (old + old_len - area.Mm.first) };
      old
    end
    else if flags land 1 = 0 then Errno.fail Errno.enomem
    else move (Mm.find_free mm len)
  end
