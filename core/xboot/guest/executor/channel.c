/* The result channel (docs/contract.md, section 5), the export window, and the end of the machine.
 *
 * The channel is the second serial port. Only this process can open it: builders have another uid and another root.
 */
#include "xboot.h"

#ifndef LINE
#define LINE (1 << 20) /* a proof about every line makes it small */
#endif

static int port = -1;
/* A page of its own: nothing else is written there, so that no builder's first moments, which share this process's memory, make a copy of it. */
static struct {
    char text[33], rest[4096 - 33];
} nonce __attribute__((aligned(4096)));
static char line[LINE];
static unsigned used;
static u64 export_base, export_size;
static char **export_paths;
static unsigned export_count;
unsigned current_step;

/* ---- writing: a line is gathered, then written at once */

static void add_byte(char c)
{
    if (used < LINE - 1)
        line[used++] = c;
}

static void add(const char *s)
{
    while (*s)
        add_byte(*s++);
}

static void add_escaped(const char *s)
{
    static const char digits[] = "0123456789abcdef";
    u8 c;

    while ((c = (u8)*s++)) {
        if (c == '\n') {
            add("\\n");
        } else if (c == '"' || c == '\\') {
            add_byte('\\');
            add_byte((char)c);
        } else if (c < ' ' || c > '~') {
            add("\\x");
            add_byte(digits[c >> 4]);
            add_byte(digits[c & 15]);
        } else {
            add_byte((char)c);
        }
    }
}

static void add_quoted(const char *s)
{
    add_byte('"');
    add_escaped(s);
    add_byte('"');
}

static void begin_line(const char *word)
{
    used = 0;
    add_byte('(');
    add(word);
    add_byte(' ');
    add_quoted(nonce.text);
}

static void add_string(const char *s)
{
    add_byte(' ');
    add_quoted(s);
}

static void add_number(u64 n)
{
    add_byte(' ');
    add(decimal(n));
}

/* The nonce stands in most lines: between them it stands in its own place alone. */
static void wipe_line(void)
{
    fill(line, 0, used);
}

static void end_line(void)
{
    add(")\n");
    write_all(port, line, used);
    wipe_line();
}

/* ---- the end */

/* A machine without an exit device goes on: whoever reads its console learns what it was to end with, and it stands still.
 * (Were this process to end, the kernel would panic, and a PC start again from the beginning.)
 */
static void no_exit(u8 byte)
{
    static const char digits[] = "0123456789abcdef";
    char text[] = "xboot: this machine has no exit device; it is halted. What it was to end with: ..\n";

    text[sizeof text - 4] = digits[byte >> 4];
    text[sizeof text - 3] = digits[byte & 15];
    write_all(1, text, sizeof text - 1);
    SYS1(SYS_pause, 0); /* for ever, since no signal is handled */
}

static void end_machine(int status)
{
    u8 byte = (u8)status;
    int fd;

    /* what was written must have left the ports before the machine is gone */
    SYS3(SYS_ioctl, port, TCSBRK, 1);
    SYS3(SYS_ioctl, 1, TCSBRK, 1);
    fd = open_at(AT_FDCWD, "/dev/port", O_WRONLY);
    if (fd >= 0 && SYS3(SYS_lseek, fd, 0xf4, 0) == 0xf4)
        SYS3(SYS_write, fd, &byte, 1);
    if (SYS3(SYS_ioperm, 0xf4, 4, 1) >= 0)
        out_byte(0xf4, status);
    no_exit(byte);
    SYS1(SYS_exit, 1); /* the kernel panics: not the success status either */
    for (;;)
        ;
}

/* Must not allocate: it is also called when memory has run out. */
void fail(const char *kind, const char *why, const char *name)
{
    if (port < 0 || !nonce.text[0]) {
        write_all(1, "xboot: ", 7);
        write_all(1, why, length(why));
        write_all(1, name, length(name));
        write_all(1, "\n", 1);
        end_machine(EXIT_PANIC);
    }
    begin_line("fail");
    add_number(current_step);
    add_byte(' ');
    add(kind);
    add(" \"");
    add_escaped(why);
    add_escaped(name);
    add_byte('"');
    end_line();
    end_machine(EXIT_FAIL);
}

void finish(void)
{
    begin_line("done");
    end_line();
    end_machine(EXIT_DONE);
}

/* ---- the start */

static void make_raw(int fd)
{
    struct {
        u32 iflag, oflag, cflag, lflag;
        u8 line, cc[19];
        u8 pad[24];
    } t;

    if (SYS3(SYS_ioctl, fd, TCGETS, &t) < 0)
        return; /* not a terminal: nothing would touch the bytes */
    t.iflag = t.oflag = t.lflag = 0;
    t.cflag = 0x1002 | 0x30 | 0x80 | 0x800; /* 115200 baud, 8 bits, receiver on, no modem lines */
    fill(t.cc, 0, sizeof t.cc);
    t.cc[6] = 1; /* read returns at every byte */
    SYS3(SYS_ioctl, fd, TCSETS, &t);
}

static void read_line(void)
{
    used = 0;
    do {
        if (used >= LINE - 1)
            fail("limit", "the host's line is longer than 1 MiB", "");
        if (SYS3(SYS_read, port, line + used, 1) == 1)
            used++;
    } while (!used || line[used - 1] != '\n');
    line[used] = 0;
}

static char *skip(char *p, const char *word)
{
    if (!starts_with(p, word))
        fail("internal", "the host's line is not what the contract says: ", word);
    return p + length(word);
}

static char *read_number(char *p, u64 *n)
{
    for (*n = 0; *p >= '0' && *p <= '9'; p++)
        *n = *n * 10 + (u64)(*p - '0');
    return p;
}

/* (run "NONCE" BASE SIZE PATH...) */
static void read_run(void)
{
    unsigned long size, i = 0;
    char *p, *s;

    read_line();
    p = skip(line, "(run ");
    s = read_string(&p, line + used, &size);
    for (i = 0; s && i < size && hex_digit(s[i]) >= 0; i++)
        ;
    if (i != 32 || size != 32)
        fail("internal", "the host's nonce is not 32 lower-case hex digits", "");
    copy(nonce.text, s, 32);
    p = read_number(skip(p, " "), &export_base);
    p = read_number(skip(p, " "), &export_size);
    if (export_size >= 1ul << 31)
        fail("limit", "the export window is 2 GiB or larger", "");
    export_paths = allocate(used * sizeof(char *) / 2);
    while (*p == ' ') {
        p++;
        if (!(s = read_string(&p, line + used, &size)))
            fail("internal", "the host's line has a malformed path", "");
        export_paths[export_count++] = join(s, "", "");
    }
    skip(p, ")\n");
    wipe_line();
}

void channel_open(const char *script_hash)
{
    port = open_at(AT_FDCWD, "/dev/ttyS1", O_RDWR | O_NOCTTY);
    if (port < 0)
        fail("internal", "the result channel cannot be opened", "");
    make_raw(port);
    write_all(port, "(xboot 1)\n", 10);
    read_run();
    begin_line("hello");
    add_string(script_hash);
    end_line();
}

/* ---- reports */

void report_source(const char *path, const char *hex, u64 size)
{
    begin_line("source");
    add_string(path);
    add_string("sha256");
    add_string(hex);
    add_number(size);
    end_line();
}

void report_begin(unsigned step)
{
    begin_line("begin");
    add_number(step);
    end_line();
}

void report_output(unsigned step, const struct output *output, const char *hex, u64 size)
{
    unsigned i;

    begin_line("output");
    add_number(step);
    add_string(output->name);
    add_string("sha256");
    add_string(hex);
    add_number(size);
    add(" (");
    for (i = 0; i < output->path->ref_count; i++) {
        if (i)
            add_byte(' ');
        add_quoted(output->path->refs[i]->path);
    }
    add_byte(')');
    if (used >= LINE - 3)
        fail("limit", "the references of an output do not fit into a line of 1 MiB: ", output->path->path);
    end_line();
}

/* ---- export: the NAR once more, through a window of memory that the kernel does not use */

static struct {
    struct sink sink;
    u8 *window;
    u64 offset;
    unsigned long fill;
    unsigned step;
    const char *name;
} out;

static void hand_over(void)
{
    begin_line("export");
    add_number(out.step);
    add_string(out.name);
    add_number(out.offset);
    add_number(out.fill);
    end_line();
    read_line();
    if (!equal(line, "(ack)\n"))
        fail("internal", "the host did not acknowledge an export", "");
    out.offset += out.fill;
    out.fill = 0;
}

static void export_put(struct sink *sink, const void *data, unsigned long n)
{
    const u8 *p = data;
    unsigned long part;

    (void)sink;
    while (n) {
        part = (unsigned long)export_size - out.fill;
        if (n < part)
            part = n;
        copy(out.window + out.fill, p, part);
        out.fill += part;
        p += part;
        n -= part;
        if (out.fill == (unsigned long)export_size)
            hand_over();
    }
}

static void map_window(void)
{
    long got;
    int fd = open_at(AT_FDCWD, "/dev/mem", O_RDWR);

    must(fd, "opening /dev/mem", "");
    /* i386 counts the offset in pages */
    got = syscall6(SYS_mmap, 0, (long)export_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (long)NR(export_base, export_base >> 12));
    if (got < 0 && got > -4096)
        must(got, "mapping the export window", "");
    SYS1(SYS_close, fd);
    out.window = (u8 *)got;
}

void export_output(unsigned step, const struct output *output, int dir)
{
    unsigned i;

    for (i = 0; i < export_count && !equal(export_paths[i], output->path->path); i++)
        ;
    if (i == export_count || !export_size)
        return;
    if (!out.window)
        map_window();
    out.sink.put = export_put;
    out.offset = out.fill = 0;
    out.step = step;
    out.name = output->name;
    nar_write(dir, output->path->name, &out.sink);
    if (out.fill)
        hand_over();
}
