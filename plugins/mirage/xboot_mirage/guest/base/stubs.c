/* The base layer as OCaml sees it: `external`s of base.ml, all unboxed and without allocation.
 *
 * Addresses and frame numbers fit OCaml's 63 bits; registers may not, and are then given as a value that no check accepts.
 * Arguments from OCaml are trusted (OCaml checked them); arguments from programs never arrive here unchecked.
 */
#define CAML_NAME_SPACE
#include <caml/alloc.h>
#include <caml/domain_state.h>
#include <caml/mlvalues.h>
#include "base.h"

typedef intnat I;

/* [offset, offset + length) of an OCaml byte sequence, or a panic: OCaml's own checks do not see what happens here. */
static u8 *bytes_at(value v, I offset, I length) {
    u64 size = caml_string_length(v);
    if (offset < 0 || length < 0 || (u64)offset > size || (u64)length > size - (u64)offset) panic("outside of a byte sequence");
    return (u8 *)Bytes_val(v) + offset;
}
/* [address, address + length) of one page that is in use as a page. */
static u8 *page_at(I address, I length) {
    u64 inside = (u64)address & (PAGE - 1);
    if (length < 0 || (u64)length > PAGE - inside) panic("outside of a page");
    return (u8 *)frame_memory((u64)address / PAGE, FRAME_PAGE) + inside;
}
/* [address, address + length) of the payload, whose frames are not counted. */
static u8 *payload_at(I address, I length) {
    if ((u64)address < initrd_start || length < 0 || (u64)(address - (I)initrd_start) > initrd_size || (u64)length > initrd_size - ((u64)address - initrd_start))
        panic("outside of the payload");
    return phys((u64)address);
}
static u64 *context(I frame) { return frame_memory((u64)frame, FRAME_CONTEXT); }
static u8 *context_at(I frame, I offset, I length) {
    if (offset < 0 || length < 0 || (u64)offset > PAGE || (u64)length > PAGE - (u64)offset) panic("outside of a context");
    return (u8 *)context(frame) + offset;
}
static u64 *context_slot(I frame, I slot) {
    if (slot < 0 || slot >= C_SLOTS) panic("no such register");
    return context(frame) + slot;
}

I xb_frame_alloc(I user) { return (I)frame_alloc((int)user); }
I xb_frame_ref(I frame) { frame_ref((u64)frame); return 0; }
I xb_frame_unref(I frame) { frame_unref((u64)frame); return 0; }
I xb_frame_refs(I frame) { return frame_refs((u64)frame); }
I xb_frames_free(I unit) { (void)unit; return (I)(frames_free_count > frames_reserve ? frames_free_count - frames_reserve : 0); }
/* Frames of the payload that are no longer needed: they were never counted. */
I xb_frames_release(I start, I end) {
    for (u64 f = ((u64)start + PAGE - 1) / PAGE; f < (u64)end / PAGE; f++) frame_give(f);
    return 0;
}

/* [address, address + length) of what HHDM shows. */
static u8 *memory_at(I address, I length) {
    if (address < 0 || length < 0 || (u64)address > memory_end || (u64)length > memory_end - (u64)address) panic("outside of memory");
    return phys((u64)address);
}
I xb_memory_end(I unit) { (void)unit; return (I)memory_end; }
I xb_memory_byte(I address) { return *memory_at(address, 1); }
I xb_memory_read(I address, value b, I offset, I length) { __builtin_memcpy(bytes_at(b, offset, length), memory_at(address, length), (u64)length); return 0; }
I xb_memory_copy(I to, I from, I length) { __builtin_memcpy(memory_at(to, length), memory_at(from, length), (u64)length); return 0; }

static struct sum *sum_in(value b) { return (struct sum *)bytes_at(b, 0, sizeof(struct sum)); }
I xb_sum_start(value sum) { sum_start(sum_in(sum)); return 0; }
I xb_sum_bytes(value sum, value b, I offset, I length) { sum_more(sum_in(sum), bytes_at(b, offset, length), (u64)length); return 0; }
I xb_sum_memory(value sum, I address, I length) { sum_more(sum_in(sum), memory_at(address, length), (u64)length); return 0; }
I xb_sum_end(value sum) { sum_end(sum_in(sum)); return 0; }

I xb_heap_words(I unit) { (void)unit; return (I)Caml_state->stat_heap_wsz; }

I xb_page_read(I address, value b, I offset, I length) { __builtin_memcpy(bytes_at(b, offset, length), page_at(address, length), (u64)length); return 0; }
I xb_page_write(I address, value b, I offset, I length) { __builtin_memcpy(page_at(address, length), bytes_at(b, offset, length), (u64)length); return 0; }
I xb_page_fill(I address, I byte, I length) { __builtin_memset(page_at(address, length), (int)byte, (u64)length); return 0; }
I xb_payload_copy(I to, I from, I length) { __builtin_memcpy(page_at(to, length), payload_at(from, length), (u64)length); return 0; }

I xb_as_new(I unit) { (void)unit; return (I)as_new(); }
I xb_as_free(I as) { as_free((u64)as); return 0; }
I xb_as_map(I as, I va, I frame, I prot) { return as_map((u64)as, (u64)va, (u64)frame, (int)prot); }
I xb_as_unmap(I as, I start, I end) { as_unmap((u64)as, (u64)start, (u64)end); return 0; }
I xb_as_protect(I as, I start, I end, I prot) { return as_protect((u64)as, (u64)start, (u64)end, (int)prot); }
I xb_as_fork(I to, I from) { return as_fork((u64)to, (u64)from); }
/* -1: nothing mapped; else the page table entry's low bits and frame, without NX */
I xb_as_query(I as, I va) {
    u64 *entry = as_entry((u64)as, (u64)va);
    return entry && *entry & (P_PRESENT | P_HELD) ? (I)(*entry & ~P_NX) : -1;
}
I xb_user_read(I as, I va, value b, I offset, I length) { return (I)user_move((u64)as, (u64)va, bytes_at(b, offset, length), (u64)length, 0); }
I xb_user_write(I as, I va, value b, I offset, I length) { return (I)user_move((u64)as, (u64)va, bytes_at(b, offset, length), (u64)length, 1); }
I xb_user_to_phys(I as, I va, I address, I length) { return (I)user_move((u64)as, (u64)va, page_at(address, length), (u64)length, 0); }
I xb_user_from_phys(I as, I va, I address, I length) { return (I)user_move((u64)as, (u64)va, page_at(address, length), (u64)length, 1); }
/* The length of the string at va, up to limit; -1: unreadable. */
I xb_user_strlen(I as, I va, I limit) {
    I n = 0;
    while (n < limit) {
        u64 *entry = as_entry((u64)as, (u64)(va + n));
        if (!entry || (*entry & (P_PRESENT | P_USER)) != (P_PRESENT | P_USER)) return -1 - n;
        const u8 *page = frame_memory((*entry & P_ADDR) / PAGE, FRAME_PAGE);
        for (u64 i = (u64)(va + n) & (PAGE - 1); i < PAGE && n < limit; i++, n++)
            if (!page[i]) return n;
    }
    return limit;
}

/* Registers with more than 62 bits of magnitude become the smallest OCaml integer, which no address, length or number check accepts. */
I xb_ctx_get(I frame, I slot) {
    int64_t v = (int64_t)*context_slot(frame, slot);
    return v >= -(1l << 62) && v < 1l << 62 ? v : -(1l << 62);
}
I xb_ctx_set(I frame, I slot, I v) { *context_slot(frame, slot) = (u64)v; return 0; }
I xb_ctx_get_bytes(I frame, I at, value b, I length) { __builtin_memcpy(bytes_at(b, 0, length), context_at(frame, at, length), (u64)length); return 0; }
I xb_ctx_set_bytes(I frame, I at, value b, I length) { __builtin_memcpy(context_at(frame, at, length), bytes_at(b, 0, length), (u64)length); return 0; }
I xb_ctx_new(I unit) { (void)unit; return (I)frame_alloc_kind(FRAME_CONTEXT); }
I xb_ctx_copy(I to, I from) { page_copy(context(to), context(from)); return 0; }
I xb_ctx_free(I frame) { frame_free_kind((u64)frame, FRAME_CONTEXT); return 0; }
/* A fresh FPU: control word 0x37f, MXCSR 0x1f80 */
I xb_ctx_reset(I frame) {
    u64 *ctx = context(frame);
    page_zero(ctx);
    *(u16 *)((u8 *)ctx + C_FPU) = 0x37f;
    *(u32 *)((u8 *)ctx + C_FPU + 24) = 0x1f80;
    ctx[C_DS] = ctx[C_ES] = 0x2b;
    return 0;
}

/* The processor's time stamp counter. */
I xb_counter(I unit) { (void)unit; return (I)(__builtin_ia32_rdtsc() & ~(3ul << 62)); }

I xb_calls_fast(I unit) { (void)unit; u64 n = calls_fast; calls_fast = 0; return (I)n; }

I xb_window_set(I writes, I descriptor, I at, I stop) { window_set((int)writes, (u64)descriptor, (u64)at, (u64)stop); return 0; }
I xb_window_moved(I writes) { return (I)window_moved((int)writes); }

I xb_run(I frame, I as) {
    u64 *ctx = context(frame);
    ctx[C_AS] = (u64)as;
    return (I)run_user(ctx);
}

I xb_console(value b, I offset, I length) { console_put(bytes_at(b, offset, length), (u64)length); return 0; }
I xb_channel_put(value b, I offset, I length) { channel_put(bytes_at(b, offset, length), (u64)length); return 0; }
I xb_channel_get(I unit) { (void)unit; return channel_get(); }
I xb_nonce_put(I index, I c) { nonce_put((u64)index, (u8)c); return 0; }
I xb_nonce_say(I unit) { (void)unit; nonce_say(); return 0; }
I xb_idle(I unit) { (void)unit; idle_tick(); return 0; }
I xb_idle_any(I unit) { (void)unit; idle_any(); return 0; }
I xb_exit(I byte) { machine_exit((int)byte); }
I xb_initrd_start(I unit) { (void)unit; return (I)initrd_start; }
I xb_initrd_size(I unit) { (void)unit; return (I)initrd_size; }
value xb_command_line(value unit) { (void)unit; return caml_copy_string(command_line); }

#ifndef XBOOT_HOST
/* OCaml starts here, on its own stack; it ends the machine itself, by base.ml's exit. */
void caml_main(char **argv);
_Noreturn void ocaml_main(void);
_Noreturn void ocaml_main(void) {
    static char name[] = "xboot", *arguments[] = {name, 0};
    caml_main(arguments);
    panic("the OCaml program came to its end");
}
#endif
