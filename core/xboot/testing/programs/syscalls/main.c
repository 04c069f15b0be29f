/* main.c: the syscall conformance program.

   Static, freestanding, for i386 and x86_64 (wide.h). Makes the system calls that builders make, with their error cases, and prints one line for each check: what was asked and what the
   kernel answered. Nothing in it judges: the same binary runs on Linux and on every other kernel, and the outputs are compared line by line. So a line holds
   only what every correct kernel must answer alike: error numbers and contents, never process numbers, dates, or addresses.

   One file for each section, NAME.c, and beside it in NAME.txt what Linux answers; `SYSTEM | LINE | REASON` is a line of one system alone. To add a section: write both files, include NAME.c below and call its function
   in start_c at the same place of the order. A section leaves the working directory and the descriptors as it found them.

   Runs as the builder does (not root), in an empty working directory that it may write to. "syscalls exec" and "syscalls ARG" are its own children.
   One compilation of main.c, with gcc or TCC for the system: -nostdlib -static -ffreestanding. */

#include "common.h"

#include "files.c"
#include "vectors.c"
#include "descriptors.c"
#include "names.c"
#include "at.c"
#include "places.c"
#include "listing.c"
#include "status.c"
#include "pipes.c"
#include "signals.c"
#include "memory.c"
#include "processes.c"
#include "clocks.c"
#include "devices.c"
#include "rare.c"

void start_c(word *stack)
{
    char **argv = (char **)(stack + 1), **envp = argv + stack[0] + 1;

    self = argv[0];
    if (stack[0] == 2 && same(argv[1], "exec", 5)) /* the child of "exec" */
        sys(EXIT, envp[0] && same(envp[0], "HOME=/nowhere", 14) && !envp[1] && same(argv[0], "syscalls", 9) ? 42 : 1);
    if (stack[0] == 4 && same(argv[1], "script", 7)) /* self script ./script y */
        sys(EXIT, same(argv[2], "./script", 9) && same(argv[3], "y", 2) ? 43 : 2);
    for (int fd = 3; fd < 64; fd++)
        sys(CLOSE, fd);
    sys(UMASK, 022);
    files();
    vectors();
    descriptors();
    names();
    at_names();
    places();
    listing();
    status();
    pipes();
    signals();
    memory();
    processes();
    clocks();
    devices();
    rare();
    put("# end\n");
    sys(EXIT_GROUP, 0);
}
