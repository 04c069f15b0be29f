/* main.c: sequences of system calls, drawn from seeds: `sequences FIRST COUNT` prints a line for each seed, with a hash of all that its sequence told, and
   `sequences FIRST COUNT tell` what that was. On every correct kernel the same.

   A sequence is a process of its own, in a folder of its own (/build/w/x); it draws a step, does it, tells what came of it, and at last tells all that is left in
   the folder. `sequences FIRST COUNT plant N` says of seed N something else than what was answered: so the comparison can be tested. */

#include "draw.h"

#define STEPS 60

enum { FUTEX = 240 };

#include "memory.c"
#include "files.c"
#include "channels.c"
#include "signals.c"
#include "processes.c"

static const struct { u32 weight; void (*run)(void); } kinds[] = {
    { 12, op_open }, { 4, op_close }, { 4, op_dup }, { 3, op_flags }, { 8, op_read }, { 10, op_write }, { 3, op_seek }, { 4, op_truncate }, { 2, op_fallocate },
    { 2, op_copy }, { 8, op_make }, { 4, op_remove }, { 5, op_rename }, { 4, op_mode }, { 5, op_status }, { 1, op_times }, { 2, op_folder }, { 3, op_lock },
    { 2, op_other_files }, { 2, op_list },
    { 8, op_mmap }, { 2, op_munmap }, { 3, op_mprotect }, { 2, op_mremap }, { 1, op_madvise }, { 1, op_msync }, { 4, op_peek }, { 6, op_poke }, { 3, op_by_kernel },
    { 2, look_at_arena },
    { 3, op_pipe }, { 3, op_socket }, { 3, op_message }, { 2, op_pass }, { 4, op_ready },
    { 2, op_action }, { 3, op_mask }, { 2, op_pending }, { 4, op_kill }, { 1, op_stack },
    { 3, op_fork }, { 1, op_exec }, { 5, op_partner }, { 1, op_kill_parent }, { 4, op_thread },
};

static void steps(u32 count)
{
    u32 all = 0, i, n;

    for (i = 0; i < sizeof kinds / sizeof *kinds; i++)
        all += kinds[i].weight;
    while (count--) {
        n = draw(all);
        for (i = 0; n >= kinds[i].weight; i++)
            n -= kinds[i].weight;
        kinds[i].run();
    }
}

static void sequence(void)
{
    u32 i;

    static const char *const files[] = { "a", "b", "d/a", "d/e/a", "e/b" };
    int fd, n;

    depth = 0;
    opened = 1; /* /dev/null */
    begin_signals();
    sys(CLOSE, 0); /* with flags of its own */
    sys(OPEN, "/dev/null", O_RDWR);
    sys(MKDIR, "/build/w", 0755);
    sys(MKDIR, "/build/w/x", 0755);
    sys(CHDIR, "/build/w/x");
    sys(MKDIR, "d", 0755); /* so that there is something to find */
    sys(MKDIR, "e", 0755);
    sys(MKDIR, "d/e", 0755);
    for (i = 0; i < 5; i++) {
        fd = sys(OPEN, files[i], O_RDWR | O_CREAT, 0644);
        fill_buffer(n = any_size());
        tell("%s %d = %d", files[i], n, sys(WRITE, fd, buffer, n));
        if (i < 2)
            opens(fd);
        else
            sys(CLOSE, fd);
    }
    op_mmap();
    op_pipe();
    steps(STEPS);
    for (i = 0; i < PARTNERS; i++)
        if (partners[i])
            end_partner(i);
    look_at_arena();
    walk(AT_FDCWD, "/build/w", 0);
    sys(EXIT_GROUP, 0);
}

static void run_seed(u32 seed, int tells, int planted)
{
    u32 hash = EMPTY, total = 0;
    int p[2], pid, status = -1, r;
    char line[60];

    sys(PIPE, p);
    pid = sys(FORK);
    if (!pid) {
        sys(DUP2, p[1], TELLS);
        sys(CLOSE, p[0]);
        sys(CLOSE, p[1]);
        state = (seed * 2654435761u) | 1;
        for (r = 0; r < 16; r++)
            draw(2);
        sequence();
    }
    sys(CLOSE, p[1]);
    while ((r = sys(READ, p[0], buffer, sizeof buffer)) > 0) {
        if (planted && !total)
            buffer[r / 2] ^= 1;
        hash = hash_of(buffer, (u32)r, hash);
        total += (u32)r;
        if (tells)
            sys(WRITE, 1, buffer, r);
    }
    sys(CLOSE, p[0]);
    sys(WAIT4, pid, &status, 0, 0);
    status &= ~0x80;
    hash = hash_of(&status, 4, hash);
    while (sys(WAIT4, -1, &status, 0, 0) > 0) /* partners of one who was killed */
        ;
    remove_tree(AT_FDCWD, "/build/w", 0);
    r = (int)put_digits(line, seed, 10);
    line[r++] = ' ';
    r += (int)put_digits(line + r, hash, 16);
    line[r++] = ' ';
    r += (int)put_digits(line + r, total, 10);
    line[r++] = '\n';
    sys(WRITE, 1, line, r);
}

void start_c(u32 *stack)
{
    char **argv = (char **)(stack + 1);
    u32 first, count, plant = ~0u;
    int fd;

    self = argv[0];
    if (stack[0] == 4 && same(argv[1], "-x", 3))
        goes_on(argv);
    if (stack[0] < 3) {
        put("sequences FIRST COUNT [tell | plant N]\n");
        sys(EXIT_GROUP, 2);
    }
    for (fd = 3; fd < 64; fd++)
        sys(CLOSE, fd);
    sys(UMASK, 022);
    first = to_number(argv[1]);
    count = to_number(argv[2]);
    if (stack[0] == 5)
        plant = to_number(argv[4]);
    for (; count--; first++)
        run_seed(first, stack[0] == 4, first == plant);
    sys(EXIT_GROUP, 0);
}
