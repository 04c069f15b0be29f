/* script: scripts of any words, in two parts.
 *
 * The store paths: the store and two paths below it, or not below it, of any bytes and each length up to LENGTH, and a path inside a root.
 * The clauses: any script in which lists have up to ITEMS entries, all in all; what the first part proves of paths stands there for them.
 *
 * What `sexp` proves of words, strings and numbers stands here for them: a string is any bytes, ends with the memory that it has, and stays.
 */
#include "linux.h"

#include "__fc_string_axiomatic.h"

#define STORE  3
#define LENGTH (STORE + 1 + HASH_PART + 2)

void *malloc(size_t);

static unsigned items;             /* how many entries of lists may come, still */
static unsigned shortest, longest; /* of the strings that come */

static int another(void)
{
    if (!items || Frama_C_nondet(0, 1))
        return 0;
    items--;
    return 1;
}

int next_is(char c)
{
    return c == ')' ? !another() : Frama_C_nondet(0, 1);
}

int next_clause_is(const char *word)
{
    length(word);
    return another();
}

void expect(const char *token)
{
    length(token);
}

void open_clause(const char *word)
{
    length(word);
}

void expect_end(void)
{
}

void read_from(char *text, unsigned long size)
{
    (void)text, (void)size;
}

void malformed(const char *expected)
{
    fail("internal", expected, "");
}

static char *any_bytes(unsigned long n, int least)
{
    char *s = malloc(n + 1);
    unsigned long i;

    for (i = 0; i < n; i++)
        s[i] = (char)Frama_C_interval(least, 255);
    s[n] = 0;
    return s;
}

static char *given; /* the string that comes, if it is known */

char *get_string(void)
{
    if (given)
        return given;
    return any_bytes((unsigned long)Frama_C_interval_split((int)shortest, (int)longest), 1);
}

char *get_bytes(unsigned long *size)
{
    *size = (unsigned long)Frama_C_interval_split(0, 1);
    return any_bytes(*size, 0);
}

char *get_hash(void)
{
    return any_bytes(64, 1);
}

unsigned get_number(void)
{
    return (unsigned)Frama_C_interval(1, 1000000);
}

#ifdef BY_CONTRACT
static char some_string[] = "a", *string_given = some_string;
static struct path some_path, *path_given = &some_path;

/*@ assigns \result \from string_given;
    ensures \result == string_given;
*/
static char *inner_path(void);

/*@ assigns \result \from path_given;
    ensures \result == path_given;
*/
static struct path *new_path(void);

/*@ assigns \result \from path_given;
    ensures \result == path_given;
*/
static struct path *known_path(void);

/*@ requires valid_read_string(path);
    assigns \result \from path_given, indirect:path[0 ..];
    ensures \result == \null || \result == path_given;
*/
struct path *find_path(const char *path);
#endif

#include EXECUTOR_FILE

static void paths(void)
{
    static char too_long[STORE + 1 + HASH_PART + MAX_NAME + 1];

    store = any_bytes((unsigned long)Frama_C_interval_split(2, STORE), 1);
    store_length = length(store);
    shortest = 0;
    longest = LENGTH;
    if (Frama_C_interval_split(0, 1)) {
        copy(too_long, store, store_length);
        fill(too_long + store_length, '/', 1);
        fill(too_long + store_length + 1, '0', HASH_PART);
        fill(too_long + store_length + 1 + HASH_PART, '-', MAX_NAME);
        given = too_long;
    }
    new_path();
    given = NULL;
    shortest = LENGTH - 2;
    new_path();
    known_path();
}

static void inner(void)
{
    static char too_long[MAX_PATH + 2];

    longest = 6;
    if (Frama_C_nondet(0, 1)) {
        fill(too_long, '/', MAX_PATH + 1);
        given = too_long;
    }
    inner_path();
}

/* All that a step holds, as run_step reads it. */
static void read_back(struct step *step)
{
    unsigned i, j;

    for (i = 0; step->argv[i]; i++)
        length(step->argv[i]);
    for (i = 0; step->env[i]; i++)
        length(step->env[i]);
    for (i = 0; i < step->file_count; i++)
        length(step->files[i].name);
    for (i = 0; i < step->graph_count; i++)
        for (j = 0; j < step->graphs[i].count; j++)
            length(step->graphs[i].paths[j]->path);
    for (i = 0; i < step->input_count; i++)
        length(step->inputs[i]->path);
    for (i = 0; i < step->output_count; i++)
        length(step->outputs[i].path->path);
}

#ifdef BY_CONTRACT
static void clauses(void)
{
    static char text[1];
    struct script script;
    unsigned i;

    some_path.path = some_path.name = some_string;
    shortest = longest = 2;
    items = ITEMS;
    parse_script(&script, text, sizeof text);
    for (i = 0; i < script.step_count; i++)
        read_back(&script.steps[i]);
}
#endif

int main(void)
{
    CASE();
    return 0;
}
