/* guard.c: a plugin of QEMU's that ends the machine when a program reaches the kernel's memory by a far call or return.

   QEMU before 9.1, without KVM, lets `lcall`, `lret` and `iret` of a program move its stack with the kernel's rights (target/i386/tcg/seg_helper.c: cpu_stl_kernel). The
   program chooses the stack pointer, so it reads and writes what it likes, under every kernel: no right that a kernel takes from its pages helps. The processor itself asks
   with the program's rights. Here each such instruction of a program is looked at when it is translated; when one touches an address of the kernel's half that it has no
   business with, QEMU ends at once, and the run has failed.

   Which half is the kernel's is known from the first instruction that runs there: 64 bits: the upper half; 32 bits: from 0x80000000 (tccboot) or 0xc0000000 (GNU Mach, Linux) on.
   Before that, firmware and loaders do what they want; a 64-bit kernel may begin at any low address. Two accesses to the kernel's half are the processor's own: descriptors are read (after the stack, so only the first
   access of a return counts), and GNU Mach's call gate (lcall $7) changes to the kernel's own stack. */

#include <stdbool.h>
#include <stddef.h>
#ifndef __TINYC__ /* TCC's own stddef.h has these types; it is run without a C library's headers */
#include <stdint.h>
#endif

/* qemu-plugin.h, as far as it is used; Debian does not ship it. Version 1: QEMU 4.2 to 8, version 2: 9.0. */
typedef uint64_t id;
struct tb;
struct insn;
extern void qemu_plugin_register_vcpu_tb_trans_cb(id, void (*)(id, struct tb *));
extern size_t qemu_plugin_tb_n_insns(const struct tb *);
extern struct insn *qemu_plugin_tb_get_insn(const struct tb *, size_t);
extern const void *qemu_plugin_insn_data(const struct insn *);
extern size_t qemu_plugin_insn_size(const struct insn *);
extern uint64_t qemu_plugin_insn_vaddr(const struct insn *);
extern void qemu_plugin_register_vcpu_insn_exec_cb(struct insn *, void (*)(unsigned, void *), int, void *);
extern void qemu_plugin_register_vcpu_mem_cb(struct insn *, void (*)(unsigned, uint32_t, uint64_t, void *), int, int, void *);
extern bool qemu_plugin_mem_is_store(uint32_t);
extern void _exit(int);
#define NO_REGISTERS 0
#define READS_AND_WRITES 3

__attribute__((visibility("default"))) int qemu_plugin_version = VERSION;

static uint64_t kernel_from = ~0ull; /* addresses from here on are the kernel's; nothing is while it is not known */
static bool has_gate;                /* GNU Mach: lcall $7 enters it */
static bool first;                   /* the next access is the first of its instruction */

enum kind { HARMLESS, CALL, RETURN };

/* What an instruction is. Prefixes are skipped; 0x40-0x4f are prefixes where something follows them (an `inc` of 32 bits is one byte long). */
static enum kind kind_of(const uint8_t *byte, size_t size)
{
    static const uint8_t prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3};
    size_t i = 0, p;

    for (; i + 1 < size; i++) {
        for (p = 0; p < sizeof prefixes && byte[i] != prefixes[p]; p++)
            ;
        if (p == sizeof prefixes && (byte[i] & 0xf0) != 0x40)
            break;
    }
    if (i >= size)
        return HARMLESS;
    if (byte[i] == 0x9a) {
        bool gate = has_gate && size == 7 && i == 0 && byte[5] == 7 && byte[6] == 0;
        return gate ? HARMLESS : CALL;
    }
    if (byte[i] == 0xff && i + 1 < size && (byte[i + 1] >> 3 & 7) == 3)
        return CALL;
    return byte[i] == 0xca || byte[i] == 0xcb || byte[i] == 0xcf ? RETURN : HARMLESS;
}

static void begins(unsigned cpu, void *unused)
{
    (void)cpu, (void)unused;
    first = true;
}

static void touches(unsigned cpu, uint32_t access, uint64_t at, void *kind)
{
    (void)cpu;
    if (at >= kernel_from && (kind == (void *)(uintptr_t)CALL ? qemu_plugin_mem_is_store(access) : first)) {
        _exit(STATUS); /* guard.py has the sentence */
    }
    first = false;
}

/* The kernel's half, when `at` is in it. BITS is the kernel's width. */
static void learn(uint64_t at)
{
    if (BITS == 64) {
        if (at >= 0xffff800000000000ull)
            kernel_from = 0xffff800000000000ull;
    } else if (at >= 0xc1000000 && at < 0xc2000000) {
        kernel_from = 0xc0000000, has_gate = true; /* Linux has none there, and its processor refuses the call before it touches a stack */
    } else if (at >= 0x80100000 && at < 0x80e00000) {
        kernel_from = 0x80000000;
    }
}

static void translated(id self, struct tb *tb)
{
    size_t i, n = qemu_plugin_tb_n_insns(tb);

    (void)self;
    for (i = 0; i < n; i++) {
        struct insn *insn = qemu_plugin_tb_get_insn(tb, i);
        uint64_t at = qemu_plugin_insn_vaddr(insn);
        enum kind kind;

        if (kernel_from == ~0ull)
            learn(at);
        if (kernel_from == ~0ull || at >= kernel_from)
            continue; /* too early, or the kernel itself */
        kind = kind_of(qemu_plugin_insn_data(insn), qemu_plugin_insn_size(insn));
        if (kind == HARMLESS)
            continue;
        qemu_plugin_register_vcpu_insn_exec_cb(insn, begins, NO_REGISTERS, 0);
        qemu_plugin_register_vcpu_mem_cb(insn, touches, NO_REGISTERS, READS_AND_WRITES, (void *)(uintptr_t)kind);
    }
}

__attribute__((visibility("default"))) int qemu_plugin_install(id self, const void *info, int count, char **words)
{
    (void)info, (void)count, (void)words;
    qemu_plugin_register_vcpu_tb_trans_cb(self, translated);
    return 0;
}
