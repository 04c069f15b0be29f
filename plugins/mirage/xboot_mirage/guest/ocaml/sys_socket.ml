(* System calls on sockets. [a n] is the call's argument [n]: i386 has one call for all of them, with the arguments in memory. *)

open Proc
open Socket

let o_cloexec = 0o2000000
let int a n = Arg.sign32 (a n)

let socket_of p fd = let f = file p fd in match f.what with Socket s -> (f, s) | Path_only -> Errno.fail Errno.ebadf | _ -> Errno.fail enotsock
let again f flags = f.flags land Io.o_nonblock <> 0 || flags land 0x40 <> 0 (* MSG_DONTWAIT *)

let enter p s flags =
  let inode = Vfs.make ~uid:who.Vfs.user ~gid:who.Vfs.group Vfs.Socket 0o777 in
  inode.Vfs.nlink <- 1;
  match open_file inode (Socket s) ~flags:(2 lor (flags land Io.o_nonblock)) ~readable:true ~writable:true with
  | f -> install p f ~cloexec:(flags land o_cloexec <> 0)
  | exception e -> close s; raise e

let style_of domain kind protocol =
  let network = domain = Inet.inet || domain = Inet.inet6 in
  if domain <> 1 && not network then Errno.fail Errno.eafnosupport;
  if kind land lnot (15 lor o_cloexec lor Io.o_nonblock) <> 0 then Errno.fail Errno.einval;
  let of_network = function
    | 3 -> Errno.fail (if protocol = 0 then 93 else Errno.eperm) (* SOCK_RAW: for who may look at all that passes *)
    | 1 | 2 as n -> if protocol = 0 || protocol = (if n = 1 then 6 else 17) then n else Errno.fail 93
    | n -> Errno.fail (if n > 10 then Errno.einval else 94) in
  if network then of_network (kind land 15) else
  if protocol <> 0 && protocol <> 1 then Errno.fail 93 else
  match kind land 15 with 1 -> stream | 2 | 3 -> datagram | 5 -> seqpacket | _ -> Errno.fail 94

let socket p a = let style = style_of (int a 0) (int a 1) (int a 2) in enter p (make ~family:(int a 0) p style) (int a 1)

let socketpair p a =
  let style = style_of (int a 0) (int a 1) (int a 2) in
  if int a 0 <> 1 then Errno.fail eopnotsupp;
  let x = make p style and y = make p style in
  x.peer <- Some y;
  y.peer <- Some x;
  x.peer_pid <- p.tgid;
  y.peer_pid <- p.tgid;
  let first = try enter p x (int a 1) with e -> close y; raise e in
  let second = try enter p y (int a 1) with e -> take_descriptor p.files first; raise e in
  (try User.put_int p.mm (a 3) first; User.put_int p.mm (a 3 + 4) second
   with e -> take_descriptor p.files first; take_descriptor p.files second; raise e);
  0

(* ---- addresses: struct sockaddr_un *)

let address p va len =
  if len < 2 || len > 110 then Errno.fail Errno.einval;
  let b = User.read p.mm va len in
  if Bytes.get_uint16_le b 0 <> 1 then Errno.fail Errno.einval;
  let path = Bytes.sub_string b 2 (len - 2) in
  if path = "" || path.[0] = '\000' then path else match String.index_opt path '\000' with Some n -> String.sub path 0 n | None -> path

(* The length is in and out: what there is room for is written, the whole length is told. *)
let put_address p va len_va text =
  if va <> 0 then begin
    let room = User.get_int p.mm len_va in
    if room < 0 then Errno.fail Errno.einval;
    let path = if text = "" || text.[0] = '\000' then text else text ^ "\000" in
    let b = Bytes.make (2 + String.length path) '\000' in
    Bytes.set_uint16_le b 0 1;
    Bytes.blit_string path 0 b 2 (String.length path);
    User.write p.mm va (Bytes.sub b 0 (min room (Bytes.length b)));
    User.put_int p.mm len_va (Bytes.length b)
  end

let bind p a =
  let _, s = socket_of p (int a 0) in
  if Inet.is s then Inet.bind p s (a 1) (int a 2) else
  let path = address p (a 1) (int a 2) in
  if s.address <> "" then Errno.fail Errno.einval;
  let taken name = Hashtbl.mem abstract (name, s.style) in
  let take name = Hashtbl.replace abstract (name, s.style) s; s.address <- name in
  if path = "" then begin
    (* none given: an abstract name that is free *)
    let rec free n = let name = "\000" ^ Text.hex 5 n in if taken name then free (n + 1) else name in
    take (free 1)
  end
  else if path.[0] = '\000' then (if taken path then Errno.fail eaddrinuse else take path)
  else begin
    let found = Sys_path.resolve_name p Sys_path.at_fdcwd path in
    if found.Path.node <> None then Errno.fail eaddrinuse;
    Sys_path.demand_make found;
    let inode = Sys_path.make_in found Vfs.Socket (0o777 land lnot p.place.umask) in
    Hashtbl.replace by_ino inode.Vfs.ino s;
    s.place_ino <- inode.Vfs.ino;
    s.address <- path
  end;
  0

(* The socket that an address leads to. *)
let find p path style =
  let s =
    if path = "" then Errno.fail econnrefused
    else if path.[0] = '\000' then (match Hashtbl.find_opt abstract (path, style) with Some s -> s | None -> Errno.fail econnrefused)
    else begin
      let inode = Sys_path.existing p Sys_path.at_fdcwd path ~follow:true in
      Vfs.demand who inode 2;
      match (inode.Vfs.kind, Hashtbl.find_opt by_ino inode.Vfs.ino) with Vfs.Socket, Some s -> s | _ -> Errno.fail econnrefused
    end in
  if s.style <> style then Errno.fail eprototype;
  s

let listen p a =
  let _, s = socket_of p (int a 0) in
  if s.style = datagram then Errno.fail eopnotsupp;
  if (s.address = "" && not (Inet.is s)) || s.peer <> None then Errno.fail Errno.einval;
  if Inet.is s then Inet.demand_listen s;
  s.backlog <- max 0 (min (int a 1) 4096);
  0

let connect p a =
  let f, s = socket_of p (int a 0) in
  if Inet.is s then Inet.connect p s (a 1) (int a 2) ~again:(again f 0)
  else if s.style = datagram && int a 2 >= 2 && Bytes.get_uint16_le (User.read p.mm (a 1) 2) 0 = 0 then begin s.peer <- None; 0 end
  else begin
    let path = address p (a 1) (int a 2) in
    let target = find p path s.style in
    if s.style = datagram then begin s.peer <- Some target; s.peer_pid <- target.owner_pid; 0 end
    else begin
      if target.backlog < 0 then Errno.fail econnrefused;
      if Queue.length target.connections > target.backlog then
        wait_unless p ~most:s.most_out ~again:(again f 0) (fun () -> target.gone || Queue.length target.connections <= target.backlog)
      else begin
        if s.backlog >= 0 then Errno.fail Errno.einval;
        if s.peer <> None then Errno.fail eisconn;
        let server = make p s.style in
        server.address <- target.address;
        server.peer <- Some s;
        server.peer_pid <- p.tgid;
        s.peer <- Some server;
        s.peer_pid <- target.owner_pid;
        Queue.push server target.connections;
        target.came <- target.came + 1;
        0
      end
    end
  end

let accept_with p a flags =
  let f, s = socket_of p (int a 0) in
  if flags land lnot (o_cloexec lor Io.o_nonblock) <> 0 then Errno.fail Errno.einval;
  if s.style = datagram then Errno.fail eopnotsupp;
  if s.backlog < 0 then Errno.fail Errno.einval;
  if Queue.is_empty s.connections && s.shut_in then Errno.fail Errno.einval
  else if Queue.is_empty s.connections then
    wait_unless p ~most:s.most_in ~again:(again f 0) (fun () -> s.gone || s.shut_in || not (Queue.is_empty s.connections))
  else begin
    ignore (free_descriptor ~most:(most_descriptors p) p.files 0);
    let server = Queue.pop s.connections in
    let fd = enter p server flags in
    (try if Inet.is server then (if a 1 <> 0 then Inet.give p server (a 1) (a 2) server.other_end) else put_address p (a 1) (a 2) (match server.peer with Some q -> q.address | None -> "") with e -> take_descriptor p.files fd; raise e);
    fd
  end

let accept p a = accept_with p a 0
let accept4 p a = accept_with p a (int a 3)

let getsockname p a =
  let _, s = socket_of p (int a 0) in
  if a 1 = 0 then Errno.fail Errno.efault;
  if Inet.is s then Inet.give p s (a 1) (a 2) s.own else put_address p (a 1) (a 2) s.address;
  0

let getpeername p a =
  let _, s = socket_of p (int a 0) in
  if Inet.is s then begin
    if s.peer = None && s.other_end.port = 0 then Errno.fail enotconn;
    Inet.give p s (a 1) (a 2) s.other_end;
    0
  end else
  let q = match s.peer with Some q -> q | None -> Errno.fail enotconn in
  if a 1 = 0 then Errno.fail Errno.efault;
  put_address p (a 1) (a 2) q.address;
  0

let shutdown p a =
  let _, s = socket_of p (int a 0) in
  let how = int a 1 in
  if how < 0 || how > 2 then Errno.fail Errno.einval;
  if Inet.is s && s.peer = None && s.backlog < 0 && s.other_end.port = 0 then Errno.fail enotconn;
  if how <> 1 then s.shut_in <- true;
  if how <> 0 then s.shut_out <- true;
  (match s.peer with
   | Some q when s.style <> datagram ->
     if how <> 1 && not (Inet.is s) then q.shut_out <- true; (* who only does not listen any more does not tell *)
     if how <> 0 then q.shut_in <- true
   | _ -> ());
  0

(* ---- options *)

let put_option p a b =
  let room = User.get_int p.mm (a 4) in
  if room < 0 then Errno.fail Errno.einval;
  let n = min room (Bytes.length b) in
  User.write p.mm (a 3) (Bytes.sub b 0 n);
  User.put_int p.mm (a 4) n;
  0

let enoprotoopt = 92

(* The options that are spans of time: SO_RCVTIMEO and SO_SNDTIMEO in the program's words, and those with seconds of 64 bits. *)
let span_option p n = match n with 20 | 21 -> Some (User.word_size p.mm) | 66 | 67 -> Some 8 | _ -> None
let of_coming n = n = 20 || n = 66

let get_span p a s width =
  let most = if of_coming (int a 2) then s.most_in else s.most_out in
  let b = Bytes.create (2 * width) in
  let set i v = if width = 8 then User.set64 b (8 * i) v else User.set32 b (4 * i) v in
  set 0 (most / 1_000_000_000);
  set 1 (most mod 1_000_000_000 / 1000);
  put_option p a b

let set_span p a s width =
  if int a 4 < 2 * width then Errno.fail Errno.einval;
  let b = User.read p.mm (a 3) (2 * width) in
  let get i = if width = 8 then User.i64 b (8 * i) else User.s32 b (4 * i) in
  if get 1 < 0 || get 1 >= 1_000_000 then Errno.fail 33;
  (* a time that is over already is the shortest one, one that nobody lives to see is none *)
  let most = if get 0 < 0 then 1 else if get 0 > 1 lsl 31 then 0 else (get 0 * 1_000_000_000) + (get 1 * 1000) in
  if of_coming (int a 2) then s.most_in <- most else s.most_out <- most;
  0

let getsockopt p a =
  let _, s = socket_of p (int a 0) in
  let number v = let b = Bytes.create 4 in User.set32 b 0 v; put_option p a b in
  if int a 1 <> 1 && Inet.is s then number (Inet.get_option s (int a 1) (int a 2)) else
  if int a 1 <> 1 then Errno.fail eopnotsupp else
  match int a 2 with
  | 3 -> number s.style
  | 4 -> let e = s.error in s.error <- 0; number e
  | 7 -> number s.room_out
  | 8 -> number s.room_in
  | 13 -> let b = Bytes.create 8 in User.set32 b 0 (fst s.linger); User.set32 b 4 (snd s.linger); put_option p a b
  | 16 -> number (Bool.to_int s.pass_credentials)
  | 17 ->
    let b = Bytes.create 12 in
    let known = s.peer_pid <> 0 in
    List.iteri (fun i v -> User.set32 b (4 * i) v) [ s.peer_pid; (if known then who.Vfs.user else -1); (if known then who.Vfs.group else -1) ];
    put_option p a b
  | 30 -> number (if s.backlog >= 0 then 1 else 0)
  | 39 -> number s.family
  | (2 | 5 | 6 | 9 | 10 | 15) as n -> number ((s.choices lsr n) land 1)
  | 38 -> number (if not (Inet.is s) then 0 else if s.style = stream then 6 else 17)
  | n -> (match span_option p n with Some width -> get_span p a s width | None -> Errno.fail enoprotoopt)

(* Linux doubles what is asked for, within bounds. *)
let room_asked v least = max least (2 * min (if v < 0 then capacity else v) capacity)

let setsockopt p a =
  let _, s = socket_of p (int a 0) in
  if int a 1 <> 1 && not (Inet.is s) then Errno.fail eopnotsupp;
  let v = if int a 4 < 4 then Errno.fail Errno.einval else User.get_int p.mm (a 3) in
  if int a 1 <> 1 then begin Inet.set_option s (int a 1) (int a 2) v; 0 end else
  match int a 2 with
  | 13 when int a 4 < 8 -> Errno.fail Errno.einval
  | 13 -> s.linger <- (if v = 0 then (0, snd s.linger) else (1, User.get_int p.mm (a 3 + 4))); 0
  | 16 -> s.pass_credentials <- v <> 0 && not (Inet.is s); 0
  (* sizes of buffers, and what is for networks: granted without effect *)
  | 7 -> s.room_out <- room_asked v 4608; 0
  | 8 -> s.room_in <- room_asked v 2304; 0
  | (2 | 5 | 6 | 9 | 10 | 15) as n -> s.choices <- s.choices land lnot (1 lsl n) lor ((if v <> 0 then 1 else 0) lsl n); 0
  | n -> (match span_option p n with Some width -> set_span p a s width | None -> Errno.fail enoprotoopt)

(* ---- messages *)

let known_flags flags = if flags land 1 <> 0 then Errno.fail eopnotsupp (* out of band *)

let target_of p s va len =
  if va = 0 || len = 0 || Inet.is s then None
  else if s.style <> datagram then Errno.fail (if s.peer <> None then eisconn else eopnotsupp)
  else Some (find p (address p va len) s.style)

(* An address that a datagram of AF_INET is for; on a stream it says nothing. *)
let named p s va len =
  if not (Inet.is s) || s.style = stream || va = 0 || len = 0 then None
  else match Inet.address p s va len with Some a -> Some a | None -> Errno.fail Errno.eafnosupport

let sendto p a =
  let f, s = socket_of p (int a 0) in
  let len = a 2 and flags = int a 3 in
  known_flags flags;
  Io.check_length p (a 1) len;
  match named p s (a 4) (int a 5) with
  | Some _ as named -> Inet.send p s ~named len (fetch_from p (a 1))
  | None ->
  let target = target_of p s (a 4) (int a 5) in
  send p s ?target ~again:(again f flags) ~quiet:(flags land 0x4000 <> 0) ~rights:[] len (fetch_from p (a 1))

let shown_count r flags = match r.last with Some m when r.truncated && flags land 0x20 <> 0 -> Bytes.length m.data | _ -> r.count

(* Who sent what was received, where the program wants to know. *)
let give_sender p s r va len_va =
  if va <> 0 then
    match r.last with
    | Some m when Inet.is s && s.style = datagram -> Inet.give p s va len_va m.source
    | _ -> if s.style = datagram && r.from <> "" then put_address p va len_va r.from else User.put_int p.mm len_va 0

let recvfrom p a =
  let f, s = socket_of p (int a 0) in
  let len = a 2 and flags = int a 3 in
  known_flags flags;
  Io.check_length p (a 1) len;
  let r = receive p s ~again:(again f flags) ~peek:(flags land 2 <> 0) ~whole:(flags land 0x100 <> 0) len (store_at p (a 1)) in
  let_go r.files;
  give_sender p s r (a 4) (a 5);
  shown_count r flags

(* struct msghdr *)
type header = { name : int; name_len : int; pieces : (int * int) list; control : int; control_len : int; at : int; wide : bool }

let header p va =
  let wide = is_wide p in
  let b = User.read p.mm va (if wide then 56 else 28) in
  let word i = if wide then User.i64 b (8 * i) else User.u32 b (4 * i) in
  let count = word 3 in
  if count < 0 || count > 1024 then Errno.fail emsgsize;
  if word 5 < 0 || word 5 > 65536 then Errno.fail 105;
  let w = User.word_size p.mm in
  let v = User.read p.mm (word 2) (2 * w * count) in
  let get off = if wide then User.i64 v off else User.u32 v off in
  let pieces = List.init count (fun i -> let len = get (((2 * i) + 1) * w) in Io.check_length p (get (2 * i * w)) len; (get (2 * i * w), len)) in
  { name = word 0; name_len = User.s32 b (if wide then 8 else 4); pieces; control = word 4; control_len = word 5; at = va; wide }

let total pieces = let n = List.fold_left (fun n (_, len) -> n + len) 0 pieces in if n > 0x7ffff000 then Errno.fail Errno.einval else n

(* [each va at len] for the parts of scattered memory that [off, off+len) meets; it returns how much it moved, and less ends the walk. *)
let walk pieces off len each =
  let rec go pieces off done_ =
    if done_ >= len then done_
    else
      match pieces with
      | [] -> done_
      | (_, n) :: rest when off >= n -> go rest (off - n) done_
      | (va, n) :: rest ->
        let part = min (n - off) (len - done_) in
        let moved = each (va + off) done_ part in
        if moved < part then done_ + moved else go rest 0 (done_ + part) in
  go pieces off 0

let gather p pieces off len =
  let b = Bytes.create len in
  if walk pieces off len (fun va at n -> User.read_some p.mm va b at n) < len then Errno.fail Errno.efault;
  b

let scatter p pieces off b from len = walk pieces off len (fun va at n -> User.write_some p.mm va (Bytes.sub b (from + at) n) 0 n)

(* readv and writev: on a socket all pieces are one message. *)
let pieces_of p = let v = Sys_file.vectors p in List.iter (fun (va, len) -> Io.check_length p va len) v; v

let readv p =
  match file p (Arg.int p 0) with
  | { what = Socket s; _ } as f ->
    let v = pieces_of p in
    if total v = 0 then 0
    else
    let r = receive p s ~again:(again f 0) ~peek:false ~whole:false (total v) (scatter p v) in
    let_go r.files;
    r.count
  | _ -> Sys_file.readv p

let writev p =
  match file p (Arg.int p 0) with
  | { what = Socket s; _ } as f ->
    let v = pieces_of p in
    if total v = 0 then 0 else send p s ~again:(again f 0) ~quiet:false ~rights:[] (total v) (gather p v)
  | _ -> Sys_file.writev p

let head_size wide = if wide then 16 else 12
let padded wide n = let align = if wide then 8 else 4 in (n + align - 1) land lnot (align - 1)

(* The descriptors in control messages: SCM_RIGHTS, at most 253. *)
let rights_of p h =
  let head = head_size h.wide in
  let b = if h.control = 0 then Bytes.empty else User.read p.mm h.control h.control_len in
  let rec go at files =
    if at + head > Bytes.length b then files
    else begin
      let len = if h.wide then User.i64 b at else User.u32 b at in
      if len < head || len > Bytes.length b - at then Errno.fail Errno.einval;
      let files = match (User.s32 b (at + head - 8), User.s32 b (at + head - 4)) with
        | 1, 1 ->
          let n = (len - head) / 4 in
          if n + List.length files > 253 then Errno.fail Errno.einval;
          files @ List.init n (fun i -> file p (User.s32 b (at + head + (4 * i))))
        | 1, 2 ->
          if len < head + 12 then Errno.fail Errno.einval;
          if User.s32 b (at + head) <> p.tgid || User.s32 b (at + head + 4) <> who.Vfs.user || User.s32 b (at + head + 8) <> who.Vfs.group then Errno.fail Errno.eperm;
          files
        | 1, _ -> Errno.fail Errno.einval
        | _ -> files in
      go (at + padded h.wide len) files
    end in
  let files = go 0 [] in
  if !in_flight + List.length files > Limit.descriptors then Errno.fail etoomanyrefs;
  files

let sendmsg p a =
  let f, s = socket_of p (int a 0) in
  let flags = int a 2 in
  known_flags flags;
  let h = header p (a 1) in
  match named p s h.name h.name_len with
  | Some _ as named -> Inet.send p s ~named (total h.pieces) (gather p h.pieces)
  | None ->
  let target = target_of p s h.name h.name_len in
  let rights = if Inet.is s then [] (* none travel there *) else rights_of p h in
  send p s ?target ~again:(again f flags) ~quiet:(flags land 0x4000 <> 0) ~rights (total h.pieces) (gather p h.pieces)

(* The control messages that recvmsg gives: credentials, descriptors. Returns their bytes, and whether something found no place. *)
let control_out p s h r ~cloexec =
  let head = head_size h.wide in
  let control = Buffer.create 64 and cut = ref false in
  let room () = h.control_len - Buffer.length control in
  let message kind words =
    let size = 4 * List.length words in
    let b = Bytes.make (padded h.wide (head + size)) '\000' in
    if h.wide then User.set64 b 0 (head + size) else User.set32 b 0 (head + size);
    User.set32 b (head - 8) 1;
    User.set32 b (head - 4) kind;
    List.iteri (fun i v -> User.set32 b (head + (4 * i)) v) words;
    Buffer.add_bytes control (Bytes.sub b 0 (min (Bytes.length b) (room ()))) in
  if s.pass_credentials && r.last <> None then (if room () >= head + 12 then message 2 [ r.from_pid; who.Vfs.user; who.Vfs.group ] else cut := true);
  if r.files <> [] then begin
    (* as many as there is room for; the others are closed *)
    let fit = max 0 ((room () - head) / 4) in
    let fds = List.filteri (fun i _ -> i < fit) r.files |> List.filter_map (fun f -> match install p f ~cloexec with fd -> Some fd | exception Errno.Error _ -> None) in
    if List.length fds < List.length r.files then cut := true;
    let_go r.files;
    if fds <> [] then message 1 fds
  end;
  (Buffer.to_bytes control, !cut)

let recvmsg p a =
  let f, s = socket_of p (int a 0) in
  let flags = int a 2 in
  known_flags flags;
  let h = header p (a 1) in
  let r = receive p s ~again:(again f flags) ~peek:(flags land 2 <> 0) ~whole:(flags land 0x100 <> 0) (total h.pieces) (scatter p h.pieces) in
  let cloexec = flags land 0x40000000 <> 0 in
  let out, cut = control_out p s h r ~cloexec in
  if Bytes.length out > 0 then User.write p.mm h.control out;
  let w = User.word_size p.mm in
  User.put_word p.mm (h.at + (5 * w)) (Bytes.length out);
  User.put_int p.mm (h.at + (6 * w)) ((if r.truncated then 0x20 else 0) lor (if cut then 8 else 0) lor if cloexec then 0x40000000 else 0);
  give_sender p s r h.name (h.at + w);
  shown_count r flags

(* ---- the two ways in *)

let by_registers call p = call p (Arg.word p)

let socketcall p =
  let va = Arg.word p 1 in
  let with_ count call =
    let b = User.read p.mm va (4 * count) in
    call p (fun n -> if n < count then User.u32 b (4 * n) else 0) in
  match Arg.int p 0 with
  | 1 -> with_ 3 socket | 2 -> with_ 3 bind | 3 -> with_ 3 connect | 4 -> with_ 2 listen | 5 -> with_ 3 accept | 6 -> with_ 3 getsockname | 7 -> with_ 3 getpeername
  | 8 -> with_ 4 socketpair | 9 -> with_ 4 sendto | 10 -> with_ 4 recvfrom | 11 -> with_ 6 sendto | 12 -> with_ 6 recvfrom | 13 -> with_ 2 shutdown | 14 -> with_ 5 setsockopt
  | 15 -> with_ 5 getsockopt | 16 -> with_ 3 sendmsg | 17 -> with_ 3 recvmsg | 18 -> with_ 4 accept4
  | 19 | 20 -> Errno.fail Errno.enosys
  | _ -> Errno.fail Errno.einval
