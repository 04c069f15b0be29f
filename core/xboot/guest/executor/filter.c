/* The filter of a builder's system calls, that of nix's sandbox: a mode that would make a program run with its owner's
 * powers answers EPERM, setting an extended attribute answers ENOTSUP. No output can have either; with the filter every
 * kernel says so in the same words. It is a program for Linux's filter machine (classic BPF), and holds for both
 * architectures.
 */
#include "xboot.h"

struct instruction {
    u16 code;
    u8 if_true, if_false; /* instructions to skip */
    u32 value;
};

/* A word of what the kernel shows of a call: its number at 0, the architecture at 4, arguments of 8 bytes from 16 on. */
#define LOAD(offset)       \
    {                      \
        0x20, 0, 0, offset \
    }
#define UNLESS(value, skip)  \
    {                        \
        0x15, 0, skip, value \
    }
#define UNLESS_ANY(bits) \
    {                    \
        0x45, 0, 1, bits \
    }
#define ANSWER(what)     \
    {                    \
        0x06, 0, 0, what \
    }

#define ALLOW   0x7fff0000
#define ERROR   0x00050000
#define EPERM   1
#define ENOTSUP 95
#define POWERS  06000 /* set-user-id and set-group-id */
#define X86_64  0xc000003e
#define I386    0x40000003

#define MODE_OF(machine, number, argument) \
    LOAD(4), UNLESS(machine, 5), LOAD(0), UNLESS(number, 3), LOAD(16 + 8 * (argument)), UNLESS_ANY(POWERS), ANSWER(ERROR | EPERM)
#define NONE_OF(machine, number) LOAD(4), UNLESS(machine, 3), LOAD(0), UNLESS(number, 1), ANSWER(ERROR | ENOTSUP)

static const struct instruction program[] = {
    MODE_OF(X86_64, 90, 1),
    MODE_OF(I386, 15, 1), /* chmod */
    MODE_OF(X86_64, 91, 1),
    MODE_OF(I386, 94, 1), /* fchmod */
    MODE_OF(X86_64, 268, 2),
    MODE_OF(I386, 306, 2), /* fchmodat */
    MODE_OF(X86_64, 452, 2),
    MODE_OF(I386, 452, 2), /* fchmodat2 */
    NONE_OF(X86_64, 188),
    NONE_OF(I386, 226), /* setxattr */
    NONE_OF(X86_64, 189),
    NONE_OF(I386, 227), /* lsetxattr */
    NONE_OF(X86_64, 190),
    NONE_OF(I386, 228), /* fsetxattr */
    NONE_OF(X86_64, 463),
    NONE_OF(I386, 463), /* setxattrat */
    ANSWER(ALLOW),
};

/* For this process and all that come from it, for good. Answers the kernel's error; -EINVAL: it has no filters. */
long filter_calls(void)
{
    struct {
        u16 length;
        const struct instruction *program;
    } filter = {sizeof program / sizeof program[0], program};

    return SYS3(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}
