/* entry.S: the way in from the loader, into user code, and back out of it.

   Memory map: kernel.h. TCC's assembler knows no macros of its own; the C preprocessor stands in. */

#define VIRTUAL 0x80000000
#define USER_DATA 0x23

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
	mov %ebx, %edi
	mov $1, %eax
	cpuid
	test $0x40, %edx                /* PAE: tables with a no-execute bit. Every processor since 1995 but a few */
	je unfit
	mov %edi, multiboot_information - VIRTUAL
	/* 2 MiB pages: physical 0 .. 2 GiB - 16 MiB at 0x80000000, and its first GiB once more at 0 while we jump */
	mov $kernel_tables - VIRTUAL, %edi
	mov $0x83, %eax                 /* present, writable, 2 MiB */
	mov $1016, %ecx
map:	mov %eax, (%edi)
	add $0x200000, %eax
	add $8, %edi
	dec %ecx
	jne map
	mov $kernel_tables - VIRTUAL + 1, %eax /* two directories, a table, then the root (protect.c) */
	mov %eax, kernel_tables - VIRTUAL + 12288
	mov %eax, kernel_tables - VIRTUAL + 12304
	add $4096, %eax
	mov %eax, kernel_tables - VIRTUAL + 12312
	mov %cr4, %eax
	or $0x630, %eax                 /* PSE, PAE, OSFXSR, OSXMMEXCPT */
	mov %eax, %cr4
	mov $kernel_tables - VIRTUAL + 12288, %eax
	mov %eax, %cr3
	mov %cr0, %eax
	and $0xfffffffb, %eax           /* EM off */
	or $0x80010022, %eax            /* PG, WP, NE, MP */
	mov %eax, %cr0
	mov $high, %eax
	jmp *%eax
high:
	mov $kernel_stack + 81920      /* behind 16 KiB that are not there, and 64 KiB */, %esp
	fninit
	call kernel_main
stop:	hlt
	jmp stop
unfit:	mov $0x11, %eax                 /* the machine's end: a panic, before there is a console to say why */
	out %al, $0xf4
	jmp stop

/* void load_tables(gdt descriptor, idt descriptor): and the segments and the task register */
	.globl load_tables
load_tables:
	mov 4(%esp), %eax
	lgdt (%eax)
	mov 8(%esp), %eax
	lidt (%eax)
	ljmp $8, $reload
reload:
	mov $0x10, %eax
	mov %eax, %ss
	mov $USER_DATA, %eax            /* the same flat memory; so ds and es need not change at every trap */
	mov %eax, %ds
	mov %eax, %es
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	lldt %ax                        /* no local descriptors: after a reset their table lies at address 0, where a user's memory may be */
	mov $0x28, %eax
	ltr %ax
	ret

/* unsigned user_run(struct machine_registers *): into user code; returns the vector of the trap that led back.
   Registers: ebx 0 ecx 4 edx 8 esi 12 edi 16 ebp 20 eax 24 eip 28 esp 32 eflags 36 fs 40 gs 44. fs and gs are loaded by the caller (thread.c). */
	.globl user_run
user_run:
	mov 4(%esp), %eax
	push %ebx
	push %esi
	push %edi
	push %ebp
	mov %eax, running
	mov %esp, kernel_tss + 4        /* esp0: the trap pushes right below */
	push $USER_DATA
	push 32(%eax)
	push 36(%eax)
	push $0x1b
	push 28(%eax)
	mov (%eax), %ebx
	mov 4(%eax), %ecx
	mov 8(%eax), %edx
	mov 12(%eax), %esi
	mov 16(%eax), %edi
	mov 20(%eax), %ebp
	mov 24(%eax), %eax
	iret

/* int $0x80, from user mode only (a gate with DPL 3; the kernel never makes calls). On the stack: eip cs eflags esp ss */
	.globl trap_call
trap_call:
	push %eax
	mov %ds, %eax                   /* a user may have put anything there; comparing is cheaper than loading */
	cmp $USER_DATA, %eax
	jne call_segment
call_ready:
	mov running, %eax
	mov %ebx, (%eax)
	mov %ecx, 4(%eax)
	mov %edx, 8(%eax)
	mov %esi, 12(%eax)
	mov %edi, 16(%eax)
	mov %ebp, 20(%eax)
	pop %ebx
	mov %ebx, 24(%eax)
	mov (%esp), %ebx
	mov %ebx, 28(%eax)
	mov 12(%esp), %ebx
	mov %ebx, 32(%eax)
	mov 8(%esp), %ebx
	mov %ebx, 36(%eax)
	mov $128, %ecx
back:	/* %eax registers, %ecx vector */
	add $20, %esp
	mov %fs, %ebx
	mov %ebx, 40(%eax)
	mov %gs, %ebx
	mov %ebx, 44(%eax)
	mov %es, %ebx
	cmp $USER_DATA, %ebx
	jne extra_segment
leave:
	push $2                         /* no flag is the user's: AC would switch SMAP off, DF turn copies round */
	popf
	mov %ecx, %eax
	pop %ebp
	pop %edi
	pop %esi
	pop %ebx
	ret
extra_segment:
	mov $USER_DATA, %ebx
	mov %ebx, %es
	jmp leave
call_segment:
	mov $USER_DATA, %eax
	mov %eax, %ds
	jmp call_ready
trap_segment:
	mov $USER_DATA, %eax
	mov %eax, %ds
	jmp trap_ready

/* Exceptions and interrupts. On the stack: vector, error code, eip cs eflags esp ss */
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
ERROR(8)
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
PLAIN(255)

trap:
	testl $3, 12(%esp)
	je inside
	push %eax
	mov %ds, %eax
	cmp $USER_DATA, %eax
	jne trap_segment
trap_ready:
	mov running, %eax
	mov %ebx, (%eax)
	mov %ecx, 4(%eax)
	mov %edx, 8(%eax)
	mov %esi, 12(%eax)
	mov %edi, 16(%eax)
	mov %ebp, 20(%eax)
	pop %ebx
	mov %ebx, 24(%eax)
	pop %ecx                        /* vector */
	pop %ebx
	mov %ebx, trap_error
	mov (%esp), %ebx
	mov %ebx, 28(%eax)
	mov 12(%esp), %ebx
	mov %ebx, 32(%eax)
	mov 8(%esp), %ebx
	mov %ebx, 36(%eax)
	jmp back

/* Interrupts that nobody asked for. A controller says 7 when its line has fallen again before the processor took it: a byte from the serial port that was
   read meanwhile, or noise. Nothing is in service then, so nothing is acknowledged; but of the second controller's, the first believes that it was one. */
	.globl trap_39, trap_47
trap_47:
	push %eax
	mov $0x20, %al
	out %al, $0x20
	pop %eax
trap_39:
	iret

inside: /* in the kernel: only the clock and the serial port may interrupt, and only while it idles */
	cmpl $32, (%esp)
	jb broken
	push %eax
	push %ecx
	push %edx
	call interrupt_acknowledge
	pop %edx
	pop %ecx
	pop %eax
	add $8, %esp
	iret
broken:
	mov %cr2, %eax
	push %eax
	call kernel_broken              /* (cr2, vector, error, eip, ...) */

/* A fault that could not be told on the kernel's stack: a task of its own (main.c), with another stack. */
	.globl trap_double
trap_double:
	call kernel_lost

/* void load_segments(fs, gs): selectors that thread.c has checked */
	.globl load_segments
load_segments:
	mov 4(%esp), %eax
	mov %eax, %fs
	mov 8(%esp), %eax
	mov %eax, %gs
	ret
