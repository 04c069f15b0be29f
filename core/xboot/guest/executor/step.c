/* One step: its root, its builder, its outputs (docs/contract.md, section 4.3).
 *
 * "Only the declared inputs are visible" needs no mounts: the store paths that a step may see are *moved* from the hidden
 * store into the step's root by rename, and moved back afterwards. The step's store folder is sticky and belongs to
 * root, as do the paths in it, so the builder (uid 1000) can add to the folder but neither move nor change what is
 * there. The builder is process 1 of its own PID namespace: when it ends the kernel kills everything it started, and
 * wait4 returns only then, so nothing is alive when outputs are looked at.
 */
#include "xboot.h"

#define ROOT          "/xboot/root"
#define UID           1000
#define GID           100
#define MAX_OUTPUT    (1u << 20) /* bytes that one step may print */
#define MAX_PROCESSES 1024       /* of one builder, where the kernel counts them */
#define DATE          1893456000 /* 2030-01-01 00:00:00 UTC: what every step's clock says at its begin (docs/contract.md) */

int hidden_store;

static int root, step_store;           /* folders of the current step */
static struct path **visible, **found; /* room for every path there is */
static unsigned visible_count;

/* ---- which paths the step sees */

static void show(struct path *path)
{
    if (path->visible)
        return;
    if (!path->present)
        fail("internal", "malformed script: an input that has not been built: ", path->path);
    path->visible = 1;
    visible[visible_count++] = path;
}

static void find_visible(const struct script *script, const struct step *step)
{
    unsigned i, j, room = script->source_count;

    if (!visible) {
        for (i = 0; i < script->step_count; i++)
            room += script->steps[i].output_count;
        visible = allocate(room * sizeof(struct path *));
        found = allocate(room * sizeof(struct path *));
    }
    visible_count = 0;
    for (i = 0; i < step->input_count; i++)
        show(step->inputs[i]);
    for (i = 0; i < visible_count; i++) /* grows while it is walked */
        for (j = 0; j < visible[i]->ref_count; j++)
            show(visible[i]->refs[j]);
}

static void move_store(int from, int to)
{
    unsigned i;

    for (i = 0; i < visible_count; i++)
        must(SYS4(SYS_renameat, from, visible[i]->name, to, visible[i]->name), "moving a store path", visible[i]->path);
}

/* ---- the root */

static void folder(int dir, const char *name, int mode)
{
    must(SYS3(SYS_mkdirat, dir, name, mode), "making a folder", name);
    must(SYS4(SYS_fchmodat, dir, name, mode, 0), "setting a mode", name);
}

static void device(const char *name, unsigned major, unsigned minor)
{
    must(SYS4(SYS_mknodat, root, name, S_IFCHR | 0666, major << 8 | minor), "making a device", name);
    must(SYS4(SYS_fchmodat, root, name, 0666, 0), "setting a mode", name);
}

static void make_devices(void)
{
    folder(root, "dev", 0755);
    folder(root, "dev/pts", 0755);
    device("dev/null", 1, 3);
    device("dev/zero", 1, 5);
    device("dev/full", 1, 7);
    device("dev/random", 1, 8);
    device("dev/urandom", 1, 9);
    device("dev/tty", 5, 0);
    folder(root, "dev/shm", 01777); /* shm_open and sem_open make files here */
    must(SYS3(SYS_symlinkat, "/dev/pts/ptmx", root, "dev/ptmx"), "making a link", "/dev/ptmx");
    must(SYS3(SYS_symlinkat, "/proc/self/fd", root, "dev/fd"), "making a link", "/dev/fd");
    must(SYS3(SYS_symlinkat, "/proc/self/fd/0", root, "dev/stdin"), "making a link", "/dev/stdin");
    must(SYS3(SYS_symlinkat, "/proc/self/fd/1", root, "dev/stdout"), "making a link", "/dev/stdout");
    must(SYS3(SYS_symlinkat, "/proc/self/fd/2", root, "dev/stderr"), "making a link", "/dev/stderr");
}

/* The store folder: its parents belong to root, so no builder can put another in its place. */
static void make_store(const char *store)
{
    char *part = join(store + 1, "", "");
    unsigned long i;

    for (i = 0; part[i]; i++)
        if (part[i] == '/') {
            part[i] = 0;
            folder(root, part, 0755);
            part[i] = '/';
        }
    folder(root, part, 01777);
    step_store = open_at(root, part, O_RDONLY | O_DIRECTORY);
    must(step_store, "opening the step's store", store);
}

static void write_file(const char *name, const void *data, unsigned long size)
{
    int fd;

    make_parents(root, name + 1);
    fd = open_at(root, name + 1, O_WRONLY | O_CREAT | O_EXCL);
    must(fd, "writing a file of the step", name);
    must(write_all(fd, data, size), "writing a file of the step", name);
    SYS1(SYS_close, fd);
    must(SYS4(SYS_fchmodat, root, name + 1, 0644, 0), "setting a mode", name);
    must(SYS5(SYS_fchownat, root, name + 1, UID, GID, AT_SYMLINK_NOFOLLOW), "setting an owner", name);
}

/* exportReferencesGraph: path, no deriver, number of references, references; for each path of the closure in order. */
static void write_graph(const struct graph *graph)
{
    struct mark mark = arena_mark();
    struct path **list = allocate((visible_count + 1) * sizeof(struct path *)), *p;
    unsigned i, j, n = 0;
    unsigned long size = 0;
    char *text, *at;

    for (i = 0; i < visible_count; i++)
        visible[i]->closure = 0;
    for (i = 0; i < graph->count; i++)
        if (!graph->paths[i]->visible)
            fail("internal", "malformed script: a graph of a path that is no input: ", graph->paths[i]->path);
        else if (!graph->paths[i]->closure++)
            list[n++] = graph->paths[i];
    for (i = 0; i < n; i++)
        for (j = 0; j < list[i]->ref_count; j++)
            if (!list[i]->refs[j]->closure++)
                list[n++] = list[i]->refs[j];
    for (i = 1; i < n; i++) {
        p = list[i];
        for (j = i; j > 0 && compare(list[j - 1]->path, p->path) > 0; j--)
            list[j] = list[j - 1];
        list[j] = p;
    }
    for (i = 0; i < n; i++) {
        size += length(list[i]->path) + 24;
        for (j = 0; j < list[i]->ref_count; j++)
            size += length(list[i]->refs[j]->path) + 1;
    }
    text = at = allocate(size);
    for (i = 0; i < n; i++) {
        struct path **refs = list[i]->refs;
        unsigned count = list[i]->ref_count;

        copy(at, list[i]->path, length(list[i]->path));
        at += length(list[i]->path);
        *at++ = '\n';
        *at++ = '\n';
        copy(at, decimal(count), length(decimal(count)));
        at += length(decimal(count));
        *at++ = '\n';
        for (j = 0; j < count; j++) {
            copy(at, refs[j]->path, length(refs[j]->path));
            at += length(refs[j]->path);
            *at++ = '\n';
        }
    }
    write_file(graph->file, text, (unsigned long)(at - text));
    arena_release(mark);
}

/* The same date for each step, whatever came before it, and later than any file that it may unpack. */
static void set_clock(void)
{
    long time[2] = {DATE, 0};

    must(SYS2(SYS_clock_settime, CLOCK_REALTIME, time), "setting the clock", "");
}

static void make_root(const struct script *script, const struct step *step)
{
    unsigned i;

    folder(AT_FDCWD, ROOT, 0755);
    root = open_at(AT_FDCWD, ROOT, O_RDONLY | O_DIRECTORY);
    must(root, "opening the step's root", ROOT);
    make_store(script->store);
    make_devices();
    folder(root, "proc", 0555);
    folder(root, "tmp", 01777);
    make_parents(root, step->cwd + 1);
    folder(root, step->cwd + 1, 0700);
    must(SYS5(SYS_fchownat, root, step->cwd + 1, UID, GID, AT_SYMLINK_NOFOLLOW), "setting an owner", step->cwd);
    move_store(hidden_store, step_store);
    for (i = 0; i < step->file_count; i++)
        write_file(step->files[i].name, step->files[i].data, step->files[i].size);
    for (i = 0; i < step->graph_count; i++)
        write_graph(&step->graphs[i]);
}

/* ---- the builder */

static void limit(int resource, unsigned long value)
{
    unsigned long both[2];

    both[0] = both[1] = value;
    SYS2(SYS_setrlimit, resource, both); /* a kernel without this limit has limits of its own */
}

static void try(long result, int status, const char *what)
{
    char *why;

    if (result >= 0)
        return;
    why = join(what, " failed with error ", decimal(0 - (u64)result));
    write_all(status, why, length(why));
    SYS1(SYS_exit, 127);
}

/* A network of the step's own leads nowhere, but it has a loopback, as nix's sandbox; a kernel without networks has none. */
static void raise_loopback(void)
{
    struct {
        char name[16];
        short flags;
        char rest[22];
    } request = {"lo", IFF_UP, ""};
    long fd = SYS3(SYS_socket, AF_INET, SOCK_DGRAM, 0);

    if (fd < 0)
        return;
    SYS3(SYS_ioctl, fd, SIOCSIFFLAGS, &request);
    SYS1(SYS_close, fd);
}

/* In the child, from clone to execve. What goes wrong is told through `status`, which execve closes. */
static void become_builder(const struct step *step, int console, int status)
{
    long got = SYS5(SYS_mount, "proc", ROOT "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, 0);
    int null;

    if (got != -ENODEV) /* a kernel may have no /proc */
        try(got, status, "mounting /proc");
    /* Terminals of the step's own, with nix's modes; they go with its last process. */
    got = SYS5(SYS_mount, "devpts", ROOT "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,mode=0620,ptmxmode=0666");
    if (got != -ENODEV) /* nor need it have terminals */
        try(got, status, "mounting /dev/pts");
    try(SYS1(SYS_chroot, ROOT), status, "chroot");
    try(SYS1(SYS_chdir, step->cwd), status, "entering the build directory");
    null = open_at(AT_FDCWD, "/dev/null", O_RDWR);
    try(null, status, "opening /dev/null");
    try(SYS2(SYS_dup2, null, 0), status, "dup2");
    try(SYS2(SYS_dup2, console, 1), status, "dup2");
    try(SYS2(SYS_dup2, console, 2), status, "dup2");
    /* so that the builder may open /dev/stdout and /dev/stderr anew; a kernel without /proc need not know this form */
    SYS5(SYS_fchownat, 1, "", UID, GID, AT_EMPTY_PATH);
    /* every other descriptor is closed by execve: all are opened with O_CLOEXEC */
    SYS0(SYS_setsid);
    SYS1(SYS_umask, 022);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NPROC, MAX_PROCESSES);
    try(SYS1(SYS_personality, ADDR_NO_RANDOMIZE | (equal(step->system, "i686-linux") ? PER_LINUX32 : 0)), status, "personality");
    try(SYS5(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), status, "giving up new privileges");
    got = filter_calls();
    if (got != -EINVAL) /* a kernel without filters */
        try(got, status, "filtering system calls");
    try(SYS2(SYS_setgroups, 0, 0), status, "setgroups");
    try(SYS1(SYS_setgid, GID), status, "setgid");
    try(SYS1(SYS_setuid, UID), status, "setuid");
    try(SYS3(SYS_execve, step->builder, step->argv, step->env), status, "execve");
}

/* To the console, as it comes, up to MAX_OUTPUT; the rest is read and dropped, so that no builder can fill the disk of
 * whoever watches, or make the run wait for a slow port.
 */
static void copy_output(int from)
{
    static char buffer[16384];
    unsigned left = MAX_OUTPUT;
    long got;

    while ((got = SYS3(SYS_read, from, buffer, sizeof buffer)) > 0 || got == -EINTR) {
        if (got <= 0 || !left)
            continue;
        if ((unsigned long)got > left)
            got = (long)left;
        write_all(1, buffer, (unsigned long)got);
        left -= (unsigned)got;
        if (!left)
            say("the builder printed more than 1 MiB; the rest is not shown", "", "");
    }
}

static void run_builder(const struct step *step)
{
    static const long own[] = {CLONE_NEWIPC | CLONE_NEWNET, CLONE_NEWNET, CLONE_NEWIPC, 0};
    static char why[512];
    unsigned i;
    int console[2], status[2], end = 0;
    long child, got, ended;

    must(SYS2(SYS_pipe2, console, O_CLOEXEC), "making a pipe", "");
    must(SYS2(SYS_pipe2, status, O_CLOEXEC), "making a pipe", "");
    /* IPC and network namespaces exist only in kernels that have IPC and networks to share. */
    child = -EINVAL;
    for (i = 0; i < sizeof own / sizeof own[0] && child == -EINVAL; i++)
        child = SYS5(SYS_clone, SIGCHLD | CLONE_NEWPID | own[i], 0, 0, 0, 0);
    must(child, "starting a process", step->builder);
    if (child == 0) {
        if (own[i - 1] & CLONE_NEWNET)
            raise_loopback();
        become_builder(step, console[1], status[1]);
    }
    SYS1(SYS_close, console[1]);
    SYS1(SYS_close, status[1]);
    got = SYS3(SYS_read, status[0], why, sizeof why - 1);
    SYS1(SYS_close, status[0]);
    copy_output(console[0]);
    SYS1(SYS_close, console[0]);
    while ((ended = SYS4(SYS_wait4, child, &end, 0, 0)) == -EINTR)
        ;
    must(ended, "waiting for the builder", step->builder); /* without an answer nothing says how it ended */
    while (SYS4(SYS_wait4, -1, 0, WNOHANG, 0) > 0)
        ;
    SYS2(SYS_umount2, ROOT "/proc", MNT_DETACH); /* nothing alive can be in it; without a /proc this answers an error */
    SYS2(SYS_umount2, ROOT "/dev/pts", MNT_DETACH);
    if (got > 0)
        fail("start", join("the builder could not be started: ", why, ": "), step->builder);
    if (end & 0x7f)
        fail("signal", join("the builder was killed by signal ", decimal((u64)(end & 0x7f)), ""), "");
    if (end)
        fail("exit", join("the builder ended with status ", decimal((u64)(end >> 8 & 0xff)), ""), "");
}

/* ---- the outputs */

static void check_fixed(const struct output *output, const char *nar_hash)
{
    char flat[65];
    struct statx st;
    const char *found = nar_hash;

    if (equal(output->fixed_mode, "flat")) {
        must(SYS5(SYS_statx, step_store, output->path->name, AT_SYMLINK_NOFOLLOW, STATX_BASIC, &st), "looking at an output", output->path->path);
        if ((st.mode & S_IFMT) != S_IFREG || st.mode & 0111)
            fail("output", "a flat fixed output must be a regular file that is not executable: ", output->path->path);
        hash_file(step_store, output->path->name, flat);
        found = flat;
    }
    if (!equal(found, output->fixed_hash))
        fail("output", join("the fixed hash differs: found ", found, ", at "), output->path->path);
}

static void take_output(const struct step *step, struct output *output, struct path **candidates, unsigned count)
{
    static struct hasher hasher, *h = &hasher;
    struct path *path = output->path;
    char hex[65];

    hasher_init(h, candidates, count);
    nar_write(step_store, path->name, &h->sink);
    path->ref_count = hasher_finish(h, hex, found);
    path->refs = allocate(path->ref_count * sizeof(struct path *));
    copy(path->refs, found, path->ref_count * sizeof(struct path *));
    if (output->fixed_hash)
        check_fixed(output, hex);
    report_output(step->number, output, hex, h->size);
    export_output(step->number, output, step_store);
}

static void take_outputs(const struct step *step)
{
    struct path **candidates = visible;
    unsigned i, count = visible_count;
    struct statx st;

    for (i = 0; i < step->output_count; i++) {
        if (SYS5(SYS_statx, step_store, step->outputs[i].path->name, AT_SYMLINK_NOFOLLOW, STATX_BASIC, &st) < 0)
            fail("output", "the builder did not make ", step->outputs[i].path->path);
        candidates[count++] = step->outputs[i].path;
    }
    /* All are put into their final form before one is hashed: outputs may share a file by hard links. */
    for (i = 0; i < step->output_count; i++)
        canonicalise(step_store, step->outputs[i].path->name);
    for (i = 0; i < step->output_count; i++)
        take_output(step, &step->outputs[i], candidates, count);
    for (i = 0; i < step->output_count; i++) {
        struct path *path = step->outputs[i].path;

        must(SYS4(SYS_renameat, step_store, path->name, hidden_store, path->name), "taking an output", path->path);
        path->present = 1;
    }
}

void run_step(const struct script *script, struct step *step)
{
    unsigned i;

    current_step = step->number;
    report_begin(step->number);
    say("step ", decimal(step->number), join(" ", step->drv, ""));
    find_visible(script, step);
    set_clock(); /* before anything of the step is made: nothing in it is in the future */
    make_root(script, step);
    run_builder(step);
    take_outputs(step);
    move_store(step_store, hidden_store);
    for (i = 0; i < visible_count; i++)
        visible[i]->visible = 0;
    SYS1(SYS_close, step_store);
    SYS1(SYS_close, root);
    remove_tree(AT_FDCWD, ROOT);
}
