/* What OCaml's runtime and its library name, and this image does not have: files of theirs that need not be there are left out, and what is asked of
 * them is answered here. Names that nothing leads to are a panic; the linker drops those that nobody names.
 *
 * Left out: channels, marshalling, floating point beyond comparison and hashing, big arrays, weak references, finalisers, the statistical profiler,
 * backtraces, the debugger, parsers, MD5, signals, the environment, the file system.
 */
#define CAML_NAME_SPACE
#define CAML_INTERNALS
#include <caml/custom.h>
#include <caml/domain_state.h>
#include <caml/mlvalues.h>
#include <caml/roots.h>
#include <setjmp.h>
#include <stdlib.h>
#include "base.h"

#define ABSENT(name) _Noreturn void absent_##name(void) __asm__(#name); void absent_##name(void) { panic(#name " is not in this image"); }
#define NOTHING(name) void name(void); void name(void) {}

/* Channels: the library opens three when it starts, and nobody uses them. */
value caml_ml_open_descriptor_in(value descriptor);
value caml_ml_open_descriptor_out(value descriptor);
value caml_ml_open_descriptor_in(value descriptor) { return descriptor; }
value caml_ml_open_descriptor_out(value descriptor) { return descriptor; }
void (*caml_channel_mutex_unlock_exn)(void);
ABSENT(caml_ml_channel_size) ABSENT(caml_ml_channel_size_64) ABSENT(caml_ml_close_channel) ABSENT(caml_ml_flush) ABSENT(caml_ml_input)
ABSENT(caml_ml_input_char) ABSENT(caml_ml_input_int) ABSENT(caml_ml_input_scan_line) ABSENT(caml_ml_out_channels_list) ABSENT(caml_ml_output)
ABSENT(caml_ml_output_bytes) ABSENT(caml_ml_output_char) ABSENT(caml_ml_output_int) ABSENT(caml_ml_pos_in) ABSENT(caml_ml_pos_in_64)
ABSENT(caml_ml_pos_out) ABSENT(caml_ml_pos_out_64) ABSENT(caml_ml_seek_in) ABSENT(caml_ml_seek_in_64) ABSENT(caml_ml_seek_out)
ABSENT(caml_ml_seek_out_64) ABSENT(caml_ml_set_binary_mode) ABSENT(caml_ml_set_channel_name) ABSENT(caml_sys_open) ABSENT(caml_sys_exit)

/* Marshalling, and digests of code for it. */
ABSENT(caml_input_value) ABSENT(caml_output_value) ABSENT(caml_serialize_int_1) ABSENT(caml_serialize_int_4) ABSENT(caml_serialize_int_8)
ABSENT(caml_deserialize_sint_4) ABSENT(caml_deserialize_sint_8) ABSENT(caml_deserialize_uint_1) ABSENT(caml_deserialize_error) ABSENT(caml_md5_block)

/* Floating point. */
NOTHING(caml_init_locale)
ABSENT(acos) ABSENT(asin) ABSENT(atan) ABSENT(atan2) ABSENT(ceil) ABSENT(cos) ABSENT(cosh) ABSENT(exp) ABSENT(floor) ABSENT(fmod) ABSENT(log)
ABSENT(log10) ABSENT(pow) ABSENT(sin) ABSENT(sinh) ABSENT(sqrt) ABSENT(tan) ABSENT(tanh) ABSENT(caml_acosh) ABSENT(caml_asinh) ABSENT(caml_atanh)
ABSENT(caml_classify_float_unboxed) ABSENT(caml_copysign) ABSENT(caml_expm1) ABSENT(caml_float_of_string) ABSENT(caml_format_float)
ABSENT(caml_frexp_float) ABSENT(caml_hypot)
 ABSENT(caml_ldexp_float_unboxed) ABSENT(caml_log1p) ABSENT(caml_modf_float)

/* Big arrays, of which the runtime registers the operations. */
struct custom_operations caml_ba_ops = {.identifier = "_bigarr02"};

/* Weak references: the list of them is empty. */
value caml_ephe_list_head;
static struct { header_t header; value block; } no_key = {0, Val_unit};
value caml_ephe_none = (value)&no_key.block;

/* Finalisers: there are none. */
value caml_final_do_calls_exn(void);
value caml_final_do_calls_exn(void) { return Val_unit; }
void caml_final_do_roots(scanning_action act);
void caml_final_do_roots(scanning_action act) { (void)act; }
NOTHING(caml_final_update_mark_phase) NOTHING(caml_final_update_clean_phase) NOTHING(caml_final_invert_finalisable_values)
NOTHING(caml_final_oldify_young_roots) NOTHING(caml_final_empty_young) NOTHING(caml_final_update_minor_roots)

/* The profiler takes no samples: no allocation in the minor heap triggers it. */
value *caml_memprof_young_trigger;
void caml_update_young_limit(void);
void caml_memprof_renew_minor_sample(void);
void caml_memprof_renew_minor_sample(void) {
    caml_memprof_young_trigger = Caml_state->young_alloc_start;
    caml_update_young_limit();
}
value caml_memprof_handle_postponed_exn(void);
value caml_memprof_handle_postponed_exn(void) { return Val_unit; }
void caml_memprof_track_alloc_shr(value block);
void caml_memprof_track_alloc_shr(value block) { (void)block; }
void caml_memprof_track_custom(value block, mlsize_t bytes);
void caml_memprof_track_custom(value block, mlsize_t bytes) { (void)block, (void)bytes; }
void caml_memprof_do_roots(scanning_action act);
void caml_memprof_do_roots(scanning_action act) { (void)act; }
ABSENT(caml_memprof_track_young)
NOTHING(caml_memprof_oldify_young_roots) NOTHING(caml_memprof_minor_update) NOTHING(caml_memprof_update_clean_phase)
NOTHING(caml_memprof_invert_tracked)

/* Backtraces, debugger, parsers. */
int caml_parser_trace;
NOTHING(caml_init_backtrace) NOTHING(caml_debugger_init)
ABSENT(caml_stash_backtrace) ABSENT(caml_record_backtraces)

/* An exception that nobody caught. */
_Noreturn void caml_fatal_uncaught_exception(value exception);
_Noreturn void caml_fatal_uncaught_exception(value exception) { (void)exception; panic("an OCaml exception was not caught"); }

/* The environment is empty, and the program has no file and no name. */
char *caml_secure_getenv(const char *name);
char *caml_secure_getenv(const char *name) { (void)name; return 0; }
char *caml_executable_name(void);
char *caml_executable_name(void) { return 0; }
char *caml_search_exe_in_path(const char *name);
char *caml_search_exe_in_path(const char *name) { return (char *)name; }
void caml_sys_init(char *name, char **arguments);
void caml_sys_init(char *name, char **arguments) { (void)name, (void)arguments; }
value caml_sys_const_naked_pointers_checked(value unit);
value caml_sys_const_naked_pointers_checked(value unit) { (void)unit; return Val_false; }

/* Nobody jumps, nobody signals, and an end is a panic. */
int errno;
int setjmp(jmp_buf at) { (void)at; return 0; }
_Noreturn void abort(void) { panic("the OCaml runtime gave up"); }
_Noreturn void exit(int status) { (void)status; panic("the OCaml runtime gave up"); }
ABSENT(signal)
