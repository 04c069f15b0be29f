(* The store paths of a run: sources from the payload, then the outputs of the steps. Everything in here is sealed. *)

open Vfs

type item = { path : string; inode : inode; references : string list }

let items : (string, item) Hashtbl.t = Hashtbl.create 64

let find path = Hashtbl.find_opt items path

(* Canonical form: owner root, time 1, modes by the owner's execute bit. Sealed from now on. With a work list: no depth is trusted yet. *)
let canonicalise inode =
  let work = ref [ inode ] in
  while !work <> [] do
    let i = List.hd !work in
    work := List.tl !work;
    if not i.sealed then begin
      (match i.kind with
       | Dir _ -> i.mode <- 0o555; List.iter (fun n -> match Vfs.find i n with Some c -> work := c :: !work | None -> ()) (names i)
       | File _ -> i.mode <- (if i.mode land 0o100 <> 0 then 0o555 else 0o444)
       | _ -> ());
      i.uid <- 0;
      i.gid <- 0;
      i.atime <- 1_000_000_000;
      i.mtime <- 1_000_000_000;
      i.ctime <- 1_000_000_000;
      i.sealed <- true
    end
  done

let add path inode references = Hashtbl.replace items path { path; inode; references }

(* The paths that [roots] need, themselves included, sorted. *)
let closure roots =
  let seen = Hashtbl.create 64 in
  let work = ref roots in
  while !work <> [] do
    let p = List.hd !work in
    work := List.tl !work;
    if not (Hashtbl.mem seen p) then begin
      Hashtbl.replace seen p ();
      match Hashtbl.find_opt items p with Some i -> work := List.rev_append i.references !work | None -> ()
    end
  done;
  List.sort String.compare (Hashtbl.fold (fun p () l -> p :: l) seen [])

(* Unpack the payload: the script's text, and the store's trees by name. *)
let read_payload start size =
  let script = ref None in
  let trees = new_dir () in
  let top = make trees 0o755 in
  let enter (e : Cpio.entry) parts =
    let rec parent dir = function
      | [ name ] -> (dir, name)
      | name :: rest ->
        (match Vfs.find dir name with Some ({ kind = Dir _; _ } as d) -> parent d rest | _ -> raise (Cpio.Malformed ("payload: no directory for " ^ e.name)))
      | [] -> raise (Cpio.Malformed "payload: an empty name") in
    let dir, name = parent top parts in
    if name = "" || name = "." || name = ".." || Vfs.find dir name <> None then raise (Cpio.Malformed ("payload: bad or repeated name " ^ e.name));
    let kind = match e.mode land 0o170000 with
      | 0o040000 -> new_dir ()
      | 0o100000 ->
        let c = Content.of_phys e.address e.size in
        ignore (Base.frames_release e.address (e.address + e.size));
        File c
      | 0o120000 -> Link (View.to_string (View.make e.address e.size))
      | _ -> raise (Cpio.Malformed ("payload: a kind of file that the store cannot hold: " ^ e.name)) in
    Vfs.add dir name (make kind (e.mode land 0o777)) in
  Cpio.iterate start size (fun e ->
    match String.split_on_char '/' e.Cpio.name with
    | [ "xboot"; "script" ] -> script := Some (View.to_string (View.make e.Cpio.address e.Cpio.size))
    | "xboot" :: "store" :: (_ :: _ as parts) -> enter e parts
    | _ -> () (* device nodes and the like are for kernels that start a program from the archive *));
  match !script with
  | None -> raise (Cpio.Malformed "payload: no xboot/script")
  | Some text -> (text, top)
