(* Which store paths does a stream of bytes mention? It looks for the 32-character hash parts of the given paths, over the borders of pieces too. *)

type t = { wanted : (string, string) Hashtbl.t; found : (string, unit) Hashtbl.t; mutable tail : string (* at most 31 bytes *) }

let length = 32

let in_alphabet = Array.init 256 (fun c -> String.contains "0123456789abcdfghijklmnpqrsvwxyz" (Char.chr c))

(* The hash part of a store path: the first 32 characters of its last component. *)
let hash_part path =
  let name = snd (Tree.parent_of path) in
  if String.length name > length then String.sub name 0 length else name

let make paths =
  let wanted = Hashtbl.create 64 in
  List.iter (fun p -> Hashtbl.replace wanted (hash_part p) p) paths;
  { wanted; found = Hashtbl.create 16; tail = "" }

(* From the window's end backwards: a character outside the alphabet lets it jump past that character. *)
let search t get n string_at =
  let rec go i =
    if i + length <= n then begin
      let rec back j = if j < 0 then -1 else if Array.unsafe_get in_alphabet (get (i + j)) then back (j - 1) else j in
      match back (length - 1) with
      | -1 ->
        let s = string_at i in
        (match Hashtbl.find_opt t.wanted s with Some p -> Hashtbl.replace t.found p () | None -> ());
        go (i + 1)
      | j -> go (i + j + 1)
    end in
  go 0

let feed t piece =
  let n = View.length piece in
  let border = t.tail ^ View.to_string (View.sub piece 0 (min n (length - 1))) in
  search t (fun i -> Char.code (String.unsafe_get border i)) (String.length border) (fun i -> String.sub border i length);
  search t (View.byte piece) n (fun i -> View.to_string (View.sub piece i length));
  let keep = length - 1 in
  t.tail <-
    (if n >= keep then View.to_string (View.sub piece (n - keep) keep)
     else if String.length border <= keep then border
     else String.sub border (String.length border - keep) keep)

let result t = List.sort String.compare (Hashtbl.fold (fun p () l -> p :: l) t.found [])
