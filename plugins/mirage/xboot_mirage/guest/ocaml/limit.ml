(* What this kernel bounds, in one place, and how it says so: a program gets the usual error number, and the console names the limit once in a step. *)
let processes = 512
let open_files = 8192 (* in all processes *)
let descriptors = 1024 (* in one process *)
let ipc = 4096 (* segments, and sets of semaphores, in a step *)
let timers = 256 (* of timer_create, in one process *)
let file_size = 1 lsl 32
let inodes = 400_000
let areas = 16_384 (* memory areas of one process *)
let console_bytes = 1 lsl 20
let nesting = 64
let string_bytes = 131_072
let arguments_bytes = 1 lsl 21

let address_space = "no free range in a process's address space"

let noted : (string, unit) Hashtbl.t = Hashtbl.create 8
let reset () = Hashtbl.reset noted

let note what =
  if not (Hashtbl.mem noted what) && Hashtbl.length noted < 64 then begin
    Hashtbl.replace noted what ();
    Base.console ("xboot: limit: " ^ what ^ "\n")
  end

let reach errno what = note what; Errno.fail errno

(* The kernel's own heap must not be eaten by what programs make it remember. *)
let check_kernel_memory () = if Base.frames_free () < 64 then reach Errno.enomem "memory is exhausted"
