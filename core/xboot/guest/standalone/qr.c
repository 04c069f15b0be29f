/* qr.c: one QR code of ISO/IEC 18004, always of the same kind: version 5 (37 by 37 modules), error correction L, alphanumeric, mask 0. In that
 * version and level all data is one block, and the standard's choice among eight masks is for scanners that lose their way, not for what is read.
 */
#include "standalone.h"

#define DATA   108    /* bytes of data */
#define CHECK  26     /* bytes of error correction */
#define FORMAT 0x77c4 /* level L, mask 0, with their own error correction (annex C) */

static u8 bytes[DATA + CHECK];
static unsigned at; /* in bits */

static void add_bits(unsigned value, unsigned count)
{
    for (; count; count--, at++)
        if (value >> (count - 1) & 1)
            bytes[at / 8] |= (u8)(0x80 >> at % 8);
}

/* 7.4.5, table 5 */
static unsigned value_of(char c)
{
    if (c == ':')
        return 44;
    return (unsigned)(c <= '9' ? c - '0' : c - 'A' + 10);
}

/* The text, an end where there is room for one, and what fills up (7.4.10). */
static void write_data(const char *text)
{
    unsigned n = (unsigned)length(text), i, pad;

    fill(bytes, 0, sizeof bytes);
    at = 0;
    add_bits(2, 4);
    add_bits(n, 9);
    for (i = 0; i + 1 < n; i += 2)
        add_bits(value_of(text[i]) * 45 + value_of(text[i + 1]), 11);
    if (i < n)
        add_bits(value_of(text[i]), 6);
    at += DATA * 8 - at < 4 ? DATA * 8 - at : 4;
    at = (at + 7) / 8 * 8;
    for (pad = 0xec; at < DATA * 8; pad ^= 0xec ^ 0x11)
        add_bits(pad, 8);
}

/* In the field of 256 elements that x^8 + x^4 + x^3 + x^2 + 1 makes. */
static u8 times(unsigned a, unsigned b)
{
    unsigned product = 0;

    for (; b; b >>= 1, a = a << 1 ^ (a & 0x80 ? 0x11d : 0))
        if (b & 1)
            product ^= a;
    return (u8)product;
}

/* Reed-Solomon: the remainder of the data by the product of all (x - 2^i), i below CHECK (7.5.2). */
static void write_check(void)
{
    u8 divisor[CHECK], *rest = bytes + DATA, root = 1, factor;
    unsigned i, j;

    fill(divisor, 0, CHECK);
    divisor[CHECK - 1] = 1;
    for (i = 0; i < CHECK; i++, root = times(root, 2))
        for (j = 0; j < CHECK; j++)
            divisor[j] = (u8)(times(divisor[j], root) ^ (j + 1 < CHECK ? divisor[j + 1] : 0));
    for (i = 0; i < DATA; i++) {
        factor = bytes[i] ^ rest[0];
        for (j = 0; j < CHECK; j++)
            rest[j] = (u8)((j + 1 < CHECK ? rest[j + 1] : 0) ^ times(divisor[j], factor));
    }
}

/* How far from (row, column), in rings of a square. */
static int ring(int row, int column, int y, int x)
{
    y = y < row ? row - y : y - row;
    x = x < column ? column - x : x - column;
    return y > x ? y : x;
}

/* 1 or 0 where the version alone says what stands there (6.3); -1: data; -2: format. */
static int pattern(int y, int x)
{
    int last = QR_SIZE - 1, d = ring(3, 3, y, x);

    if (ring(3, last - 3, y, x) < d)
        d = ring(3, last - 3, y, x);
    if (ring(last - 3, 3, y, x) < d)
        d = ring(last - 3, 3, y, x);
    if (d <= 4)
        return d != 2 && d != 4; /* finders, and the light ring around them */
    if (y == last - 7 && x == 8)
        return 1;
    if ((y == 8 && (x <= 8 || x >= last - 7) && x != 6) || (x == 8 && (y <= 8 || y >= last - 7) && y != 6))
        return -2;
    if (y == 6 || x == 6)
        return !((y + x) & 1); /* timing */
    d = ring(last - 6, last - 6, y, x);
    return d <= 2 ? d != 1 : -1; /* the alignment pattern */
}

/* 7.9.1: the format's bits, twice, bit 14 first. */
static void write_format(u8 modules[QR_SIZE][QR_SIZE])
{
    int i, last = QR_SIZE - 1;
    u8 bit;

    for (i = 0; i < 15; i++) {
        bit = FORMAT >> i & 1;
        if (i < 8)
            modules[i < 6 ? i : i + 1][8] = modules[8][last - i] = bit;
        else
            modules[8][i == 8 ? 7 : 14 - i] = modules[last - 14 + i][8] = bit;
    }
}

void qr_code(const char *text, u8 modules[QR_SIZE][QR_SIZE])
{
    int x, y, right, n, side, known;
    unsigned i = 0;
    u8 bit;

    write_data(text);
    write_check();
    for (y = 0; y < QR_SIZE; y++)
        for (x = 0; x < QR_SIZE; x++)
            modules[y][x] = pattern(y, x) == 1;
    write_format(modules);
    /* 7.7.3: columns of two, from the right, up and down by turns, around the upright timing pattern; masked (7.8.2) as they come */
    for (right = QR_SIZE - 1; right > 0; right -= 2) {
        if (right == 6)
            right = 5;
        for (n = 0; n < QR_SIZE; n++)
            for (side = 0; side < 2; side++) {
                x = right - side;
                y = (right + 1) & 2 ? n : QR_SIZE - 1 - n;
                known = pattern(y, x);
                if (known != -1)
                    continue;
                bit = i < sizeof bytes * 8 ? bytes[i / 8] >> (7 - i % 8) & 1 : 0;
                i++;
                modules[y][x] = bit ^ !((x + y) & 1);
            }
    }
}
