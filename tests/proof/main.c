/* main: the executor from its start to its end, with a script of up to 3 bytes and two sources; the system calls answer anything.
 *
 * What other proofs are about (the channel, the script, walks, hashing, steps) stands here as functions that do no more than read what they get.
 */
#define start_c executor_start
#include EXECUTOR_FILE
#undef start_c

#include "linux.h"

#include "__fc_string_axiomatic.h"

int hidden_store;
unsigned current_step;

static struct path path[2];
static struct source sources[2];
static struct step steps[2];

void channel_open(const char *script_hash)
{
    length(script_hash);
}

void report_source(const char *name, const char *hex, u64 size)
{
    (void)size;
    length(name), length(hex);
}

void finish(void)
{
    for (;;)
        ;
}

void parse_script(struct script *script, char *text, unsigned long size)
{
    unsigned i;

    for (i = 0; i < size; i++)
        text[i] = 0;
    for (i = 0; i < 2; i++) {
        path[i].path = path[i].name = "a";
        sources[i].path = &path[i];
        sources[i].hash = "0";
    }
    script->sources = sources;
    script->source_count = (unsigned)Frama_C_interval_split(0, 2);
    script->steps = steps;
    script->step_count = (unsigned)Frama_C_interval_split(0, 2);
}

void run_step(const struct script *script, struct step *step)
{
    current_step = step->number + script->step_count;
}

void hasher_init(struct hasher *h, struct path **candidates, unsigned count)
{
    h->size = 0;
    h->candidates = candidates;
    h->count = count;
}

unsigned hasher_finish(struct hasher *h, char hex[65], struct path **found)
{
    (void)h, (void)found;
    Frama_C_make_unknown(hex, 64);
    hex[64] = 0;
    return 0;
}

void nar_write(int dir, const char *name, struct sink *sink)
{
    (void)dir, (void)sink;
    length(name);
}

int main(void)
{
    long stack[1];

    if (Frama_C_nondet(0, 1))
        stated_size = (unsigned long)Frama_C_interval_split(0, 3);
    else
        stated_size = 0x80000000;
    left_to_read = 4;
    executor_start(stack);
    return 0;
}
