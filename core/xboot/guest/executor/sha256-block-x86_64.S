/* One block of SHA-256 (FIPS 180-4, section 6.2.2) for x86_64 where TCC compiles: what sha256-block.c does, with all eight
 * variables in registers. Nothing is moved along after a round: the next line names the registers anew. It touches what its
 * two arguments point to, and its frame: the 64 words of the message schedule.
 */

/* w[i] = w[i-16] + s0(w[i-15]) + w[i-7] + s1(w[i-2]), rcx being i - at/4. On entry p = w[i-16], q = w[i-2]; on exit p = w[i], and
 * n = w[i-15], which the next one has as its w[i-16].
 */
#define WORD(p, q, n, at)                                                                      \
	mov at-60(%rsp, %rcx, 4), n;                                                           \
	mov n, %r12d; ror $11, %r12d; xor n, %r12d; ror $7, %r12d;                             \
	mov n, %r13d; shr $3, %r13d; xor %r13d, %r12d; add %r12d, p;                           \
	mov q, %r12d; ror $2, %r12d; xor q, %r12d; ror $17, %r12d;                             \
	mov q, %r13d; shr $10, %r13d; xor %r13d, %r12d; add %r12d, p;                          \
	add at-28(%rsp, %rcx, 4), p; mov p, at(%rsp, %rcx, 4)

/* One round, w being at(%rsp). On entry x = b ^ c, and t is free:
 *      h += k + w + S1(e) + ((f ^ g) & e ^ g)
 *      d += h
 *      h += S0(a) + ((a ^ b) & (b ^ c) ^ b)
 * On exit t = a ^ b, which the next round has as its b ^ c, and x is free.
 */
#define ROUND(a, b, d, e, f, g, h, x, t, at, k)                                                \
	add at(%rsp), h; add $k, h;                                                            \
	mov e, t; ror $14, t; xor e, t; ror $5, t; xor e, t; ror $6, t; add t, h;              \
	mov f, t; xor g, t; and e, t; xor g, t; add t, h;                                      \
	add h, d;                                                                              \
	mov a, t; ror $9, t; xor a, t; ror $11, t; xor a, t; ror $2, t; add t, h;              \
	mov a, t; xor b, t; and t, x; xor b, x; add x, h

/* a to h are eax, ebx, ebp, edx, r8d to r11d, again after eight rounds. */
#define EIGHT(at, k0, k1, k2, k3, k4, k5, k6, k7)                                              \
	ROUND(%eax, %ebx, %edx, %r8d, %r9d, %r10d, %r11d, %r12d, %r13d, at, k0);               \
	ROUND(%r11d, %eax, %ebp, %edx, %r8d, %r9d, %r10d, %r13d, %r12d, at+4, k1);             \
	ROUND(%r10d, %r11d, %ebx, %ebp, %edx, %r8d, %r9d, %r12d, %r13d, at+8, k2);             \
	ROUND(%r9d, %r10d, %eax, %ebx, %ebp, %edx, %r8d, %r13d, %r12d, at+12, k3);             \
	ROUND(%r8d, %r9d, %r11d, %eax, %ebx, %ebp, %edx, %r12d, %r13d, at+16, k4);             \
	ROUND(%edx, %r8d, %r10d, %r11d, %eax, %ebx, %ebp, %r13d, %r12d, at+20, k5);            \
	ROUND(%ebp, %edx, %r9d, %r10d, %r11d, %eax, %ebx, %r12d, %r13d, at+24, k6);            \
	ROUND(%ebx, %ebp, %r8d, %r9d, %r10d, %r11d, %eax, %r13d, %r12d, at+28, k7)

	.text
	.globl sha256_block
sha256_block:	/* (rdi: state, 8 words; rsi: block, 64 bytes) */
	push %rbx
	push %rbp
	push %r12
	push %r13
	sub $256, %rsp

	/* w[0..15]: the block's words, which are big-endian */
	xor %ecx, %ecx
load:	mov (%rsi, %rcx, 4), %eax
	bswap %eax
	mov %eax, (%rsp, %rcx, 4)
	inc %ecx
	cmp $16, %ecx
	jb load

	mov (%rsp), %eax
	mov 56(%rsp), %ebx
	mov 60(%rsp), %edx
expand:	WORD(%eax, %ebx, %r8d, 0)
	WORD(%r8d, %edx, %ebx, 4)
	WORD(%ebx, %eax, %edx, 8)
	WORD(%edx, %r8d, %eax, 12)
	/* w[i-2] and w[i-1] are in ebx and edx now, and w[i-16] in eax */
	add $4, %ecx
	cmp $64, %ecx
	jb expand

	mov (%rdi), %eax
	mov 4(%rdi), %ebx
	mov 8(%rdi), %ebp
	mov 12(%rdi), %edx
	mov 16(%rdi), %r8d
	mov 20(%rdi), %r9d
	mov 24(%rdi), %r10d
	mov 28(%rdi), %r11d
	mov %ebx, %r12d
	xor %ebp, %r12d
	EIGHT(0, 0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5)
	EIGHT(32, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174)
	EIGHT(64, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da)
	EIGHT(96, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967)
	EIGHT(128, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85)
	EIGHT(160, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070)
	EIGHT(192, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3)
	EIGHT(224, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2)
	add %eax, (%rdi)
	add %ebx, 4(%rdi)
	add %ebp, 8(%rdi)
	add %edx, 12(%rdi)
	add %r8d, 16(%rdi)
	add %r9d, 20(%rdi)
	add %r10d, 24(%rdi)
	add %r11d, 28(%rdi)
	add $256, %rsp
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret

	.section .note.GNU-stack,"",%progbits
