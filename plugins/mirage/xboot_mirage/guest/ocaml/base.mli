(* The border to the base layer (../base, in C and assembly): everything that OCaml asks of the machine goes through here.

   Addresses, offsets and lengths are in bytes. A *frame* is the number of a 4 KiB page of physical memory with a reference count; 0 is never
   one and means "none". A *space* is the physical address of a page table. A *context* is a frame that holds a program's registers.
   The base checks each of them at each use. A frame that was given back or is of another kind, and an access beyond a page or beyond a byte
   sequence, ends the machine (byte 0x11): none of these functions can be misused silently. What answers "0" without further word answers nothing. *)

(* ---- page frames *)

(* The size of a page: 4096. *)
val page : int

(* The address of the page that holds an address. *)
val page_down : int -> int

(* The first page border at or above an address. *)
val page_up : int -> int

(* No frame is left for programs. Never raised for the kernel's own memory, for which a reserve is kept. *)
exception No_memory

(* A zeroed frame with one reference, which is the caller's. Raises No_memory. *)
val frame_alloc : unit -> int

(* How many frames programs may still get; the reserve is not among them. *)
val frames_free : unit -> int

(* One reference more. A count that would overflow ends the machine. *)
val ref_frame : int -> unit

(* One reference less; the last one gives the frame back. *)
val unref_frame : int -> unit

(* How many references a frame has. *)
external frame_refs : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_frame_refs" [@@noalloc]

(* [frames_release start stop]: the whole frames of the payload in [start, stop) become ordinary free memory. Answers 0. *)
external frames_release : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_frames_release" [@@noalloc]

(* ---- bytes of physical memory: each piece must lie in one page frame that is in use as a page *)

(* [page_read address b offset length] copies physical memory into [b]. Answers 0. *)
external page_read : (int[@untagged]) -> bytes -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_page_read" [@@noalloc]

(* [page_write address b offset length] copies from [b] into physical memory. Answers 0. *)
external page_write : (int[@untagged]) -> bytes -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_page_write" [@@noalloc]

(* [page_fill address byte length] sets each byte. Answers 0. *)
external page_fill : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_page_fill" [@@noalloc]

(* [payload_copy to_ from length] copies from the payload, whose frames are not counted; outside of the payload the machine ends. Answers 0. *)
external payload_copy : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_payload_copy" [@@noalloc]

(* ---- physical memory in place, for reading content and for the export window. No frame is checked here: who keeps an address keeps the frame.
   Beyond the end of memory the machine ends. View (view.ml) builds on these, and Sha256 on the sums. *)

(* The argument is ignored. The first address behind what can be seen. *)
external memory_end_ : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_memory_end" [@@noalloc]

(* The byte at an address. *)
external memory_byte : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_memory_byte" [@@noalloc]

(* [memory_read address b offset length] copies to [b]. Answers 0. *)
external memory_read : (int[@untagged]) -> bytes -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_memory_read" [@@noalloc]

(* [memory_copy to_ from length]; the two do not overlap. Answers 0. *)
external memory_copy : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_memory_copy" [@@noalloc]

(* SHA-256 (digest.c). A sum is a byte sequence of [sum_size]; [sum_start] makes one of no bytes, [sum_bytes sum b offset length] and
   [sum_memory sum address length] take more in, [sum_end] leaves the digest in its first 32 bytes. All answer 0. *)
val sum_size : int
external sum_start : bytes -> (int[@untagged]) = "xb_none" "xb_sum_start" [@@noalloc]
external sum_bytes : bytes -> bytes -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_sum_bytes" [@@noalloc]
external sum_memory : bytes -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_sum_memory" [@@noalloc]
external sum_end : bytes -> (int[@untagged]) = "xb_none" "xb_sum_end" [@@noalloc]

(* ---- address spaces *)

(* The argument is ignored. An empty space; 0: no memory for its table. *)
external as_new : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_as_new" [@@noalloc]

(* Gives a space, its tables and its references to frames back. Answers 0. *)
external as_free : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_as_free" [@@noalloc]

(* [as_map space va frame prot]: the caller's reference to the frame goes to the space. 0: no memory for a table, and the reference stays with the caller. *)
external as_map : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_as_map" [@@noalloc]

(* [as_unmap space start stop]: nothing is mapped there any more, and each frame loses a reference. Answers 0. *)
external as_unmap : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_as_unmap" [@@noalloc]

(* [as_protect space start stop prot]: new rights for what is mapped there; copy on write stays what it is. The answer means nothing. *)
external as_protect : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_as_protect" [@@noalloc]

(* [as_fork to_ from]: [to_] gets all that [from] maps, copied on write unless shared. 0: out of memory, and [to_] must be freed. *)
external as_fork : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_as_fork" [@@noalloc]

(* [as_query space va]: -1 when nothing is mapped at the page of [va]; else the page table entry without its NX bit. *)
external as_query : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_as_query" [@@noalloc]

(* Rights of a mapping, as bits: read, write, execute (as PROT_ of mmap), and "seen by all who map it", which is never copied on write. *)
val prot_r : int
val prot_w : int
val prot_x : int
val prot_shared : int

(* One past the highest address that an i386 program may use, and a x86_64 program. *)
val user_limit32 : int
val user_limit64 : int

(* ---- a program's memory: the only ways to it. Each walks the page tables and demands the user bit. User (user.ml) builds on these. *)

(* [user_read space va b offset length] copies from the program; how many bytes came before the first page that is absent or forbidden. *)
external user_read : (int[@untagged]) -> (int[@untagged]) -> bytes -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_user_read" [@@noalloc]

(* [user_write space va b offset length] copies to the program; how many bytes went. A page copied on write is copied first. *)
external user_write : (int[@untagged]) -> (int[@untagged]) -> bytes -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_user_write" [@@noalloc]

(* [user_to_phys space va address length] copies from the program to a piece of one page frame; how many bytes. *)
external user_to_phys : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_user_to_phys" [@@noalloc]

(* [user_from_phys space va address length] copies from a piece of one page frame to the program; how many bytes. *)
external user_from_phys : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_user_from_phys" [@@noalloc]

(* [user_strlen space va limit]: the length of the string, at most [limit]; -1 - n when the page of [va + n] cannot be read. *)
external user_strlen : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_user_strlen" [@@noalloc]

(* ---- registers *)

(* A zeroed context. Raises No_memory. *)
val ctx_new : unit -> int

(* Gives a context back. Answers 0. *)
external ctx_free : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_ctx_free" [@@noalloc]

(* [ctx_copy to_ from]: all registers. Answers 0. *)
external ctx_copy : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_ctx_copy" [@@noalloc]

(* The registers of a fresh program: zero but for the data segments, and a fresh FPU. Answers 0. *)
external ctx_reset : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_ctx_reset" [@@noalloc]

(* [ctx_get context slot]: a register; what needs more than 62 bits is min_int, which no check accepts. *)
external ctx_get : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_ctx_get" [@@noalloc]

(* [ctx_set context slot value]. Answers 0. [run] makes flags and selectors harmless, whatever is set here. *)
external ctx_set : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_ctx_set" [@@noalloc]

(* [ctx_get_bytes context at b length]: the context's bytes from [at] to the beginning of [b]; for the FPU's. Answers 0. *)
external ctx_get_bytes : (int[@untagged]) -> (int[@untagged]) -> bytes -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_ctx_get_bytes" [@@noalloc]

(* [ctx_set_bytes context at b length]: the other way. Answers 0. *)
external ctx_set_bytes : (int[@untagged]) -> (int[@untagged]) -> bytes -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_ctx_set_bytes" [@@noalloc]

(* Slots of a context (enum ctx of base.h): the registers of either ABI; [mode] is 0 for i386 and 1 for x86_64; [trap_error] and [trap_address]
   tell of the last trap; [tls] is the first of three for the segments of set_thread_area. *)
val rax : int
val rbx : int
val rcx : int
val rdx : int
val rsi : int
val rdi : int
val rbp : int
val rsp : int
val r8 : int
val r9 : int
val r10 : int
val r11 : int
val rip : int
val rflags : int
val mode : int
val fs_base : int
val gs_base : int
val fs : int
val gs : int
val trap_error : int
val trap_address : int
val tls : int

(* Where in a context the 512 bytes of FXSAVE begin. *)
val fpu_offset : int

(* ---- running a program *)

(* [run context space] enters ring 3 and answers the vector of the next trap. Only Window.run calls it. *)
external run : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_run" [@@noalloc]

(* The vectors of a system call by `int $0x80`, of one by `syscall`, and of the timer. Those below 32 are the processor's exceptions. *)
val vector_int80 : int
val vector_syscall : int
val vector_timer : int

(* [window_set which descriptor at stop] opens a one-byte window on physical [at, stop) of one frame for the program that is entered next. Answers 0. *)
external window_set : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_window_set" [@@noalloc]

(* [window_moved which]: how many bytes went through that window in the last [run]. *)
external window_moved : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_window_moved" [@@noalloc]

(* The argument is ignored. How many calls windows have served since this was last asked. *)
external calls_fast_ : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_calls_fast" [@@noalloc]

(* ---- the machine *)

(* The argument is ignored. The processor's time stamp counter, in its own unit. *)
external counter : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_counter" [@@noalloc]

(* Sleeps until the next tick of the timer (10 ms). *)
val idle : unit -> unit

(* Text for the console, as it is. *)
val console : string -> unit

(* [console_bytes b offset length]: a piece of [b] for the console, as it is. *)
val console_bytes : bytes -> int -> int -> unit

(* Bytes for the host on the result channel. Only Channel calls it. *)
val channel_put : string -> unit

(* The next byte that the host sent on the result channel; sleeps until there is one, forever if there is none. Only Channel calls it. *)
val channel_get : unit -> char

(* [nonce_put index character]: keep one of the 32 characters of the nonce, outside of the heap. Answers 0. *)
external nonce_put : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_nonce_put" [@@noalloc]

(* The argument is ignored. Writes the nonce to the result channel. There is no way to read it. Answers 0. *)
external nonce_say : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_nonce_say" [@@noalloc]

(* Ends the machine with a byte that tells the host how (docs/contract.md). Does not return. *)
val exit : int -> 'a

(* The argument is ignored. Words in the OCaml heap, used or not. *)
external heap_words : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_heap_words" [@@noalloc]

(* Moves what lives in the OCaml heap together, and gives back what is left. *)
external compact : unit -> unit = "caml_gc_compaction"

(* [ensure last work] does [work], and [last] after it, whether it raises or not. *)
val ensure : (unit -> unit) -> (unit -> 'a) -> 'a

(* The argument is ignored. Physical address and size of the payload. *)
external initrd_start_ : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_initrd_start" [@@noalloc]
external initrd_size_ : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_initrd_size" [@@noalloc]

(* The kernel's command line, "" when there is none. *)
external command_line : unit -> string = "xb_command_line"
