(* From a path to an inode: one loop, no recursion; at most 40 symbolic links, names of at most 255 bytes, paths of less than 4096. *)

open Vfs

type found = {
  parent : inode; (* the directory that holds, or would hold, the last name *)
  name : string; (* "" when the path ends in a root, "." or ".." *)
  node : inode option;
  slash : bool; (* written with a slash at its end: only a directory will do *)
}

let path_limit = 4096
let name_limit = 255

(* The non-empty components, in order. *)
let split path = List.filter (fun c -> c <> "") (String.split_on_char '/' path)

let up root dir = if dir == root then dir else match dir.kind with Dir { parent = Some p; _ } -> p | _ -> dir

(* [follow]: whether a symbolic link in the last place is followed. [bare]: not even when a slash is written after it; calls that make or take away names.
   Those look at [slash] themselves. *)
let resolve ~who ~root ~cwd ?(follow = true) ?(bare = false) path =
  let n = String.length path in
  if n = 0 then Errno.fail Errno.enoent;
  if n >= path_limit then Errno.fail Errno.enametoolong;
  let slash = path.[n - 1] = '/' in
  let follow = not bare && (follow || slash) in
  let budget = ref 40 in
  let take_link () = decr budget; if !budget < 0 then Errno.fail Errno.eloop in
  let rec walk dir = function
    | [] -> { parent = dir; name = ""; node = Some dir; slash }
    | name :: rest ->
      if not (is_dir dir) then Errno.fail Errno.enotdir;
      demand who dir 1;
      if String.length name > name_limit then Errno.fail Errno.enametoolong;
      if name = "." then walk dir rest
      else if name = ".." then walk (up root dir) rest
      else
        match find dir name with
        | None when rest = [] -> { parent = dir; name; node = None; slash }
        | None -> Errno.fail Errno.enoent
        | Some { kind = Link target; _ } when rest <> [] || follow ->
          take_link ();
          if target = "" then Errno.fail Errno.enoent;
          walk (if target.[0] = '/' then root else dir) (List.rev_append (List.rev (split target)) rest)
        | Some { kind = Magic m; _ } when rest <> [] || follow ->
          take_link ();
          let inode = m.target () in
          if rest = [] then { parent = dir; name; node = Some inode; slash } else walk inode rest
        | Some inode -> if rest = [] then { parent = dir; name; node = Some inode; slash } else walk inode rest in
  let found = walk (if path.[0] = '/' then root else cwd) (split path) in
  (match found.node with
   | Some inode when slash && not bare && not (is_dir inode) -> Errno.fail Errno.enotdir
   | _ -> ());
  found

let existing found = match found.node with Some i -> i | None -> Errno.fail Errno.enoent

(* Remember where an inode was found. *)
let remember found inode = match found.parent.kind with Dir _ when found.name <> "" -> inode.place <- Some (found.parent, found.name) | _ -> ()

(* The absolute name of a directory, as seen from [root]; "(unreachable)" after its removal. *)
let name_of_dir root dir =
  let rec go dir parts =
    if dir == root then "/" ^ String.concat "/" parts
    else
      match dir.kind with
      | Dir { parent = Some p; _ } ->
        let name = match p.kind with
          | Dir d -> Hashtbl.fold (fun n (_, i) found -> if i == dir then n else found) d.entries ""
          | _ -> "" in
        go p (name :: parts)
      | _ -> "(unreachable)" in
  go dir []

(* The absolute name under which an inode was last opened; one that is gone says so. *)
let name_of root inode =
  match (inode.kind, inode.place) with
  | Dir _, _ -> name_of_dir root inode
  | _, None -> "/"
  | _, Some (dir, name) ->
    let folder = name_of_dir root dir in
    let there = match dir.kind with Dir d -> (match Hashtbl.find_opt d.entries name with Some (_, i) -> i == inode | None -> false) | _ -> false in
    (if folder = "/" then "/" else folder ^ "/") ^ name ^ if there then "" else " (deleted)"
