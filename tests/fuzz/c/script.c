/* script: any bytes as the script. */
#include "fuzz.h"

#include EXECUTOR_FILE

void fail(const char *kind, const char *why, const char *name)
{
    length(kind), length(why), length(name);
    end_run();
}

static long answer(long number, long a, long b, long c, long d)
{
    (void)number, (void)a, (void)b, (void)c, (void)d;
    return 0;
}

static void target(void)
{
    struct script script;
    char *text = allocate(left);
    unsigned long size = left, i;

    reset(buckets, sizeof buckets);
    copy(text, input, left);
    parse_script(&script, text, size);
    for (i = 0; i < script.source_count; i++)
        if (find_path(script.sources[i].path->path) != script.sources[i].path)
            abort();
    for (i = 0; i < script.step_count; i++)
        if (script.steps[i].number != i + 1 || !script.steps[i].output_count || !script.steps[i].argv[0])
            abort();
}
