/* linux.c: the system calls that the executor makes, answering anything that Linux may answer.
 *
 * A call fails with any error, or answers any value that its success allows; what it writes may be any bytes; what it reads
 * must be there and have been written before. A harness says how much there is to read (`left_to_read`, `left_to_list`): without an end
 * there would be no end to the loops that read it.
 */
#include "linux.h"

unsigned long left_to_read, left_to_list, stated_size = ENDLESS;
const char *said = "", *said_last = "";

static long any(long least, long most)
{
    return Frama_C_long_interval(least, most);
}

/* An error, or what is between 0 and `most`. */
static long at_most(long most)
{
    return any(-4095, most);
}

static long outcome(void)
{
    return at_most(0);
}

static void take_bytes(const char *p, unsigned long n)
{
    /*@ assert \valid_read(p + (0 .. n - 1)); */
    /*@ assert \initialized(p + (0 .. n - 1)); */
}

static void take_string(const char *s)
{
    while (*s)
        s++;
}

static void take_strings(char **v)
{
    for (; *v; v++)
        take_string(*v);
}

static void write_bytes(char *p, unsigned long n)
{
    /*@ assert \valid(p + (0 .. n - 1)); */
    Frama_C_make_unknown(p, n);
}

/* Up to `room` bytes of what is left, each number of them a case of its own; or up to `room` at once, of what has no end. */
static long give(char *to, unsigned long room, unsigned long *left)
{
    unsigned long n = room < *left ? room : *left;
    long got;

    if (*left == ENDLESS) {
        write_bytes(to, room);
        return at_most((long)room);
    }
    /*@ assert \valid(to + (0 .. room - 1)); */
    got = Frama_C_nondet(0, 1) ? any(-4095, -1) : (long)Frama_C_interval_split(0, (int)n);
    if (got > 0) {
        write_bytes(to, (unsigned long)got);
        *left -= (unsigned long)got;
    }
    return got;
}

/* One byte of what the host says. */
static long listen(char *to)
{
    if (*said)
        *to = *said++;
    else if (left_to_read)
        return give(to, 1, &left_to_read);
    else if (*said_last)
        *to = *said_last++;
    else
        return any(-4095, 0);
    return 1;
}

static long device_control(unsigned long request, char *p)
{
    long done = outcome();

    if (request == TCGETS && done == 0)
        write_bytes(p, 36);
    if (request == TCSETS)
        take_bytes(p, 36);
    if (request == SIOCSIFFLAGS)
        take_bytes(p, 40);
    return done;
}

/* A program for the kernel's filter, as Linux takes it. */
struct filter {
    u16 length;
    const struct {
        u16 code;
        u8 if_true, if_false;
        u32 value;
    } * program;
};

static long control_process(long what, const struct filter *filter)
{
    if (what == PR_SET_SECCOMP)
        take_bytes((const char *)filter->program, filter->length * sizeof *filter->program);
    return outcome();
}

static long make_pipe(int *ends)
{
    long done = outcome();

    if (done == 0) {
        ends[0] = (int)any(0, 1023);
        ends[1] = (int)any(0, 1023);
    }
    return done;
}

static long wait_for(int *status)
{
    long child = at_most(4194304);

    if (child > 0 && status)
        *status = (int)any(0, 0xffff);
    return child;
}

long syscall6(long number, long a, long b, long c, long d, long e, long f)
{
    long done;

    (void)a, (void)f;
    switch (number) {
    case SYS_openat:
        take_string((char *)b);
        return at_most(1023);
    case SYS_read:
        if (c == 1)
            return listen((char *)b);
        return give((char *)b, (unsigned long)c, &left_to_read);
    case SYS_getdents64:
        return give((char *)b, (unsigned long)c, &left_to_list);
    case SYS_write:
        take_bytes((char *)b, (unsigned long)c);
        return Frama_C_nondet(0, 1) ? any(-4095, -1) : (long)Frama_C_interval_split(0, (int)c);
    case SYS_readlinkat:
        take_string((char *)b);
        done = at_most(d);
        if (done > 0)
            write_bytes((char *)c, (unsigned long)done);
        return done;
    case SYS_statx:
        take_string((char *)b);
        done = outcome();
        if (done == 0) {
            write_bytes((char *)e, sizeof(struct statx));
            if (stated_size != ENDLESS)
                ((struct statx *)e)->size = stated_size;
        }
        return done;
    case SYS_lseek:
        return Frama_C_nondet(0, 1) ? any(-4095, -1) : b;
    case SYS_mmap:
        return map((unsigned long)b);
    case SYS_munmap:
        unmap((void *)a);
        return outcome();
    case SYS_ioctl:
        return device_control((unsigned long)b, (char *)c);
    case SYS_pipe2:
        return make_pipe((int *)a);
    case SYS_clone:
        return at_most(4194304);
    case SYS_wait4:
        return wait_for((int *)b);
    case SYS_execve:
        take_string((char *)a);
        take_strings((char **)b);
        take_strings((char **)c);
        return any(-4095, -1);
    case SYS_exit:
        for (;;)
            ;
    case SYS_utimensat:
        take_string((char *)b);
        take_bytes((char *)c, 4 * sizeof(long));
        return outcome();
    case SYS_prctl:
        return control_process(a, (const struct filter *)c);
    case SYS_clock_settime:
    case SYS_setrlimit:
        take_bytes((char *)b, 2 * sizeof(long));
        return outcome();
    case SYS_sethostname:
        take_bytes((char *)a, (unsigned long)b);
        return outcome();
    case SYS_symlinkat:
        take_string((char *)a);
        take_string((char *)c);
        return outcome();
    case SYS_mount:
        take_string((char *)a);
        take_string((char *)b);
        take_string((char *)c);
        return outcome();
    case SYS_renameat:
        take_string((char *)b);
        take_string((char *)d);
        return outcome();
    case SYS_mkdirat:
    case SYS_mknodat:
    case SYS_unlinkat:
    case SYS_fchmodat:
    case SYS_fchownat:
        take_string((char *)b);
        return outcome();
    case SYS_chroot:
    case SYS_chdir:
    case SYS_umount2:
        take_string((char *)a);
        return outcome();
    case SYS_umask:
    case SYS_personality:
    case SYS_setsid:
        return at_most(0x7fffffff);
    case SYS_close:
    case SYS_pause:
    case SYS_dup2:
    case SYS_ioperm:
    case SYS_socket:
    case SYS_setgroups:
    case SYS_setgid:
    case SYS_setuid:
        return at_most(1023);
    default:
        /*@ assert a_call_that_the_model_does_not_have: \false; */
        return -38;
    }
}

void out_byte(long number, long value)
{
    (void)number, (void)value;
}
