# Entry point and the one way into the kernel, i386.

	.text
	.globl	_start
_start:
	xor	%ebp, %ebp
	mov	%esp, %eax
	and	$-16, %esp
	sub	$12, %esp
	push	%eax
	call	start_c

# long syscall6(long number, long a, long b, long c, long d, long e, long f)
	.globl	syscall6
syscall6:
	push	%ebp
	push	%edi
	push	%esi
	push	%ebx
	mov	20(%esp), %eax
	mov	24(%esp), %ebx
	mov	28(%esp), %ecx
	mov	32(%esp), %edx
	mov	36(%esp), %esi
	mov	40(%esp), %edi
	mov	44(%esp), %ebp
	int	$0x80
	pop	%ebx
	pop	%esi
	pop	%edi
	pop	%ebp
	ret

# void out_byte(long port, long value)
	.globl	out_byte
out_byte:
	mov	4(%esp), %edx
	mov	8(%esp), %eax
	outb	%al, %dx
	ret

	.section .note.GNU-stack,"",%progbits
