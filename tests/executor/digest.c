/* SHA-256 of standard input by the executor's own files, as a program that needs no C library. */
#include "xboot.h"

void copy(void *to, const void *from, unsigned long n)
{
    while (n--)
        ((u8 *)to)[n] = ((const u8 *)from)[n];
}

void fill(void *to, int byte, unsigned long n)
{
    while (n--)
        ((u8 *)to)[n] = (u8)byte;
}

void start_c(void)
{
    static u8 buffer[4109];
    struct sha256 s;
    char hex[65];
    long got;

    sha256_init(&s);
    while ((got = SYS3(SYS_read, 0, buffer, sizeof buffer)) > 0)
        sha256_update(&s, buffer, (unsigned long)got);
    sha256_hex(&s, hex);
    SYS3(SYS_write, 1, hex, 64);
    SYS1(SYS_exit, got != 0);
}
