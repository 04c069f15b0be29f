(* The fast path for one-byte reads and writes. The base layer (cpu.c, byte_call) serves them without OCaml inside a window: a piece of one page frame of
   one open file. What it did is entered here before OCaml looks at anything; a window is closed as soon as a call could change the file below it. *)

open Proc

let none () = [| { on = None; opened = 0 }; { on = None; opened = 0 } |]
let reading = 0 and writing = 1
let slot which n = Base.window + (3 * which) + n

(* Enter how far the program came. *)
let settle p which =
  let w = p.windows.(which) in
  match w.on with
  | None -> ()
  | Some f ->
    let at = Base.ctx_get p.context (slot which 1) in
    if at <> w.opened then begin
      f.position <- f.position + (at - w.opened);
      w.opened <- at;
      if which = writing then begin
        (match f.inode.Vfs.kind with Vfs.File c -> if f.position > c.Content.size then c.Content.size <- f.position | _ -> ());
        f.inode.Vfs.mtime <- !Vfs.now;
        f.inode.Vfs.ctime <- !Vfs.now
      end
    end

let settle_all p = settle p reading; settle p writing

let close p which =
  match p.windows.(which).on with
  | None -> ()
  | Some _ ->
    p.windows.(which).on <- None;
    ignore (Base.ctx_set p.context (slot which 0) 0)

let close_all p = close p reading; close p writing

let is_on p which inode = match p.windows.(which).on with Some f -> f.inode == inode | None -> false

(* After a one-byte call that took the slow way: from here to the end of the page (and of the file, when reading). *)
let open_ p which fd f =
  match f.inode.Vfs.kind with
  | Vfs.File c when not (is_on p (1 - which) f.inode) ->
    let inside = f.position land (Base.page - 1) in
    let frame = Content.frame c (f.position / Base.page) in
    let stop = if which = reading then min (Base.page - inside) (c.Content.size - f.position) else Base.page - inside in
    let appends_elsewhere = which = writing && f.flags land 0o2000 <> 0 && f.position <> c.Content.size in
    if frame <> 0 && stop > 0 && inside > 0 && not appends_elsewhere && (which = reading || c.Content.pinned || Base.frame_refs frame = 1) then begin
      let start = (frame * Base.page) + inside in
      let w = p.windows.(which) in
      w.on <- Some f;
      w.opened <- start;
      ignore (Base.ctx_set p.context (slot which 0) (fd + 1));
      ignore (Base.ctx_set p.context (slot which 1) start);
      ignore (Base.ctx_set p.context (slot which 2) (start + stop))
    end
  | _ -> ()
