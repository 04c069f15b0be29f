(* Pseudo-terminals of the step, and their line discipline, as Linux has it; without parity marks, printed erasure and packets. *)

open Proc

let sighup = 1 and sigint = 2 and sigquit = 3 and sigcont = 18 and sigtstp = 20 and sigttin = 21 and sigttou = 22

(* input *)
let istrip = 0o40 and inlcr = 0o100 and igncr = 0o200 and icrnl = 0o400 and iuclc = 0o1000 and ixon = 0o2000 and ixany = 0o4000 and iutf8 = 0o40000
(* output *)
let opost = 1 and olcuc = 2 and onlcr = 4 and ocrnl = 8 and onocr = 16 and onlret = 32 and tabdly = 0o14000
(* local *)
let isig = 1 and icanon = 2 and echo_ = 8 and echoe = 16 and echok = 32 and echonl = 64 and noflsh = 128 and tostop = 256 and echoctl = 512 and echoke = 0o4000 and iexten = 0o100000
(* keys *)
let key_intr = 0 and key_quit = 1 and key_erase = 2 and key_kill = 3 and key_eof = 4 and key_time = 5 and key_min = 6 and key_start = 8 and key_stop = 9
and key_susp = 10 and key_eol = 11 and key_reprint = 12 and key_werase = 14 and key_lnext = 15 and key_eol2 = 16

let first_modes = [| icrnl lor ixon; opost lor onlcr; 0xbf; isig lor icanon lor echo_ lor echoe lor echok lor echoctl lor echoke lor iexten |]
let first_keys = "\000\003\028\127\021\004\000\001\000\017\019\026\000\018\015\023\022\000\000\000" (* after the number of the line *)

let most = 256 (* terminals in a step *)
let input_most = 4095 (* bytes that wait to be read *)
let output_most = 8192 (* bytes that wait for the master before a writer does *)

let all_terminals : terminal list ref = ref []
let directory : Vfs.inode option ref = ref None
let begin_step pts = all_terminals := []; directory := Some pts

let input t bit = t.modes.(0) land bit <> 0
let output t bit = t.modes.(1) land bit <> 0
let local t bit = t.modes.(3) land bit <> 0
let key t n = t.keys.[n + 1]
let is_key t c n = c <> '\000' && key t n = c

(* ---- life *)

let of_process p = if p.no_terminal then None else List.find_opt (fun t -> t.owner <> 0 && t.owner = p.session) !all_terminals

let of_inode inode =
  match List.find_opt (fun t -> t.slave_inode == inode) !all_terminals with
  | Some t -> t
  | None -> Errno.fail Errno.eio

let open_master () =
  let pts = match !directory with Some d -> d | None -> Errno.fail Errno.enodev in
  let rec free n = if List.exists (fun t -> t.line = n) !all_terminals then free (n + 1) else n in
  let line = free 0 in
  if line >= most then Limit.reach Errno.enospc "256 terminals in a step";
  Limit.check_kernel_memory ();
  let slave_inode = Vfs.make ~uid:who.Vfs.user ~gid:who.Vfs.group (Vfs.Device (136, line)) 0o620 in
  Vfs.add pts (string_of_int line) slave_inode;
  slave_inode.Vfs.place <- Some (pts, string_of_int line);
  let t = { line; slave_inode; master = true; slaves = 0; met = false; locked = true; turn = 0; owner = 0; foreground = 0; modes = Array.copy first_modes; keys = first_keys;
            window_size = String.make 8 '\000'; lines = Queue.create (); edit = Buffer.create 64; typed = 0; taken_out = 0; typed_at = 0; typing = false; literal = false; stopped = false; column = 0; begun = 0;
            printed = Vfs.new_pipe ~named:false; held = Buffer.create 64 } in
  all_terminals := t :: !all_terminals;
  t

let leads p = p.session = p.tgid

let take p t =
  t.owner <- p.session;
  t.foreground <- p.group;
  List.iter (fun q -> if q.session = p.session then q.no_terminal <- false) (all ())

let open_slave p t ~take:wanted =
  if not t.master || t.locked then Errno.fail Errno.eio;
  t.slaves <- t.slaves + 1;
  t.met <- true;
  if wanted && leads p && of_process p = None && t.owner = 0 then take p t;
  Slave (t, t.turn)

let by_kernel = (128, 0, 0, 0)
let leaders () = List.filter (fun q -> q.pid = q.tgid) (all ())
let signal t n = if t.foreground <> 0 then List.iter (fun q -> if q.group = t.foreground then Signal.send q n by_kernel) (leaders ())

let flush t = Queue.clear t.lines; Buffer.clear t.edit; t.literal <- false

(* Between lines and bytes: what waits becomes bytes, or one line. *)
let set t modes keys =
  let before = local t icanon in
  Array.blit modes 0 t.modes 0 4;
  t.keys <- keys;
  if not (input t ixon) then t.stopped <- false;
  if before <> local t icanon then begin
    t.literal <- false;
    let all = Buffer.create 64 in
    Queue.iter (fun l -> Buffer.add_string all (String.sub l.text l.read (String.length l.text - l.read)); if l.end_of_file then Buffer.add_char all '\000') t.lines;
    Buffer.add_buffer all t.edit;
    flush t;
    if before then Buffer.add_buffer t.edit all
    else if Buffer.length all > 0 then Queue.push { text = Buffer.contents all; read = 0; end_of_file = false } t.lines
  end

(* Who opened the other end before finds it dead, and its session has no terminal. *)
let hang_up t =
  t.turn <- t.turn + 1;
  if t.owner <> 0 then List.iter (fun q -> if q.tgid = t.owner then begin Signal.send q sighup by_kernel; Signal.send q sigcont by_kernel end) (leaders ());
  t.owner <- 0;
  t.foreground <- 0;
  set t first_modes first_keys;
  flush t

(* Its session loses its terminal; what is open stays so. *)
let leader_ends p =
  match if leads p then of_process p else None with
  | Some t -> signal t sighup; t.owner <- 0; t.foreground <- 0
  | None -> ()
let () = Exit.leader_ends := leader_ends

let close what =
  let t = match what with
    | Master t ->
      t.master <- false;
      (match !directory with Some d -> Vfs.remove d (string_of_int t.line) | None -> ());
      hang_up t;
      t
    | Slave (t, _) -> t.slaves <- t.slaves - 1; t
    | _ -> invalid_arg "Tty.close" in
  if not t.master && t.slaves = 0 then all_terminals := List.filter (fun u -> u != t) !all_terminals
let () = close_terminal := close

(* ---- what comes out at the master *)

let put_out t s = ignore (Pipe.push t.printed (String.length s) (fun b off n done_ -> Bytes.blit_string s done_ b off n; n)) (* an echo that nobody reads is lost *)

let put t s = if t.typing then Buffer.add_string t.held s else put_out t s

(* What was typed is echoed, unless what is printed stands still. *)
let show t = if not t.stopped then begin (try put_out t (Buffer.contents t.held) with Errno.Error _ -> ()); Buffer.clear t.held end

let is_control c = c < ' ' || c = '\127'
let continues t c = input t iutf8 && Char.code c land 0xc0 = 0x80 (* a later byte of a character in UTF-8 *)

let print t c =
  if not (output t opost) then put t (String.make 1 c)
  else match c with
    | '\n' ->
      if output t (onlret lor onlcr) then t.column <- 0;
      t.begun <- t.column;
      put t (if output t onlcr then "\r\n" else "\n")
    | '\r' when output t onocr && t.column = 0 -> ()
    | '\r' ->
      if output t onlret || not (output t ocrnl) then begin t.column <- 0; t.begun <- 0 end;
      put t (if output t ocrnl then "\n" else "\r")
    | '\t' ->
      let spaces = 8 - (t.column mod 8) in
      t.column <- t.column + spaces;
      put t (if t.modes.(1) land tabdly = tabdly then String.make spaces ' ' else "\t")
    | '\b' -> t.column <- max 0 (t.column - 1); put t "\b"
    | c ->
      if not (is_control c || continues t c) then t.column <- t.column + 1;
      put t (String.make 1 (if output t olcuc then Char.uppercase_ascii c else c))

let echo t c =
  if local t echoctl && is_control c && c <> '\t' then begin print t '^'; print t (Char.chr (Char.code c lxor 64)) end else print t c

(* ---- what is typed *)

let line_bytes t = Queue.fold (fun n l -> n + String.length l.text - l.read) 0 t.lines
let held t = Queue.fold (fun n l -> n + if l.end_of_file then 1 else 0) (line_bytes t + Buffer.length t.edit) t.lines
let readable t = if local t icanon then line_bytes t else Buffer.length t.edit

(* A line that is full takes its end alone: what else is typed is lost, its last byte first. *)
let has_room t = held t < input_most || (local t icanon && Queue.is_empty t.lines)

let keep t c =
  if Buffer.length t.edit > input_most then Buffer.truncate t.edit input_most;
  Buffer.add_char t.edit c

let line_ends ?(end_of_file = false) t last =
  if Buffer.length t.edit > input_most then Buffer.truncate t.edit input_most;
  Queue.push { text = Buffer.contents t.edit ^ last; read = 0; end_of_file } t.lines;
  Buffer.clear t.edit

let begin_line t = if Buffer.length t.edit = 0 then t.begun <- t.column

let plain t c =
  if local t echo_ then begin begin_line t; echo t c end;
  keep t c

let width t c = if is_control c then (if local t echoctl then 2 else 0) else if continues t c then 0 else 1

(* Back to where a tab began: what stands before it on the line is counted up to the tab before, or from where the line began. *)
let unprint_tab t =
  let rec columns i = if i < 0 then t.begun else match Buffer.nth t.edit i with '\t' -> 0 | c -> width t c + columns (i - 1) in
  let back = 8 - (columns (Buffer.length t.edit - 1) mod 8) in
  put t (String.make back '\b');
  t.column <- max 0 (t.column - back)

let unprint t c ~by_key =
  if local t echo_ then
    match by_key with
    | Some key when not (local t echoe) -> echo t key
    | _ when c = '\t' -> unprint_tab t
    | _ -> for _ = 1 to max (width t c) (if is_control c then 0 else 1) do String.iter (print t) "\b \b" done

(* The last character of the line goes, all its bytes; its first one. *)
let drop_last t =
  let rec first i = if i > 0 && continues t (Buffer.nth t.edit i) then first (i - 1) else i in
  let at = first (Buffer.length t.edit - 1) in
  let c = Buffer.nth t.edit at in
  if continues t c then None else begin Buffer.truncate t.edit at; Some c end

let in_word c = match c with '0' .. '9' | 'a' .. 'z' | 'A' .. 'Z' | '_' -> true | '\215' | '\247' -> false | c -> c >= '\192'

let rec erase_word t ~seen =
  if Buffer.length t.edit > 0 then begin
    let whole = Buffer.contents t.edit in
    match drop_last t with
    | None -> ()
    | Some c when seen && not (in_word c) -> Buffer.clear t.edit; Buffer.add_string t.edit whole
    | Some c -> unprint t c ~by_key:None; erase_word t ~seen:(seen || in_word c)
  end

let rec erase_all t = if Buffer.length t.edit > 0 then match drop_last t with Some c -> unprint t c ~by_key:None; erase_all t | None -> ()

let erase t c =
  if Buffer.length t.edit = 0 then ()
  else if is_key t c key_erase then (match drop_last t with Some gone -> unprint t gone ~by_key:(Some c) | None -> ())
  else if is_key t c key_werase then erase_word t ~seen:false
  else if local t echo_ && local t echok && local t echoke && local t echoe then erase_all t
  else begin
    Buffer.clear t.edit;
    if local t echo_ then begin echo t c; if local t echok then print t '\n' end
  end

let stroke_signals t c n =
  signal t n;
  if not (local t noflsh) then begin flush t; Buffer.clear t.held end;
  if input t ixon then t.stopped <- false;
  if local t echo_ then echo t c

(* What a key does to the line that is being typed; false: it is no such key. *)
let edited t c =
  let is = is_key t c and extended = local t iexten in
  if is key_erase || is key_kill || (is key_werase && extended) then begin erase t c; true end
  else if is key_lnext && extended then begin
    t.literal <- true;
    if local t echo_ && local t echoctl then String.iter (print t) "^\b";
    true
  end
  else if is key_reprint && extended && local t echo_ then begin
    echo t c;
    print t '\n';
    String.iter (echo t) (Buffer.contents t.edit);
    true
  end
  else if c = '\n' then begin
    if local t (echo_ lor echonl) then print t '\n';
    line_ends t "\n";
    true
  end
  else if is key_eof then begin line_ends t "" ~end_of_file:true; true end
  else if is key_eol || (is key_eol2 && extended) then begin
    if local t echo_ then begin begin_line t; echo t c end;
    line_ends t (String.make 1 c);
    true
  end
  else false

let type_one t c =
  t.typed <- t.typed + 1;
  t.typed_at <- Clock.now ();
  let c = if input t istrip then Char.chr (Char.code c land 0x7f) else c in
  if t.literal then begin t.literal <- false; plain t c end
  else begin
    let c = if input t iuclc && local t iexten then Char.lowercase_ascii c else c in
    let is = is_key t c in
    if input t ixon && (is key_start || is key_stop) then t.stopped <- not (is key_start)
    else if local t isig && is key_intr then stroke_signals t c sigint
    else if local t isig && is key_quit then stroke_signals t c sigquit
    else if local t isig && is key_susp then stroke_signals t c sigtstp
    else begin
      if input t ixon && input t ixany then t.stopped <- false;
      let returned = c = '\r' && input t icrnl in
      if c = '\r' && input t igncr then ()
      else begin
        let c = if returned then '\n' else if c = '\n' && input t inlcr then '\r' else c in
        if local t icanon && edited t c then ()
        else if returned then begin if local t echo_ then print t '\n'; keep t '\n' end (* in bytes: shown as a line feed, where another is shown as ^J *)
        else plain t c
      end
    end
  end

(* Echoes are held until all of one write is typed, and some at most. *)
let type_ t c =
  t.typing <- true;
  if Buffer.length t.held > output_most then Buffer.clear t.held;
  Base.ensure (fun () -> t.typing <- false) (fun () -> type_one t c)

(* ---- the foreground *)

let demand_foreground p t n =
  match of_process p with
  | Some own when own == t && t.foreground <> 0 && t.foreground <> p.group ->
    if p.blocked land Signal.bit n <> 0 || p.handlers.actions.(n).handler = 1 then begin if n = sigttin then Errno.fail Errno.eio end
    else if is_orphaned p then Errno.fail Errno.eio
    else begin
      List.iter (fun q -> if q.group = p.group then Signal.send q n by_kernel) (leaders ());
      raise (Wait (fun () -> false)) (* the signal ends this wait, and the call is made again *)
    end
  | _ -> ()

(* ---- reading and writing *)

let is_dead t turn = turn <> t.turn
let wait_or_again f ready = if f.flags land 0o4000 <> 0 then Errno.fail Errno.eagain else raise (Wait ready)

let give p va s = User.write p.mm va (Bytes.unsafe_of_string s)

let read_line p f t turn va len =
  match Queue.peek_opt t.lines with
  | None -> wait_or_again f (fun () -> is_dead t turn || not (local t icanon && Queue.is_empty t.lines))
  | Some l ->
    let piece = String.sub l.text l.read (min len (String.length l.text - l.read)) in
    l.read <- l.read + String.length piece; (* be there a place for it or not, as on Linux *)
    if l.read = String.length l.text then ignore (Queue.pop t.lines);
    give p va piece;
    String.length piece

(* MIN bytes at least; or what there is after TIME tenths of a second, counted from the last byte, or from the call if MIN is 0. *)
let read_bytes p f t turn va len =
  let least = Char.code (key t key_min) and time = Char.code (key t key_time) * 100_000_000 in
  let there () = Buffer.length t.edit in
  let until = if least = 0 then (if p.deadline < 0 then p.deadline <- Clock.now () + time; p.deadline) else max_int in
  let enough () =
    let n = there () in
    if n > 0 && least > 0 && time > 0 then p.deadline <- t.typed_at + time; (* so that the clock goes there *)
    n >= min len (max 1 least) || Clock.now () >= until || (n > 0 && least > 0 && time > 0 && Clock.now () >= p.deadline) in
  if enough () || (there () > 0 && f.flags land 0o4000 <> 0) then begin
    let n = min len (there ()) in
    let piece = Buffer.sub t.edit 0 n in
    let rest = Buffer.sub t.edit n (there () - n) in
    Buffer.clear t.edit;
    Buffer.add_string t.edit rest;
    give p va piece;
    n
  end
  else wait_or_again f (fun () -> is_dead t turn || local t icanon || enough ())

let read_printed p f t va len =
  if t.printed.Vfs.used > 0 then begin
    let b = Bytes.create (min len t.printed.Vfs.used) in
    let n = Pipe.pull t.printed (Bytes.length b) (fun from off part done_ -> Bytes.blit from off b done_ part; part) in
    User.write p.mm va b;
    n
  end
  else if t.met && t.slaves = 0 then Errno.fail Errno.eio
  else wait_or_again f (fun () -> t.printed.Vfs.used > 0 || (t.met && t.slaves = 0))

let read p f va len =
  match f.what with
  | _ when len = 0 -> 0
  | Master t -> read_printed p f t va len
  | Slave (t, turn) when is_dead t turn -> 0
  | Slave (t, turn) ->
    demand_foreground p t sigttin;
    let n = (if local t icanon then read_line else read_bytes) p f t turn va len in
    t.taken_out <- t.taken_out + 1;
    n
  | _ -> Errno.fail Errno.einval

(* One byte after the other while there is room; [progress] remembers how far it was. *)
let write p f va len =
  let one, room, dead = match f.what with
    | Master t -> (type_ t, (fun () -> has_room t), fun () -> false)
    | Slave (t, turn) ->
      if is_dead t turn then Errno.fail Errno.eio;
      if local t tostop then demand_foreground p t sigttou;
      (print t, (fun () -> (not t.stopped) && t.printed.Vfs.used < output_most), fun () -> is_dead t turn)
    | _ -> Errno.fail Errno.einval in
  let b = Bytes.create 256 in
  let rec go () =
    if p.progress >= len then len
    else begin
      let part = User.read_some p.mm (va + p.progress) b 0 (min 256 (len - p.progress)) in
      if part = 0 then User.some p.progress len
      else begin
        let i = ref 0 and failed = ref None in
        (try while !i < part && room () do one (Bytes.get b !i); incr i done with Errno.Error _ as e -> failed := Some e);
        p.progress <- p.progress + !i;
        (match f.what with Master t -> show t | _ -> ());
        match !failed with
        | Some e -> if p.progress > 0 then p.progress else raise e
        | None ->
        if !i = part then go ()
        else if f.flags land 0o4000 = 0 then raise (Wait (fun () -> dead () || room ()))
        else if p.progress > 0 then p.progress
        else Errno.fail Errno.eagain
      end
    end in
  go ()

let ready what =
  let if_ c bits = if c then bits else 0 in
  let poll_in = 0x41 and poll_out = 0x104 and poll_err = 8 and poll_hup = 0x10 in
  match what with
  | Master t -> if_ (t.printed.Vfs.used > 0) poll_in lor if_ (has_room t) poll_out lor if_ (t.met && t.slaves = 0) poll_hup
  | Slave (t, turn) when is_dead t turn -> poll_in lor poll_out lor poll_err lor poll_hup
  | Slave (t, _) ->
    let least = if local t icanon || key t key_time <> '\000' then 1 else max 1 (Char.code (key t key_min)) in
    if_ (if local t icanon then not (Queue.is_empty t.lines) else Buffer.length t.edit >= least) poll_in
    lor if_ ((not t.stopped) && t.printed.Vfs.used < output_most) poll_out
  | _ -> 0
