/* channel: a host that begins as is said here, goes on with any bytes, and ends its line or not; and every line that the guest writes. */
#include EXECUTOR_FILE

#include "linux.h"

#define MORE  2 /* any bytes */
#define NONCE "(run \"0123456789abcdef0123456789abcde"
#define RUN   NONCE "f\" 4096 4096"

static u8 window[2];
static char some[3][3];

long map(unsigned long size)
{
    (void)size;
    return Frama_C_nondet(0, 1) ? Frama_C_long_interval(-4095, -1) : (long)window;
}

void unmap(void *memory)
{
    (void)memory;
}

/* What `nar` proves about nar_write stands for it here. */
void nar_write(int dir, const char *name, struct sink *sink)
{
    static const u8 bytes[3];
    int i;

    (void)dir, (void)name;
    for (i = 0; i < 2; i++)
        sink->put(sink, bytes, (unsigned long)Frama_C_interval_split(0, sizeof bytes));
}

static void host(const char *first, unsigned long more, const char *last)
{
    said = first;
    left_to_read = more;
    said_last = last;
}

static void a_run_line(void)
{
    static const char *const first[] = {"", "(run ", NONCE, NONCE "f\"", RUN, RUN " \"/", RUN, NONCE "f\" 0 99999999999"};
    static char long_line[LINE + 1];
    int i = Frama_C_interval_split(0, sizeof first / sizeof *first);

    fill(long_line, 'x', LINE);
    if (i == sizeof first / sizeof *first)
        host(long_line, 0, "");
    else
        host(first[i], MORE, i == 2 ? "\" 0 0)\n" : i == 6 ? " \"/a\")\n"
                                                           : ")\n");
    channel_open("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
}

static void set_up(void)
{
    int i;

    for (i = 0; i < 3; i++) {
        Frama_C_make_unknown(some[i], 2);
    }
    port = Frama_C_interval(-1, 1023);
    used = (unsigned)Frama_C_interval(0, LINE - 1);
    if (Frama_C_nondet(0, 1))
        fill(nonce.text, '0', 32);
}

static struct path path[2];
static struct path *refs[2] = {&path[0], &path[1]};
static struct output output;

static void a_report(void)
{
    u64 n;

    Frama_C_make_unknown((char *)&n, sizeof n);
    Frama_C_make_unknown((char *)&current_step, sizeof current_step);
    set_up();
    path[0].path = some[0];
    path[1].path = some[1];
    path[0].name = "name";
    path[0].refs = refs;
    path[0].ref_count = (unsigned)Frama_C_interval_split(0, 2);
    output.name = some[2];
    output.path = &path[0];
    switch (Frama_C_interval_split(0, 5)) {
    case 0:
        report_source(some[0], some[1], n);
        break;
    case 1:
        report_begin(current_step);
        break;
    case 2:
        report_output(current_step, &output, some[1], n);
        break;
    case 3:
        fail("kind", some[0], some[1]);
        break;
    case 4:
        finish();
        break;
    default:
        fill(some, 'x', 2);
        path[0].path = path[1].path = "a path, and too long for the line with what else stands there, which is all that this is about: a hundred bytes and more";
        report_output(current_step, &output, some[1], n);
    }
}

static void an_export(void)
{
    static char *exported[] = {"/other", "/this"};

    set_up();
    path[0].path = Frama_C_nondet(0, 1) ? "/this" : "/that";
    path[0].name = "name";
    output.name = "out";
    output.path = &path[0];
    export_paths = exported;
    export_count = 2;
    export_size = (u64)Frama_C_interval_split(0, sizeof window);
    Frama_C_make_unknown((char *)&export_base, sizeof export_base);
    host(Frama_C_nondet(0, 1) ? "(ack)\n(ack)\n(ack)\n(ack)\n(ack)\n(ack)\n" : "(ack)", 1, "\n");
    export_output(current_step, &output, 3);
    export_output(current_step, &output, 3);
}

int main(void)
{
    CASE();
    return 0;
}
