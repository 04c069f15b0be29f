(* The base layer (../base): physical memory, address spaces, registers, serial ports. Everything above is OCaml.

   A *frame* is the number of a 4 KiB page of physical memory with a reference count; 0 is never a frame and means "none".
   An address space is the physical address of its page table. A context is a frame that holds a program's registers. The base checks
   each of them when it is used: a frame that was given back, or is of another kind, ends the machine. *)

external frame_alloc_ : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_frame_alloc" [@@noalloc]
external frame_ref : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_frame_ref" [@@noalloc]
external frame_unref : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_frame_unref" [@@noalloc]
external frame_refs : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_frame_refs" [@@noalloc]
external frames_free_ : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_frames_free" [@@noalloc]
external frames_release : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_frames_release" [@@noalloc]

external page_read : (int[@untagged]) -> bytes -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_page_read" [@@noalloc]
external page_write : (int[@untagged]) -> bytes -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_page_write" [@@noalloc]
external page_fill : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_page_fill" [@@noalloc]
external payload_copy : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_payload_copy" [@@noalloc]
external memory_end_ : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_memory_end" [@@noalloc]
external memory_byte : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_memory_byte" [@@noalloc]
external memory_read : (int[@untagged]) -> bytes -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_memory_read" [@@noalloc]
external memory_copy : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_memory_copy" [@@noalloc]
external sum_start : bytes -> (int[@untagged]) = "xb_none" "xb_sum_start" [@@noalloc]
external sum_bytes : bytes -> bytes -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_sum_bytes" [@@noalloc]
external sum_memory : bytes -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_sum_memory" [@@noalloc]
external sum_end : bytes -> (int[@untagged]) = "xb_none" "xb_sum_end" [@@noalloc]

external as_new : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_as_new" [@@noalloc]
external as_free : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_as_free" [@@noalloc]
external as_map : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_as_map" [@@noalloc]
external as_unmap : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_as_unmap" [@@noalloc]
external as_protect : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_as_protect" [@@noalloc]
external as_fork : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_as_fork" [@@noalloc]
external as_query : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_as_query" [@@noalloc]

external user_read : (int[@untagged]) -> (int[@untagged]) -> bytes -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_user_read" [@@noalloc]
external user_write : (int[@untagged]) -> (int[@untagged]) -> bytes -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_user_write" [@@noalloc]
external user_to_phys : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_user_to_phys" [@@noalloc]
external user_from_phys : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_user_from_phys" [@@noalloc]
external user_strlen : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_user_strlen" [@@noalloc]

external ctx_get : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_ctx_get" [@@noalloc]
external ctx_set : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_ctx_set" [@@noalloc]
external ctx_new_ : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_ctx_new" [@@noalloc]
external ctx_free : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_ctx_free" [@@noalloc]
external ctx_copy : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_ctx_copy" [@@noalloc]
external ctx_get_bytes : (int[@untagged]) -> (int[@untagged]) -> bytes -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_ctx_get_bytes" [@@noalloc]
external ctx_set_bytes : (int[@untagged]) -> (int[@untagged]) -> bytes -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_ctx_set_bytes" [@@noalloc]
external ctx_reset : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_ctx_reset" [@@noalloc]
external run : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_run" [@@noalloc]

external window_set : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_window_set" [@@noalloc]
external window_moved : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_window_moved" [@@noalloc]
external calls_fast_ : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_calls_fast" [@@noalloc]
external counter : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_counter" [@@noalloc]
external console_ : bytes -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_console" [@@noalloc]
external channel_put_ : bytes -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_channel_put" [@@noalloc]
external channel_get_ : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_channel_get" [@@noalloc]
external nonce_put : (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_nonce_put" [@@noalloc]
external nonce_say : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_nonce_say" [@@noalloc]
external idle_ : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_idle" [@@noalloc]
external idle_any_ : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_idle_any" [@@noalloc]
external exit_ : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_exit" [@@noalloc]
external heap_words : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_heap_words" [@@noalloc]
external compact : unit -> unit = "caml_gc_compaction"
external initrd_start_ : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_initrd_start" [@@noalloc]
external initrd_size_ : (int[@untagged]) -> (int[@untagged]) = "xb_none" "xb_initrd_size" [@@noalloc]
external command_line : unit -> string = "xb_command_line"

let page = 4096
let sum_size = 104 (* struct sum of base.h *)
let page_down a = a land lnot (page - 1)
let page_up a = page_down (a + page - 1)

(* No frame is left for programs. Never raised for the kernel's own memory, for which a reserve is kept. *)
exception No_memory

let frame_alloc () = match frame_alloc_ 1 with 0 -> raise No_memory | f -> f
let ctx_new () = match ctx_new_ 0 with 0 -> raise No_memory | f -> f
let frames_free () = frames_free_ 0
let ref_frame f = ignore (frame_ref f)
let unref_frame f = ignore (frame_unref f)

let ensure last work =
  match work () with
  | result -> last (); result
  | exception e -> last (); raise e

(* Slots of a context: enum ctx of base.h. *)
let rax = 0 and rbx = 1 and rcx = 2 and rdx = 3 and rsi = 4 and rdi = 5 and rbp = 6 and rsp = 7
let r8 = 8 and r9 = 9 and r10 = 10 and r11 = 11
let rip = 16 and rflags = 17 and mode = 18 and fs_base = 19 and gs_base = 20
let fs = 23 and gs = 24
let trap_error = 26 and trap_address = 27 and tls = 28
let fpu_offset = 512

let prot_r = 1 and prot_w = 2 and prot_x = 4 and prot_shared = 8
let vector_int80 = 0x80 and vector_syscall = 256 and vector_timer = 32
let user_limit32 = 0xffffe000 and user_limit64 = 0x7ffffffff000

let console s = ignore (console_ (Bytes.unsafe_of_string s) 0 (String.length s))
let console_bytes b off len = ignore (console_ b off len)
let channel_put s = ignore (channel_put_ (Bytes.unsafe_of_string s) 0 (String.length s))

(* The next byte that the host sent on the result channel; sleeps until there is one. *)
let rec channel_get () = match channel_get_ 0 with -1 -> ignore (idle_any_ 0); channel_get () | c -> Char.chr c

let idle () = ignore (idle_ 0)
let exit byte = ignore (exit_ byte); failwith "the machine did not end"
