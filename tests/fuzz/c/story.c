/* story: a guest without a host that says anything on its channel, and on the console, in pieces of any size. */
#include "fuzz.h"
#include EXECUTOR_FILE

static u16 shown[ROWS * COLUMNS];
static u8 last[5]; /* the beginning of the last whole line, or of what came after it */
static unsigned begun;

void screen_show(const u16 *cells, unsigned long size)
{
    copy(shown, cells, size);
}

void fail(const char *kind, const char *name, const char *more)
{
    length(kind), length(name), length(more);
    end_run();
}

static long answer(long number, long a, long b, long c, long d)
{
    (void)number, (void)a, (void)b, (void)c, (void)d;
    return 3;
}

static int has_code(void)
{
    unsigned i;

    for (i = 0; i < ROWS * COLUMNS; i++)
        if ((shown[i] & 0xff) == 0xdb)
            return 1;
    return 0;
}

static void note_line(u8 byte)
{
    static int whole;

    if (whole)
        begun = 0;
    whole = byte == '\n';
    if (begun < sizeof last && !whole)
        last[begun++] = byte;
}

static void target(void)
{
    unsigned long size, i;
    char *piece;

    reset(&transcript, sizeof transcript);
    reset(line, sizeof line);
    reset(made, sizeof made);
    script[0] = note[0] = why[0] = 0;
    kept = started = answered = made_count = log_row = 0;
    is_done = has_failed = has_ended = 0;
    while (story_answers() >= 0)
        ;
    note_line('\n');
    while (left) {
        size = take();
        if (size > left)
            size = left;
        piece = allocate(size);
        for (i = 0; i < size; i++) {
            piece[i] = (char)take();
            note_line((u8)piece[i]);
        }
        story_notes(piece, size);
        story_hears(piece, size);
        if (started && has_code())
            abort();
    }
    if (!started)
        return;
    story_ends();
    if (has_code() && (begun < sizeof last || !is_done || !script[0]))
        abort();
    reset(shown, sizeof shown);
}
