(* One-byte reads and writes without OCaml. The base layer (onebyte.c) serves them inside a window: a piece of one page frame of one open file.

   A window is a physical address, and the only one that outlives a call. So it is opened here alone, right before a program is entered, from the file as it is at that moment, and the base
   closes it when the program comes back: between the two no OCaml runs, hence nothing can give back, copy or map the frame. What a process keeps is only the wish. *)

open Proc

let reading = 0 and writing = 1

(* After a one-byte call that took the slow way. A file has at most one window: the last that was wished for. *)
let wish p which fd f =
  p.windows.(which) <- Some (fd, f);
  match p.windows.(1 - which) with Some (_, other) when other.inode == f.inode -> p.windows.(1 - which) <- None | _ -> ()

(* From the file's position to the end of the page (and of the file, when reading). *)
let open_ p which =
  match p.windows.(which) with
  | None -> ()
  | Some (fd, f) ->
    match f.inode.Vfs.kind with
    | Vfs.File c when (match file_at p.files fd with Some g -> g == f | None -> false) ->
      let inside = f.position land (Base.page - 1) in
      let stop = if which = reading then min (Base.page - inside) (c.Content.size - f.position) else Base.page - inside in
      let elsewhere = which = writing && ((f.flags land 0o2000 <> 0 && f.position <> c.Content.size) || p.limits.soft.(1) >= 0 || f.inode.Vfs.seals land 28 <> 0) in (* seals against growing and writing *)
      if inside > 0 && stop > 0 && not elsewhere then begin
        let frame = Content.frame c (f.position / Base.page) in
        if frame <> 0 then begin
          let start = (frame * Base.page) + inside in
          ignore (Base.window_set which fd start (start + stop))
        end
      end
    | _ -> p.windows.(which) <- None

(* Enter how far the program came. *)
let settle p which =
  match Base.window_moved which with
  | 0 -> ()
  | moved ->
    match p.windows.(which) with
    | Some (_, ({ inode = { Vfs.kind = Vfs.File c; _ }; _ } as f)) ->
      f.position <- f.position + moved;
      if which = writing then begin
        if f.position > c.Content.size then c.Content.size <- f.position;
        f.inode.Vfs.mtime <- !Vfs.now;
        f.inode.Vfs.ctime <- !Vfs.now
      end
    | _ -> failwith "a window moved that nobody opened"

(* Enter the program until its next trap; the vector. The only place where windows are open. *)
let run p =
  open_ p reading;
  open_ p writing;
  let vector = Base.run p.context p.mm.Mm.space in
  settle p reading;
  settle p writing;
  vector
