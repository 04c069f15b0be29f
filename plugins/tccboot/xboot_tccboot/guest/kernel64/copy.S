/* copy.S: memory routines, as those for i386: long runs go through SSE registers, 64 bytes a turn; the user's xmm0-xmm3 are put aside meanwhile (the kernel uses no
   floating point otherwise). Arguments: rdi, rsi, rdx. */

	.text
	.globl memcpy
memcpy:	/* (to, from, length) */
	mov %rdi, %rax
	mov %rdx, %rcx
	cmp $256, %rcx
	jae copy_long
copy_words:
	cmp $16, %rcx
	jb copy_rest
	mov (%rsi), %r8
	mov 8(%rsi), %r9
	mov %r8, (%rdi)
	mov %r9, 8(%rdi)
	add $16, %rsi
	add $16, %rdi
	sub $16, %rcx
	jmp copy_words
copy_rest:
	test %rcx, %rcx
	je copy_done
copy_byte:
	movb (%rsi), %dl
	movb %dl, (%rdi)
	inc %rsi
	inc %rdi
	dec %rcx
	jne copy_byte
copy_done:
	ret
copy_long:
	mov %rsp, %r8
	sub $64, %rsp
	movups %xmm0, (%rsp)
	movups %xmm1, 16(%rsp)
	movups %xmm2, 32(%rsp)
	movups %xmm3, 48(%rsp)
copy_block:
	movups (%rsi), %xmm0
	movups 16(%rsi), %xmm1
	movups 32(%rsi), %xmm2
	movups 48(%rsi), %xmm3
	movups %xmm0, (%rdi)
	movups %xmm1, 16(%rdi)
	movups %xmm2, 32(%rdi)
	movups %xmm3, 48(%rdi)
	add $64, %rsi
	add $64, %rdi
	sub $64, %rcx
	cmp $64, %rcx
	jae copy_block
	movups (%rsp), %xmm0
	movups 16(%rsp), %xmm1
	movups 32(%rsp), %xmm2
	movups 48(%rsp), %xmm3
	mov %r8, %rsp
	jmp copy_words

	.globl memset
memset:	/* (to, byte, length) */
	mov %rdi, %rax
	mov %rdx, %rcx
	movzbl %sil, %r8d
	imul $0x01010101, %r8d, %r8d
	mov %r8d, %r9d
	shl $32, %r9
	or %r9, %r8
	cmp $256, %rcx
	jae set_long
set_words:
	cmp $16, %rcx
	jb set_rest
	mov %r8, (%rdi)
	mov %r8, 8(%rdi)
	add $16, %rdi
	sub $16, %rcx
	jmp set_words
set_rest:
	test %rcx, %rcx
	je set_done
set_byte:
	movb %r8b, (%rdi)
	inc %rdi
	dec %rcx
	jne set_byte
set_done:
	ret
set_long:
	mov %rsp, %rdx
	sub $32, %rsp
	movups %xmm0, 16(%rsp)
	mov %r8, (%rsp)
	mov %r8, 8(%rsp)
	movups (%rsp), %xmm0
set_block:
	movups %xmm0, (%rdi)
	movups %xmm0, 16(%rdi)
	movups %xmm0, 32(%rdi)
	movups %xmm0, 48(%rdi)
	add $64, %rdi
	sub $64, %rcx
	cmp $64, %rcx
	jae set_block
	movups 16(%rsp), %xmm0
	mov %rdx, %rsp
	jmp set_words

	.globl memmove
memmove: /* (to, from, length) */
	mov %rdi, %rax
	sub %rsi, %rax
	cmp %rdx, %rax                  /* unsigned to - from >= length: no overlap that harms */
	jae memcpy
	mov %rdi, %rax
	jmp move_test
move_byte:
	movb (%rsi,%rdx), %cl
	movb %cl, (%rdi,%rdx)
move_test:
	sub $1, %rdx
	jae move_byte
	ret

	.globl memcmp
memcmp:	/* (a, b, length) */
	xor %eax, %eax
compare_byte:
	test %rdx, %rdx
	je compare_done
	movzbl (%rdi), %eax
	movzbl (%rsi), %ecx
	inc %rdi
	inc %rsi
	dec %rdx
	sub %ecx, %eax
	je compare_byte
compare_done:
	ret
