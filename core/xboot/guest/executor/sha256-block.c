/* One block of SHA-256 (FIPS 180-4, section 6.2.2). All rounds are written out with the variables renamed, so that no word need
 * be moved along, and gcc makes the constants part of its instructions. Of the message schedule only the last 16 words are
 * kept: w[i] is made in the place of w[i - 16], right before its round. Where TCC compiles, which does not optimise,
 * sha256-block-i386.S or sha256-block-x86_64.S takes its place.
 */
#include "xboot.h"

static const u32 K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

#define ROT(x, n) (((x) >> (n)) | ((x) << (32 - (n))))

/* S1(e) is the rotations of e by 6, 11 and 25, here one within the other: a rotation less far each; S0(a): 2, 13 and 22.
 * On entry x = b ^ c, so that Maj(a, b, c) = ((a ^ b) & x) ^ b; on exit x = a ^ b, which is the next round's.
 */
#define ROUND(a, b, c, d, e, f, g, h, i)         \
    t = ROT(e, 14) ^ e;                          \
    t = ROT(t, 5) ^ e;                           \
    h += K[i] + w[(i)&15] + (g ^ (e & (f ^ g))); \
    h += ROT(t, 6);                              \
    d += h;                                      \
    t = ROT(a, 9) ^ a;                           \
    t = ROT(t, 11) ^ a;                          \
    y = x;                                       \
    x = a ^ b;                                   \
    h += ROT(t, 2) + ((x & y) ^ b)

/* The block's words are big-endian. */
#define READ(i) w[i] = (u32)p[4 * (i)] << 24 | (u32)p[4 * (i) + 1] << 16 | (u32)p[4 * (i) + 2] << 8 | p[4 * (i) + 3]

/* w[i - 16] += s0(w[i - 15]) + w[i - 7] + s1(w[i - 2]) */
#define NEXT(i)                                              \
    t = w[((i) + 1) & 15];                                   \
    y = ROT(t, 11) ^ t;                                      \
    w[(i)&15] += (ROT(y, 7) ^ (t >> 3)) + w[((i) + 9) & 15]; \
    t = w[((i) + 14) & 15];                                  \
    y = ROT(t, 2) ^ t;                                       \
    w[(i)&15] += ROT(y, 17) ^ (t >> 10)

#define EIGHT(MAKE, i)                      \
    MAKE(i);                                \
    ROUND(a, b, c, d, e, f, g, h, i);       \
    MAKE((i) + 1);                          \
    ROUND(h, a, b, c, d, e, f, g, (i) + 1); \
    MAKE((i) + 2);                          \
    ROUND(g, h, a, b, c, d, e, f, (i) + 2); \
    MAKE((i) + 3);                          \
    ROUND(f, g, h, a, b, c, d, e, (i) + 3); \
    MAKE((i) + 4);                          \
    ROUND(e, f, g, h, a, b, c, d, (i) + 4); \
    MAKE((i) + 5);                          \
    ROUND(d, e, f, g, h, a, b, c, (i) + 5); \
    MAKE((i) + 6);                          \
    ROUND(c, d, e, f, g, h, a, b, (i) + 6); \
    MAKE((i) + 7);                          \
    ROUND(b, c, d, e, f, g, h, a, (i) + 7)

void sha256_block(u32 *state, const u8 *p)
{
    u32 w[16], a, b, c, d, e, f, g, h, t, x, y;

    a = state[0], b = state[1], c = state[2], d = state[3];
    e = state[4], f = state[5], g = state[6], h = state[7];
    x = b ^ c;
    EIGHT(READ, 0);
    EIGHT(READ, 8);
    EIGHT(NEXT, 16);
    EIGHT(NEXT, 24);
    EIGHT(NEXT, 32);
    EIGHT(NEXT, 40);
    EIGHT(NEXT, 48);
    EIGHT(NEXT, 56);
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}
