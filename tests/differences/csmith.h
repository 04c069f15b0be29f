/* csmith.h: what csmith's programs stand on, without a C library: types, checksums, a beginning and an end. Arithmetic is the package's own safe_math.h. */

typedef signed char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef long long int64_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned uint32_t;
typedef unsigned long long uint64_t;

#define INT8_MIN (-128)
#define INT8_MAX 127
#define INT16_MIN (-32768)
#define INT16_MAX 32767
#define INT32_MIN (-2147483647 - 1)
#define INT32_MAX 2147483647
#define INT64_MIN (-9223372036854775807LL - 1)
#define INT64_MAX 9223372036854775807LL
#define UINT8_MAX 255
#define UINT16_MAX 65535
#define UINT32_MAX 4294967295U
#define UINT64_MAX 18446744073709551615ULL
#define CHAR_BIT 8
#define FLT_MAX 3.402823466e+38f
#define DBL_MAX 1.7976931348623157e+308
#define fabsf(x) ((x) < 0 ? -(x) : (x)) /* of floating numbers there are none in the programs, but in safe_math.h */
#define fabs(x) fabsf(x)
#define ldexp(x, exponent) (x)

#define STATIC static
#define UNDEFINED(value) (value)
#define LOG_INDEX
#define LOG_EXEC
#define FUNC_NAME(x) (safe_##x)
#include "safe_math.h"

#define printf(...) ((void)0) /* only where somebody asks for every variable's checksum */

void *memcpy(void *to, const void *from, unsigned long size)
{
    char *t = to;
    const char *f = from;

    while (size--)
        *t++ = *f++;
    return to;
}

void *memmove(void *to, const void *from, unsigned long size)
{
    char *t = to;
    const char *f = from;

    if (t <= f)
        return memcpy(to, from, size);
    while (size--)
        t[size] = f[size];
    return to;
}

void *memset(void *to, int byte, unsigned long size)
{
    char *t = to;

    while (size--)
        *t++ = byte;
    return to;
}

static uint32_t crc32_context = 0xffffffff;

static void platform_main_begin(void)
{
}

static void crc32_gentab(void)
{
}

static void transparent_crc(uint64_t value, char *name, int flag)
{
    int i, bit;

    for (i = 0; i < 8; i++) {
        crc32_context ^= (uint8_t)(value >> 8 * i);
        for (bit = 0; bit < 8; bit++)
            crc32_context = crc32_context >> 1 ^ (crc32_context & 1 ? 0xedb88320 : 0);
    }
}

static void transparent_crc_bytes(char *bytes, int count, char *name, int flag)
{
    while (count--)
        transparent_crc((uint8_t)*bytes++, name, flag);
}

static int call(int number, int a, void *b, int c)
{
    int result;

    asm volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
    return result;
}

static void platform_main_end(uint32_t crc, int flag)
{
    char text[8];
    int i;

    for (i = 0; i < 8; i++)
        text[i] = "0123456789abcdef"[crc >> (28 - 4 * i) & 15];
    call(4, 1, text, 8);
}

int main(void);

void begin(void)
{
    call(1, main(), 0, 0);
}

asm(".globl _start\n_start:\n\tcall begin\n");
