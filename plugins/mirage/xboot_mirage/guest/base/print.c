/* What of C's stdio the OCaml runtime uses: numbers for string_of_int, and a last word on the console. A conversion that is not here is a panic. */
#include <stdio.h>
#include "base.h"

FILE *const stderr, *const stdout;

struct text { char *to; size_t size, length; };

static void put(struct text *t, char c) {
    if (t->length + 1 < t->size) t->to[t->length] = c;
    t->length++;
}

static void put_number(struct text *t, u64 n, unsigned base) {
    char digits[20];
    int i = 0;
    do digits[i++] = "0123456789abcdef"[n % base];
    while (n /= base);
    while (i) put(t, digits[--i]);
}

int vsnprintf(char *to, size_t size, const char *format, va_list list) {
    struct text t = {to, size, 0};
    for (; *format; format++) {
        if (*format != '%') {
            put(&t, *format);
            continue;
        }
        int wide = format[1] == 'l';
        format += 1 + wide;
        if (*format == 'd') {
            long n = wide ? va_arg(list, long) : va_arg(list, int);
            if (n < 0) put(&t, '-');
            put_number(&t, n < 0 ? 0 - (u64)n : (u64)n, 10);
        } else if (*format == 'u' || *format == 'x') {
            put_number(&t, wide ? va_arg(list, unsigned long) : va_arg(list, unsigned), *format == 'u' ? 10 : 16);
        } else if (*format == 's') {
            for (const char *s = va_arg(list, const char *); *s; s++) put(&t, *s);
        } else {
            panic("a number or text is to be printed in a way that is not in this image");
        }
    }
    if (size) to[t.length < size ? t.length : size - 1] = 0;
    return (int)t.length;
}

int snprintf(char *to, size_t size, const char *format, ...) {
    va_list list;
    va_start(list, format);
    int length = vsnprintf(to, size, format, list);
    va_end(list);
    return length;
}

/* Every file is the console. */
int vfprintf(FILE *file, const char *format, va_list list) {
    char text[256];
    (void)file;
    int length = vsnprintf(text, sizeof text, format, list);
    say(text);
    return length;
}

int fprintf(FILE *file, const char *format, ...) {
    va_list list;
    va_start(list, format);
    int length = vfprintf(file, format, list);
    va_end(list);
    return length;
}

int fflush(FILE *file) { (void)file; return 0; }

/* OCAMLRUNPARAM, which is not set, would be read by this. */
int sscanf(const char *text, const char *format, ...) { (void)text, (void)format; panic("sscanf is not in this image"); }
