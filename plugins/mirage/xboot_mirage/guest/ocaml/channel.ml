(* The result channel (docs/contract.md, section 5). Only the executor holds it; nothing in a builder's tree leads here. *)

exception Broken of string

(* The nonce is not here: the base holds it (nonce.c), out of the heap. *)
type run = { window : int; window_size : int; exports : string list }

let line_limit = 1 lsl 20

let read_line () =
  let b = Buffer.create 256 in
  let rec go () =
    match Base.channel_get () with
    | '\n' -> Buffer.contents b
    | c -> if Buffer.length b >= line_limit then raise (Broken "a line of more than 1 MiB from the host"); Buffer.add_char b c; go () in
  go ()

let put line = Base.channel_put (line ^ "\n")

(* The beginning of the line and the nonce, character by character straight to the base, so that no string ever holds it. *)
let read_nonce () =
  String.iter (fun c -> if Base.channel_get () <> c then raise (Broken "the host's run line: expected (run \"nonce\" ...)")) "(run \"";
  for i = 0 to 31 do
    let c = Base.channel_get () in
    if not (Hex.is_digit c) then raise (Broken "the host's run line: a nonce that is not 32 hex digits");
    ignore (Base.nonce_put i (Char.code c))
  done;
  if Base.channel_get () <> '"' then raise (Broken "the host's run line: a nonce that is not 32 hex digits")

let read_run () =
  put "(xboot 1)";
  read_nonce ();
  let line = "(" ^ read_line () in
  try
    let r = Sexp.reader line in
    Sexp.open_ r;
    let window = Sexp.number r in
    let window_size = Sexp.number r in
    let exports = Sexp.many r Sexp.text in
    if Sexp.token r <> Sexp.End then Sexp.malformed r "something after the run line";
    { window; window_size; exports }
  with Sexp.Malformed why -> raise (Broken ("the host's run line: " ^ why))

let q = Sexp.quote
let event (_ : run) name rest =
  Base.channel_put ("(" ^ name ^ " \"");
  ignore (Base.nonce_say 0);
  put ("\"" ^ rest ^ ")")
let hello run hash = event run "hello" (" " ^ q hash)
let source run path hash size = event run "source" (String.concat "" [ " "; q path; " \"sha256\" "; q hash; " "; string_of_int size ])
let begin_ run step = event run "begin" (" " ^ string_of_int step)
let output run step name hash size references =
  event run "output" (String.concat "" [ " "; string_of_int step; " "; q name; " \"sha256\" "; q hash; " "; string_of_int size; " ("; String.concat " " (List.map q references); ")" ])
let fail run step kind why = event run "fail" (String.concat "" [ " "; string_of_int step; " "; kind; " "; q why ])
let done_ run = event run "done" ""

(* Show one piece of an output in the window and wait until the host has copied it. *)
let export run step name offset length =
  event run "export" (String.concat "" [ " "; string_of_int step; " "; q name; " "; string_of_int offset; " "; string_of_int length ]);
  let line = read_line () in
  if line <> "(ack)" then raise (Broken "expected (ack) from the host")
