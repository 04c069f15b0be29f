(* Descriptors that are events: eventfd, timerfd, signalfd. *)

open Proc

let o_nonblock = 0o4000

(* Wait until [ready], or say EAGAIN. *)
let wait_or_again f ready = if f.flags land o_nonblock <> 0 then Errno.fail Errno.eagain else raise (Wait ready)

let eight_bytes va p v =
  let b = Bytes.create 8 in
  Bytes.set_int64_le b 0 v;
  User.write p.mm va b;
  8

let read_event p f e va len =
  if len < 8 then Errno.fail Errno.einval;
  if e.count = 0L then wait_or_again f (fun () -> e.count <> 0L)
  else begin
    let taken = if e.semaphore then 1L else e.count in
    let n = eight_bytes va p taken in
    e.count <- Int64.sub e.count taken;
    e.writes <- e.writes + 1;
    n
  end

let write_event p f e va len =
  if len < 8 then Errno.fail Errno.einval;
  let v = Bytes.get_int64_le (User.read p.mm va 8) 0 in
  if v = -1L then Errno.fail Errno.einval;
  let fits () = Int64.unsigned_compare v (Int64.sub (-2L) e.count) <= 0 in
  if not (fits ()) then wait_or_again f fits
  else begin
    e.count <- Int64.add e.count v;
    e.writes <- e.writes + 1;
    8
  end

let read_timer p f t va len =
  if len < 8 then Errno.fail Errno.einval;
  let n = Timer.fired t in
  if n = 0 then wait_or_again f (fun () -> Timer.fired t > 0)
  else begin
    let moved = eight_bytes va p (Int64.of_int n) in
    Timer.go_on t n;
    moved
  end

(* struct signalfd_siginfo, for each signal of the set that is pending, as many as there is room for. *)
let read_signals p f s va len =
  if len < 128 then Errno.fail Errno.einval;
  if Signal.pending p land s.set = 0 then wait_or_again f (fun () -> Signal.pending p land s.set <> 0)
  else begin
    let rec go done_ =
      let waiting = Signal.pending p land s.set in
      if waiting = 0 || len - done_ < 128 then done_
      else begin
        let n = Signal.next p waiting in
        let code, x, y, z = Signal.take p n in
        let b = Bytes.make 128 '\000' in
        List.iter (fun (at, v) -> User.set32 b at v) ([ 0, n; 8, code; 12, x; 16, y ] @ if n = Exit.sigchld then [ 40, z ] else [ 44, z ]);
        User.write p.mm (va + done_) b;
        go (done_ + 128)
      end in
    go 0
  end
