/* linux.c: what TCC's program asks of Linux for i386: seven calls. The rest of its library is ../libc, the same that is in the loader. */

#include "libc.h"

#define HEAP (64 << 20)

enum { CALL_EXIT = 1,
    CALL_READ = 3,
    CALL_WRITE = 4,
    CALL_OPEN = 5,
    CALL_CLOSE = 6,
    CALL_UNLINK = 10,
    CALL_LSEEK = 19 };

static unsigned char heap[HEAP];

int linux_call(int number, long a, long b, long c); /* start.S */
int main(int argc, char **argv);                    /* tcc.c of TCC */

/* Where start.S comes in: gives main its memory, and ends with what main returns. */
void linux_main(int argc, char **argv)
{
    libc_heap(heap, HEAP);
    exit(main(argc, argv));
}

/* Ends the program; does not come back. */
void exit(int status)
{
    for (;;)
        linux_call(CALL_EXIT, status, 0, 0);
}

/* Where TCC finds that it contradicts itself. Does not come back. */
void abort(void)
{
    libc_die("TCC gave up", "abort");
}

/* Words for whoever watches: standard error. */
void libc_put(const char *text, size_t length)
{
    write(2, text, length);
}

/* Says why, and ends with status 1. */
void libc_die(const char *what, const char *detail)
{
    fprintf(stderr, "tcc: error: %s: %s\n", what, detail);
    exit(1);
}

/* What the kernel answers, as C's library says it: -1 for every error. */
static int asked(int number, long a, long b, long c)
{
    int answer = linux_call(number, a, b, c);

    return answer < 0 && answer > -4096 ? -1 : answer;
}

/* A descriptor, or -1. The mode is read only when a file may be made, as Linux does. */
int open(const char *path, int flags, ...)
{
    va_list list;
    int mode = 0;

    va_start(list, flags);
    if (flags & O_CREAT)
        mode = va_arg(list, int);
    va_end(list);
    return asked(CALL_OPEN, (long)path, flags, mode);
}

/* 0, or -1. */
int close(int fd)
{
    return asked(CALL_CLOSE, fd, 0, 0);
}

/* Bytes read, 0 at the end, or -1. */
ssize_t read(int fd, void *to, size_t length)
{
    return asked(CALL_READ, fd, (long)to, length);
}

/* Writes all of it, or dies: half an output is none. */
ssize_t write(int fd, const void *from, size_t length)
{
    size_t done = 0;
    int n;

    while (done < length) {
        n = asked(CALL_WRITE, fd, (long)from + done, length - done);
        if (n <= 0 && fd == 2)
            exit(1);
        if (n <= 0)
            libc_die("cannot write", "is there room?");
        done += n;
    }
    return length;
}

/* The new place, or -1. */
off_t lseek(int fd, off_t offset, int whence)
{
    return asked(CALL_LSEEK, fd, offset, whence);
}

/* 0, or -1; remove is the same, for there are no folders to remove. */
int unlink(const char *path)
{
    return asked(CALL_UNLINK, (long)path, 0, 0);
}

int remove(const char *path)
{
    return unlink(path);
}
