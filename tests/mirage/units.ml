(* Unit and property tests of the OCaml side, on the host over fake_base.c. Chance has a fixed seed. *)

open Testing
open Units_data
open Units_calls

let () =
  test "sexp round trip" sexp_round_trip;
  test "sexp strict" sexp_strict;
  test "script reads" script_reads;
  test "script damaged" script_damaged;
  test "content" content_like_bytes;
  test "sparse file" sparse_file;
  test "pipe" pipe_like_queue;
  test "paths" paths;
  test "deep tree" deep_tree_is_freed;
  test "nar vectors" (nar_vectors Sys.argv.(1));
  test "scan" scan_like_search;
  test "sha-256" (fun () -> sums Sys.argv.(2));
  test "views" views;
  test "texts" texts;
  test "files by calls" files_by_calls;
  test "windows" windows_agree;
  test "windows are never stale" windows_are_never_stale;
  test "copy on write" copy_on_write;
  test "zeros behind bss" zeros_behind_bss;
  test "copies without room" copies_without_room;
  test "payload without room" payload_without_room;
  test "errors midway" errors_midway;
  test "memory ends anywhere" memory_ends_anywhere;
  test "wait with a bad address" wait_with_bad_address;
  test "areas never overlap" areas_never_overlap;
  test "registers over signals" registers_over_signals;
  test "rights arrive once" rights_arrive_once;
  test "hostile calls i386" (hostile_calls ~wide:false);
  test "hostile calls x86_64" (hostile_calls ~wide:true);
  exit (if !failures = 0 then 0 else 1)
