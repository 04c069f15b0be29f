(* A program's memory: areas (what may be where) above page tables (what is there now). Pages come on the first touch. *)

open Base
module Areas = Map.Make (Int)

type source = Anonymous | Backed of Vfs.inode * int (* file offset of the area's start *)

type area = { first : int; last : int (* one past *); prot : int; shared : bool; may_write : bool (* false: a shared mapping of a file that was not opened for writing *); source : source }

type t = {
  mutable space : int; (* page table; 0 after free: the base takes no such table for one *)
  wide : bool; (* x86_64 *)
  mutable areas : area Areas.t; (* by first address *)
  mutable brk_start : int;
  mutable brk : int;
  mutable users : int; (* processes and threads that share it *)
  exec_all : bool; (* i386 without PT_GNU_STACK: what may be read may be executed *)
}

type fault = Mapped | Bad_address | Bad_access | Beyond_file

let limit t = if t.wide then user_limit64 else user_limit32
let lowest = 0x1000 (* page 0 is never mapped *)

let make ~wide ~exec_all =
  let space = as_new 0 in
  if space = 0 then raise No_memory;
  { space; wide; areas = Areas.empty; brk_start = 0; brk = 0; users = 1; exec_all }

let hold area = match area.source with Backed (i, _) -> i.Vfs.opens <- i.Vfs.opens + 1 | Anonymous -> ()

let let_go area =
  match area.source with
  | Backed (i, _) -> i.Vfs.opens <- i.Vfs.opens - 1; Vfs.release i
  | Anonymous -> ()

let free t =
  t.users <- t.users - 1;
  if t.users = 0 then begin
    Areas.iter (fun _ a -> let_go a) t.areas;
    t.areas <- Areas.empty;
    ignore (as_free t.space);
    t.space <- 0
  end

let find t address =
  match Areas.find_last_opt (fun first -> first <= address) t.areas with
  | Some (_, a) when address < a.last -> Some a
  | _ -> None

let hardware_prot t a =
  let p = if a.prot land prot_w <> 0 then a.prot lor prot_r else a.prot in
  let p = if t.exec_all && p land prot_r <> 0 then p lor prot_x else p in
  if a.shared then p lor prot_shared else p

let shift_source source by = match source with Backed (i, off) -> Backed (i, off + by) | Anonymous -> Anonymous

(* Make [start, stop) end and begin at area borders; each piece holds its file. *)
let demand_areas t more = if Areas.cardinal t.areas + more > Limit.areas then Limit.reach Errno.enomem "16384 memory areas in one process"

let split_at t address =
  match find t address with
  | Some a when a.first < address ->
    demand_areas t 1;
    let upper = { a with first = address; source = shift_source a.source (address - a.first) } in
    hold upper;
    t.areas <- Areas.add address upper (Areas.add a.first { a with last = address } t.areas)
  | _ -> ()

let within t start stop =
  let _, here, above = Areas.split start t.areas in
  let above, _, _ = Areas.split stop above in
  match here with Some a -> a :: List.map snd (Areas.bindings above) | None -> List.map snd (Areas.bindings above)

(* The areas that have a page in [start, stop). *)
let touching t start stop =
  let above = within t start stop in
  match find t start with Some a when a.first < start -> a :: above | _ -> above

let unmap t start stop =
  split_at t start;
  split_at t stop;
  List.iter (fun a -> t.areas <- Areas.remove a.first t.areas; let_go a) (within t start stop);
  ignore (as_unmap t.space start stop)

let joinable a b =
  a.last = b.first && a.prot = b.prot && a.shared = b.shared && a.source = Anonymous && b.source = Anonymous

(* Enter an area where nothing is. Anonymous neighbours of one kind become one. *)
let add t area =
  if touching t area.first area.last <> [] then failwith "defect: two areas of a process's memory overlap";
  demand_areas t 1;
  hold area;
  let area = match Areas.find_last_opt (fun f -> f < area.first) t.areas with
    | Some (_, below) when joinable below area -> { area with first = below.first }
    | _ -> area in
  let area = match Areas.find_opt area.last t.areas with
    | Some above when joinable area above -> t.areas <- Areas.remove above.first t.areas; { area with last = above.last }
    | _ -> area in
  t.areas <- Areas.add area.first area t.areas

(* The area here with those behind it that show what comes next, in the same way. *)
let rec join t address =
  match find t address with
  | None -> ()
  | Some a ->
    match Areas.find_opt a.last t.areas with
    | Some b when a.prot = b.prot && a.shared = b.shared && a.may_write = b.may_write
        && (match (a.source, b.source) with
            | Anonymous, Anonymous -> true
            | Backed (i, at), Backed (j, next) -> i == j && at + (a.last - a.first) = next
            | _ -> false) ->
      t.areas <- Areas.add a.first { a with last = b.last } (Areas.remove b.first t.areas);
      let_go b;
      join t address
    | _ -> ()

(* As Linux: in order of addresses, up to the first hole or the first area that must not be written to. *)
let protect t start stop prot =
  let rec covered at = if at >= stop then stop else match find t at with Some a -> covered a.last | None -> at in
  let hole = covered start in
  if hole > start then begin
    split_at t start;
    split_at t hole;
    List.iter (fun a ->
      if prot land prot_w <> 0 && not a.may_write then Errno.fail Errno.eacces;
      let a = { a with prot } in
      t.areas <- Areas.add a.first a t.areas;
      ignore (as_protect t.space a.first a.last (hardware_prot t a))) (within t start hole)
  end;
  if hole < stop then Errno.fail Errno.enomem

(* The file got shorter: its pages behind the end are mapped nowhere any more, private copies neither. *)
let forget_behind t inode size =
  let end_ = page_up size in
  Areas.iter (fun _ a ->
    match a.source with
    | Backed (i, offset) when i == inode && offset + (a.last - a.first) > end_ ->
      ignore (as_unmap t.space (max a.first (a.first + end_ - offset)) a.last)
    | _ -> ()) t.areas

(* As on Linux, 128 MiB from here on for the stack and what is above it *)
let stack_room t = limit t - 0x8000000

(* The highest free range of [size] bytes below the stack. *)
let find_free t size =
  let rec down top areas =
    if top - size < 0x10000 then Limit.reach Errno.enomem Limit.address_space
    else
      match areas () with
      | Seq.Cons ((first, _), rest) when first >= top -> down top rest
      | Seq.Cons ((first, a), rest) when a.last > top - size -> down first rest
      | _ -> top - size in
  down (stack_room t) (Areas.to_rev_seq t.areas)

let size t = Areas.fold (fun _ a all -> if a.first < stack_room t then all + a.last - a.first else all) t.areas 0

let grow_brk t wanted ~most =
  let within_most = most < 0 || wanted <= t.brk || size t + page_up wanted - page_up t.brk <= most in
  let fits = wanted >= t.brk_start && wanted < limit t - 0x2000000 && within_most in
  if fits then begin
    let old = page_up t.brk and fresh = page_up wanted in
    if fresh > old && within t old fresh = [] && (match find t old with Some _ -> false | None -> true) then begin
      add t { first = old; last = fresh; prot = prot_r lor prot_w; shared = false; may_write = true; source = Anonymous };
      t.brk <- wanted
    end
    else if fresh < old then begin unmap t fresh old; t.brk <- wanted end
    else if fresh = old then t.brk <- wanted
    else Limit.note Limit.address_space
  end
  else if wanted >= t.brk_start && within_most then Limit.note Limit.address_space;
  t.brk

let map_frame t va frame a =
  if as_map t.space va frame (hardware_prot t a) = 0 then begin unref_frame frame; raise No_memory end

(* Pages around a fault that the file has anyway: the next touches then cost nothing. *)
let around = 16
let ahead = 7

let fault t address ~write ~exec =
  match if address < lowest then None else find t address with
  | None -> Bad_address
  | Some a ->
    let prot = hardware_prot t a in
    if (write && prot land prot_w = 0) || (exec && prot land prot_x = 0) || prot land 7 = 0 then Bad_access
    else begin
      let va = page_down address in
      if as_query t.space va <> -1 then begin
        (* Present and permitted: a copy that found no memory, or a copy the base could not make. *)
        if frames_free () = 0 then raise No_memory;
        Mapped
      end else
        match a.source with
        | Anonymous ->
          map_frame t va (frame_alloc ()) a;
          (* memory that grows page by page gets some pages ahead *)
          if as_query t.space (va - page) <> -1 && as_query t.space (va - (2 * page)) <> -1 && frames_free () > 1024 then
            for n = 1 to ahead do
              let here = va + (n * page) in
              if here < a.last && as_query t.space here = -1 then map_frame t here (frame_alloc ()) a
            done;
          Mapped
        | Backed (inode, offset) ->
          let content = match inode.Vfs.kind with Vfs.File c -> c | _ -> Content.make () in
          let at va = (offset + va - a.first) / page in
          let pages = (content.Content.size + page - 1) / page in
          if at va >= pages then Beyond_file
          else begin
            let first = max a.first (va - (va land ((around * page) - 1))) in
            for n = 0 to around - 1 do
              let here = first + (n * page) in
              if here = va || (here < a.last && at here < pages && Content.frame content (at here) <> 0 && as_query t.space here = -1)
              then begin
                let f = Content.frame_for_map content (at here) in
                ref_frame f;
                map_frame t here f a
              end
            done;
            if write && a.shared then begin inode.Vfs.mtime <- !Vfs.now; inode.Vfs.ctime <- !Vfs.now end;
            Mapped
          end
    end

let fork t =
  let copy = { t with space = as_new 0; users = 1 } in
  if copy.space = 0 then Limit.reach Errno.enomem "memory is exhausted";
  if as_fork copy.space t.space = 0 then begin
    ignore (as_free copy.space);
    Limit.reach Errno.enomem "memory is exhausted"
  end;
  Areas.iter (fun _ a -> hold a) copy.areas;
  copy
