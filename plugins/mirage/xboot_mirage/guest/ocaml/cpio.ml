(* The payload: a newc cpio archive (docs/contract.md, section 2), read in place from physical memory. Whatever is not in that section is refused. *)

exception Malformed of string

type entry = { name : string; mode : int; address : int; size : int }

let malformed at what = raise (Malformed (String.concat "" [ "payload: "; what; " at byte "; string_of_int at ]))

let magic = "070701"

(* Calls [each] for every entry, in order. [start] is the physical address of the archive. *)
let iterate start size (each : entry -> unit) =
  let memory = View.make start size in
  let field at n =
    let rec go i v =
      if i = 8 then v
      else
        let c = Char.chr (View.byte memory (at + 6 + (8 * n) + i)) in
        let c = Char.lowercase_ascii c in
        if not (Hex.is_digit c) then malformed at "a header field that is not hexadecimal" else go (i + 1) ((v * 16) + Hex.value c) in
    go 0 0 in
  let align n = (n + 3) land lnot 3 in
  let rec go at =
    if at + 110 > size then malformed at "the archive is cut off";
    if View.to_string (View.sub memory at 6) <> magic then malformed at "no header";
    let mode = field at 1 and file_size = field at 6 and name_size = field at 11 in
    if name_size < 2 || name_size > 4096 || at + 110 + name_size > size then malformed at "a bad name";
    let name = View.to_string (View.sub memory (at + 110) (name_size - 1)) in
    let data = align (at + 110 + name_size) in
    if file_size > size || data > size - file_size then malformed at "the archive is cut off";
    if name <> "TRAILER!!!" then begin
      each { name; mode; address = start + data; size = file_size };
      go (align (data + file_size))
    end in
  go 0
