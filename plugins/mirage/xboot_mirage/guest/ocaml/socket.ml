(* Sockets of the step's own (AF_UNIX): connections, datagrams, descriptors that travel in messages. They live in memory only: nothing leads out of the step, and none outlives it. *)

open Proc

let enotsock = 88 and emsgsize = 90 and eprototype = 91 and eopnotsupp = 95 and eaddrinuse = 98 and econnreset = 104 and eisconn = 106 and enotconn = 107
and etoomanyrefs = 109 and econnrefused = 111

let stream = 1 and datagram = 2 and seqpacket = 5
let capacity = 212_992 (* bytes that wait for one reader *)
let queue_length = 10 (* datagrams that wait for one reader, and one more *)

let all : socket list ref = ref []
let abstract : (string * int, socket) Hashtbl.t = Hashtbl.create 8 (* by name and style *)
let by_ino : (int, socket) Hashtbl.t = Hashtbl.create 8
let in_flight = ref 0 (* descriptors in messages *)

let make ?(family = 1) p style =
  Limit.check_kernel_memory ();
  let s = { family; own = no_address; other_end = no_address; only6 = false; port_asked = false; connecting = Not_begun; tuning = [| 0; 0; 7200; 75; 9; 0; 64; 64 |]; style; peer = None; peer_pid = 0; owner_pid = p.tgid; address = ""; place_ino = 0; backlog = -1; connections = Queue.create (); incoming = Queue.create (); held = 0; shut_in = false;
      shut_out = false; gone = false; error = 0; pass_credentials = false; choices = 0; linger = (0, 0); room_in = capacity; room_out = capacity; most_in = 0; most_out = 0; reached = true; came = 0; went = 0 } in
  all := s :: !all;
  s

let sockets () = !all
let is_unix s = s.family = 1

(* Descriptors that travelled and arrive nowhere, or have arrived. *)
let let_go rights = List.iter (fun f -> decr in_flight; close_file f) rights

(* What nobody will read any more. *)
let drop_messages s =
  let left = List.of_seq (Queue.to_seq s.incoming) in
  Queue.clear s.incoming;
  s.held <- 0;
  List.iter (fun m -> if m.taken = 0 then let_go m.rights) left

(* Sockets that only messages hold, in queues that nobody can read any more, are closed: what waits in them is dropped, and that closes them. *)
let collecting = ref false

let collect () =
  let held = Hashtbl.create 16 and ways = Queue.create () in
  let each_right s act = Queue.iter (fun m -> if m.taken = 0 then List.iter act m.rights) s.incoming in
  let reach s = if not s.reached then begin s.reached <- true; Queue.push s ways end in
  let travelling f = Option.value (Hashtbl.find_opt held f.inode.Vfs.ino) ~default:0 in
  List.iter (fun s -> s.reached <- true; each_right s (fun f -> Hashtbl.replace held f.inode.Vfs.ino (travelling f + 1))) !all;
  List.iter (fun s -> each_right s (fun f -> match f.what with Socket t when travelling f = f.holders -> t.reached <- false | _ -> ())) !all;
  List.iter (fun s -> if not s.reached then Queue.iter (fun t -> t.reached <- false) s.connections) !all;
  List.iter (fun s -> if s.reached then Queue.push s ways) !all;
  while not (Queue.is_empty ways) do
    let s = Queue.pop ways in
    each_right s (fun f -> match f.what with Socket t -> reach t | _ -> ());
    Queue.iter reach s.connections
  done;
  collecting := true;
  List.iter (fun s -> if not s.reached then drop_messages s) !all;
  collecting := false

let reset_by_peer q =
  q.error <- econnreset;
  if not (is_unix q) then begin q.shut_in <- true; q.shut_out <- true end

let rec close s =
  if not s.gone then begin
    s.gone <- true;
    all := List.filter (fun t -> t != s) !all;
    if s.place_ino <> 0 then Hashtbl.remove by_ino s.place_ino;
    if s.address <> "" && s.address.[0] = '\000' then (match Hashtbl.find_opt abstract (s.address, s.style) with Some t when t == s -> Hashtbl.remove abstract (s.address, s.style) | _ -> ());
    (* who wrote to it what was not read is told *)
    (match s.peer with
     | Some q when s.style <> datagram && not (Queue.is_empty s.incoming) -> reset_by_peer q
     | Some q when not (is_unix s) -> q.shut_in <- true
     | _ -> ());
    drop_messages s;
    let waiting = List.of_seq (Queue.to_seq s.connections) in
    Queue.clear s.connections;
    (* who was not accepted is told *)
    List.iter (fun t -> (match t.peer with Some q -> reset_by_peer q | None -> ()); close t) waiting;
    if !in_flight > 0 && not !collecting then collect ()
  end

let () = close_socket := close

(* The step is over. *)
let reset () =
  List.iter close !all;
  all := [];
  Hashtbl.reset abstract;
  Hashtbl.reset by_ino;
  in_flight := 0

(* ---- state *)

let ended s = s.shut_in || (s.style <> datagram && match s.peer with Some q -> q.gone || q.shut_out | None -> false)
let room s = if s.style = stream then max 0 (capacity - s.held) else if Queue.length s.incoming > queue_length || s.held >= capacity then 0 else capacity

(* How many bytes a reader will find: of datagrams the first one's. *)
let waiting s =
  match Queue.peek_opt s.incoming with
  | Some m when s.style = datagram -> Bytes.length m.data
  | _ -> s.held

(* The bits of poll. *)
let ready s =
  let if_ c bits = if c then bits else 0 in
  if s.backlog >= 0 then if_ (not (Queue.is_empty s.connections)) 0x41
  else
    if_ (not (Queue.is_empty s.incoming) || ended s) 0x41
    lor if_ (match s.peer with Some q -> q.gone || room q > (if s.style = stream then capacity / 4 else 0) | None -> true) 0x104
    lor if_ (ended s) 0x2000
    lor if_ (s.error <> 0) 8
    lor if_ ((s.style <> datagram && match s.peer with None -> true | Some q -> q.gone && is_unix s) || (s.shut_in && s.shut_out)) 0x10

(* ---- moving messages *)

(* Wait for at most [most] nanoseconds, 0: for ever. [progress] bytes that were moved before are the answer then. *)
let wait_unless p ~most ~again condition =
  if again then Errno.fail Errno.eagain
  else if most = 0 then raise (Wait condition)
  else begin
    if p.deadline = -1 then p.deadline <- Clock.now () + most;
    if Clock.now () < p.deadline then raise (Wait (fun () -> condition () || Clock.now () >= p.deadline))
    else if p.progress > 0 then p.progress
    else Errno.fail Errno.eagain
  end

let deliver ?(source = no_address) q data rights ~from ~pid =
  Queue.push { source; data; taken = 0; rights; sender = from; sender_pid = pid } q.incoming;
  List.iter (fun f -> f.holders <- f.holders + 1; incr in_flight) rights;
  q.held <- q.held + Bytes.length data;
  q.came <- q.came + 1

let take_error s = if s.error <> 0 then begin let e = s.error in s.error <- 0; Errno.fail e end

let broken p ~quiet =
  if not quiet then Signal.send p 13 (0, p.tgid, 1000, 0);
  Errno.fail Errno.epipe

let send_stream p s ~again ~quiet ~rights len fetch =
  if not (is_unix s) && p.progress = 0 then take_error s;
  let q = match s.peer with Some q -> q | None -> if is_unix s then Errno.fail enotconn else broken p ~quiet in
  if s.shut_out || ((q.gone || q.shut_in) && is_unix s) then (if p.progress > 0 then p.progress else broken p ~quiet)
  else if q.gone then begin (* of AF_INET: what is sent first goes nowhere, and the next one hears of it *)
    s.shut_in <- true;
    s.shut_out <- true;
    len
  end
  else begin
    let rec go () =
      let part = min (len - p.progress) (min (room q) 65536) in
      if part > 0 then begin
        let data = fetch p.progress part in
        deliver q data (if p.progress = 0 then rights else []) ~from:s ~pid:p.tgid;
        p.progress <- p.progress + part;
        go ()
      end in
    (try go () with Errno.Error _ when p.progress > 0 -> ());
    if p.progress = len || (room q > 0) || (again && p.progress > 0) then p.progress
    else wait_unless p ~most:s.most_out ~again (fun () -> room q > 0 || q.gone || (q.shut_in && is_unix s) || s.shut_out)
  end

let send_message p s target ~again ~rights len fetch =
  if len > capacity then Errno.fail emsgsize;
  let q = match (target, s.peer) with Some q, _ -> q | None, Some q -> q | None, None -> Errno.fail enotconn in
  if s.shut_out then broken p ~quiet:true; (* a signal is for streams *)
  if q.gone && s.style = datagram then begin
    (match s.peer with Some t when t == q -> s.peer <- None; drop_messages s | _ -> ()); (* as Linux: what the other had sent goes with it *)
    Errno.fail econnrefused
  end;
  if q.gone || q.shut_in then broken p ~quiet:true;
  (* a connected datagram socket takes only what its own peer sends *)
  (match q.peer with Some t when s.style = datagram && t != s -> Errno.fail Errno.eperm | _ -> ());
  if room q = 0 then wait_unless p ~most:s.most_out ~again (fun () -> room q > 0 || q.gone || q.shut_in)
  else begin
    deliver q (fetch 0 len) rights ~from:s ~pid:p.tgid;
    len
  end

(* Set by Inet: a datagram for whom the socket is joined to. *)
let send_joined : (t -> socket -> int -> (int -> int -> Bytes.t) -> int) ref = ref (fun _ _ _ _ -> 0)

(* Send [len] bytes that [fetch off len] gives. [target]: for a datagram with an address. *)
let send p s ?target ~again ~quiet ~rights len fetch =
  if s.style = stream then send_stream p s ~again ~quiet ~rights len fetch
  else if not (is_unix s) then !send_joined p s len fetch
  else begin
    take_error s;
    send_message p s target ~again ~rights len fetch
  end

type received = { count : int; truncated : bool; files : file list; from : string; from_pid : int; last : message option }

let nothing count = { count; truncated = false; files = []; from = ""; from_pid = 0; last = None }

(* Bytes of a stream, over the borders of messages, up to the end of one that brings descriptors. Returns how much there is in the buffer now, and the files. *)
let take_stream p s ~peek len store =
  let messages = List.of_seq (Queue.to_seq s.incoming) in
  let rec go done_ files = function
    | [] -> (done_, files)
    | _ when done_ >= len -> (done_, files)
    | m :: rest ->
      let fresh = m.taken = 0 in
      begin
        let part = min (Bytes.length m.data - m.taken) (len - done_) in
        let n = store done_ m.data m.taken part in
        if n < part && done_ + n = 0 then Errno.fail Errno.efault;
        let files = if fresh && n > 0 && not peek then m.rights else files in (* else they come with the first byte that is taken *)
        if not peek then begin
          m.taken <- m.taken + n;
          s.held <- s.held - n;
          s.went <- s.went + 1;
          if m.taken = Bytes.length m.data then ignore (Queue.pop s.incoming)
        end;
        if n < part || files <> [] then (done_ + n, files) else go (done_ + n) files rest
      end in
  go p.progress [] messages

(* Receive up to [len] bytes; [store off bytes from len] puts them away and says how much it took. Each file comes with one reference, for the caller to give back (let_go). *)
let receive p s ~again ~peek ~whole len store =
  if not (is_unix s) && s.style = stream && s.peer = None then begin take_error s; Errno.fail enotconn end;
  if s.backlog >= 0 then Errno.fail Errno.einval;
  if s.style <> datagram && s.peer = None then Errno.fail (if s.style = seqpacket then enotconn else Errno.einval);
  let arrived () = not (Queue.is_empty s.incoming) || ended s || s.error <> 0 in
  if s.style = stream && len = 0 then nothing 0
  else if Queue.is_empty s.incoming then begin
    if p.progress > 0 && (ended s || again) then nothing p.progress
    else begin
      take_error s;
      if ended s && not (again && s.style = datagram) then nothing 0 else nothing (wait_unless p ~most:s.most_in ~again arrived)
    end
  end
  else begin
    let first = Queue.peek s.incoming in
    if s.style <> stream then begin
      let size = Bytes.length first.data in
      let n = min len size in
      if n > 0 && store 0 first.data 0 n < n then Errno.fail Errno.efault;
      if not peek then begin
        ignore (Queue.pop s.incoming);
        s.held <- s.held - size;
        s.went <- s.went + 1
      end;
      { count = n; truncated = size > len; files = (if peek then [] else first.rights); from = first.sender.address; from_pid = first.sender_pid; last = Some first }
    end else begin
      let n, files = take_stream p s ~peek len store in
      if whole && (not peek) && n < len && files = [] && not (ended s || again) then begin
        p.progress <- n;
        nothing (wait_unless p ~most:s.most_in ~again arrived)
      end
      else { count = n; truncated = false; files; from = first.sender.address; from_pid = first.sender_pid; last = Some first }
    end
  end

let store_at p va off b from n = User.write_some p.mm (va + off) (Bytes.sub b from n) 0 n

let fetch_from p va off len =
  let b = Bytes.create len in
  if User.read_some p.mm (va + off) b 0 len < len then Errno.fail Errno.efault;
  b

let read p f s va len =
  if len = 0 then 0
  else
  let r = receive p s ~again:(f.flags land 0o4000 <> 0) ~peek:false ~whole:false len (store_at p va) in
  let_go r.files; (* read has no place for descriptors: they are closed *)
  r.count

let write p f s va len =
  send p s ~again:(f.flags land 0o4000 <> 0) ~quiet:false ~rights:[] len (fetch_from p va)

(* From the kernel's own memory, for sendfile: as much as there is room for. *)
let write_bytes p f s b len =
  match send p s ~again:true ~quiet:false ~rights:[] len (fun off n -> Bytes.sub b off n) with
  | n -> p.progress <- 0; n
  | exception Errno.Error e when e = Errno.eagain && f.flags land 0o4000 = 0 ->
    raise (Wait (fun () -> match s.peer with Some q -> q.gone || room q > 0 | None -> true))
