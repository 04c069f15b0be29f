/* libc.h: the part of C's library that TCC needs to compile and link, for whatever has files.

   TCC's sources include the usual header names; those in include/ all lead here. It stands in two programs: in tccboot's loader, whose files are in
   memory, and in TCC's own program, whose files are Linux's (../compiler/linux.c). */

#ifndef XBOOT_LIBC_H
#define XBOOT_LIBC_H

#include <stddef.h>
#include <stdarg.h>

typedef int ssize_t;
typedef long off_t;
typedef long time_t;
typedef int mode_t;
typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef short int16_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long long int64_t;
typedef unsigned long long uint64_t;

/* memory.c */
void *malloc(size_t size);
void *realloc(void *block, size_t size);
void *calloc(size_t count, size_t size);
void free(void *block);
int memcmp(const void *a, const void *b, size_t length);
void libc_heap(void *start, size_t size);
size_t libc_heap_used(void);

/* copy.S */
void *memcpy(void *to, const void *from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int byte, size_t length);

/* string.c */
size_t strlen(const char *s);
char *strcpy(char *to, const char *from);
char *strcat(char *to, const char *from);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *part);
char *strpbrk(const char *s, const char *set);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
int atoi(const char *s);
long strtol(const char *s, char **end, int base);
unsigned long strtoul(const char *s, char **end, int base);
long long strtoll(const char *s, char **end, int base);
unsigned long long strtoull(const char *s, char **end, int base);
double strtod(const char *s, char **end);
float strtof(const char *s, char **end);
long double strtold(const char *s, char **end);
double ldexp(double x, int exponent);
void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *));

/* files: what stands below gives the first seven; the rest is stream.c */
#define O_RDONLY 0
#define O_WRONLY 1
#define O_RDWR 2
#define O_CREAT 0100
#define O_TRUNC 01000
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
int open(const char *path, int flags, ...);
int close(int fd);
ssize_t read(int fd, void *to, size_t length);
ssize_t write(int fd, const void *from, size_t length);
off_t lseek(int fd, off_t offset, int whence);
int unlink(const char *path);
int remove(const char *path);
typedef struct libc_stream FILE;
extern FILE *stdin, *stdout, *stderr;
FILE *fopen(const char *path, const char *mode);
FILE *fdopen(int fd, const char *mode);
FILE *freopen(const char *path, const char *mode, FILE *stream);
int fclose(FILE *stream);
int fflush(FILE *stream);
size_t fwrite(const void *from, size_t size, size_t count, FILE *stream);
size_t fread(void *to, size_t size, size_t count, FILE *stream);
int fputc(int c, FILE *stream);
int fputs(const char *s, FILE *stream);
int fseek(FILE *stream, long offset, int whence);
long ftell(FILE *stream);

/* print.c */
int printf(const char *format, ...);
int fprintf(FILE *stream, const char *format, ...);
int vfprintf(FILE *stream, const char *format, va_list list);
int sprintf(char *to, const char *format, ...);
int snprintf(char *to, size_t room, const char *format, ...);
int vsnprintf(char *to, size_t room, const char *format, va_list list);
int sscanf(const char *text, const char *format, ...);

/* setjmp.S */
typedef unsigned jmp_buf[6];
int setjmp(jmp_buf buffer);
void longjmp(jmp_buf buffer, int value);

/* what stands below gives these as well: words for whoever watches, and two ways to end; libc_die says why */
void libc_put(const char *text, size_t length);
void libc_die(const char *what, const char *detail);
void exit(int status);
void abort(void);

#define assert(what) ((what) ? (void)0 : libc_die("TCC gave up", #what))

/* stubs.c: what TCC asks of a system, answered for one that has nothing */
struct tm {
	int tm_sec, tm_min, tm_hour, tm_mday, tm_mon, tm_year, tm_wday, tm_yday, tm_isdst;
};
struct timeval {
	long tv_sec, tv_usec;
};
typedef int sem_t;
#define EINTR 4
extern int errno;
extern char **environ;
time_t time(time_t *where);
struct tm *localtime(const time_t *when);
int gettimeofday(struct timeval *when, void *zone);
char *getenv(const char *name);
char *getcwd(char *to, size_t room);
char *realpath(const char *path, char *to);
char *strerror(int error);
int sem_init(sem_t *s, int shared, unsigned value);
int sem_wait(sem_t *s);
int sem_post(sem_t *s);
int mprotect(void *at, size_t length, int protection);
int execvp(const char *file, char *const argv[]);

#endif
