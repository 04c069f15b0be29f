/* Bytes in memory. Words are copied one after the other: QEMU's emulator is slow at `rep movs`. */
#include <string.h>
#include "base.h"

#pragma GCC optimize("no-tree-loop-distribute-patterns") /* or a loop would become a call of what it is in */

typedef u64 __attribute__((aligned(1), may_alias)) word;

void *memcpy(void *restrict to, const void *restrict from, size_t n) {
    u8 *t = to;
    const u8 *f = from;
    for (; n >= 32; n -= 32, t += 32, f += 32) {
        u64 a = ((const word *)f)[0], b = ((const word *)f)[1], c = ((const word *)f)[2], d = ((const word *)f)[3];
        ((word *)t)[0] = a, ((word *)t)[1] = b, ((word *)t)[2] = c, ((word *)t)[3] = d;
    }
    for (; n >= 8; n -= 8, t += 8, f += 8) *(word *)t = *(const word *)f;
    while (n--) *t++ = *f++;
    return to;
}

void *memmove(void *to, const void *from, size_t n) {
    u8 *t = to;
    const u8 *f = from;
    if ((u64)t - (u64)f >= n) return memcpy(to, from, n); /* no byte is written before it is read */
    for (; n >= 8; n -= 8) *(word *)(t + n - 8) = *(const word *)(f + n - 8);
    while (n--) t[n] = f[n];
    return to;
}

void *memset(void *to, int byte, size_t n) {
    u8 *t = to;
    u64 eight = (u8)byte * 0x0101010101010101ul;
    for (; n >= 8; n -= 8, t += 8) *(word *)t = eight;
    while (n--) *t++ = (u8)byte;
    return to;
}

int memcmp(const void *a, const void *b, size_t n) {
    const u8 *x = a, *y = b;
    for (; n >= 8 && *(const word *)x == *(const word *)y; n -= 8) x += 8, y += 8;
    for (; n; n--, x++, y++)
        if (*x != *y) return *x - *y;
    return 0;
}

size_t strlen(const char *s) {
    size_t n = 0;
    while (s[n]) n++;
    return n;
}

int strcmp(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t n) {
    for (; n && *a && *a == *b; n--) a++, b++;
    return n ? (u8)*a - (u8)*b : 0;
}
