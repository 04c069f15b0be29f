(* The machine starts here, once base and runtime stand. What goes wrong before the host has told its nonce can only be said on the console. *)
let () =
  match Executor.run () with
  | _ -> ()
  | exception e ->
    Base.console ("\nxboot: panic: " ^ (match e with Cpio.Malformed why | Channel.Broken why | Failure why -> why | e -> Text.of_exception e) ^ "\n");
    Base.exit 0x11
