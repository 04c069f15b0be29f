/* copy.S: copying and filling memory. TCC copies a structure by memmove wherever one is assigned, and compiles itself without optimising: in C these took a
   third of a compilation's instructions. By words, since an emulator does `rep movs` one by one. As in C, ebx, esi, edi and ebp are the caller's. */

	.text
	.globl memcpy
	.globl memmove
	.globl memset

/* void *memcpy(void *to, const void *from, size_t length); and memmove, for which the two may lap over each other */
memcpy:
memmove:
	push %esi
	push %edi
	mov 12(%esp), %edi
	mov 16(%esp), %esi
	mov 20(%esp), %ecx
	mov %edi, %eax
	sub %esi, %eax /* if to lies within length bytes behind from, modulo 2^32, the end must go first */
	cmp %ecx, %eax
	jb backward
	sub $16, %ecx
	jb forward_rest
forward:
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
	jae forward
forward_rest: /* ecx is what is left, less 16: its lower four bits count */
	test $8, %cl
	je forward_4
	mov (%esi), %eax
	mov 4(%esi), %edx
	mov %eax, (%edi)
	mov %edx, 4(%edi)
	add $8, %esi
	add $8, %edi
forward_4:
	test $4, %cl
	je forward_bytes
	mov (%esi), %eax
	mov %eax, (%edi)
	add $4, %esi
	add $4, %edi
forward_bytes:
	and $3, %ecx
	je copied
forward_byte:
	movb (%esi), %al
	movb %al, (%edi)
	inc %esi
	inc %edi
	dec %ecx
	jne forward_byte
copied:
	mov 12(%esp), %eax
	pop %edi
	pop %esi
	ret

backward: /* a word that is written lies behind all that is still to be read */
	sub $4, %ecx
	jb backward_rest
	mov (%esi,%ecx), %eax
	mov %eax, (%edi,%ecx)
	jmp backward
backward_rest:
	add $4, %ecx
	je copied
backward_byte:
	dec %ecx
	movb (%esi,%ecx), %al
	movb %al, (%edi,%ecx)
	jne backward_byte
	jmp copied

/* void *memset(void *to, int byte, size_t length) */
memset:
	push %edi
	mov 8(%esp), %edi
	movzbl 12(%esp), %eax
	imul $0x1010101, %eax, %eax
	mov 16(%esp), %ecx
	sub $16, %ecx
	jb fill_rest
fill:
	mov %eax, (%edi)
	mov %eax, 4(%edi)
	mov %eax, 8(%edi)
	mov %eax, 12(%edi)
	add $16, %edi
	sub $16, %ecx
	jae fill
fill_rest:
	test $8, %cl
	je fill_4
	mov %eax, (%edi)
	mov %eax, 4(%edi)
	add $8, %edi
fill_4:
	test $4, %cl
	je fill_bytes
	mov %eax, (%edi)
	add $4, %edi
fill_bytes:
	and $3, %ecx
	je filled
fill_byte:
	movb %al, (%edi)
	inc %edi
	dec %ecx
	jne fill_byte
filled:
	mov 8(%esp), %eax
	pop %edi
	ret
