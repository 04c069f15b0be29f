(* System calls on names. Each `*at` call serves its older relative, which passes AT_FDCWD. *)

open Proc

let at_fdcwd = -100
let at_symlink_nofollow = 0x100 and at_removedir = 0x200 and at_symlink_follow = 0x400 and at_empty_path = 0x1000

let start p fd path =
  if path = "" then Errno.fail Errno.enoent
  else if path.[0] = '/' then p.root
  else if fd = at_fdcwd then p.place.cwd
  else
    let f = file p fd in
    if Vfs.is_dir f.inode then f.inode else Errno.fail Errno.enotdir

let resolve p fd path ~follow = Path.resolve ~who ~root:p.root ~cwd:(start p fd path) ~follow path
(* For calls that make a name or take one away: links in the last place are never followed. *)
let resolve_name p fd path = Path.resolve ~who ~root:p.root ~cwd:(start p fd path) ~follow:false ~bare:true path
let existing p fd path ~follow = Path.existing (resolve p fd path ~follow)

(* For calls with AT_EMPTY_PATH: the descriptor itself. *)
let existing_or_fd p fd path flags ~follow =
  if path = "" && flags land at_empty_path <> 0 then (if fd = at_fdcwd then p.place.cwd else (file p fd).inode)
  else existing p fd path ~follow

(* A directory in which a name is to be made. *)
let demand_make found =
  if found.Path.node <> None then Errno.fail Errno.eexist;
  let dir = found.Path.parent in
  if dir.Vfs.sealed then Errno.fail Errno.eacces;
  (match dir.Vfs.kind with Vfs.Dir { parent = None; _ } when dir.Vfs.nlink = 0 -> Errno.fail Errno.enoent | Vfs.Dynamic _ -> Errno.fail Errno.enoent | _ -> ());
  Vfs.demand who dir 3

let make_in found kind mode =
  let dir = found.Path.parent in
  let inode = Vfs.make ~uid:who.Vfs.user ~gid:(if dir.Vfs.mode land 0o2000 <> 0 then dir.Vfs.gid else who.Vfs.group) kind mode in
  Vfs.add dir found.Path.name inode;
  inode

let o_creat = 0o100 and o_excl = 0o200 and o_trunc = 0o1000 and o_directory = 0o200000 and o_nofollow = 0o400000
and o_path = 0o10000000 and o_cloexec = 0o2000000 and o_tmpfile = 0o20000000

let open_inode p inode flags path =
  let access = flags land 3 in
  let readable = access <> 1 && access <> 3 and writable = access = 1 || access = 2 in
  let kept = flags land lnot (o_creat lor o_excl lor o_trunc lor o_cloexec lor 0o400) land lnot o_path in
  let opened what = open_file inode what ~flags:kept ~path ~readable ~writable in
  if access = 3 then Errno.fail Errno.einval;
  match inode.Vfs.kind with
  | Vfs.File c ->
    if readable then Vfs.demand who inode 4;
    if writable then begin
      if inode.Vfs.sealed then Errno.fail Errno.eacces;
      Vfs.demand who inode 2;
      if is_running inode then Errno.fail Errno.etxtbsy
    end;
    if flags land o_trunc <> 0 then begin
      if inode.Vfs.sealed then Errno.fail Errno.eacces;
      Vfs.demand who inode 2;
      if is_running inode then Errno.fail Errno.etxtbsy;
      if c.Content.size > 0 then resize inode 0
    end;
    opened Plain
  | Vfs.Dir _ | Vfs.Dynamic _ ->
    if writable || flags land o_trunc <> 0 then Errno.fail Errno.eisdir;
    Vfs.demand who inode 4;
    opened Directory
  | Vfs.Text text ->
    if writable || flags land o_trunc <> 0 then Errno.fail Errno.eacces;
    Vfs.demand who inode 4;
    (* the open file has an inode of its own, whose memory goes with it *)
    let c = Content.of_string (text ()) in
    (try open_file { inode with Vfs.kind = Vfs.File c } Plain ~flags:kept ~path ~readable ~writable:false with e -> Content.free c; raise e)
  | Vfs.Link _ | Vfs.Magic _ -> Errno.fail Errno.eloop
  | Vfs.Device (1, 3) -> opened Null
  | Vfs.Device (1, 5) -> opened Zero
  | Vfs.Device (1, 7) -> opened Full
  | Vfs.Device (1, (8 | 9)) -> opened Random
  | Vfs.Socket | Vfs.Device _ ->
    if readable then Vfs.demand who inode 4;
    if writable then Vfs.demand who inode 2;
    let flags = kept lor (flags land 0o400) in
    (match inode.Vfs.kind with
     | Vfs.Device (5, minor) -> Sys_tty.open_device p inode minor ~flags ~path ~readable ~writable
     | Vfs.Device (136, _) -> Sys_tty.open_end p inode ~flags ~path ~readable ~writable
     | _ -> Errno.fail Errno.enxio)
  | Vfs.Console -> if readable then Errno.fail Errno.eacces; opened To_console
  | Vfs.Fifo pipe ->
    if readable then Vfs.demand who inode 4;
    if writable then Vfs.demand who inode 2;
    let f = opened (Pipe_end pipe) in
    pipe.Vfs.came <- pipe.Vfs.came + (if pipe.Vfs.readers = 0 && readable || pipe.Vfs.writers = 0 && writable then 1 else 0);
    if readable then pipe.Vfs.readers <- pipe.Vfs.readers + 1;
    if writable then pipe.Vfs.writers <- pipe.Vfs.writers + 1;
    f

(* Opening one end of a named pipe waits for the other. *)
let wait_for_peer p flags inode f =
  match inode.Vfs.kind with
  | Vfs.Fifo pipe when pipe.Vfs.named && flags land 3 <> 2 && p.progress = 0 ->
    let alone = if f.readable then pipe.Vfs.writers = 0 else pipe.Vfs.readers = 0 in
    if alone then begin
      if flags land Io.o_nonblock = 0 then begin
        let before = pipe.Vfs.came in
        Some (fun () -> pipe.Vfs.came > before)
      end
      else if f.writable then begin f.holders <- 1; close_file f; Errno.fail Errno.enxio end
      else None
    end else None
  | _ -> None

(* O_TMPFILE: a file in a directory, without a name there. linkat gives it one, unless O_EXCL was given. *)
let open_nameless p fd path flags mode =
  if flags land 3 = 0 || flags land o_creat <> 0 then Errno.fail Errno.einval;
  let dir = existing p fd path ~follow:true in
  (match dir.Vfs.kind with Vfs.Dir _ -> () | Vfs.Dynamic _ -> Errno.fail Errno.enotsup | _ -> Errno.fail Errno.enotdir);
  if dir.Vfs.sealed then Errno.fail Errno.eacces;
  Vfs.demand who dir 3;
  let inode = Vfs.make ~uid:who.Vfs.user ~gid:who.Vfs.group (Vfs.File (Content.make ())) (mode land 0o7777 land lnot p.place.umask) in
  inode.Vfs.nameless <- flags land o_excl = 0;
  let kept = flags land lnot (o_creat lor o_excl lor o_trunc lor o_cloexec lor 0o400) in
  install p (open_file inode Plain ~flags:kept ~path:(path ^ "/#" ^ string_of_int inode.Vfs.ino ^ " (deleted)") ~readable:(flags land 3 = 2) ~writable:true) ~cloexec:(flags land o_cloexec <> 0)

let open_at p fd va flags mode =
  let path = User.path p.mm va in
  demand_descriptor p; (* as on Linux before anything is made or cut off *)
  if flags land o_tmpfile = o_tmpfile then open_nameless p fd path flags mode
  else
  let () = if flags land o_creat <> 0 && flags land o_directory <> 0 then Errno.fail Errno.einval in
  let exclusive = flags land o_creat <> 0 && flags land o_excl <> 0 in
  if flags land o_creat <> 0 && flags land o_path = 0 && (resolve_name p fd path).Path.slash then Errno.fail Errno.eisdir; (* whatever is there *)
  let found = resolve p fd path ~follow:(flags land o_nofollow = 0 && not exclusive) in
  let cloexec = flags land o_cloexec <> 0 in
  match found.Path.node with
  | Some _ when exclusive -> Errno.fail Errno.eexist
  | Some inode ->
    Path.remember found inode;
    if flags land o_directory <> 0 && not (Vfs.is_dir inode) then Errno.fail Errno.enotdir;
    if flags land o_creat <> 0 && Vfs.is_dir inode then Errno.fail Errno.eisdir;
    if flags land o_path <> 0 then install p (open_file inode Path_only ~flags:o_path ~path ~readable:false ~writable:false) ~cloexec
    else begin
      let f = open_inode p inode flags path in
      match wait_for_peer p flags inode f with
      | None -> install p f ~cloexec
      | Some met ->
        (* The descriptor stands; the call itself returns when somebody has come. *)
        let fd = install p f ~cloexec in
        p.progress <- fd + 1;
        raise (Wait met)
    end
  | None when flags land o_creat = 0 -> Errno.fail Errno.enoent
  | None ->
    demand_make found;
    let inode = make_in found (Vfs.File (Content.make ())) (mode land 0o7777 land lnot p.place.umask) in
    Path.remember found inode;
    let what_flags = flags land lnot o_trunc in
    let access = what_flags land 3 in
    let kept = what_flags land lnot (o_creat lor o_excl lor o_cloexec lor 0o400) in
    (* the mode does not bind the file's maker *)
    install p (open_file inode Plain ~flags:kept ~path ~readable:(access <> 1) ~writable:(access = 1 || access = 2)) ~cloexec

let open_ p = if p.progress > 0 then p.progress - 1 else open_at p at_fdcwd (Arg.word p 0) (Arg.int p 1) (Arg.uint p 2)
let openat p = if p.progress > 0 then p.progress - 1 else open_at p (Arg.int p 0) (Arg.word p 1) (Arg.int p 2) (Arg.uint p 3)
let creat p = open_at p at_fdcwd (Arg.word p 0) (o_creat lor o_trunc lor 1) (Arg.uint p 1)

let mkdir_at p fd va mode =
  let found = resolve_name p fd (User.path p.mm va) in
  demand_make found;
  let kept = found.Path.parent.Vfs.mode land 0o2000 in
  ignore (make_in found (Vfs.new_dir ()) (mode land 0o1777 land lnot p.place.umask lor kept));
  0

let mkdir p = mkdir_at p at_fdcwd (Arg.word p 0) (Arg.uint p 1)
let mkdirat p = mkdir_at p (Arg.int p 0) (Arg.word p 1) (Arg.uint p 2)

let mknod_at p fd va mode =
  let path = User.path p.mm va in
  match mode land 0o170000 with
  | 0 | 0o100000 | 0o010000 | 0o140000 as kind ->
    let found = resolve_name p fd path in
    demand_make found;
    if found.Path.slash then Errno.fail Errno.enoent;
    let what = if kind = 0o010000 then Vfs.Fifo (Vfs.new_pipe ~named:true) else if kind = 0o140000 then Vfs.Socket else Vfs.File (Content.make ()) in
    ignore (make_in found what (mode land 0o7777 land lnot p.place.umask));
    0
  | 0o040000 -> Errno.fail Errno.eperm
  | 0o020000 | 0o060000 -> ignore (resolve p fd path ~follow:false); Errno.fail Errno.eperm (* devices are root's *)
  | _ -> Errno.fail Errno.einval

let mknod p = mknod_at p at_fdcwd (Arg.word p 0) (Arg.uint p 1)
let mknodat p = mknod_at p (Arg.int p 0) (Arg.word p 1) (Arg.uint p 2)

let symlink_at p target_va fd va =
  let target = User.path p.mm target_va in
  if target = "" then Errno.fail Errno.enoent;
  let found = resolve_name p fd (User.path p.mm va) in
  if found.Path.slash && found.Path.node = None then Errno.fail Errno.enoent;
  demand_make found;
  ignore (make_in found (Vfs.Link target) 0o777);
  0

let symlink p = symlink_at p (Arg.word p 0) at_fdcwd (Arg.word p 1)
let symlinkat p = symlink_at p (Arg.word p 0) (Arg.int p 1) (Arg.word p 2)

let link_at p fd va to_fd to_va flags =
  if flags land lnot (at_symlink_follow lor at_empty_path) <> 0 then Errno.fail Errno.einval;
  let path = User.path p.mm va in
  let inode = existing_or_fd p fd path flags ~follow:(flags land at_symlink_follow <> 0) in
  let found = resolve_name p to_fd (User.path p.mm to_va) in
  if found.Path.node <> None then Errno.fail Errno.eexist;
  if found.Path.slash then Errno.fail Errno.enoent;
  if not (Vfs.is_dir inode) && inode.Vfs.sealed then Errno.fail Errno.exdev; (* the store's files stay the store's *)
  (match inode.Vfs.kind with Vfs.Device _ | Vfs.Console | Vfs.Magic _ | Vfs.Text _ | Vfs.Fifo { Vfs.named = false; _ } -> Errno.fail Errno.exdev | _ -> ());
  demand_make found;
  if Vfs.is_dir inode then Errno.fail Errno.eperm;
  if inode.Vfs.nlink >= 65000 then Errno.fail Errno.emlink;
  if inode.Vfs.nlink = 0 && not inode.Vfs.nameless then Errno.fail Errno.enoent;
  Vfs.add found.Path.parent found.Path.name inode;
  inode.Vfs.ctime <- Clock.now ();
  0

let link p = link_at p at_fdcwd (Arg.word p 0) at_fdcwd (Arg.word p 1) 0
let linkat p = link_at p (Arg.int p 0) (Arg.word p 1) (Arg.int p 2) (Arg.word p 3) (Arg.int p 4)

let last_component path =
  match List.rev (Path.split path) with c :: _ -> c | [] -> "/"

let unlink_at p fd va flags =
  if flags land lnot at_removedir <> 0 then Errno.fail Errno.einval;
  let path = User.path p.mm va in
  let directory = flags land at_removedir <> 0 in
  let found = resolve_name p fd path in
  if directory && last_component path = "." then Errno.fail Errno.einval;
  if directory && last_component path = ".." then Errno.fail Errno.enotempty;
  let inode = Path.existing found in
  if found.Path.slash && not (Vfs.is_dir inode) then Errno.fail Errno.enotdir;
  if found.Path.name = "" then Errno.fail (if directory then Errno.ebusy else Errno.eisdir);
  Vfs.demand_remove who found.Path.parent inode;
  if directory then begin
    match inode.Vfs.kind with
    | Vfs.Dir d -> if Hashtbl.length d.Vfs.entries > 0 then Errno.fail Errno.enotempty
    | _ -> Errno.fail Errno.enotdir
  end
  else if Vfs.is_dir inode then Errno.fail Errno.eisdir;
  if inode == p.root then Errno.fail Errno.ebusy;
  (match found.Path.parent.Vfs.kind with Vfs.Dir _ -> () | _ -> Errno.fail Errno.eperm);
  Vfs.remove found.Path.parent found.Path.name;
  0

let unlink p = unlink_at p at_fdcwd (Arg.word p 0) 0
let rmdir p = unlink_at p at_fdcwd (Arg.word p 0) at_removedir
let unlinkat p = unlink_at p (Arg.int p 0) (Arg.word p 1) (Arg.int p 2)

(* Is [dir] the directory [above] or below it? *)
let rec is_below dir above =
  dir == above || match dir.Vfs.kind with Vfs.Dir { parent = Some up; _ } when up != dir -> is_below up above | _ -> false

let no_replace = 1 and exchange = 2

(* rename, when names and kinds are in order: rights, then the change. [other]: what takes the first name in exchange. *)
let change_names ~dir from inode target other =
  Vfs.demand_remove who from.Path.parent inode;
  if target.Path.parent.Vfs.sealed then Errno.fail Errno.eacces;
  if inode.Vfs.sealed then Errno.fail Errno.eperm;
  Vfs.demand who target.Path.parent 3;
  (match (from.Path.parent.Vfs.kind, target.Path.parent.Vfs.kind) with Vfs.Dir _, Vfs.Dir _ -> () | _ -> Errno.fail Errno.eperm);
  (match target.Path.node with
   | None -> ()
   | Some old ->
     Vfs.demand_remove who target.Path.parent old;
     if old.Vfs.sealed then Errno.fail Errno.eperm;
     if other = None && dir <> Vfs.is_dir old then Errno.fail (if dir then Errno.enotdir else Errno.eisdir));
  (* a directory that changes its parent is itself written to (its ..) *)
  if from.Path.parent != target.Path.parent then begin
    if dir then Vfs.demand who inode 2;
    match other with Some o when Vfs.is_dir o -> Vfs.demand who o 2 | _ -> ()
  end;
  (match target.Path.node with
   | Some { Vfs.kind = Vfs.Dir d; _ } when other = None && Hashtbl.length d.Vfs.entries > 0 -> Errno.fail Errno.enotempty
   | _ -> ());
  Limit.check_kernel_memory (); (* from here on nothing may fail: a name that was taken away is entered again *)
  (* alive between its two names *)
  let take found i =
    i.Vfs.opens <- i.Vfs.opens + 1;
    Vfs.remove found.Path.parent found.Path.name in
  let put found i =
    Vfs.enter found.Path.parent found.Path.name i;
    i.Vfs.opens <- i.Vfs.opens - 1;
    i.Vfs.ctime <- Clock.now () in
  match other with
  | Some o -> take from inode; take target o; put target inode; put from o
  | None ->
    if target.Path.node <> None then Vfs.remove target.Path.parent target.Path.name;
    take from inode;
    put target inode

let rename_at p fd va to_fd to_va flags =
  if flags land lnot 3 <> 0 || flags = 3 then Errno.fail Errno.einval;
  let swap = flags land exchange <> 0 in
  let from_path = User.path p.mm va and to_path = User.path p.mm to_va in
  let from = resolve_name p fd from_path and target = resolve_name p to_fd to_path in
  if from.Path.name = "" then Errno.fail Errno.ebusy;
  if target.Path.name = "" then Errno.fail (if flags land no_replace <> 0 then Errno.eexist else Errno.ebusy);
  let inode = Path.existing from in
  (match inode.Vfs.kind with Vfs.Text _ | Vfs.Magic _ -> Errno.fail Errno.exdev | _ -> ()); (* /proc is another file system *)
  let dir = Vfs.is_dir inode in
  if flags land no_replace <> 0 && target.Path.node <> None then Errno.fail Errno.eexist;
  let other = if swap then Some (Path.existing target) else None in
  let other_dir = match other with Some o -> Vfs.is_dir o | None -> false in
  if not dir && (from.Path.slash || (not swap && target.Path.slash)) then Errno.fail Errno.enotdir;
  if swap && not other_dir && target.Path.slash then Errno.fail Errno.enotdir;
  if dir && is_below target.Path.parent inode then Errno.fail Errno.einval;
  (match target.Path.node with
   | Some old when Vfs.is_dir old && is_below from.Path.parent old -> Errno.fail (if swap then Errno.einval else Errno.enotempty)
   | _ -> ());
  let same = match target.Path.node with Some old -> old == inode | None -> false in
  if not same then change_names ~dir from inode target other;
  0

let rename p = rename_at p at_fdcwd (Arg.word p 0) at_fdcwd (Arg.word p 1) 0
let renameat p = rename_at p (Arg.int p 0) (Arg.word p 1) (Arg.int p 2) (Arg.word p 3) 0
let renameat2 p = rename_at p (Arg.int p 0) (Arg.word p 1) (Arg.int p 2) (Arg.word p 3) (Arg.int p 4)

let readlink_at p fd va buffer size =
  if size <= 0 then Errno.fail Errno.einval;
  let path = User.path p.mm va in
  let inode = existing_or_fd p fd path (if fd = at_fdcwd then 0 else at_empty_path) ~follow:false in
  let text = match inode.Vfs.kind with Vfs.Link t -> t | Vfs.Magic m -> m.text () | _ -> Errno.fail Errno.einval in
  Vfs.accessed inode;
  let n = min size (String.length text) in
  User.write_string p.mm buffer (String.sub text 0 n);
  n

let readlink p = readlink_at p at_fdcwd (Arg.word p 0) (Arg.word p 1) (Arg.int p 2)
let readlinkat p = readlink_at p (Arg.int p 0) (Arg.word p 1) (Arg.word p 2) (Arg.int p 3)

let access_at p fd va mode flags =
  if mode land lnot 7 <> 0 then Errno.fail Errno.einval;
  let inode = existing_or_fd p fd (User.path p.mm va) flags ~follow:(flags land at_symlink_nofollow = 0) in
  if mode land 2 <> 0 && inode.Vfs.sealed then Errno.fail Errno.eacces;
  Vfs.demand who inode mode;
  0

let access p = access_at p at_fdcwd (Arg.word p 0) (Arg.int p 1) 0
let faccessat p = access_at p (Arg.int p 0) (Arg.word p 1) (Arg.int p 2) 0
let faccessat2 p = access_at p (Arg.int p 0) (Arg.word p 1) (Arg.int p 2) (Arg.int p 3)

(* As in the daemons' sandboxes, nothing becomes setuid or setgid. *)
let change_mode inode mode =
  Vfs.demand_owner who inode;
  if mode land 0o6000 <> 0 then Errno.fail Errno.eperm;
  inode.Vfs.mode <- mode land 0o7777;
  inode.Vfs.ctime <- Clock.now ();
  0

let chmod p = change_mode (existing p at_fdcwd (User.path p.mm (Arg.word p 0)) ~follow:true) (Arg.uint p 1)
let fchmod p = let f = file p (Arg.int p 0) in Sys_file.no_path f; change_mode f.inode (Arg.uint p 1)
let fchmodat p = change_mode (existing p (Arg.int p 0) (User.path p.mm (Arg.word p 1)) ~follow:true) (Arg.uint p 2)

(* Only to what it is already. *)
let change_owner inode uid gid =
  let same have want = want = -1 || want = 0xffffffff || want = have in
  let none id = id = -1 || id = 0xffffffff in
  if not (none uid && none gid) then Vfs.demand_owner who inode; (* to change nothing is everybody's right *)
  if not (same inode.Vfs.uid uid && (same inode.Vfs.gid gid || gid = who.Vfs.group)) then Errno.fail Errno.eperm;
  if gid = who.Vfs.group then inode.Vfs.gid <- gid;
  inode.Vfs.ctime <- Clock.now ();
  0

let id16 v = let v = v land 0xffff in if v = 0xffff then -1 else v
let chown_at p fd path uid gid flags = change_owner (existing_or_fd p fd path flags ~follow:(flags land at_symlink_nofollow = 0)) uid gid
let chown p = chown_at p at_fdcwd (User.path p.mm (Arg.word p 0)) (Arg.int p 1) (Arg.int p 2) 0
let lchown p = chown_at p at_fdcwd (User.path p.mm (Arg.word p 0)) (Arg.int p 1) (Arg.int p 2) at_symlink_nofollow
let chown16 p = chown_at p at_fdcwd (User.path p.mm (Arg.word p 0)) (id16 (Arg.int p 1)) (id16 (Arg.int p 2)) 0
let lchown16 p = chown_at p at_fdcwd (User.path p.mm (Arg.word p 0)) (id16 (Arg.int p 1)) (id16 (Arg.int p 2)) at_symlink_nofollow
let fchown p = change_owner (file p (Arg.int p 0)).inode (Arg.int p 1) (Arg.int p 2)
let fchown16 p = change_owner (file p (Arg.int p 0)).inode (id16 (Arg.int p 1)) (id16 (Arg.int p 2))
let fchownat p = chown_at p (Arg.int p 0) (User.path p.mm (Arg.word p 1)) (Arg.int p 2) (Arg.int p 3) (Arg.int p 4)

let truncate_to p va size =
  if size < 0 then Errno.fail Errno.einval;
  let inode = existing p at_fdcwd (User.path p.mm va) ~follow:true in
  match inode.Vfs.kind with
  | Vfs.File _ ->
    if inode.Vfs.sealed then Errno.fail Errno.eacces;
    Vfs.demand who inode 2;
    if is_running inode then Errno.fail Errno.etxtbsy;
    ignore (Io.file_limit p 0 size = size || (Signal.send p 25 (0, p.tgid, 1000, 0); Errno.fail Errno.efbig));
    resize inode size;
    0
  | Vfs.Dir _ | Vfs.Dynamic _ -> Errno.fail Errno.eisdir
  | _ -> Errno.fail Errno.einval

let truncate p = truncate_to p (Arg.word p 0) (Arg.long p 1)
let truncate64 p = truncate_to p (Arg.word p 0) (Arg.pair p 1)

let chdir p =
  let inode = existing p at_fdcwd (User.path p.mm (Arg.word p 0)) ~follow:true in
  if not (Vfs.is_dir inode) then Errno.fail Errno.enotdir;
  Vfs.demand who inode 1;
  stand p inode;
  0

let fchdir p =
  let f = file p (Arg.int p 0) in
  if not (Vfs.is_dir f.inode) then Errno.fail Errno.enotdir;
  Vfs.demand who f.inode 1;
  stand p f.inode;
  0

let getcwd p =
  let name = Path.name_of_dir p.root p.place.cwd in
  if name = "(unreachable)" then Errno.fail Errno.enoent;
  let n = String.length name + 1 in
  if n > Arg.word p 1 then Errno.fail Errno.erange;
  User.write_string p.mm (Arg.word p 0) (name ^ "\000");
  n

let umask p = let old = p.place.umask in p.place.umask <- Arg.uint p 0 land 0o777; old
