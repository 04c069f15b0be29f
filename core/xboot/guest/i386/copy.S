/* copy.S: memory routines. rep movs is slow under emulation and TCC does not optimise, so long runs go through SSE registers, 64 bytes a turn;
   the user's xmm0-xmm3 are put aside meanwhile (the kernel uses no floating point otherwise). */

	.text
	.globl memcpy
memcpy:	/* (to, from, length) */
	push %esi
	push %edi
	mov 12(%esp), %edi
	mov 16(%esp), %esi
	mov 20(%esp), %ecx
	cmp $256, %ecx
	jae copy_long
copy_words:
	cmp $16, %ecx
	jb copy_rest
	mov (%esi), %eax
	mov 4(%esi), %edx
	mov %eax, (%edi)
	mov %edx, 4(%edi)
	mov 8(%esi), %eax
	mov 12(%esi), %edx
	mov %eax, 8(%edi)
	mov %edx, 12(%edi)
	add $16, %esi
	add $16, %edi
	sub $16, %ecx
	jmp copy_words
copy_rest:
	test %ecx, %ecx
	je copy_done
copy_byte:
	movb (%esi), %al
	movb %al, (%edi)
	inc %esi
	inc %edi
	dec %ecx
	jne copy_byte
copy_done:
	mov 12(%esp), %eax
	pop %edi
	pop %esi
	ret
copy_long:
	mov %esp, %edx
	sub $64, %esp
	movups %xmm0, (%esp)
	movups %xmm1, 16(%esp)
	movups %xmm2, 32(%esp)
	movups %xmm3, 48(%esp)
copy_block:
	movups (%esi), %xmm0
	movups 16(%esi), %xmm1
	movups 32(%esi), %xmm2
	movups 48(%esi), %xmm3
	movups %xmm0, (%edi)
	movups %xmm1, 16(%edi)
	movups %xmm2, 32(%edi)
	movups %xmm3, 48(%edi)
	add $64, %esi
	add $64, %edi
	sub $64, %ecx
	cmp $64, %ecx
	jae copy_block
	movups (%esp), %xmm0
	movups 16(%esp), %xmm1
	movups 32(%esp), %xmm2
	movups 48(%esp), %xmm3
	mov %edx, %esp
	jmp copy_words

	.globl memset
memset:	/* (to, byte, length) */
	push %edi
	mov 8(%esp), %edi
	movzbl 12(%esp), %eax
	imul $0x01010101, %eax, %eax
	mov 16(%esp), %ecx
	cmp $256, %ecx
	jae set_long
set_words:
	cmp $16, %ecx
	jb set_rest
	mov %eax, (%edi)
	mov %eax, 4(%edi)
	mov %eax, 8(%edi)
	mov %eax, 12(%edi)
	add $16, %edi
	sub $16, %ecx
	jmp set_words
set_rest:
	test %ecx, %ecx
	je set_done
set_byte:
	movb %al, (%edi)
	inc %edi
	dec %ecx
	jne set_byte
set_done:
	mov 8(%esp), %eax
	pop %edi
	ret
set_long:
	mov %esp, %edx
	sub $32, %esp
	movups %xmm0, 16(%esp)
	mov %eax, (%esp)
	mov %eax, 4(%esp)
	mov %eax, 8(%esp)
	mov %eax, 12(%esp)
	movups (%esp), %xmm0
set_block:
	movups %xmm0, (%edi)
	movups %xmm0, 16(%edi)
	movups %xmm0, 32(%edi)
	movups %xmm0, 48(%edi)
	add $64, %edi
	sub $64, %ecx
	cmp $64, %ecx
	jae set_block
	movups 16(%esp), %xmm0
	mov %edx, %esp
	jmp set_words

	.globl memmove
memmove: /* (to, from, length) */
	mov 4(%esp), %eax
	sub 8(%esp), %eax
	cmp 12(%esp), %eax              /* unsigned to - from >= length: no overlap that harms */
	jae memcpy
	push %esi
	push %edi
	mov 12(%esp), %edi
	mov 16(%esp), %esi
	mov 20(%esp), %ecx
	jmp move_test
move_byte:
	movb (%esi,%ecx), %al
	movb %al, (%edi,%ecx)
move_test:
	dec %ecx
	cmp $0xffffffff, %ecx
	jne move_byte
	mov 12(%esp), %eax
	pop %edi
	pop %esi
	ret

	.globl memcmp
memcmp:	/* (a, b, length) */
	push %esi
	push %edi
	mov 12(%esp), %esi
	mov 16(%esp), %edi
	mov 20(%esp), %ecx
compare_byte:
	test %ecx, %ecx
	je compare_same
	movzbl (%esi), %eax
	movzbl (%edi), %edx
	inc %esi
	inc %edi
	dec %ecx
	sub %edx, %eax
	je compare_byte
	pop %edi
	pop %esi
	ret
compare_same:
	xor %eax, %eax
	pop %edi
	pop %esi
	ret
