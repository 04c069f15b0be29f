/* The script (docs/contract.md, sections 1 and 3), read strictly and whole before anything runs.
 *
 * Words, strings and numbers come from sexp.c. Every store path is checked to be STORE/NAME with a plain name, so that
 * NAME can be used as a file name without further thought.
 */
#include "xboot.h"

#define BUCKETS 4096

static char *store;
static unsigned long store_length;
static struct path *buckets[BUCKETS];

/* A path inside the step's root: absolute, no `.`, `..` or empty part. */
static char *inner_path(void)
{
    char *s = get_string(), *p = s;

    if (*p != '/' || !p[1] || length(s) > MAX_PATH)
        malformed("an absolute path");
    while (*p) {
        p++;
        if (*p == '/' || !*p || (p[0] == '.' && (p[1] == '/' || !p[1] || (p[1] == '.' && (p[2] == '/' || !p[2])))))
            malformed("a path without empty or dot parts");
        while (*p && *p != '/')
            p++;
    }
    return s;
}

/* the alphabet of nix32: digits and lower-case letters but e, o, t, u */
int is_hash_character(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z' && c != 'e' && c != 'o' && c != 't' && c != 'u');
}

static unsigned bucket_of(const char *name)
{
    unsigned h = 2166136261u;

    while (*name)
        h = (h ^ (u8)*name++) * 16777619u;
    return h % BUCKETS;
}

struct path *find_path(const char *path)
{
    struct path *p;

    if (!starts_with(path, store) || path[store_length] != '/')
        return NULL;
    for (p = buckets[bucket_of(path + store_length + 1)]; p; p = p->next)
        if (equal(p->path, path))
            return p;
    return NULL;
}

static struct path *new_path(void)
{
    char *s = get_string(), *name;
    struct path *p;
    unsigned i;

    if (!starts_with(s, store) || s[store_length] != '/' || find_path(s))
        malformed("a new store path");
    name = s + store_length + 1;
    for (i = 0; i < HASH_PART; i++)
        if (!is_hash_character(name[i]))
            malformed("a store path with a hash part in nix32");
    for (; name[i]; i++)
        if (name[i] == '/' || name[i] <= ' ' || name[i] > '~')
            malformed("a store path");
    if (i < HASH_PART + 2 || i > MAX_NAME || name[HASH_PART] != '-')
        malformed("a store path");
    p = allocate(sizeof *p);
    fill(p, 0, sizeof *p);
    p->path = s;
    p->name = name;
    i = bucket_of(name);
    p->next = buckets[i];
    buckets[i] = p;
    return p;
}

static struct path *known_path(void)
{
    struct path *p = find_path(get_string());

    if (!p)
        malformed("a store path that the script has named before");
    return p;
}

static void parse_argv(struct step *step)
{
    unsigned n = 0;

    open_clause("argv");
    do {
        GROW(step->argv, n);
        step->argv[n++] = get_string();
    } while (!next_is(')'));
    GROW(step->argv, n);
    step->argv[n] = NULL;
    expect(")");
}

static void parse_env(struct step *step)
{
    unsigned n = 0;
    char *name, *value, *p;

    open_clause("env");
    while (!next_is(')')) {
        expect("(");
        name = get_string();
        for (p = name; *p && *p != '='; p++)
            ;
        if (p == name || *p)
            malformed("a variable's name");
        value = get_string();
        expect(")");
        GROW(step->env, n);
        step->env[n++] = join(name, "=", value);
    }
    GROW(step->env, n);
    step->env[n] = NULL;
    expect(")");
}

static void parse_files(struct step *step)
{
    struct text *file;

    open_clause("files");
    while (!next_is(')')) {
        GROW(step->files, step->file_count);
        file = &step->files[step->file_count++];
        expect("(");
        file->name = inner_path();
        file->data = (u8 *)get_bytes(&file->size);
        expect(")");
    }
    expect(")");
    open_clause("graphs");
    while (!next_is(')')) {
        struct graph *graph;

        GROW(step->graphs, step->graph_count);
        graph = &step->graphs[step->graph_count++];
        fill(graph, 0, sizeof *graph);
        expect("(");
        graph->file = inner_path();
        while (!next_is(')')) {
            GROW(graph->paths, graph->count);
            graph->paths[graph->count++] = known_path();
        }
        expect(")");
    }
    expect(")");
}

static void parse_outputs(struct step *step)
{
    struct output *output;

    open_clause("outputs");
    while (!next_is(')')) {
        GROW(step->outputs, step->output_count);
        output = &step->outputs[step->output_count++];
        fill(output, 0, sizeof *output);
        expect("(");
        output->name = get_string();
        output->path = new_path();
        if (next_is('(')) {
            open_clause("fixed");
            output->fixed_mode = get_string();
            if (!equal(output->fixed_mode, "flat") && !equal(output->fixed_mode, "recursive"))
                malformed("flat or recursive");
            if (!equal(get_string(), "sha256"))
                malformed("sha256");
            output->fixed_hash = get_hash();
            expect(")");
        }
        expect(")");
    }
    if (!step->output_count)
        malformed("an output");
    expect(")");
}

static void parse_step(struct step *step, unsigned count)
{
    fill(step, 0, sizeof *step);
    open_clause("step");
    step->number = get_number();
    if (step->number != count + 1)
        malformed("steps numbered in order");
    step->drv = get_string();
    open_clause("system");
    step->system = get_string();
    expect(")");
    open_clause("builder");
    step->builder = get_string();
    expect(")");
    parse_argv(step);
    parse_env(step);
    open_clause("cwd");
    step->cwd = inner_path();
    expect(")");
    parse_files(step);
    open_clause("inputs");
    while (!next_is(')')) {
        GROW(step->inputs, step->input_count);
        step->inputs[step->input_count++] = known_path();
    }
    expect(")");
    parse_outputs(step);
    expect(")");
}

static void parse_source(struct source *source)
{
    fill(source, 0, sizeof *source);
    open_clause("source");
    source->path = new_path();
    open_clause("nar");
    if (!equal(get_string(), "sha256"))
        malformed("sha256");
    source->hash = get_hash();
    expect(")");
    open_clause("references");
    while (!next_is(')')) {
        GROW(source->refs, source->ref_count);
        source->refs[source->ref_count++] = get_string();
    }
    expect(")");
    expect(")");
}

/* References between sources may point forwards, so they are looked up when all sources are known. */
static void resolve(struct source *source)
{
    unsigned i;

    source->path->refs = allocate(source->ref_count * sizeof(struct path *));
    source->path->ref_count = source->ref_count;
    for (i = 0; i < source->ref_count; i++)
        if (!(source->path->refs[i] = find_path(source->refs[i])))
            fail("internal", "malformed script: a source refers to something that is no source: ", source->refs[i]);
}

void parse_script(struct script *script, char *text, unsigned long size)
{
    unsigned i;

    read_from(text, size);
    fill(script, 0, sizeof *script);
    open_clause("xboot-script");
    expect("1");
    open_clause("store");
    store = script->store = inner_path();
    store_length = length(store);
    expect(")");
    while (next_clause_is("source")) {
        GROW(script->sources, script->source_count);
        parse_source(&script->sources[script->source_count++]);
    }
    for (i = 0; i < script->source_count; i++)
        resolve(&script->sources[i]);
    while (next_clause_is("step")) {
        GROW(script->steps, script->step_count);
        parse_step(&script->steps[script->step_count], script->step_count);
        script->step_count++;
    }
    open_clause("result");
    while (!next_is(')'))
        known_path();
    expect(")");
    expect(")");
    expect_end();
}
