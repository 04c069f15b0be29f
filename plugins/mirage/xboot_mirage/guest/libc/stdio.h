/* print.c */
#ifndef STDIO_H
#define STDIO_H
#include <stdarg.h>
#include <stddef.h>
typedef struct FILE FILE;
extern FILE *const stderr, *const stdout;
int vsnprintf(char *to, size_t size, const char *format, va_list list);
int snprintf(char *to, size_t size, const char *format, ...);
int vfprintf(FILE *file, const char *format, va_list list);
int fprintf(FILE *file, const char *format, ...);
int fflush(FILE *file);
int sscanf(const char *text, const char *format, ...);
#endif
