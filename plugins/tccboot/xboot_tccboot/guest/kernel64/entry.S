/* entry.S: the way in from the loader, into user code, and back out of it, in long mode.

   The loader enters in 32-bit mode, and TCC's assembler knows 64-bit code alone: until long_mode, only what has the same bytes in both is written, and the rest as
   bytes. Addresses there are physical: the lower half of the virtual ones (kernel.h). */

#define IRETQ .byte 0x48, 0xcf
#define USER_DATA 0x23
#define DIRECTORIES 17                  /* KERNEL_DIRECTORIES */
#define STACK_TOP 81920                 /* of kernel_stack: behind 16 KiB that are not there, and 64 KiB */

/* struct machine_registers */
#define R_BX 0
#define R_CX 8
#define R_DX 16
#define R_SI 24
#define R_DI 32
#define R_BP 40
#define R_AX 48
#define R_IP 56
#define R_SP 64
#define R_FLAGS 72
#define R_FS 80
#define R_GS 88
#define R_8 96
#define R_9 104
#define R_10 112
#define R_11 120
#define R_12 128
#define R_13 136
#define R_14 144
#define R_15 152
#define R_CS 160

	.text
	.globl _start
_start: /* physical address; %eax multiboot magic, %ebx information */
	jmp enter
	.align 4
	.long 0x1badb002
	.long 3
	.long 0 - 0x1badb002 - 3

enter:
	cld
	mov $multiboot_information, %esi
	mov %ebx, (%rsi)
	mov $0x80000000, %eax
	cpuid
	cmp $0x80000001, %eax
	jb unfit
	mov $0x80000001, %eax
	cpuid
	test $0x20000000, %edx          /* long mode */
	je unfit
	/* 2 MiB pages: all that may be memory at VIRTUAL, and once more at 0 while we jump. The directories, then the table of our own 2 MiB, the directories' list, the root */
	mov $kernel_tables, %edi
	mov $0x83, %eax                 /* present, writable, 2 MiB */
	xor %edx, %edx                  /* the upper half */
	mov $DIRECTORIES * 512, %ecx
map:	mov %eax, (%rdi)
	mov %edx, 4(%rdi)
	add $0x200000, %eax
	adc $0, %edx
	add $8, %edi
	dec %ecx
	jne map
	mov $kernel_tables + 3, %eax
	mov $kernel_tables + DIRECTORIES * 4096 + 4096, %edi
	mov $DIRECTORIES, %ecx
list:	mov %eax, (%rdi)
	add $4096, %eax
	add $8, %edi
	dec %ecx
	jne list
	mov $kernel_tables + DIRECTORIES * 4096 + 4099, %eax
	mov $kernel_tables + DIRECTORIES * 4096 + 8192, %edi
	mov %eax, (%rdi)
	mov %eax, 2048(%rdi)
	.byte 0x0f, 0x20, 0xe0          /* mov %cr4, %eax */
	or $0x630, %eax                 /* PSE, PAE, OSFXSR, OSXMMEXCPT */
	.byte 0x0f, 0x22, 0xe0          /* mov %eax, %cr4 */
	mov %edi, %eax
	.byte 0x0f, 0x22, 0xd8          /* mov %eax, %cr3 */
	mov $0xc0000080, %ecx
	rdmsr
	or $0x100, %eax                 /* EFER.LME */
	wrmsr
	.byte 0x0f, 0x20, 0xc0          /* mov %cr0, %eax */
	and $0xfffffffb, %eax           /* EM off */
	or $0x80010022, %eax            /* PG, WP, NE, MP */
	.byte 0x0f, 0x22, 0xc0          /* mov %eax, %cr0 */
	mov $first_gdt, %eax
	.byte 0x0f, 0x01, 0x10          /* lgdt (%eax) */
	.byte 0xea                      /* ljmp $8, $long_mode */
	.long long_mode
	.word 8
unfit:	mov $0x11, %eax                 /* the machine's end: a panic, before there is a console to say why */
	out %al, $0xf4
stop:	hlt
	jmp stop
	.align 8
first_gdt:
	.word 23
	.long kernel_gdt
long_mode:
	lea high(%rip), %rax            /* from the low addresses to the high ones */
	mov $0xffff8000, %ecx
	shl $32, %rcx
	add %rcx, %rax
	jmp *%rax
high:
	lea kernel_stack + STACK_TOP(%rip), %rsp
	xor %ebp, %ebp
	fninit
	call kernel_main
	jmp stop

/* void load_tables(gdt descriptor, idt descriptor): and the segments and the task register */
	.globl load_tables
load_tables:
	lgdt (%rdi)
	lidt (%rsi)
	mov $0x10, %eax
	mov %eax, %ss
	mov $USER_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	lldt %ax                        /* no local descriptors */
	mov $0x48, %eax
	ltr %ax
	ret

/* void load_segments(fs, gs): selectors that thread.c has checked; and those of data, which a user may have changed */
	.globl load_segments
load_segments:
	mov %edi, %fs
	mov %esi, %gs
	mov $USER_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	ret

/* unsigned user_run(struct machine_registers *): into user code; returns the vector of the trap that led back, 129 for syscall.
   Always by iretq, never by sysret: what sysret does with an address that is none (a fault as the kernel, on the user's stack) cannot happen here, and thread.c has
   looked at the address, the flags and the segment. */
	.globl user_run
user_run:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rdi, running(%rip)
	mov %rsp, kernel_rsp(%rip)
	mov %rsp, kernel_tss + 4(%rip)  /* rsp0 */
	push $USER_DATA
	push R_SP(%rdi)
	push R_FLAGS(%rdi)
	push R_CS(%rdi)
	push R_IP(%rdi)
	mov R_BX(%rdi), %rbx
	mov R_CX(%rdi), %rcx
	mov R_DX(%rdi), %rdx
	mov R_SI(%rdi), %rsi
	mov R_BP(%rdi), %rbp
	mov R_AX(%rdi), %rax
	mov R_8(%rdi), %r8
	mov R_9(%rdi), %r9
	mov R_10(%rdi), %r10
	mov R_11(%rdi), %r11
	mov R_12(%rdi), %r12
	mov R_13(%rdi), %r13
	mov R_14(%rdi), %r14
	mov R_15(%rdi), %r15
	mov R_DI(%rdi), %rdi
	IRETQ

/* syscall, in 64-bit code: the processor has put the address into rcx and the flags into r11, cleared all flags, and left the stack as it was: no byte of it is
   touched. No swapgs: the kernel uses neither fs nor gs. */
	.globl trap_syscall
trap_syscall:
	mov %rsp, user_rsp(%rip)
	mov kernel_rsp(%rip), %rsp
	push $129
	jmp called
/* The same from 32-bit code, where a processor has it at all: an instruction that is none. */
	.globl trap_narrow
trap_narrow:
	mov %rsp, user_rsp(%rip)
	mov kernel_rsp(%rip), %rsp
	push $6
called:
	push %rax
	mov running(%rip), %rax
	mov %rcx, R_IP(%rax)
	mov %r11, R_FLAGS(%rax)
	mov %rbx, R_BX(%rax)
	mov user_rsp(%rip), %rbx
	mov %rbx, R_SP(%rax)
	pop %rbx
	mov %rbx, R_AX(%rax)
	pop %rbx                        /* vector */
back:	/* %rax registers, %rbx vector; bx, ax, ip, sp, flags are stored */
	mov %rcx, R_CX(%rax)
	mov %rdx, R_DX(%rax)
	mov %rsi, R_SI(%rax)
	mov %rdi, R_DI(%rax)
	mov %rbp, R_BP(%rax)
	mov %r8, R_8(%rax)
	mov %r9, R_9(%rax)
	mov %r10, R_10(%rax)
	mov %r11, R_11(%rax)
	mov %r12, R_12(%rax)
	mov %r13, R_13(%rax)
	mov %r14, R_14(%rax)
	mov %r15, R_15(%rax)
	mov %fs, %ecx
	mov %rcx, R_FS(%rax)
	mov %gs, %ecx
	mov %rcx, R_GS(%rax)
	mov kernel_rsp(%rip), %rsp      /* whichever stack the trap came on */
	push $2                         /* no flag is the user's: AC would switch SMAP off, DF turn copies round */
	popfq
	mov %ebx, %eax
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret

/* Exceptions and interrupts. On the stack: vector, error code, rip cs rflags rsp ss */
#define PLAIN(n) .globl trap_##n; trap_##n: push $0; push $n; jmp trap
#define ERROR(n) .globl trap_##n; trap_##n: push $n; jmp trap
PLAIN(0)
PLAIN(1)
PLAIN(2)
PLAIN(3)
PLAIN(4)
PLAIN(5)
PLAIN(6)
PLAIN(7)
PLAIN(9)
ERROR(10)
ERROR(11)
ERROR(12)
ERROR(13)
ERROR(14)
PLAIN(15)
PLAIN(16)
ERROR(17)
PLAIN(18)
PLAIN(19)
PLAIN(32)
PLAIN(35)
PLAIN(128)
PLAIN(255)

trap:
	testl $3, 24(%rsp)
	je inside
	push %rax
	mov running(%rip), %rax
	mov %rbx, R_BX(%rax)
	pop %rbx
	mov %rbx, R_AX(%rax)
	mov 8(%rsp), %ebx
	mov %ebx, trap_error(%rip)
	mov 16(%rsp), %rbx
	mov %rbx, R_IP(%rax)
	mov 40(%rsp), %rbx
	mov %rbx, R_SP(%rax)
	mov 32(%rsp), %rbx
	mov %rbx, R_FLAGS(%rax)
	pop %rbx                        /* vector */
	jmp back

/* Interrupts that nobody asked for. A controller says 7 when its line has fallen again before the processor took it: a byte from the serial port that was
   read meanwhile, or noise. Nothing is in service then, so nothing is acknowledged; but of the second controller's, the first believes that it was one. */
	.globl trap_39, trap_47
trap_47:
	push %rax
	mov $0x20, %al
	out %al, $0x20
	pop %rax
trap_39:
	IRETQ

inside: /* in the kernel: only the clock and the serial port may interrupt, and only while it idles */
	cmpl $32, (%rsp)
	jb broken
	push %rax
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	call interrupt_acknowledge
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
	IRETQ
broken:
	mov %cr2, %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	call kernel_broken              /* (cr2, vector, error, rip) */

/* A fault that could not be told on the kernel's stack: one of its own (descriptors.c). */
	.globl trap_double
trap_double:
	call kernel_lost
