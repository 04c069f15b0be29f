(* System calls on System V's shared memory and semaphores: those of x86_64 and of later i386, and the one for all of i386. *)

open Proc

let key p n = Arg.int p n

let shmget p = Segments.get (key p 0) (Arg.word p 1) (Arg.uint p 2)
let shmat p = Segments.attach p (Arg.int p 0) (Arg.word p 1) (Arg.uint p 2)
let shmdt p = Segments.detach p (Arg.word p 0)
let shmctl p = Segments.control p (Arg.int p 0) (Arg.int p 1) (Arg.word p 2)
let semget p = Semaphores.get (key p 0) (Arg.int p 1) (Arg.uint p 2)
let semctl p = Semaphores.control p (Arg.int p 0) (Arg.int p 1) (Arg.int p 2) (Arg.word p 3)

let operate p ~id ~va ~count ~time ~wide =
  Semaphores.operate_call p id va count ~span:(fun () -> if time = 0 then -1 else Sys_signal.span_at p time ~wide ~scale:1)

let semop p = operate p ~id:(Arg.int p 0) ~va:(Arg.word p 1) ~count:(Arg.uint p 2) ~time:0 ~wide:true
let semtimedop p = operate p ~id:(Arg.int p 0) ~va:(Arg.word p 1) ~count:(Arg.uint p 2) ~time:(Arg.word p 3) ~wide:true

(* A command of the call for all says IPC_64 if it wants structures as they are today, the only ones served. *)
let modern command = if command land 0x100 <> 0 then command land lnot 0x100 else if command = 1 || command = 2 then Errno.fail Errno.einval else command

(* ipc(which, first, second, third, pointer, fifth) *)
let ipc p =
  let first = Arg.int p 1 and second = Arg.int p 2 and third = Arg.int p 3 and pointer = Arg.word p 4 in
  match Arg.uint p 0 land 0xffff with
  | 1 -> operate p ~id:first ~va:pointer ~count:(Arg.uint p 2) ~time:0 ~wide:false
  | 2 -> Semaphores.get first second third
  | 3 ->
    if pointer = 0 then Errno.fail Errno.einval;
    Semaphores.control p first second (modern third) (User.word p.mm pointer)
  | 4 -> operate p ~id:first ~va:pointer ~count:(Arg.uint p 2) ~time:(Arg.word p 5) ~wide:false
  | 21 ->
    if Arg.uint p 0 lsr 16 = 1 then Errno.fail Errno.einval; (* a form of another system *)
    User.put_word p.mm (Arg.word p 3) (Segments.attach p first pointer (Arg.uint p 2));
    0
  | 22 -> Segments.detach p pointer
  | 23 -> Segments.get first (Arg.word p 2) third
  | 24 when second = Ipc.info -> Errno.fail Errno.einval
  | 24 -> Segments.control p first (modern second) pointer
  | _ -> Limit.reach Errno.enosys "message queues of System V are not served"
