/* SHA-256, after FIPS 180-4: any bytes in any pieces, cut into blocks for sha256_block. */
#include "xboot.h"

void sha256_init(struct sha256 *s)
{
    static const u32 start[8] = {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    copy(s->h, start, sizeof start);
    s->total = 0;
}

void sha256_update(struct sha256 *s, const void *data, unsigned long n)
{
    const u8 *p = data;
    unsigned used = (unsigned)s->total & 63, part;

    s->total += n;
    if (used) {
        part = 64 - used;
        if (n < part)
            part = (unsigned)n;
        copy(s->block + used, p, part);
        p += part;
        n -= part;
        if (used + part < 64)
            return;
        sha256_block(s->h, s->block);
    }
    for (; n >= 64; n -= 64, p += 64)
        sha256_block(s->h, p);
    copy(s->block, p, n);
}

void sha256_hex(struct sha256 *s, char hex[65])
{
    static const char digits[] = "0123456789abcdef";
    u64 bits = s->total << 3;
    unsigned used = (unsigned)s->total & 63;
    int i;

    s->block[used++] = 0x80;
    if (used > 56) {
        fill(s->block + used, 0, 64 - used);
        sha256_block(s->h, s->block);
        used = 0;
    }
    fill(s->block + used, 0, 56 - used);
    for (i = 63; i >= 56; i--, bits >>= 8)
        s->block[i] = (u8)bits;
    sha256_block(s->h, s->block);
    for (i = 0; i < 64; i++)
        hex[i] = digits[s->h[i >> 3] >> (28 - 4 * (i & 7)) & 15];
    hex[64] = 0;
}
