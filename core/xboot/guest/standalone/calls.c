/* calls.c: stands between the executor and its kernel. The executor is the attended one, unchanged; of its calls those few are answered here
 * that would reach a host, and those that end the machine are told to story.c on their way. (start-*.S is assembled with its `syscall6` named
 * kernel_call.)
 *
 * The screen is mapped while a page is drawn, and at no other time: so never while a builder runs.
 */
#include "standalone.h"

#define CHANNEL 0x100000 /* no descriptor that a kernel gives */

long kernel_call(long number, long a, long b, long c, long d, long e, long f);

static void stand_still(const char *why)
{
    kernel_call(SYS_write, 1, (long)why, (long)length(why), 0, 0, 0);
    for (;;)
        kernel_call(SYS_pause, 0, 0, 0, 0, 0, 0);
}

void screen_show(const u16 *cells, unsigned long size)
{
    long fd = kernel_call(SYS_openat, AT_FDCWD, (long)"/dev/mem", O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0, 0, 0);
    long at = fd < 0 ? fd : kernel_call(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (long)NR(SCREEN, SCREEN >> 12));

    if (at < 0 && at > -4096)
        stand_still("xboot: the screen cannot be reached; without it there is no result\n");
    copy((void *)at, cells, size);
    kernel_call(SYS_munmap, at, 4096, 0, 0, 0, 0);
    kernel_call(SYS_close, fd, 0, 0, 0, 0, 0);
}

/* A kernel without a console starts process 1 with nothing open, and descriptor 1 would be the first file that is opened twice. */
static void hold_descriptors(void)
{
    long fd;

    while ((fd = kernel_call(SYS_openat, AT_FDCWD, (long)"/dev/null", O_RDWR, 0, 0, 0)) >= 0 && fd <= 2)
        ;
    if (fd < 0)
        stand_still("xboot: /dev/null cannot be opened\n");
    kernel_call(SYS_close, fd, 0, 0, 0, 0, 0);
}

static long read_answer(char *to, long room)
{
    int c = room > 0 ? story_answers() : -1;

    if (c < 0)
        stand_still("xboot: the guest asks a host that is not there\n");
    *to = (char)c;
    return 1;
}

long syscall6(long number, long a, long b, long c, long d, long e, long f)
{
    static int started;

    if (!started) {
        started = 1;
        hold_descriptors();
    }
    if (number == SYS_openat && equal((const char *)b, "/dev/ttyS1"))
        return CHANNEL;
    if (number == SYS_openat && equal((const char *)b, "/dev/port"))
        story_ends();
    if (number == SYS_write && a == 1)
        story_notes((const char *)b, (unsigned long)c);
    if (a != CHANNEL || (number != SYS_read && number != SYS_write && number != SYS_ioctl))
        return kernel_call(number, a, b, c, d, e, f);
    if (number == SYS_read)
        return read_answer((char *)b, c);
    if (number == SYS_write)
        story_hears((const char *)b, (unsigned long)c);
    return number == SYS_write ? c : 0;
}
