/* The executor's parser, hashing and NAR code as an ordinary program, for the tests:
 *
 *   driver sha256                  SHA-256 of standard input
 *   driver nar PATH [HASHPART...]  "SHA256 SIZE", then the hash parts found, in order
 *   driver parse FILE              the script, parsed and written again
 *
 * Linked with a libc, so that gcc's sanitizers can watch. Only what `fail` does is replaced.
 */
#include "xboot.h"

/* The little of a libc that is used; its headers would clash with sys.h. */
int printf(const char *, ...);
int puts(const char *);
int putchar(int);
int fputs(const char *, void *);
int fseek(void *, long, int);
long ftell(void *);
unsigned long fread(void *, unsigned long, unsigned long, void *);
void *fopen(const char *, const char *);
void *calloc(unsigned long, unsigned long);
void *malloc(unsigned long);
void *memset(void *, int, unsigned long);
_Noreturn void exit(int);
long read(int, void *, unsigned long);
long syscall(long, ...);
int *__errno_location(void);
extern void *stdout;

static long answered(long r)
{
        return r < 0 ? -*__errno_location() : r;
}

long syscall6(long number, long a, long b, long c, long d, long e, long f)
{
        return answered(syscall(number, a, b, c, d, e, f));
}

void out_byte(long port, long value)
{
        (void)port;
        (void)value;
}

void fail(const char *kind, const char *why, const char *name)
{
        printf("fail %s: %s%s\n", kind, why, name);
        exit(3);
}

/* In place of the arena's: every piece has guards around it, and starts as rubbish. */
void *allocate(unsigned long size)
{
        return memset(malloc(size), 0xaa, size);
}

struct mark arena_mark(void)
{
        struct mark mark = {NULL, 0};

        return mark;
}

void arena_release(struct mark mark)
{
        (void)mark;
}

/* The arena frees nothing either. */
const char *__asan_default_options(void)
{
        return "detect_leaks=0";
}

static void quoted(const char *s, unsigned long n)
{
        putchar('"');
        for (; n; n--, s++)
                if (*s == '\n')
                        fputs("\\n", stdout);
                else if (*s == '"' || *s == '\\')
                        printf("\\%c", *s);
                else if ((unsigned char)*s < ' ' || (unsigned char)*s > '~')
                        printf("\\x%02x", (unsigned char)*s);
                else
                        putchar(*s);
        putchar('"');
}

static void spaced(const char *s)
{
        putchar(' ');
        quoted(s, length(s));
}

static void write_step(const struct step *step)
{
        unsigned i, j;
        char **p;

        printf(" (step %u", step->number);
        spaced(step->drv);
        fputs("\n  (system", stdout);
        spaced(step->system);
        fputs(")\n  (builder", stdout);
        spaced(step->builder);
        fputs(")\n  (argv", stdout);
        for (p = step->argv; *p; p++)
                spaced(*p);
        fputs(")\n  (env", stdout);
        for (p = step->env; *p; p++) {
                for (i = 0; (*p)[i] != '='; i++)
                        ;
                fputs(" (", stdout);
                quoted(*p, i);
                spaced(*p + i + 1);
                putchar(')');
        }
        fputs(")\n  (cwd", stdout);
        spaced(step->cwd);
        fputs(")\n  (files", stdout);
        for (i = 0; i < step->file_count; i++) {
                fputs(" (", stdout);
                quoted(step->files[i].name, length(step->files[i].name));
                putchar(' ');
                quoted((char *)step->files[i].data, step->files[i].size);
                putchar(')');
        }
        fputs(")\n  (graphs", stdout);
        for (i = 0; i < step->graph_count; i++) {
                fputs(" (", stdout);
                quoted(step->graphs[i].file, length(step->graphs[i].file));
                for (j = 0; j < step->graphs[i].count; j++)
                        spaced(step->graphs[i].paths[j]->path);
                putchar(')');
        }
        fputs(")\n  (inputs", stdout);
        for (i = 0; i < step->input_count; i++)
                spaced(step->inputs[i]->path);
        fputs(")\n  (outputs", stdout);
        for (i = 0; i < step->output_count; i++) {
                fputs(" (", stdout);
                quoted(step->outputs[i].name, length(step->outputs[i].name));
                spaced(step->outputs[i].path->path);
                if (step->outputs[i].fixed_mode) {
                        fputs(" (fixed", stdout);
                        spaced(step->outputs[i].fixed_mode);
                        spaced("sha256");
                        spaced(step->outputs[i].fixed_hash);
                        putchar(')');
                }
                putchar(')');
        }
        fputs("))\n", stdout);
}

static void do_parse(const char *name)
{
        struct script script;
        unsigned i, j;
        void *file = fopen(name, "rb");
        char *text;
        long size;

        fseek(file, 0, 2);
        size = ftell(file);
        fseek(file, 0, 0);
        text = calloc(1, (unsigned long)size + 16);     /* as the executor has it; the sanitizer watches its end */
        if (fread(text, 1, (unsigned long)size, file) != (unsigned long)size)
                exit(9);
        parse_script(&script, text, (unsigned long)size);
        fputs("(xboot-script 1\n (store", stdout);
        spaced(script.store);
        fputs(")\n", stdout);
        for (i = 0; i < script.source_count; i++) {
                fputs(" (source", stdout);
                spaced(script.sources[i].path->path);
                fputs(" (nar \"sha256\"", stdout);
                spaced(script.sources[i].hash);
                fputs(") (references", stdout);
                for (j = 0; j < script.sources[i].ref_count; j++)
                        spaced(script.sources[i].path->refs[j]->path);
                fputs("))\n", stdout);
        }
        for (i = 0; i < script.step_count; i++)
                write_step(&script.steps[i]);
}

static void do_nar(int count, char **args)
{
        static struct hasher h;
        struct path *all = calloc((unsigned long)count, sizeof *all), **list = calloc((unsigned long)count, sizeof *list), **found;
        char hex[65];
        unsigned i, n;

        for (i = 1; i < (unsigned)count; i++) {
                all[i].path = all[i].name = args[i];
                list[i - 1] = &all[i];
        }
        found = calloc((unsigned long)count, sizeof *found);
        hasher_init(&h, list, (unsigned)count - 1);
        nar_write(AT_FDCWD, args[0], &h.sink);
        n = hasher_finish(&h, hex, found);
        printf("%s %llu\n", hex, h.size);
        for (i = 0; i < n; i++)
                printf("%s\n", found[i]->path);
}

int main(int argc, char **argv)
{
        static char buffer[4096 + 13];
        struct sha256 sha;
        char hex[65];
        long got;

        if (argc == 2 && equal(argv[1], "sha256")) {
                sha256_init(&sha);
                while ((got = read(0, buffer, sizeof buffer)) > 0)
                        sha256_update(&sha, buffer, (unsigned long)got);
                sha256_hex(&sha, hex);
                puts(hex);
        } else if (argc >= 3 && equal(argv[1], "nar")) {
                do_nar(argc - 2, argv + 2);
        } else if (argc == 3 && equal(argv[1], "parse")) {
                do_parse(argv[2]);
        } else {
                return 2;
        }
        return 0;
}
