/* boot.S: where QEMU (or any multiboot 1 loader) enters us: 32-bit protected mode, flat segments, no paging, interrupts off. */

	.text
	.globl _start
	.globl loader_jump

_start:
	jmp enter
	.align 4
	.long 0x1badb002                /* multiboot header: must lie in the first 8 kB of the file, so it stands at the start of .text */
	.long 3                         /* modules on page boundaries, memory map */
	.long 0 - 0x1badb002 - 3

enter:
	mov $loader_stack + 262144, %esp
	cld
	fninit
	push %ebx                       /* multiboot information */
	push %eax                       /* magic */
	call loader_main
stop:	hlt
	jmp stop

/* void loader_jump(entry, multiboot information): enters the kernel as a multiboot loader would */
loader_jump:
	mov 4(%esp), %ecx
	mov 8(%esp), %ebx
	mov $0x2badb002, %eax
	jmp *%ecx
