(* The script (docs/contract.md, section 3): every clause, in order; anything else is refused. *)

open Sexp

type source = { path : string; hash : string; references : string list }
type fixed = { flat : bool; expected : string }
type output = { name : string; out_path : string; fixed : fixed option }

type step = {
  number : int;
  drv : string;
  system : string;
  builder : string;
  argv : string list;
  env : (string * string) list;
  cwd : string;
  files : (string * string) list;
  graphs : (string * string list) list;
  inputs : string list;
  outputs : output list;
}

type t = { store : string; sources : source list; steps : step list; results : string list }

let hash r =
  let s = text r in
  if String.length s <> 64 || not (String.for_all Hex.is_digit s) then malformed r "a hash that is not 64 lower-case hex digits";
  s

let no_nul r s = if String.contains s '\000' then malformed r "a NUL in a string that is given to a program"; s

let absolute r s =
  if s = "" || s.[0] <> '/' || List.exists (fun c -> c = "." || c = "..") (Path.split s) then malformed r "a path that is not absolute and plain";
  no_nul r s

let name_ok c = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || String.contains "+-._?=" c

let store_path store r =
  let s = text r in
  let n = String.length store in
  if String.length s < n + 35 || String.sub s 0 n <> store || s.[n] <> '/' then malformed r "a path outside of the store";
  let name = String.sub s (n + 1) (String.length s - n - 1) in
  if String.length name > 32 + 1 + 211 || not (String.for_all name_ok name) || name.[32] <> '-' || name.[33] = '.'
     || not (String.for_all (fun c -> Scan.in_alphabet.(Char.code c)) (String.sub name 0 32))
  then malformed r "a malformed store path";
  s

let pair r first second = open_ r; let a = first r in let b = second r in close r; (a, b)

let source_clause store r =
  let path = store_path store r in
  open_ r; symbol r "nar"; expect r (Text "sha256") "\"sha256\"";
  let hash = hash r in
  close r;
  open_ r; symbol r "references";
  let references = many r (store_path store) in
  close r;
  { path; hash; references }

let fixed r =
  if look r <> Open then None
  else begin
    open_ r; symbol r "fixed";
    let flat = match text r with "flat" -> true | "recursive" -> false | _ -> malformed r "expected \"flat\" or \"recursive\"" in
    expect r (Text "sha256") "\"sha256\"";
    let expected = hash r in
    close r;
    Some { flat; expected }
  end

let output store r =
  open_ r;
  let name = text r in
  let out_path = store_path store r in
  let fixed = fixed r in
  close r;
  { name; out_path; fixed }

let some r = function [] -> malformed r "an empty list" | l -> l

let single name item r = clause r name (fun r -> let v = item r in close r; v)
let list name item r = clause r name (fun r -> many r item)

let step_clause store r =
  let number = number r in
  let drv = text r in
  let system = single "system" text r in
  let builder = single "builder" (fun r -> no_nul r (text r)) r in
  let argv = some r (list "argv" (fun r -> no_nul r (text r)) r) in
  let env = list "env" (fun r -> pair r (fun r -> no_nul r (text r)) (fun r -> no_nul r (text r))) r in
  let cwd = single "cwd" (fun r -> absolute r (text r)) r in
  let files = list "files" (fun r -> pair r (fun r -> absolute r (text r)) text) r in
  let graphs = list "graphs" (fun r ->
    open_ r;
    let file = absolute r (text r) in
    (file, some r (many r (store_path store)))) r in
  let inputs = list "inputs" (store_path store) r in
  let outputs = some r (list "outputs" (output store) r) in
  close r;
  { number; drv; system; builder; argv; env; cwd; files; graphs; inputs; outputs }

let parse text_ =
  let r = reader text_ in
  open_ r; symbol r "xboot-script";
  if number r <> 1 then malformed r "a script of another version than 1";
  let store = single "store" (fun r -> absolute r (text r)) r in
  let rec go sources steps =
    open_ r;
    match token r with
    | Symbol "source" when steps = [] -> go (source_clause store r :: sources) steps
    | Symbol "step" ->
      let step = step_clause store r in
      if step.number <> List.length steps + 1 then malformed r "steps that are not numbered 1, 2, 3";
      go sources (step :: steps)
    | Symbol "result" ->
      let results = some r (many r (store_path store)) in
      close r;
      if token r <> End then malformed r "something after the end of the script";
      { store; sources = List.rev sources; steps = List.rev steps; results }
    | _ -> malformed r "expected a source, step or result" in
  go [] []
