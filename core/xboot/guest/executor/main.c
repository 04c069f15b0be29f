/* The executor: process 1 of the guest. Reads the script, checks the sources, runs the steps, reports, ends the machine.
 *
 * Everything in order, nothing at the same time, no state outside memory and /xboot:
 *
 *   /xboot/script   what to do
 *   /xboot/store    the hidden store: sources, then also the outputs of finished steps
 *   /xboot/root     the current step's root; gone between steps
 *   /xboot/trash    while a step's root is removed
 */
#include "xboot.h"

static char *read_script(unsigned long *size)
{
    struct statx st;
    long got;
    unsigned long done = 0;
    char *text;
    int fd = open_at(AT_FDCWD, "/xboot/script", O_RDONLY);

    must(fd, "opening", "/xboot/script");
    must(SYS5(SYS_statx, AT_FDCWD, "/xboot/script", AT_SYMLINK_NOFOLLOW, STATX_BASIC, &st), "looking at", "/xboot/script");
    if (st.size > 0x7fffffff)
        fail("limit", "the script is 2 GiB or larger", "");
    *size = (unsigned long)st.size;
    text = allocate(*size);
    while (done < *size && (got = SYS3(SYS_read, fd, text + done, *size - done)) > 0)
        done += (unsigned long)got;
    if (done != *size)
        fail("internal", "the script cannot be read whole", "");
    SYS1(SYS_close, fd);
    return text;
}

static void check_sources(const struct script *script)
{
    struct source *source;
    struct hasher *h = allocate(sizeof *h);
    char hex[65];
    unsigned i;

    for (i = 0; i < script->source_count; i++) {
        source = &script->sources[i];
        hasher_init(h, NULL, 0);
        nar_write(hidden_store, source->path->name, &h->sink);
        hasher_finish(h, hex, NULL);
        if (!equal(hex, source->hash))
            fail("source", join("NAR SHA-256 is ", hex, " of "), source->path->path);
        report_source(source->path->path, hex, h->size);
        source->path->present = 1;
    }
}

/* Without this a builder could make hard links to files that are not its own. Kernels without the switch do not
 * permit it anyway; on Linux it is off at the start.
 */
static void protect_links(void)
{
    int fd;

    if (SYS3(SYS_mkdirat, AT_FDCWD, "/xboot/proc", 0700) < 0)
        return;
    if (SYS5(SYS_mount, "proc", "/xboot/proc", "proc", 0, 0) >= 0) {
        fd = open_at(AT_FDCWD, "/xboot/proc/sys/fs/protected_hardlinks", O_WRONLY);
        if (fd >= 0) {
            write_all(fd, "1", 1);
            SYS1(SYS_close, fd);
        }
        must(SYS2(SYS_umount2, "/xboot/proc", 0), "unmounting", "/proc");
    }
    must(SYS3(SYS_unlinkat, AT_FDCWD, "/xboot/proc", AT_REMOVEDIR), "removing", "/xboot/proc");
}

void start_c(long *stack)
{
    static struct script script;
    struct sha256 sha;
    unsigned long size;
    char *text, hex[65];
    unsigned i;

    (void)stack;
    SYS1(SYS_umask, 0);
    text = read_script(&size);
    sha256_init(&sha);
    sha256_update(&sha, text, size);
    sha256_hex(&sha, hex);
    say("script sha256 ", hex, "");
    channel_open(hex);
    parse_script(&script, text, size);
    SYS2(SYS_sethostname, "localhost", 9);
    protect_links();
    hidden_store = open_at(AT_FDCWD, "/xboot/store", O_RDONLY | O_DIRECTORY);
    must(hidden_store, "opening", "/xboot/store");
    check_sources(&script);
    for (i = 0; i < script.step_count; i++)
        run_step(&script, &script.steps[i]);
    current_step = 0;
    finish();
}
