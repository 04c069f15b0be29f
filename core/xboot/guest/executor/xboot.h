/* What the executor's files share. See README.md for the whole and each file's head for the part. */
#ifndef XBOOT_H
#define XBOOT_H

#include "sys.h"

/* ---- arena.c: memory only grows; a mark gives back what came after it */

void *allocate(unsigned long size);
struct mark {
    void *piece;
    unsigned long used;
};
struct mark arena_mark(void);
void arena_release(struct mark mark);

/* ---- lib.c: strings, files */

#define NULL      ((void *)0)
#define MAX_NAME  255  /* bytes in one file name */
#define MAX_PATH  4095 /* bytes in one path */
#define HASH_PART 32   /* characters of hash in a store path */

unsigned long length(const char *s);
int equal(const char *a, const char *b);
int compare(const char *a, const char *b);
int starts_with(const char *s, const char *prefix);
void copy(void *to, const void *from, unsigned long n);
void fill(void *to, int byte, unsigned long n);
char *join(const char *a, const char *b, const char *c);
char *decimal(u64 value);
void *grown(void *array, unsigned count, unsigned long item);
#define GROW(array, count) ((array) = grown((array), (count), sizeof *(array)))

int open_at(int dir, const char *name, int flags);
void must(long result, const char *what, const char *name);
long write_all(int fd, const void *data, unsigned long n); /* 0, or what write answered */
void say(const char *a, const char *b, const char *c);

struct names {
    char **name;
    unsigned count;
};
struct names read_directory(int fd); /* sorted bytewise, without . and .. */
void remove_tree(int dir, const char *name);
void make_parents(int root, const char *path);

/* ---- sha256.c (FIPS 180-4) */

struct sha256 {
    u32 h[8];
    u64 total;
    u8 block[64];
};
void sha256_block(u32 *state, const u8 *p); /* 8 words, 64 bytes: sha256-block.c, by TCC sha256-block-*.S */
void sha256_init(struct sha256 *s);
void sha256_update(struct sha256 *s, const void *data, unsigned long n);
void sha256_hex(struct sha256 *s, char hex[65]);

/* ---- sexp.c: what the script is made of; all but the last two read on from where the one before ended, and end the run
   when it is not there */

void read_from(char *text, unsigned long size);
void malformed(const char *expected);
int next_is(char c);
int next_clause_is(const char *word);
void expect(const char *token);
void open_clause(const char *word);
void expect_end(void);
char *get_bytes(unsigned long *size);
char *get_string(void); /* without NUL in it */
char *get_hash(void);   /* 64 digits of hex */
unsigned get_number(void);
char *read_string(char **cursor, const char *limit, unsigned long *size);
int hex_digit(char c);

/* ---- script.c: the script, parsed whole before anything runs */

struct path {
    char *path, *name; /* name: the last component, HASH-NAME */
    struct path **refs;
    unsigned ref_count;
    int present;                 /* a checked source, or an output that was built */
    int visible, closure;        /* marks of the current step */
    struct path *next;           /* in the table */
    struct path *next_candidate; /* in the scanner */
    int occurs;                  /* the scanner has seen it */
};

struct source {
    struct path *path;
    char *hash;
    char **refs;
    unsigned ref_count;
};
struct text {
    char *name;
    u8 *data;
    unsigned long size;
};
struct graph {
    char *file;
    struct path **paths;
    unsigned count;
};
struct output {
    char *name;
    struct path *path;
    char *fixed_mode, *fixed_hash;
};

struct step {
    unsigned number;
    char *drv, *system, *builder, *cwd;
    char **argv, **env; /* as execve wants them */
    struct text *files;
    unsigned file_count;
    struct graph *graphs;
    unsigned graph_count;
    struct path **inputs;
    unsigned input_count;
    struct output *outputs;
    unsigned output_count;
};

struct script {
    char *store;
    struct source *sources;
    unsigned source_count;
    struct step *steps;
    unsigned step_count;
};

void parse_script(struct script *script, char *text, unsigned long size);
int is_hash_character(char c);
struct path *find_path(const char *path);

/* ---- nar.c: canonicalise, serialise, scan */

struct sink {
    void (*put)(struct sink *sink, const void *data, unsigned long n);
};
void canonicalise(int dir, const char *name);
void nar_write(int dir, const char *name, struct sink *sink); /* `name` also stands in errors */
void hash_file(int dir, const char *name, char hex[65]);

/* A sink that hashes, counts, and marks the candidates whose hash parts it has seen. */
struct hasher {
    struct sink sink;
    struct sha256 sha;
    u64 size;
    struct path **candidates;
    unsigned count;
};
void hasher_init(struct hasher *h, struct path **candidates, unsigned count);
unsigned hasher_finish(struct hasher *h, char hex[65], struct path **found); /* found: room for all candidates */

/* ---- channel.c: the result channel, export, and the end */

enum { EXIT_DONE = 0x31,
    EXIT_FAIL = 0x21,
    EXIT_PANIC = 0x11 };

void channel_open(const char *script_hash);
void report_source(const char *path, const char *hex, u64 size);
void report_begin(unsigned step);
void report_output(unsigned step, const struct output *output, const char *hex, u64 size);
void export_output(unsigned step, const struct output *output, int dir);
void fail(const char *kind, const char *why, const char *name);
void finish(void);
extern unsigned current_step;

/* ---- step.c */

void run_step(const struct script *script, struct step *step);

/* filter.c */

long filter_calls(void);
extern int hidden_store; /* /xboot/store */

#endif
