(* NAR, Nix's archive format: the one serialisation of a tree. Written piece by piece with a stack of our own, file content straight from its frames. *)

open Vfs

exception Refused of string (* of a kind that an output must not have *)

(* Two page frames that are kept: one stays zero, what a hole in a file reads as; one gathers what is small. *)
let zeros = lazy (Base.frame_alloc () * Base.page)
let gathered = lazy (Base.frame_alloc () * Base.page)

let piece address length = View.make (if address = 0 then Lazy.force zeros else address) length

(* Small pieces are gathered, file content is passed on where it lies. *)
let serialise inode (emit : View.t -> unit) =
  let small = Lazy.force gathered in
  let fill = ref 0 in
  let total = ref 0 in
  let flush () = if !fill > 0 then begin emit (View.make small !fill); fill := 0 end in
  let put s =
    let rec from at =
      let n = min (String.length s - at) (Base.page - !fill) in
      if n > 0 then ignore (Base.page_write (small + !fill) (Bytes.unsafe_of_string s) at n);
      fill := !fill + n;
      if at + n < String.length s then begin flush (); from (at + n) end in
    total := !total + String.length s;
    from 0 in
  let number n = let b = Bytes.create 8 in Bytes.set_int64_le b 0 (Int64.of_int n); put (Bytes.unsafe_to_string b) in
  let pad n = if n land 7 <> 0 then put (String.make (8 - (n land 7)) '\000') in
  let str s = number (String.length s); put s; pad (String.length s) in
  let contents c =
    number c.Content.size;
    flush ();
    total := !total + c.Content.size;
    ignore (Content.pieces c 0 c.Content.size (fun address part ->
      emit (piece address part);
      part));
    pad c.Content.size in
  let sorted dir = List.sort String.compare (names dir) in
  (* [`Node (inode, depth)] to be written, [`Text] to be written after it *)
  let work = ref [ `Text [ "nix-archive-1" ]; `Node (inode, 0) ] in
  let next () = match !work with [] -> None | w :: rest -> work := rest; Some w in
  let rec go () =
    match next () with
    | None -> ()
    | Some (`Text list) -> List.iter str list; go ()
    | Some (`Entries (dir, [], _)) -> ignore dir; str ")"; go ()
    | Some (`Entries (dir, name :: rest, depth)) ->
      (match find dir name with
       | None -> ()
       | Some child ->
         work := `Text [ "entry"; "("; "name"; name; "node" ] :: `Node (child, depth + 1) :: `Text [ ")" ] :: `Entries (dir, rest, depth) :: !work);
      go ()
    | Some (`Node (inode, depth)) ->
      str "(";
      str "type";
      (match inode.kind with
       | File c ->
         str "regular";
         if inode.mode land 0o100 <> 0 then begin str "executable"; str "" end;
         str "contents";
         contents c;
         str ")"
       | Link target -> str "symlink"; str "target"; str target; str ")"
       | Dir _ ->
         if depth >= Limit.nesting then raise (Refused ("directories nested deeper than " ^ string_of_int Limit.nesting));
         str "directory";
         work := `Entries (inode, sorted inode, depth) :: !work
       | _ -> raise (Refused ("neither regular file, directory nor symbolic link: " ^ match inode.kind with Fifo _ -> "pipe" | Device _ -> "device" | _ -> "other")));
      go () in
  go ();
  flush ();
  !total

(* The SHA-256 and size of a tree's NAR; [also] sees every piece. *)
let hash ?(also = ignore) inode =
  let sum = Sha256.start () in
  let size = serialise inode (fun piece -> Sha256.view sum piece; also piece) in
  (Sha256.finish sum, size)

(* The SHA-256 of one file's content. *)
let hash_flat c =
  let sum = Sha256.start () in
  ignore (Content.pieces c 0 c.Content.size (fun address part -> Sha256.view sum (piece address part); part));
  Sha256.finish sum
