/* start.S: where Linux for i386 enters the program, and how the program asks it. */

	.text
	.globl _start
	.globl linux_call

_start:
	mov (%esp), %eax                /* argc */
	lea 4(%esp), %ecx               /* argv */
	and $-16, %esp
	sub $8, %esp
	push %ecx
	push %eax
	call linux_main                 /* does not come back */

/* int linux_call(number, a, b, c): what the kernel answers */
linux_call:
	push %ebx
	mov 8(%esp), %eax
	mov 12(%esp), %ebx
	mov 16(%esp), %ecx
	mov 20(%esp), %edx
	int $0x80
	pop %ebx
	ret
