(* Tokens of the script and of the channel (docs/contract.md, section 1). Strict: one way to write each string, white space is space and line feed. *)

exception Malformed of string

type token = Open | Close | Symbol of string | Number of int | Text of string | End

type reader = { text : string; mutable at : int }

let reader text = { text; at = 0 }

let malformed r what = raise (Malformed (what ^ " at byte " ^ string_of_int r.at))

let peek r = if r.at < String.length r.text then r.text.[r.at] else '\000'

let rec blanks r = if r.at < String.length r.text && (peek r = ' ' || peek r = '\n') then begin r.at <- r.at + 1; blanks r end

let string r =
  let out = Buffer.create 64 in
  let next () = let c = peek r in if r.at >= String.length r.text then malformed r "a string without end"; r.at <- r.at + 1; c in
  let digit () = let c = next () in if Hex.is_digit c then Hex.value c else malformed r "a bad escape" in
  let rec go () =
    match next () with
    | '"' -> ()
    | '\\' ->
      (match next () with
       | ('"' | '\\') as c -> Buffer.add_char out c
       | 'n' -> Buffer.add_char out '\n'
       | 'x' ->
         let high = digit () in
         let c = (high * 16) + digit () in
         if (c >= 0x20 && c < 0x7f) || c = 10 then malformed r "an escape for a character that needs none";
         Buffer.add_char out (Char.chr c)
       | _ -> malformed r "a bad escape");
      go ()
    | c when c < ' ' || c >= '\127' -> malformed r "a raw control character or byte above 0x7e in a string"
    | c -> Buffer.add_char out c; go () in
  go ();
  Buffer.contents out

let token r =
  blanks r;
  if r.at >= String.length r.text then End
  else
    match peek r with
    | '(' -> r.at <- r.at + 1; Open
    | ')' -> r.at <- r.at + 1; Close
    | '"' -> r.at <- r.at + 1; Text (string r)
    | '0' .. '9' ->
      let start = r.at in
      while peek r >= '0' && peek r <= '9' do r.at <- r.at + 1 done;
      let s = String.sub r.text start (r.at - start) in
      if String.length s > 18 || (String.length s > 1 && s.[0] = '0') then malformed r "a number that is too long or has a leading zero";
      Number (int_of_string s)
    | 'a' .. 'z' ->
      let start = r.at in
      while (peek r >= 'a' && peek r <= 'z') || peek r = '-' do r.at <- r.at + 1 done;
      Symbol (String.sub r.text start (r.at - start))
    | _ -> malformed r "an unexpected character"

let look r = let at = r.at in let t = token r in r.at <- at; t

let expect r wanted what = if token r <> wanted then malformed r ("expected " ^ what)
let open_ r = expect r Open "("
let close r = expect r Close ")"
let symbol r s = expect r (Symbol s) s
let text r = match token r with Text s -> s | _ -> malformed r "expected a string"
let number r = match token r with Number n -> n | _ -> malformed r "expected a number"

(* Items until the closing parenthesis. *)
let many r item =
  let rec go acc = if look r = Close then begin ignore (token r); List.rev acc end else go (item r :: acc) in
  go []

let clause r name body = open_ r; symbol r name; body r

let quote s =
  let out = Buffer.create (String.length s + 2) in
  Buffer.add_char out '"';
  String.iter (function
    | ('"' | '\\') as c -> Buffer.add_char out '\\'; Buffer.add_char out c
    | '\n' -> Buffer.add_string out "\\n"
    | c when c < ' ' || c >= '\127' -> Buffer.add_string out ("\\x" ^ Text.hex 2 (Char.code c))
    | c -> Buffer.add_char out c) s;
  Buffer.add_char out '"';
  Buffer.contents out
