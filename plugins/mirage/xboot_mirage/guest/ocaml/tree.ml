(* The root that a builder sees: made afresh for each step. Isolation is by construction, since there is nothing else to be seen. *)

open Vfs

let directory ?(uid = 0) ?(gid = 0) parent name mode =
  let d = make ~uid ~gid (new_dir ()) mode in
  add parent name d;
  d

(* The directory [path], made with its parents where they are missing. *)
let rec directories root path ~uid ~gid mode =
  match List.rev (Path.split path) with
  | [] -> root
  | name :: up ->
    let parent = directories root (String.concat "/" (List.rev up)) ~uid ~gid mode in
    match find parent name with
    | Some d when is_dir d -> d
    | Some _ -> failwith (path ^ " is not a directory")
    | None -> directory ~uid ~gid parent name mode

let parent_of path = match String.rindex_opt path '/' with Some n -> (String.sub path 0 n, String.sub path (n + 1) (String.length path - n - 1)) | None -> ("", path)

let write_file root path text ~uid ~gid mode =
  let folder, name = parent_of path in
  let dir = directories root folder ~uid ~gid 0o755 in
  if find dir name <> None then remove dir name;
  add dir name (make ~uid ~gid (File (Content.of_string text)) mode)

(* ---- the whole *)

let add_devices root =
  let dev = directory root "dev" 0o755 in
  List.iter (fun (name, minor) -> add dev name (make (Device (1, minor)) 0o666)) [ "null", 3; "zero", 5; "full", 7; "random", 8; "urandom", 9 ];
  add dev "tty" (make (Device (5, 0)) 0o666);
  ignore (directory dev "shm" 0o1777) (* shm_open and sem_open make files here *);
  let pts = directory dev "pts" 0o755 in
  add pts "ptmx" (make (Device (5, 2)) 0o666);
  Tty.begin_step pts;
  List.iter (fun (name, target) -> add dev name (make (Link target) 0o777))
    [ "ptmx", "/dev/pts/ptmx"; "fd", "/proc/self/fd"; "stdin", "/proc/self/fd/0"; "stdout", "/proc/self/fd/1"; "stderr", "/proc/self/fd/2" ]

(* [visible]: (name, inode) of the store paths that the builder may see. *)
let make_root ~store_dir ~visible =
  inodes := 0;
  let root = make (new_dir ()) 0o755 in
  root.nlink <- 2;
  ignore (directory root "tmp" 0o1777);
  add_devices root;
  let proc = Proc_files.root () in
  (match root.kind with Dir d -> Hashtbl.replace d.entries "proc" (d.next, proc); d.order <- IntMap.add d.next "proc" d.order; d.next <- d.next + 1 | _ -> ());
  let store = directories root store_dir ~uid:0 ~gid:0 0o755 in
  store.mode <- 0o1777;
  List.iter (fun (name, inode) ->
    add store name inode;
    (* the link count of a directory in the store is not the step's *)
    match inode.kind with Dir _ -> () | _ -> inode.nlink <- 1) visible;
  (root, store)
