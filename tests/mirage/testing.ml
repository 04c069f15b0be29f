(* What the unit tests share: each is run with the same chance, and prints a line, "ok NAME" or "FAIL NAME: WHY". *)

let failures = ref 0

let test name f =
  Random.init (match Sys.getenv_opt "SEED" with Some s -> int_of_string s | None -> 20231);
  match f () with
  | () -> Printf.printf "ok %s\n%!" name
  | exception e -> incr failures; Printf.printf "FAIL %s: %s\n%!" name (Printexc.to_string e)

let check what ok = if not ok then failwith what
let error f = match f () with _ -> 0 | exception Errno.Error e -> e
let random_string n = String.init (Random.int (n + 1)) (fun _ -> Char.chr (Random.int 256))

(* A text as views of physical memory, one after the other. *)
let in_pieces text most each =
  let frame = Base.frame_alloc () in
  let at = ref 0 in
  while !at < String.length text do
    let n = min (1 + Random.int most) (String.length text - !at) in
    let inside = Random.int (Base.page - n + 1) in
    ignore (Base.page_write ((frame * Base.page) + inside) (Bytes.unsafe_of_string text) !at n);
    each (View.make ((frame * Base.page) + inside) n);
    at := !at + n
  done;
  Base.unref_frame frame
