/* One block of SHA-256 (FIPS 180-4, section 6.2.2) for i386: what sha256-block.c does, about four times as fast as TCC
 * makes that. a, e, f, g and h live in registers, b, c and d on the stack. Nothing is moved along after a round: the next
 * line names the registers anew. It touches what its two arguments point to, and its frame.
 */

/* The frame: 64 words of the message schedule, then b, c, d in turns. */
#define B 256(%esp)
#define C 260(%esp)
#define D 264(%esp)
#define FRAME 268

/* One round, i being 4 times its number. On entry x = b ^ c, and t is free:
 *      h += k + w[i] + S1(e) + ((f ^ g) & e ^ g)
 *      d += h
 *      h += S0(a) + ((a ^ b) & (b ^ c) ^ b)
 * On exit h is the next a, x the next e, t the next b ^ c, `d` the next b; the register of a is free.
 */
#define ROUND(a, e, f, g, h, x, t, b, d, i, k)                                        \
	mov i(%esp), t; lea k(h, t), h;                                               \
	mov e, t; ror $14, t; xor e, t; ror $5, t; xor e, t; ror $6, t; add t, h;     \
	mov f, t; xor g, t; and e, t; xor g, t; add t, h;                             \
	add h, d;                                                                     \
	mov a, t; ror $9, t; xor a, t; ror $11, t; xor a, t; ror $2, t; add t, h;     \
	mov b, t; xor a, t; and t, x; xor b, x; add x, h;                             \
	mov d, x; mov a, d

	.text
	.globl sha256_block
sha256_block:	/* (state: 8 words, block: 64 bytes) */
	push %ebx
	push %esi
	push %edi
	push %ebp
	sub $FRAME, %esp

	/* w[0..15]: the block's words, which are big-endian */
	mov FRAME+24(%esp), %esi
	xor %ecx, %ecx
load:	mov (%esi, %ecx, 4), %eax
	bswap %eax
	mov %eax, (%esp, %ecx, 4)
	inc %ecx
	cmp $16, %ecx
	jb load

	/* w[i] = w[i-16] + s0(w[i-15]) + w[i-7] + s1(w[i-2]) */
	mov (%esp), %edi                        /* w[i-16] */
expand:	mov 4-64(%esp, %ecx, 4), %eax           /* w[i-15] */
	mov %eax, %ebp
	mov %eax, %edx
	ror $11, %eax
	xor %edx, %eax
	ror $7, %eax
	shr $3, %edx
	xor %edx, %eax
	add %edi, %eax
	mov %ebp, %edi
	mov 56-64(%esp, %ecx, 4), %ebx          /* w[i-2] */
	mov %ebx, %edx
	ror $2, %ebx
	xor %edx, %ebx
	ror $17, %ebx
	shr $10, %edx
	xor %edx, %ebx
	add %ebx, %eax
	add 36-64(%esp, %ecx, 4), %eax          /* w[i-7] */
	mov %eax, (%esp, %ecx, 4)
	inc %ecx
	cmp $64, %ecx
	jb expand

	mov FRAME+20(%esp), %ebp
	mov 8(%ebp), %edi
	mov %edi, C
	mov 12(%ebp), %eax
	mov %eax, D
	mov 4(%ebp), %eax
	mov %eax, B
	xor %eax, %edi
	mov (%ebp), %eax
	mov 16(%ebp), %ebx
	mov 20(%ebp), %ecx
	mov 24(%ebp), %edx
	mov 28(%ebp), %esi
	ROUND(%eax, %ebx, %ecx, %edx, %esi, %edi, %ebp, B, D, 0, 0x428a2f98)
	ROUND(%esi, %edi, %ebx, %ecx, %edx, %ebp, %eax, D, C, 4, 0x71374491)
	ROUND(%edx, %ebp, %edi, %ebx, %ecx, %eax, %esi, C, B, 8, 0xb5c0fbcf)
	ROUND(%ecx, %eax, %ebp, %edi, %ebx, %esi, %edx, B, D, 12, 0xe9b5dba5)
	ROUND(%ebx, %esi, %eax, %ebp, %edi, %edx, %ecx, D, C, 16, 0x3956c25b)
	ROUND(%edi, %edx, %esi, %eax, %ebp, %ecx, %ebx, C, B, 20, 0x59f111f1)
	ROUND(%ebp, %ecx, %edx, %esi, %eax, %ebx, %edi, B, D, 24, 0x923f82a4)
	ROUND(%eax, %ebx, %ecx, %edx, %esi, %edi, %ebp, D, C, 28, 0xab1c5ed5)
	ROUND(%esi, %edi, %ebx, %ecx, %edx, %ebp, %eax, C, B, 32, 0xd807aa98)
	ROUND(%edx, %ebp, %edi, %ebx, %ecx, %eax, %esi, B, D, 36, 0x12835b01)
	ROUND(%ecx, %eax, %ebp, %edi, %ebx, %esi, %edx, D, C, 40, 0x243185be)
	ROUND(%ebx, %esi, %eax, %ebp, %edi, %edx, %ecx, C, B, 44, 0x550c7dc3)
	ROUND(%edi, %edx, %esi, %eax, %ebp, %ecx, %ebx, B, D, 48, 0x72be5d74)
	ROUND(%ebp, %ecx, %edx, %esi, %eax, %ebx, %edi, D, C, 52, 0x80deb1fe)
	ROUND(%eax, %ebx, %ecx, %edx, %esi, %edi, %ebp, C, B, 56, 0x9bdc06a7)
	ROUND(%esi, %edi, %ebx, %ecx, %edx, %ebp, %eax, B, D, 60, 0xc19bf174)
	ROUND(%edx, %ebp, %edi, %ebx, %ecx, %eax, %esi, D, C, 64, 0xe49b69c1)
	ROUND(%ecx, %eax, %ebp, %edi, %ebx, %esi, %edx, C, B, 68, 0xefbe4786)
	ROUND(%ebx, %esi, %eax, %ebp, %edi, %edx, %ecx, B, D, 72, 0x0fc19dc6)
	ROUND(%edi, %edx, %esi, %eax, %ebp, %ecx, %ebx, D, C, 76, 0x240ca1cc)
	ROUND(%ebp, %ecx, %edx, %esi, %eax, %ebx, %edi, C, B, 80, 0x2de92c6f)
	ROUND(%eax, %ebx, %ecx, %edx, %esi, %edi, %ebp, B, D, 84, 0x4a7484aa)
	ROUND(%esi, %edi, %ebx, %ecx, %edx, %ebp, %eax, D, C, 88, 0x5cb0a9dc)
	ROUND(%edx, %ebp, %edi, %ebx, %ecx, %eax, %esi, C, B, 92, 0x76f988da)
	ROUND(%ecx, %eax, %ebp, %edi, %ebx, %esi, %edx, B, D, 96, 0x983e5152)
	ROUND(%ebx, %esi, %eax, %ebp, %edi, %edx, %ecx, D, C, 100, 0xa831c66d)
	ROUND(%edi, %edx, %esi, %eax, %ebp, %ecx, %ebx, C, B, 104, 0xb00327c8)
	ROUND(%ebp, %ecx, %edx, %esi, %eax, %ebx, %edi, B, D, 108, 0xbf597fc7)
	ROUND(%eax, %ebx, %ecx, %edx, %esi, %edi, %ebp, D, C, 112, 0xc6e00bf3)
	ROUND(%esi, %edi, %ebx, %ecx, %edx, %ebp, %eax, C, B, 116, 0xd5a79147)
	ROUND(%edx, %ebp, %edi, %ebx, %ecx, %eax, %esi, B, D, 120, 0x06ca6351)
	ROUND(%ecx, %eax, %ebp, %edi, %ebx, %esi, %edx, D, C, 124, 0x14292967)
	ROUND(%ebx, %esi, %eax, %ebp, %edi, %edx, %ecx, C, B, 128, 0x27b70a85)
	ROUND(%edi, %edx, %esi, %eax, %ebp, %ecx, %ebx, B, D, 132, 0x2e1b2138)
	ROUND(%ebp, %ecx, %edx, %esi, %eax, %ebx, %edi, D, C, 136, 0x4d2c6dfc)
	ROUND(%eax, %ebx, %ecx, %edx, %esi, %edi, %ebp, C, B, 140, 0x53380d13)
	ROUND(%esi, %edi, %ebx, %ecx, %edx, %ebp, %eax, B, D, 144, 0x650a7354)
	ROUND(%edx, %ebp, %edi, %ebx, %ecx, %eax, %esi, D, C, 148, 0x766a0abb)
	ROUND(%ecx, %eax, %ebp, %edi, %ebx, %esi, %edx, C, B, 152, 0x81c2c92e)
	ROUND(%ebx, %esi, %eax, %ebp, %edi, %edx, %ecx, B, D, 156, 0x92722c85)
	ROUND(%edi, %edx, %esi, %eax, %ebp, %ecx, %ebx, D, C, 160, 0xa2bfe8a1)
	ROUND(%ebp, %ecx, %edx, %esi, %eax, %ebx, %edi, C, B, 164, 0xa81a664b)
	ROUND(%eax, %ebx, %ecx, %edx, %esi, %edi, %ebp, B, D, 168, 0xc24b8b70)
	ROUND(%esi, %edi, %ebx, %ecx, %edx, %ebp, %eax, D, C, 172, 0xc76c51a3)
	ROUND(%edx, %ebp, %edi, %ebx, %ecx, %eax, %esi, C, B, 176, 0xd192e819)
	ROUND(%ecx, %eax, %ebp, %edi, %ebx, %esi, %edx, B, D, 180, 0xd6990624)
	ROUND(%ebx, %esi, %eax, %ebp, %edi, %edx, %ecx, D, C, 184, 0xf40e3585)
	ROUND(%edi, %edx, %esi, %eax, %ebp, %ecx, %ebx, C, B, 188, 0x106aa070)
	ROUND(%ebp, %ecx, %edx, %esi, %eax, %ebx, %edi, B, D, 192, 0x19a4c116)
	ROUND(%eax, %ebx, %ecx, %edx, %esi, %edi, %ebp, D, C, 196, 0x1e376c08)
	ROUND(%esi, %edi, %ebx, %ecx, %edx, %ebp, %eax, C, B, 200, 0x2748774c)
	ROUND(%edx, %ebp, %edi, %ebx, %ecx, %eax, %esi, B, D, 204, 0x34b0bcb5)
	ROUND(%ecx, %eax, %ebp, %edi, %ebx, %esi, %edx, D, C, 208, 0x391c0cb3)
	ROUND(%ebx, %esi, %eax, %ebp, %edi, %edx, %ecx, C, B, 212, 0x4ed8aa4a)
	ROUND(%edi, %edx, %esi, %eax, %ebp, %ecx, %ebx, B, D, 216, 0x5b9cca4f)
	ROUND(%ebp, %ecx, %edx, %esi, %eax, %ebx, %edi, D, C, 220, 0x682e6ff3)
	ROUND(%eax, %ebx, %ecx, %edx, %esi, %edi, %ebp, C, B, 224, 0x748f82ee)
	ROUND(%esi, %edi, %ebx, %ecx, %edx, %ebp, %eax, B, D, 228, 0x78a5636f)
	ROUND(%edx, %ebp, %edi, %ebx, %ecx, %eax, %esi, D, C, 232, 0x84c87814)
	ROUND(%ecx, %eax, %ebp, %edi, %ebx, %esi, %edx, C, B, 236, 0x8cc70208)
	ROUND(%ebx, %esi, %eax, %ebp, %edi, %edx, %ecx, B, D, 240, 0x90befffa)
	ROUND(%edi, %edx, %esi, %eax, %ebp, %ecx, %ebx, D, C, 244, 0xa4506ceb)
	ROUND(%ebp, %ecx, %edx, %esi, %eax, %ebx, %edi, C, B, 248, 0xbef9a3f7)
	ROUND(%eax, %ebx, %ecx, %edx, %esi, %edi, %ebp, B, D, 252, 0xc67178f2)

	mov FRAME+20(%esp), %eax
	add %esi, (%eax)
	mov D, %ebp
	add %ebp, 4(%eax)
	mov B, %ebp
	add %ebp, 8(%eax)
	mov C, %ebp
	add %ebp, 12(%eax)
	add %edi, 16(%eax)
	add %ebx, 20(%eax)
	add %ecx, 24(%eax)
	add %edx, 28(%eax)
	add $FRAME, %esp
	pop %ebp
	pop %edi
	pop %esi
	pop %ebx
	ret

	.section .note.GNU-stack,"",%progbits
