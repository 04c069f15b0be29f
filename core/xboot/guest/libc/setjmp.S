/* setjmp.S: how TCC comes back from an error. */

	.text
	.globl setjmp
	.globl longjmp

/* int setjmp(jmp_buf): ebx esi edi ebp esp eip */
setjmp:
	mov 4(%esp), %eax
	mov %ebx, (%eax)
	mov %esi, 4(%eax)
	mov %edi, 8(%eax)
	mov %ebp, 12(%eax)
	lea 4(%esp), %ecx
	mov %ecx, 16(%eax)
	mov (%esp), %ecx
	mov %ecx, 20(%eax)
	xor %eax, %eax
	ret

/* void longjmp(jmp_buf, int) */
longjmp:
	mov 4(%esp), %edx
	mov 8(%esp), %eax
	test %eax, %eax
	jne nonzero
	inc %eax
nonzero:
	mov (%edx), %ebx
	mov 4(%edx), %esi
	mov 8(%edx), %edi
	mov 12(%edx), %ebp
	mov 16(%edx), %esp
	mov 20(%edx), %ecx
	jmp *%ecx
