# Entry point and the one way into the kernel, x86_64.

	.text
	.globl	_start
_start:
	xor	%ebp, %ebp
	mov	%rsp, %rdi
	and	$-16, %rsp
	call	start_c

# long syscall6(long number, long a, long b, long c, long d, long e, long f)
	.globl	syscall6
syscall6:
	mov	%rdi, %rax
	mov	%rsi, %rdi
	mov	%rdx, %rsi
	mov	%rcx, %rdx
	mov	%r8, %r10
	mov	%r9, %r8
	mov	8(%rsp), %r9
	syscall
	ret

# void out_byte(long port, long value)
	.globl	out_byte
out_byte:
	mov	%rdi, %rdx
	mov	%rsi, %rax
	outb	%al, %dx
	ret

	.section .note.GNU-stack,"",%progbits
