(* AF_INET and AF_INET6 on a loopback of the step's own. No packets are made: a connection is joined like one of AF_UNIX, a datagram is put into the queue of who has the
   port. What is here: addresses, ports, and who is meant by them. All but 127.0.0.0/8 and ::1 is unreachable. *)

open Proc
open Socket

let inet = 2 and inet6 = 10
let is s = s.family <> 1
let loopback = 0x7f000001
let elsewhere = 2 (* of version 6: a host that is not here; 0 is any, 1 is ::1 *)
let first_port = 32768 and last_port = 60999
let longest_datagram = 65507
let most_datagrams = 256 (* that wait for one reader; more are lost *)

let edestaddrreq = 89 and eaddrnotavail = 99 and enetunreach = 101 and econnaborted = 103 and einprogress = 115
let reuse_address = 2 and reuse_port = 15

(* ---- addresses: struct sockaddr_in, sockaddr_in6 *)

let host6 b at =
  let zeros n = let rec go i = i >= n || (Bytes.get_uint8 b (at + i) = 0 && go (i + 1)) in go 0 in
  if zeros 10 && Bytes.get_uint16_be b (at + 10) = 0xffff then (4, Int32.to_int (Bytes.get_int32_be b (at + 12)) land 0xffffffff)
  else (6, if zeros 15 && Bytes.get_uint8 b (at + 15) < 2 then Bytes.get_uint8 b (at + 15) else elsewhere)

(* None: of no family. *)
let address p s va len =
  if len < 2 || len > 128 then Errno.fail Errno.einval;
  let b = Bytes.make 28 '\000' in
  let given = User.read p.mm va (min len 28) in
  Bytes.blit given 0 b 0 (Bytes.length given);
  let family = Bytes.get_uint16_le b 0 in
  if family = 0 then None
  else begin
    let four = family = inet && (s.family = inet || s.style = datagram) in
    if len < (if s.family = inet || four then 16 else 24) then Errno.fail Errno.einval;
    if family <> s.family && not four then Errno.fail Errno.eafnosupport;
    let port = Bytes.get_uint16_be b 2 in
    let version, host = if four then (4, Int32.to_int (Bytes.get_int32_be b 4) land 0xffffffff) else host6 b 8 in
    Some { version; host; port }
  end

let give p s va len_va a =
  let room = User.get_int p.mm len_va in
  if room < 0 then Errno.fail Errno.einval;
  let b = Bytes.make (if s.family = inet then 16 else 28) '\000' in
  Bytes.set_uint16_le b 0 s.family;
  Bytes.set_uint16_be b 2 a.port;
  let host at = Bytes.set_int32_be b at (Int32.of_int a.host) in
  if s.family = inet then host 4
  else if a.version = 4 then begin Bytes.set_uint16_be b 18 0xffff; host 20 end
  else Bytes.set_uint8 b 23 a.host;
  User.write p.mm va (Bytes.sub b 0 (min room (Bytes.length b)));
  User.put_int p.mm len_va (Bytes.length b)

let local a = if a.version = 6 then a.host < elsewhere else a.host = 0 || a.host lsr 24 = 127
let this_host version = if version = 6 then 1 else loopback

(* Where something goes that is for this address; "any" is this machine. *)
let reached s a =
  if not (local a) || (a.version = 6 && s.family = inet) || (a.version = 4 && s.only6) then Errno.fail enetunreach;
  if a.host = 0 then { a with host = this_host a.version } else a

(* ---- ports *)

(* Would what comes for one come for the other, too? *)
let overlap s a t =
  let b = t.own in
  a.port = b.port && s.style = t.style
  && if a.version = b.version then a.host = 0 || b.host = 0 || a.host = b.host
     else if a.version = 6 then a.host = 0 && not s.only6
     else b.host = 0 && not t.only6

let chooses s n = s.choices land (1 lsl n) <> 0

(* Who listens shares his address with nobody, but for those who all want that. *)
let taken s a ~listens =
  List.exists (fun t ->
    t != s && is t && t.own.port <> 0 && overlap s a t
    && not (chooses s reuse_port && chooses t reuse_port)
    && if listens then t.backlog >= 0 else not (chooses s reuse_address && chooses t reuse_address && t.backlog < 0)) (sockets ())

let given_last = ref 0
let reset () = given_last := 0

let free_port s a =
  let rec go tries =
    if tries = 0 then Errno.fail Errno.eagain;
    given_last := if !given_last < first_port || !given_last >= last_port then first_port else !given_last + 1;
    let a = { a with port = !given_last } in
    if taken s a ~listens:true || taken s a ~listens:false then go (tries - 1) else a in
  go (last_port - first_port + 1)

(* For who sends or listens without having asked for a port. *)
let own_port s version = if s.own.port = 0 then s.own <- free_port s { version; host = 0; port = 0 }

(* What leaves a socket for somebody of this version comes from: *)
let source s version = if s.own.host = 0 || s.own.version <> version then { s.own with version; host = this_host version } else s.own

let bind p s va len =
  match address p s va len with
  | None -> Errno.fail Errno.eafnosupport
  | Some a ->
    if a.version = 4 && s.only6 then Errno.fail Errno.einval;
    if not (local a) then Errno.fail eaddrnotavail;
    if a.port > 0 && a.port < 1024 then Errno.fail Errno.eacces;
    if s.own.port <> 0 || s.peer <> None then Errno.fail Errno.einval;
    if a.port <> 0 && taken s a ~listens:false then Errno.fail eaddrinuse;
    s.own <- (if a.port = 0 then (try free_port s a with Errno.Error _ -> Errno.fail eaddrinuse) else a);
    s.port_asked <- true;
    0

let demand_listen s =
  own_port s (if s.family = inet then 4 else 6);
  if s.backlog < 0 && taken s s.own ~listens:true then Errno.fail eaddrinuse

(* Who is meant: the one whose address it is exactly before one who takes any; of datagrams, one that is joined to the sender before others, and nobody who is joined to
   somebody else. *)
let meant s a ~sender =
  let score t =
    let fits = is t && t.own.port = a.port && t.style = s.style
      && (s.style = datagram || (t.backlog >= 0 && not t.shut_in))
      && if t.own.version = a.version then t.own.host = 0 || t.own.host = a.host else a.version = 4 && t.own.host = 0 && not t.only6 in
    if not fits then 0
    else begin
      let score = 1 + Bool.to_int (t.own.host <> 0) + Bool.to_int (t.own.version = a.version) in
      if s.style = stream || t.other_end.port = 0 then score else if t.other_end = sender then score + 4 else 0
    end in
  List.fold_left (fun best t -> match best with Some (n, _) when n >= score t -> best | _ -> if score t > 0 then Some (score t, t) else best) None (sockets ())
  |> Option.map snd

(* ---- connections *)

let refused s ~again =
  if not s.port_asked then s.own <- no_address;
  if not again then Errno.fail econnrefused;
  s.error <- econnrefused;
  s.shut_in <- true;
  s.shut_out <- true;
  s.connecting <- Refused;
  Errno.fail einprogress

let join p s target a ~again =
  let server = make ~family:target.family p stream in
  server.only6 <- target.only6;
  server.choices <- target.choices;
  Array.blit target.tuning 0 server.tuning 0 (Array.length server.tuning);
  if s.own.host = 0 || s.own.version <> a.version then s.own <- { s.own with version = a.version; host = this_host a.version };
  s.other_end <- a;
  server.own <- a;
  server.other_end <- s.own;
  server.peer <- Some s;
  s.peer <- Some server;
  Queue.push server target.connections;
  target.came <- target.came + 1;
  if again then begin s.connecting <- Joined; Errno.fail einprogress end;
  0

let connect_stream p s a ~again =
  match s.connecting with
  | Joined -> s.connecting <- Not_begun; 0
  | Refused ->
    let error = if s.error <> 0 then s.error else econnaborted in
    s.connecting <- Not_begun;
    s.error <- 0;
    s.shut_in <- false;
    s.shut_out <- false;
    Errno.fail error
  | Not_begun ->
    if s.peer <> None || s.backlog >= 0 then Errno.fail eisconn;
    let a = reached s a in
    (try own_port s a.version with Errno.Error _ -> Errno.fail eaddrnotavail);
    match meant s a ~sender:no_address with
    | None -> refused s ~again
    | Some t when Queue.length t.connections > (if again then 4096 else t.backlog) ->
      if again then refused s ~again else wait_unless p ~most:s.most_out ~again (fun () -> t.gone || t.shut_in || Queue.length t.connections <= t.backlog)
    | Some t -> join p s t a ~again

let connect p s va len ~again =
  match (address p s va len, s.style = datagram) with
  | None, true -> s.other_end <- no_address; 0
  | None, false -> Errno.fail Errno.eafnosupport (* to be joined no more, and to another: not served *)
  | Some a, true ->
    let a = reached s a in
    own_port s a.version;
    if s.own.host = 0 then s.own <- source s a.version;
    s.other_end <- a;
    0
  | Some a, false -> connect_stream p s a ~again

(* ---- datagrams *)

(* To an address that the call names, or to whom the socket is joined; what nobody takes is lost. *)
let send p s ~named len fetch =
  let a = match named with
    | Some a -> if a.port = 0 then Errno.fail Errno.einval; reached s a
    | None -> if s.other_end.port = 0 then Errno.fail edestaddrreq; s.other_end in
  own_port s a.version;
  if len > longest_datagram then Errno.fail emsgsize;
  let sender = source s a.version in
  take_error s;
  if s.shut_out then Errno.fail Errno.epipe;
  (match meant s a ~sender with
   | Some t when Queue.length t.incoming < most_datagrams && t.held < capacity && not t.shut_in -> deliver ~source:sender t (fetch 0 len) [] ~from:s ~pid:p.tgid
   | Some _ -> ()
   | None -> if s.other_end.port <> 0 then s.error <- econnrefused);
  len

let () = send_joined := (fun p s len fetch -> send p s ~named:None len fetch)

(* ---- options that are remembered: there are no packets whose making they could change *)

let tunings = [| 6, 1; 6, 3; 6, 4; 6, 5; 6, 6; 0, 1; 0, 2; 41, 16 |]
let only6 = 41, 26

let tuning s level name =
  let rec go i = if i = Array.length tunings then Errno.fail 92 else if tunings.(i) = (level, name) && (level <> 6 || s.style = stream) then i else go (i + 1) in
  go 0

let get_option s level name = if (level, name) = only6 && s.family = inet6 then Bool.to_int s.only6 else s.tuning.(tuning s level name)

let set_option s level name value =
  if (level, name) = only6 && s.family = inet6 then begin
    if s.own.port <> 0 then Errno.fail Errno.einval;
    s.only6 <- value <> 0
  end
  else s.tuning.(tuning s level name) <- (if level = 6 && name <= 3 then Bool.to_int (value <> 0) else value)
