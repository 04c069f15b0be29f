// SPDX-License-Identifier: GPL-2.0
/*
 * In place of core.c and of net/core/filter.c: the filter of system calls (seccomp), run as it is given, with nothing translated.
 *
 * A program has two registers, A and X, sixteen words of memory, and jumps forward only, so it ends. seccomp.c allows what of a call may be
 * looked at, and which instructions there are (its `transformer`); what makes a program safe to run is checked here, before it is ever run:
 * no jump leaves it, no word is outside memory or read before it was written, nothing is divided by the number 0, and the last instruction
 * is a return. Filters of packets are left out: setsockopt and getsockopt answer ENOPROTOOPT.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <linux/filter.h>
#include <linux/jump_label.h>
#include <linux/panic.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <net/sock.h>

DEFINE_STATIC_KEY_FALSE(bpf_stats_enabled_key); /* never counted */

/* Bits of an instruction's code that seccomp.c gives to a load of a word of the call, whose place it has checked. */
#define LOAD_CALL (BPF_LDX | BPF_W | BPF_ABS)

static u32 calculate(u16 what, u32 a, u32 b)
{
    switch (what) {
    case BPF_ADD:
        return a + b;
    case BPF_SUB:
        return a - b;
    case BPF_MUL:
        return a * b;
    case BPF_DIV:
        return a / b; /* b is not 0: see run */
    case BPF_OR:
        return a | b;
    case BPF_AND:
        return a & b;
    case BPF_LSH:
        return a << (b & 31);
    case BPF_RSH:
        return a >> (b & 31);
    case BPF_XOR:
        return a ^ b;
    default: /* BPF_NEG */
        return -a;
    }
}

static bool holds(u16 what, u32 a, u32 b)
{
    switch (what) {
    case BPF_JEQ:
        return a == b;
    case BPF_JGT:
        return a > b;
    case BPF_JGE:
        return a >= b;
    default: /* BPF_JSET */
        return a & b;
    }
}

/* The answer to a call. A division by a register that is 0 ends the program with 0, which kills the thread. */
static unsigned int run(const void *call, const struct bpf_insn *program)
{
    const struct sock_filter *at = (const struct sock_filter *)program;
    u32 a = 0, x = 0, memory[BPF_MEMWORDS] = {0};

    for (;; at++) {
        u32 operand = BPF_SRC(at->code) == BPF_X ? x : at->k;

        switch (at->code) {
        case LOAD_CALL:
            memcpy(&a, (const char *)call + at->k, sizeof a);
            continue;
        case BPF_LD | BPF_IMM:
            a = at->k;
            continue;
        case BPF_LDX | BPF_IMM:
            x = at->k;
            continue;
        case BPF_LD | BPF_MEM:
            a = memory[at->k];
            continue;
        case BPF_LDX | BPF_MEM:
            x = memory[at->k];
            continue;
        case BPF_ST:
            memory[at->k] = a;
            continue;
        case BPF_STX:
            memory[at->k] = x;
            continue;
        case BPF_MISC | BPF_TAX:
            x = a;
            continue;
        case BPF_MISC | BPF_TXA:
            a = x;
            continue;
        case BPF_RET | BPF_K:
            return at->k;
        case BPF_RET | BPF_A:
            return a;
        case BPF_JMP | BPF_JA:
            at += at->k;
            continue;
        case BPF_ALU | BPF_DIV | BPF_X:
            if (!x)
                return 0;
            break;
        }
        if (BPF_CLASS(at->code) == BPF_JMP)
            at += holds(BPF_OP(at->code), a, operand) ? at->jt : at->jf;
        else
            a = calculate(BPF_OP(at->code), a, operand);
    }
}

/* An instruction that run() knows and seccomp.c allows. */
static bool is_known(u16 code)
{
    switch (code) {
    case LOAD_CALL:
    case BPF_LD | BPF_IMM:
    case BPF_LDX | BPF_IMM:
    case BPF_LD | BPF_MEM:
    case BPF_LDX | BPF_MEM:
    case BPF_ST:
    case BPF_STX:
    case BPF_MISC | BPF_TAX:
    case BPF_MISC | BPF_TXA:
    case BPF_RET | BPF_K:
    case BPF_RET | BPF_A:
    case BPF_JMP | BPF_JA:
    case BPF_ALU | BPF_NEG:
        return true;
    }
    if (code & ~(0x07 | 0xf0 | BPF_X)) /* class, operation, where its operand is: no other bits */
        return false;
    if (BPF_CLASS(code) == BPF_JMP)
        return BPF_OP(code) >= BPF_JEQ && BPF_OP(code) <= BPF_JSET;
    return BPF_CLASS(code) == BPF_ALU && (BPF_OP(code) <= BPF_RSH || BPF_OP(code) == BPF_XOR);
}

/* 0, -EINVAL for a program that must not run, or -ENOMEM. */
static int check(const struct sock_filter *program, unsigned int length)
{
    /* Words of memory that are written on each way to an instruction: a bit for each word. */
    u16 *written = kmalloc_array(length, sizeof *written, GFP_KERNEL);
    unsigned int i;
    int error = -EINVAL;

    BUILD_BUG_ON(BPF_MEMWORDS != 16);
    if (!written)
        return -ENOMEM;
    memset(written, 0xff, length * sizeof *written);
    written[0] = 0;
    for (i = 0; i < length; i++) {
        const struct sock_filter *at = &program[i];
        unsigned int left = length - 1 - i; /* instructions behind this one */
        u16 now = written[i];

        if (!is_known(at->code))
            goto out;
        switch (at->code) {
        case BPF_LD | BPF_MEM:
        case BPF_LDX | BPF_MEM:
            if (at->k >= BPF_MEMWORDS || !(now & (1 << at->k)))
                goto out;
            break;
        case BPF_ST:
        case BPF_STX:
            if (at->k >= BPF_MEMWORDS)
                goto out;
            now |= 1 << at->k;
            break;
        case BPF_ALU | BPF_DIV | BPF_K:
            if (!at->k)
                goto out;
            break;
        case BPF_ALU | BPF_LSH | BPF_K:
        case BPF_ALU | BPF_RSH | BPF_K:
            if (at->k >= 32)
                goto out;
            break;
        }
        if (BPF_CLASS(at->code) == BPF_RET) /* from here nothing goes on */
            continue;
        if (at->code == (BPF_JMP | BPF_JA)) {
            if (at->k >= left)
                goto out;
            written[i + 1 + at->k] &= now;
        } else if (BPF_CLASS(at->code) == BPF_JMP) {
            if (at->jt >= left || at->jf >= left)
                goto out;
            written[i + 1 + at->jt] &= now;
            written[i + 1 + at->jf] &= now;
        } else {
            if (!left) /* it would run on behind its end */
                goto out;
            written[i + 1] &= now;
        }
    }
    error = 0;
out:
    kfree(written);
    return error;
}

void bpf_prog_destroy(struct bpf_prog *filter)
{
    if (filter->orig_prog)
        kfree(filter->orig_prog->filter);
    kfree(filter->orig_prog);
    kvfree(filter);
}

/* As it was given, for who asks. Raises -ENOMEM. */
static int keep_original(struct bpf_prog *filter, unsigned int length)
{
    filter->orig_prog = kzalloc(sizeof *filter->orig_prog, GFP_KERNEL);
    if (!filter->orig_prog)
        return -ENOMEM;
    filter->orig_prog->len = length;
    filter->orig_prog->filter = kmemdup(filter->insns, length * sizeof filter->insns[0], GFP_KERNEL | __GFP_NOWARN);
    return filter->orig_prog->filter ? 0 : -ENOMEM;
}

/*
 * A filter from a program's memory. `allow` says what it may do, and changes its loads of words of the call; without one it could look at
 * nothing, so there must be one. -EINVAL, -EFAULT, -ENOMEM.
 */
int bpf_prog_create_from_user(struct bpf_prog **result, struct sock_fprog *given, bpf_aux_classic_check_t allow, bool keep)
{
    struct bpf_prog *filter;
    size_t bytes;
    int error;

    if (!allow || !given->filter || !given->len || given->len > BPF_MAXINSNS)
        return -EINVAL;
    bytes = given->len * sizeof filter->insns[0];
    filter = kvzalloc(sizeof *filter + bytes, GFP_KERNEL_ACCOUNT);
    if (!filter)
        return -ENOMEM;
    filter->len = given->len;
    filter->bpf_func = run;
    error = copy_from_user(filter->insns, given->filter, bytes) ? -EFAULT : 0;
    if (!error && keep)
        error = keep_original(filter, given->len);
    if (!error)
        error = allow(filter->insns, given->len);
    if (!error)
        error = check(filter->insns, given->len);
    if (error) {
        bpf_prog_destroy(filter);
        return error;
    }
    *result = filter;
    return 0;
}

/* No socket has a filter of packets, so all pass but those of memory that is kept for emergencies. */
int sk_filter_trim_cap(struct sock *socket, struct sk_buff *packet, unsigned int least)
{
    return skb_pfmemalloc(packet) && !sock_flag(socket, SOCK_MEMALLOC) ? -ENOMEM : 0;
}

int copy_bpf_fprog_from_user(struct sock_fprog *program, sockptr_t given, int length)
{
    return -ENOPROTOOPT;
}

int sk_attach_filter(struct sock_fprog *program, struct sock *socket)
{
    return -ENOPROTOOPT;
}

int sk_attach_bpf(u32 descriptor, struct sock *socket)
{
    return -ENOPROTOOPT;
}

int sk_reuseport_attach_filter(struct sock_fprog *program, struct sock *socket)
{
    return -ENOPROTOOPT;
}

int sk_reuseport_attach_bpf(u32 descriptor, struct sock *socket)
{
    return -ENOPROTOOPT;
}

int sk_detach_filter(struct sock *socket)
{
    return -ENOPROTOOPT;
}

int sk_get_filter(struct sock *socket, sockptr_t result, unsigned int length)
{
    return -ENOPROTOOPT;
}

/* Never reached: each of these takes a filter of packets, or a message of a netlink socket (lib/nlattr.c is left out as well). */
void no_filter(void);
void no_filter(void)
{
    panic("filters of packets, which are left out, were called from %px\n", __builtin_return_address(0));
}

#define LEFT_OUT(name) asm(".globl " #name "\n.set " #name ", no_filter\n")
LEFT_OUT(__nla_parse);
LEFT_OUT(nla_put);
LEFT_OUT(sk_filter_charge);
LEFT_OUT(sk_filter_uncharge);
