/* SHA-256 (FIPS 180-4), for hashes of outputs and of the script.
 *
 * QEMU's emulator makes a dozen instructions of a rotation, since a rotation changes two flags and leaves the others. So a word stands twice in a
 * register of 64 bits here, and the low half of what is shifted right is what a rotation would give. The constants are first bits of roots of primes.
 */
#include "base.h"

#define TWICE(x) ((u64)(x) << 32 | (x))
static inline u32 sum0(u64 x) { return (u32)(((((x >> 9) ^ x) >> 11) ^ x) >> 2); }    /* rotated by 2, 13, 22 */
static inline u32 sum1(u64 x) { return (u32)(((((x >> 14) ^ x) >> 5) ^ x) >> 6); }    /* by 6, 11, 25 */
static inline u32 mix0(u64 x) { return (u32)(((x >> 11) ^ x) >> 7) ^ (u32)x >> 3; }   /* by 7, 18; shifted by 3 */
static inline u32 mix1(u64 x) { return (u32)(((x >> 2) ^ x) >> 17) ^ (u32)x >> 10; }  /* by 17, 19; shifted by 10 */

/* The word of round i: of the block, and from the 17th round on made of four before it. */
#define WORD(i) (i < 16 ? (w[i & 15] = __builtin_bswap32(from[i & 15])) \
                        : (w[i & 15] += mix0(TWICE(w[(i + 1) & 15])) + w[(i + 9) & 15] + mix1(TWICE(w[(i + 14) & 15]))))
#define ROUND(a, b, c, d, e, f, g, h, i, k) \
    h += sum1(TWICE(e)) + (g ^ (e & (f ^ g))) + k##u + WORD(i); \
    d += h; \
    h += sum0(TWICE(a)) + ((a & b) | (c & (a | b)));
#define EIGHT(i, k0, k1, k2, k3, k4, k5, k6, k7) \
    ROUND(a, b, c, d, e, f, g, h, (i), k0) \
    ROUND(h, a, b, c, d, e, f, g, (i + 1), k1) \
    ROUND(g, h, a, b, c, d, e, f, (i + 2), k2) \
    ROUND(f, g, h, a, b, c, d, e, (i + 3), k3) \
    ROUND(e, f, g, h, a, b, c, d, (i + 4), k4) \
    ROUND(d, e, f, g, h, a, b, c, (i + 5), k5) \
    ROUND(c, d, e, f, g, h, a, b, (i + 6), k6) \
    ROUND(b, c, d, e, f, g, h, a, (i + 7), k7)

static void take_blocks(u32 *s, const u8 *bytes, u64 blocks) {
    for (; blocks; blocks--, bytes += 64) {
        typedef u32 __attribute__((aligned(1), may_alias)) any;
        const any *from = (const any *)bytes;
        u32 w[16], a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
        EIGHT(0, 0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5)
        EIGHT(8, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174)
        EIGHT(16, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da)
        EIGHT(24, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967)
        EIGHT(32, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85)
        EIGHT(40, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070)
        EIGHT(48, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3)
        EIGHT(56, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2)
        s[0] += a, s[1] += b, s[2] += c, s[3] += d, s[4] += e, s[5] += f, s[6] += g, s[7] += h;
    }
}

void sum_start(struct sum *sum) {
    static const u32 first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    __builtin_memcpy(sum->state, first, sizeof first);
    sum->length = 0;
}

void sum_more(struct sum *sum, const u8 *bytes, u64 length) {
    u64 held = sum->length % 64, missing = 64 - held;
    sum->length += length;
    if (held && length >= missing) {
        __builtin_memcpy(sum->block + held, bytes, missing);
        take_blocks(sum->state, sum->block, 1);
        bytes += missing, length -= missing, held = 0;
    }
    if (!held) {
        take_blocks(sum->state, bytes, length / 64);
        bytes += length & -64ul, length %= 64;
    }
    __builtin_memcpy(sum->block + held, bytes, length);
}

/* A bit, zeros, and the length in bits: to the end of a block. */
void sum_end(struct sum *sum) {
    static const u8 padding[64] = {0x80};
    u64 bits = __builtin_bswap64(sum->length * 8);
    sum_more(sum, padding, (119 - sum->length % 64) % 64 + 1);
    sum_more(sum, (const u8 *)&bits, 8);
    for (int i = 0; i < 8; i++) sum->state[i] = __builtin_bswap32(sum->state[i]);
}
