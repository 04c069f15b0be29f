/* channel: a host that says anything on the result channel: the run line, then acknowledgements of an export. */
#include "fuzz.h"

#define fail channel_fail /* which would end the machine */
#include EXECUTOR_FILE
#undef fail

static u8 exported[1 << 16];

void fail(const char *kind, const char *why, const char *name)
{
    length(kind), length(why), length(name);
    end_run();
}

static long answer(long number, long a, long b, long c, long d)
{
    (void)a, (void)d;
    switch (number) {
    case SYS_read:
        if (!left)
            end_run();
        *(u8 *)b = take();
        return 1;
    case SYS_write:
        return c;
    case SYS_mmap:
        return b <= (long)sizeof exported ? (long)exported : -12;
    case SYS_exit:
        end_run();
        return 0;
    default:
        return 3;
    }
}

void nar_write(int dir, const char *name, struct sink *sink)
{
    static const u8 bytes[100];
    int i;

    (void)dir, (void)name;
    for (i = 0; i < 10; i++)
        sink->put(sink, bytes, sizeof bytes);
}

static void target(void)
{
    static char store[] = "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-name";
    struct path path;
    struct output output;

    port = -1;
    used = export_count = 0;
    export_base = export_size = 0;
    reset(&nonce, sizeof nonce);
    reset(&out, sizeof out);
    reset(&path, sizeof path);
    path.path = store;
    path.name = store + 11;
    output.name = "out";
    output.path = &path;
    channel_open("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    report_source(store, nonce.text, 1);
    report_begin(1);
    report_output(1, &output, nonce.text, 1000);
    export_output(1, &output, 3);
    if (take() & 1)
        finish();
    channel_fail("output", "why", store);
}
