/* Into ring 3 and back. `run(ctx)` enters the program; the next trap stores the registers into ctx and makes `run` *return*, so that
 * OCaml is never re-entered and holds no hidden state. trap_fast (cpu.c) may send the program straight back instead.
 *
 * Offsets into ctx are 8 * (enum ctx in base.h).
 */
#define RAX 0
#define RBX 8
#define RCX 16
#define RDX 24
#define RSI 32
#define RDI 40
#define RBP 48
#define RSP 56
#define R8 64
#define R9 72
#define R10 80
#define R11 88
#define R12 96
#define R13 104
#define R14 112
#define R15 120
#define RIP 128
#define RFLAGS 136
#define MODE 144
#define FSBASE 152
#define GSBASE 160
#define DS 168
#define ES 176
#define FS 184
#define GS 192
#define VECTOR 200
#define ERROR 208
#define CR2 216
#define FPU 512

/* Loading a selector is slow under TCG; the usual value, when it is loaded already, needs no loading (its descriptor never changes). */
        .macro load_selector register, slot, usual
        mov \slot(%rdi), %eax
        mov %\register, %ecx
        cmp %eax, %ecx
        jne 1f
        cmp $\usual, %eax
        je 2f
1:      mov %eax, %\register
2:
        .endm

/* FS.base and GS.base from ctx (RDI). An i386 program's are 0: loading a TLS selector then brings that one's. */
        .macro bases
        mov $0xc0000100, %ecx
        mov FSBASE(%rdi), %eax
        mov FSBASE + 4(%rdi), %edx
        wrmsr
        inc %ecx
        mov GSBASE(%rdi), %eax
        mov GSBASE + 4(%rdi), %edx
        wrmsr
        .endm

        .text
        .globl run
run:
        push %rbx
        push %rbp
        push %r12
        push %r13
        push %r14
        push %r15
        sub $8, %rsp                    /* aligned for the call of trap_fast */
        mov %rdi, current_ctx(%rip)
        mov %rsp, kernel_rsp(%rip)
        fxrstor64 FPU(%rdi)
        cmpq $0, MODE(%rdi)
        jne 1f
        bases                           /* of an i386 program: 0 under a null selector, so that it never meets the kernel's or another's */
1:      load_selector ds, DS, 0x2b
        load_selector es, ES, 0x2b
        load_selector fs, FS, 0
        load_selector gs, GS, 0
        cmpq $0, MODE(%rdi)
        je resume
        bases                           /* of an x86_64 program, whatever the selectors: it sets them by arch_prctl */

resume: /* RDI = ctx */
        pushq $0x2b
        pushq RSP(%rdi)
        pushq RFLAGS(%rdi)
        mov $0x23, %eax
        cmpq $0, MODE(%rdi)
        je 1f
        mov $0x33, %eax
1:      push %rax
        pushq RIP(%rdi)
        mov RAX(%rdi), %rax
        mov RBX(%rdi), %rbx
        mov RCX(%rdi), %rcx
        mov RDX(%rdi), %rdx
        mov RSI(%rdi), %rsi
        mov RBP(%rdi), %rbp
        mov R8(%rdi), %r8
        mov R9(%rdi), %r9
        mov R10(%rdi), %r10
        mov R11(%rdi), %r11
        mov R12(%rdi), %r12
        mov R13(%rdi), %r13
        mov R14(%rdi), %r14
        mov R15(%rdi), %r15
        mov RDI(%rdi), %rdi
        iretq

/* Every vector: [vector][error][rip][cs][rflags][rsp][ss] on the trap stack. */
trap_common:
        testb $3, 24(%rsp)
        jz kernel_trap
        push %rax
        mov current_ctx(%rip), %rax
        mov %rbx, RBX(%rax)
        mov %rcx, RCX(%rax)
        mov %r11, R11(%rax)
        pop %rbx
        mov %rbx, RAX(%rax)
        mov (%rsp), %rbx
        mov %rbx, VECTOR(%rax)
        mov 8(%rsp), %rbx
        mov %rbx, ERROR(%rax)
        mov 16(%rsp), %rbx
        mov %rbx, RIP(%rax)
        mov 32(%rsp), %rbx
        mov %rbx, RFLAGS(%rax)
        mov 40(%rsp), %rbx
        mov %rbx, RSP(%rax)
        mov %cr2, %rbx
        mov %rbx, CR2(%rax)
save_rest: /* RAX = ctx; RAX RBX RCX R11 RSP RIP RFLAGS VECTOR are stored */
        mov %rdx, RDX(%rax)
        mov %rsi, RSI(%rax)
        mov %rdi, RDI(%rax)
        mov %rbp, RBP(%rax)
        mov %r8, R8(%rax)
        mov %r9, R9(%rax)
        mov %r10, R10(%rax)
        mov %r12, R12(%rax)
        mov %r13, R13(%rax)
        mov %r14, R14(%rax)
        mov %r15, R15(%rax)
        mov kernel_rsp(%rip), %rsp
        pushq $2                        /* clears AC (which would switch SMAP off), DF and TF */
        popfq
        mov %rax, %rdi
        mov %rax, %rbx
        call trap_fast
        mov %rbx, %rdi
        test %rax, %rax
        jnz resume

        fxsave64 FPU(%rdi)              /* the program's settings must not reach the kernel: an unmasked */
        fninit                          /* exception would be raised by OCaml's arithmetic */
        ldmxcsr default_mxcsr(%rip)
        mov %ds, %eax
        mov %rax, DS(%rdi)
        mov %es, %eax
        mov %rax, ES(%rdi)
        mov %fs, %eax
        mov %rax, FS(%rdi)
        mov %gs, %eax
        mov %rax, GS(%rdi)
        mov VECTOR(%rdi), %rax
        add $8, %rsp
        pop %r15
        pop %r14
        pop %r13
        pop %r12
        pop %rbp
        pop %rbx
        ret

kernel_trap: /* an interrupt while idle, else a fault of our own */
        push %rax
        push %rcx
        push %rdx
        push %rsi
        push %rdi
        push %r8
        push %r9
        push %r10
        push %r11
        lea 72(%rsp), %rdi
        mov %rsp, %rax
        and $-16, %rsp
        push %rax
        push %rax
        call trap_kernel
        pop %rsp
        pop %r11
        pop %r10
        pop %r9
        pop %r8
        pop %rdi
        pop %rsi
        pop %rdx
        pop %rcx
        pop %rax
        add $16, %rsp
        iretq

/* `syscall`, from a program: nothing in ring 0 makes one. */
        .globl syscall_entry, cstar_entry
cstar_entry: /* `syscall` in compatibility mode (AMD): not part of the i386 ABI we serve */
        mov %rsp, saved_rsp(%rip)
        mov current_ctx(%rip), %rsp
        movq $6, VECTOR(%rsp)
        jmp 1f
syscall_entry:
        mov %rsp, saved_rsp(%rip)
        mov current_ctx(%rip), %rsp
        movq $256, VECTOR(%rsp)
1:      mov %rax, RAX(%rsp)
        mov %rsp, %rax
        mov %rbx, RBX(%rax)
        mov %rcx, RCX(%rax)
        mov %r11, R11(%rax)
        mov %rcx, RIP(%rax)
        mov %r11, RFLAGS(%rax)
        mov saved_rsp(%rip), %rbx
        mov %rbx, RSP(%rax)
        jmp save_rest

        .macro vector n
        .balign 16
        .if \n == 8 || (\n >= 10 && \n <= 14) || \n == 17 || \n == 21 || \n == 29 || \n == 30
        .else
        pushq $0
        .endif
        pushq $\n
        jmp trap_common
        .endm

        .balign 16
        .globl vectors
vectors:
        .set i, 0
        .rept 256
        vector i
        .set i, i + 1
        .endr

        .section .rodata
default_mxcsr: .long 0x1f80

        .bss
        .align 16
        .globl current_ctx, kernel_rsp
current_ctx:   .skip 8
kernel_rsp:    .skip 8
saved_rsp:     .skip 8
