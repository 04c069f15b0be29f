/* step: two steps of a script, whatever the system calls answer.
 *
 * Four store paths that refer to each other and to themselves, up to two inputs and two outputs, of all kinds; a file, a graph of
 * references, an argument, a variable. That a walk writes no more than it has room for is what `nar-*` is about, that of lines `channel-*`.
 */
#include EXECUTOR_FILE

#include "linux.h"

#include "__fc_string_axiomatic.h"

#define PATHS 4

static char names[PATHS][6] = {"/s/a", "/s/bc", "/s/d", "/s/ef"}, some_bytes[2];
static struct path path[PATHS];
static struct path *all[] = {&path[0], &path[1], &path[2], &path[3]};
static char *argv[] = {"builder", NULL}, *env[] = {"A=b", NULL};
static struct text file = {"/b/c", (u8 *)some_bytes, 0};
static struct path *behind_first[] = {&path[1], &path[0], &path[1]}; /* not in order, one of them twice */
static struct graph graph = {"/g", behind_first, 0};
static struct output outputs[2];
static struct source sources[2];
static struct step steps[2];

unsigned current_step;

void report_begin(unsigned step)
{
    (void)step;
}

void report_output(unsigned step, const struct output *output, const char *hex, u64 size)
{
    unsigned i;

    (void)step, (void)size;
    length(output->name), length(hex);
    for (i = 0; i < output->path->ref_count; i++)
        length(output->path->refs[i]->path);
}

void export_output(unsigned step, const struct output *output, int dir)
{
    (void)step, (void)dir;
    length(output->path->path);
}

void canonicalise(int dir, const char *name)
{
    (void)dir;
    length(name);
}

void nar_write(int dir, const char *name, struct sink *sink)
{
    (void)dir, (void)sink;
    length(name);
}

void hash_file(int dir, const char *name, char hex[65])
{
    (void)dir;
    length(name);
    Frama_C_make_unknown(hex, 64);
    hex[64] = 0;
}

void hasher_init(struct hasher *h, struct path **candidates, unsigned count)
{
    h->size = 0;
    h->candidates = candidates;
    h->count = count;
}

unsigned hasher_finish(struct hasher *h, char hex[65], struct path **found)
{
    unsigned i, n = Frama_C_interval_split(0, 1) ? h->count : 0;

    for (i = 0; i < n; i++)
        found[i] = h->candidates[i];
    Frama_C_make_unknown(hex, 64);
    hex[64] = 0;
    return n;
}

static struct script script = {"/s/t", sources, 2, steps, 2};

static void describe(struct step *step, unsigned number)
{
    step->number = number;
    step->drv = step->builder = "/s/x";
    step->system = Frama_C_nondet(0, 1) ? "i686-linux" : "x86_64-linux";
    step->cwd = "/b";
    step->argv = argv;
    step->env = env;
    step->files = &file;
    step->file_count = 1;
    step->graphs = &graph;
    step->graph_count = 1;
    step->inputs = all;
    step->input_count = 1;
    step->outputs = &outputs[number - 1];
    step->output_count = 1;
}

static void set_up(void)
{
    unsigned i;

    Frama_C_make_unknown(some_bytes, sizeof some_bytes);
    for (i = 0; i < PATHS; i++) {
        path[i].path = names[i];
        path[i].name = names[i] + 3;
    }
    path[0].refs = &all[1];
    path[0].ref_count = 1;
    path[1].refs = all;
    path[1].ref_count = 2;
    path[0].present = path[1].present = 1;
    file.size = (unsigned long)Frama_C_interval(0, 2);
    graph.count = 1;
    for (i = 0; i < 2; i++) {
        outputs[i].name = "out";
        outputs[i].path = &path[2 + i];
    }
    outputs[1].fixed_mode = Frama_C_nondet(0, 1) ? "flat" : "recursive";
    outputs[1].fixed_hash = "0";
    left_to_read = ENDLESS;
    describe(&steps[0], 1);
    describe(&steps[1], 2);
}

/* Two inputs or none, one of which may not be there; any number of paths in a graph. */
static void a_graph(void)
{
    steps[0].input_count = 2 * (unsigned)Frama_C_interval_split(0, 1);
    path[0].present = Frama_C_interval(0, 1);
    path[1].ref_count = 2 * (unsigned)Frama_C_interval_split(0, 1);
    graph.paths = Frama_C_interval_split(0, 1) ? all : behind_first;
    graph.count = (unsigned)Frama_C_interval_split(0, 3);
    find_visible(&script, &steps[0]);
    write_graph(&graph);
}

static void a_builder(void)
{
    run_builder(&steps[0]);
}

static void two_outputs(void)
{
    steps[0].output_count = 2;
    find_visible(&script, &steps[0]);
    take_outputs(&steps[0]);
}

static void two_steps(void)
{
    run_step(&script, &steps[0]);
    run_step(&script, &steps[1]);
}

int main(void)
{
    set_up();
    CASE();
    return 0;
}
