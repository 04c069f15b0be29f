/* Descriptor tables, interrupts, the way into ring 3, and the traps that need no OCaml. */
#include "base.h"

/* The selectors are those of Linux on x86_64, since programs see them: 0x23 and 0x33 code, 0x2b data, TLS from 0x63. */
static u64 gdt[16] = {
    [1] = 0x00af9b000000ffff, /* 0x08 kernel code */
    [2] = 0x00cf93000000ffff, /* 0x10 kernel data: `syscall` loads it as SS */
    [4] = 0x00cffb000000ffff, /* 0x23 i386 code */
    [5] = 0x00cff3000000ffff, /* 0x2b data */
    [6] = 0x00affb000000ffff, /* 0x33 x86_64 code */
};                            /* 8-9 TSS, 12-14 set_thread_area */

static struct __attribute__((packed)) {
    u32 reserved;
    u64 rsp[3], reserved2, ist[7], reserved3;
    u16 reserved4, iomap; /* beyond the limit: no port is open to ring 3 */
} tss;

static struct { u64 low, high; } idt[256];
static u8 trap_stack[8192] __attribute__((aligned(16))), fault_stack[8192] __attribute__((aligned(16)));
static u64 guard_low, guard_high;
static u64 user_ticks;
u64 ticks;
extern char vectors[], syscall_entry[], cstar_entry[];

#define TICK_HZ 100
#define TICKS_BEFORE_SWITCH 10 /* a program that never enters the kernel loses the CPU after 100 ms */

struct table { u16 limit; u64 base; } __attribute__((packed));

static void gate(int n, int dpl, int ist) {
    u64 target = (u64)vectors + 16ul * n;
    idt[n].low = (target & 0xffff) | 8ul << 16 | (u64)ist << 32 | 0x8e00ul << 32 | (u64)dpl << 45 | (target & 0xffff0000) << 32;
    idt[n].high = target >> 32;
}

/* The old interrupt controller reaches the processor through the local APIC's pin 0; some firmware leaves that masked. */
static void pic_init(void) {
    volatile u32 *apic = phys(0xfee00000);
    apic[0xf0 / 4] = 0x1ff;
    apic[0x350 / 4] = 0x700;
    outb(0x20, 0x11); outb(0xa0, 0x11);
    outb(0x21, 32); outb(0xa1, 40);
    outb(0x21, 4); outb(0xa1, 2);
    outb(0x21, 1); outb(0xa1, 1);
    outb(0x21, 0xf6); outb(0xa1, 0xff); /* the timer, and the result channel's port: a byte from the host ends an idle wait */
    u32 divisor = 1193182 / TICK_HZ;
    outb(0x43, 0x34); outb(0x40, divisor & 255); outb(0x40, divisor >> 8);
}

void cpu_init(u64 guard) {
    guard_low = guard;
    guard_high = guard + PAGE;
    u64 t = (u64)&tss;
    gdt[8] = (sizeof tss - 1) | (t & 0xffffff) << 16 | 0x89ul << 40 | (t >> 24 & 255) << 56;
    gdt[9] = t >> 32;
    tss.rsp[0] = (u64)trap_stack + sizeof trap_stack;
    tss.ist[0] = (u64)fault_stack + sizeof fault_stack;
    tss.iomap = sizeof tss;
    struct table g = {sizeof gdt - 1, (u64)gdt};
    __asm__ volatile("lgdt %0" : : "m"(g));
    __asm__ volatile("ltr %w0" : : "r"(0x40));
    __asm__ volatile("lldt %w0" : : "r"(0)); /* no local descriptors: after a reset their table lies at address 0, where a program's memory may be */
    for (int i = 0; i < 256; i++) gate(i, 0, 0);
    gate(2, 0, 1), gate(8, 0, 1), gate(14, 0, 1), gate(18, 0, 1); /* must work when the kernel's stack is gone */
    gate(3, 3, 0), gate(4, 3, 0), gate(0x80, 3, 0);
    struct table i = {sizeof idt - 1, (u64)idt};
    __asm__ volatile("lidt %0" : : "m"(i));
    pic_init();

    wrmsr(0xc0000081, 0x0020000800000000ul | 0); /* STAR: kernel 0x08/0x10; we return by iretq, so the user half is unused */
    wrmsr(0xc0000082, (u64)syscall_entry);
    wrmsr(0xc0000083, (u64)cstar_entry);
    wrmsr(0xc0000084, 0x47700); /* flags cleared on entry: AC NT IOPL DF IF TF */
    wrmsr(0x174, 0);            /* sysenter: faults */

    u32 a, b, c, d;
    __asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(7), "c"(0));
    u64 cr4;
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    if (b & 1 << 7) cr4 |= 1ul << 20;  /* SMEP, SMAP: the kernel never runs nor touches user pages by their own address */
    if (b & 1 << 20) cr4 |= 1ul << 21;
    if (c & 1 << 2) cr4 |= 1ul << 11;  /* UMIP: sgdt and kin do not tell a program where our tables are */
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
    current_as = (u64)kernel_pml4 - IMAGE_BASE;
    load_cr3(current_as);
}

/* A data segment of privilege 3, or nothing: whatever else may stand in a context. */
static u64 tls_descriptor(u64 d) { return (d >> 43 & 15) == 14 ? d : 0; }

/* A selector that cannot fault when it is loaded. */
static u64 selector(const u64 *ctx, u64 s) {
    s &= 0xffff;
    if (s == 0x2b || s == 0x23 || s == 0x33) return s;
    for (int i = 0; i < 3; i++)
        if (s == 0x63u + 8 * i && tls_descriptor(ctx[C_TLS0 + i]) >> 47 & 1) return s;
    return 0;
}

/* Enter the program until its next trap; returns the vector. */
u64 run_user(u64 *ctx) {
    if (ctx[C_MODE] == 0) {
        ctx[C_RIP] = (u32)ctx[C_RIP];
        ctx[C_RSP] = (u32)ctx[C_RSP];
    } else if (ctx[C_RIP] >= USER_LIMIT) { /* iretq would fault in ring 0 */
        ctx[C_CR2] = ctx[C_RIP];
        window_end();
        return ctx[C_VECTOR] = 13;
    }
    ctx[C_RFLAGS] = (ctx[C_RFLAGS] & 0x240dd5) | 0x202;
    ctx[C_DS] = selector(ctx, ctx[C_DS]);
    ctx[C_ES] = selector(ctx, ctx[C_ES]);
    ctx[C_FS] = selector(ctx, ctx[C_FS]);
    ctx[C_GS] = selector(ctx, ctx[C_GS]);
    for (int i = 0; i < 3; i++) gdt[12 + i] = tls_descriptor(ctx[C_TLS0 + i]);
    if (current_as != ctx[C_AS]) {
        frame_memory(ctx[C_AS] / PAGE, FRAME_TABLE);
        current_as = ctx[C_AS];
        load_cr3(current_as);
    }
    user_ticks = 0;
    u64 vector = run(ctx);
    window_end();
    return vector;
}

static void interrupt_done(u64 vector) {
    if (vector == VECTOR_TIMER) ticks++;
    if (vector >= 40) outb(0xa0, 0x20);
    outb(0x20, 0x20);
}

static int byte_call(u64 *ctx, int writes) {
    u64 fd = ctx[C_MODE] ? ctx[C_RDI] : ctx[C_RBX], va = ctx[C_MODE] ? ctx[C_RSI] : (u32)ctx[C_RCX];
    if (!window_byte(current_as, writes, (u32)fd, va)) return 0;
    ctx[C_RAX] = 1;
    return 1;
}

/* What needs no OCaml: one-byte reads and writes, a copy-on-write fault, a timer tick. 1: the program goes on. Runs with the program's FPU state: no SSE. */
u64 trap_fast(u64 *ctx) {
    u64 vector = ctx[C_VECTOR];
    if (vector == 0x80 && ctx[C_MODE] == 0) {
        u32 number = (u32)ctx[C_RAX];
        return (number == 3 || number == 4) && (u32)ctx[C_RDX] == 1 && byte_call(ctx, number == 4);
    }
    if (vector == VECTOR_SYSCALL && ctx[C_MODE] == 1) return ctx[C_RAX] < 2 && ctx[C_RDX] == 1 && byte_call(ctx, (int)ctx[C_RAX]);
    if (vector == 14 && (ctx[C_ERROR] & 3) == 3) {
        u64 *entry = as_entry(current_as, ctx[C_CR2]);
        return entry && *entry & P_COW && as_break_cow(entry, ctx[C_CR2]);
    }
    if (vector >= 32 && vector < 48) {
        interrupt_done(vector);
        return vector != VECTOR_TIMER || ++user_ticks < TICKS_BEFORE_SWITCH;
    }
    return 0;
}

/* Sleep until the next tick. */
void idle_tick(void) {
    u64 now = ticks;
    while (*(volatile u64 *)&ticks == now) __asm__ volatile("sti; hlt; cli" : : : "memory");
}

/* Sleep until something happens. */
void idle_any(void) { __asm__ volatile("sti; hlt; cli" : : : "memory"); }

/* frame: vector, error, rip, cs, rflags, rsp, ss */
void trap_kernel(u64 *frame) {
    if (frame[0] >= 32 && frame[0] < 48) {
        interrupt_done(frame[0]);
        return;
    }
    u64 cr2;
    __asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
    say("\nkernel trap "), say_hex(frame[0]), say(" error "), say_hex(frame[1]), say(" at "), say_hex(frame[2]);
    say(" address "), say_hex(cr2), say(" stack "), say_hex(frame[5]), say("\n");
    panic(frame[0] == 14 && cr2 >= guard_low && cr2 < guard_high ? "kernel stack overflow" : "fault in the kernel");
}
