/* The script (docs/contract.md, sections 1 and 3), read strictly and whole before anything runs.
 *
 * Strings are decoded where they stand, so the text is written over; its SHA-256 has been taken before. Every store
 * path is checked to be STORE/NAME with a plain name, so that NAME can be used as a file name without further thought.
 */
#include "xboot.h"

#define BUCKETS 4096
#define MAX_STEPS 1000000u

static char *at, *end;
static char *store;
static unsigned long store_length;
static struct path *buckets[BUCKETS];

static void bad(const char *expected)
{
        static char near[48];
        unsigned i;

        for (i = 0; i < sizeof near - 1 && at + i < end; i++)
                near[i] = at[i] >= ' ' && at[i] < 127 ? at[i] : ' ';
        near[i] = 0;
        fail("internal", join("malformed script: expected ", expected, " at: "), near);
}

static void space(void)
{
        while (at < end && (*at == ' ' || *at == '\n'))
                at++;
}

static int next_is(char c)
{
        space();
        return at < end && *at == c;
}

static void expect(const char *token)
{
        space();
        if (end - at < (long)length(token) || !starts_with(at, token))
                bad(token);
        at += length(token);
}

/* `(word`, and nothing that merely starts so */
static void open_clause(const char *word)
{
        expect("(");
        expect(word);
        if (at < end && *at != ' ' && *at != '\n' && *at != ')')
                bad(word);
}

int hex_digit(char c)
{
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *read_string(char **cursor, unsigned long *size)
{
        char *p = *cursor, *start, *out;
        int high, low;
        u8 c;

        if (*p++ != '"')
                return NULL;
        for (start = out = p; *p != '"'; ) {
                if (*p < ' ' || *p > '~')
                        return NULL;
                if (*p != '\\') {
                        *out++ = *p++;
                        continue;
                }
                p++;
                if (*p == 'n' || *p == '"' || *p == '\\') {
                        *out++ = *p == 'n' ? '\n' : *p;
                        p++;
                } else if (*p == 'x' && (high = hex_digit(p[1])) >= 0 && (low = hex_digit(p[2])) >= 0) {
                        c = (u8)(high << 4 | low);
                        if (c == '\n' || (c >= ' ' && c <= '~'))
                                return NULL;    /* there is one way to write each string, and this is not it */
                        *out++ = (char)c;
                        p += 3;
                } else {
                        return NULL;
                }
        }
        *cursor = p + 1;
        *size = (unsigned long)(out - start);
        *out = 0;               /* at the latest where the closing quote stood */
        return start;
}

static char *bytes(unsigned long *size)
{
        char *s;

        space();
        if (at >= end || !(s = read_string(&at, size)))
                bad("a string");
        return s;
}

static char *string(void)
{
        unsigned long size;
        char *s = bytes(&size);

        if (length(s) != size)
                bad("a string without NUL");
        return s;
}

static char *hash(void)
{
        char *s = string();
        int i;

        for (i = 0; i < 64 && hex_digit(s[i]) >= 0; i++)
                ;
        if (i != 64 || s[64])
                bad("a SHA-256 in hex");
        return s;
}

static unsigned number(void)
{
        unsigned n = 0;

        space();
        if (at >= end || *at < '1' || *at > '9')
                bad("a number");
        for (; at < end && *at >= '0' && *at <= '9'; at++) {
                n = 10 * n + (unsigned)(*at - '0');
                if (n > MAX_STEPS)
                        bad("a number of steps up to 1000000");
        }
        return n;
}

/* A path inside the step's root: absolute, no `.`, `..` or empty part. */
static char *inner_path(void)
{
        char *s = string(), *p = s;

        if (*p != '/' || !p[1] || length(s) > MAX_PATH)
                bad("an absolute path");
        while (*p) {
                p++;
                if (*p == '/' || !*p || (p[0] == '.' && (p[1] == '/' || !p[1] || (p[1] == '.' && (p[2] == '/' || !p[2])))))
                        bad("a path without empty or dot parts");
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
        char *s = string(), *name;
        struct path *p;
        unsigned i;

        if (!starts_with(s, store) || s[store_length] != '/' || find_path(s))
                bad("a new store path");
        name = s + store_length + 1;
        for (i = 0; i < HASH_PART; i++)
                if (!is_hash_character(name[i]))
                        bad("a store path with a hash part in nix32");
        for (; name[i]; i++)
                if (name[i] == '/' || name[i] <= ' ' || name[i] > '~')
                        bad("a store path");
        if (i < HASH_PART + 2 || i > MAX_NAME || name[HASH_PART] != '-')
                bad("a store path");
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
        struct path *p = find_path(string());

        if (!p)
                bad("a store path that the script has named before");
        return p;
}

/* Lists of unknown length: count by reading into a growing array. */
static void *grown(void *array, unsigned count, unsigned long item)
{
        void *bigger;

        if (count & (count - 1))        /* room was made for the next power of two */
                return array;
        bigger = allocate((count ? 2ul * count : 1) * item);
        copy(bigger, array, count * item);
        return bigger;
}
#define GROW(array, count) ((array) = grown((array), (count), sizeof *(array)))

static void parse_argv(struct step *step)
{
        unsigned n = 0;

        open_clause("argv");
        do {
                GROW(step->argv, n);
                step->argv[n++] = string();
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
                name = string();
                for (p = name; *p && *p != '='; p++)
                        ;
                if (p == name || *p)
                        bad("a variable's name");
                value = string();
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
                file->data = (u8 *)bytes(&file->size);
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
                output->name = string();
                output->path = new_path();
                if (next_is('(')) {
                        open_clause("fixed");
                        output->fixed_mode = string();
                        if (!equal(output->fixed_mode, "flat") && !equal(output->fixed_mode, "recursive"))
                                bad("flat or recursive");
                        if (!equal(string(), "sha256"))
                                bad("sha256");
                        output->fixed_hash = hash();
                        expect(")");
                }
                expect(")");
        }
        if (!step->output_count)
                bad("an output");
        expect(")");
}

static void parse_step(struct step *step, unsigned count)
{
        fill(step, 0, sizeof *step);
        open_clause("step");
        step->number = number();
        if (step->number != count + 1)
                bad("steps numbered in order");
        step->drv = string();
        open_clause("system");
        step->system = string();
        expect(")");
        open_clause("builder");
        step->builder = string();
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
        if (!equal(string(), "sha256"))
                bad("sha256");
        source->hash = hash();
        expect(")");
        open_clause("references");
        while (!next_is(')')) {
                GROW(source->refs, source->ref_count);
                source->refs[source->ref_count++] = string();
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

static int next_clause_is(const char *word)
{
        char *p;

        if (!next_is('('))
                return 0;
        for (p = at + 1; p < end && (*p == ' ' || *p == '\n'); p++)
                ;
        return end - p > (long)length(word) && starts_with(p, word);
}

void parse_script(struct script *script, char *text, unsigned long size)
{
        unsigned i;

        at = text;
        end = text + size;      /* the caller put a NUL there, so looking a few bytes ahead is safe */
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
        space();
        if (at != end)
                bad("the end");
}
