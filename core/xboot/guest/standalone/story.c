/* story.c: stands in the host's place. It answers the guest with a nonce of zeros, hashes what the guest says, and shows it.
 *
 * The transcript is every byte that the guest says on the channel (docs/channel.md). A code to be photographed is drawn in one case alone: the
 * guest's last line was `done`, and it has come to its end.
 */
#include "standalone.h"

#define LOG    18  /* lines of what happened last */
#define SHOWN  4   /* outputs on the last page */
#define KEPT   600 /* bytes of a line that are looked at: its references need not be */
#define TEXT   34  /* cells for text beside the code */
#define ANSWER "(run \"00000000000000000000000000000000\" 0 0)\n"
#define MARK   "XBOOT1:"

struct made {
    char what[TEXT + 1], hash[65];
};

static struct sha256 transcript;
static char line[KEPT + 1];
static unsigned kept, started, answered;
static char script[65], note[4 * COLUMNS + 1], why[4 * COLUMNS + 1];
static int is_done, has_failed, has_ended;
static struct made made[SHOWN];
static unsigned made_count, log_row;

/* The next word of a line behind *p: a number, a name, or what stands between quotes, as it is written. Cut to the room there is. */
static const char *word(const char *p, char *to, unsigned room)
{
    int quoted;

    while (*p == ' ' || *p == '(')
        p++;
    quoted = *p == '"';
    for (p += quoted; *p && (quoted ? *p != '"' : *p != ' ' && *p != ')'); p++) {
        if (room > 1)
            *to++ = *p, room--;
        if (*p == '\\' && p[1]) {
            p++;
            if (room > 1)
                *to++ = *p, room--;
        }
    }
    *to = 0;
    return *p && quoted ? p + 1 : p;
}

/* a, b and c in one, cut to the room there is. */
static void joined(char *to, unsigned room, const char *a, const char *b, const char *c)
{
    const char *part[3];
    unsigned i;

    part[0] = a, part[1] = b, part[2] = c;
    for (i = 0; i < 3; i++)
        for (; *part[i] && room > 1; room--)
            *to++ = *part[i]++;
    *to = 0;
}

static void show_heading(void)
{
    screen_put(0, 0, COLUMNS, BRIGHT, "xboot builds by itself: nobody listens, and this screen is all that it says.");
    screen_put(1, 0, COLUMNS, PLAIN, "Running. Without a QR code there is no result, however long this page stands.");
    screen_put(2, 0, 14, PLAIN, script[0] ? "script sha256" : "");
    screen_put(2, 14, 64, PLAIN, script);
}

static void log_add(const char *text)
{
    static char logged[LOG][COLUMNS + 1];
    unsigned i;

    joined(logged[log_row++ % LOG], COLUMNS + 1, text, "", "");
    screen_clear();
    show_heading();
    for (i = 0; i < LOG && i < log_row; i++)
        screen_put(4 + i, 0, COLUMNS, PLAIN, logged[(log_row < LOG ? i : log_row + i) % LOG]);
    screen_draw();
}

static void on_output(const char *p)
{
    struct made *m = &made[made_count++ % SHOWN];
    char step[20], name[TEXT + 1], kind[8], text[COLUMNS + 1];

    p = word(p, step, sizeof step);
    p = word(p, name, sizeof name);
    p = word(p, kind, sizeof kind);
    word(p, m->hash, sizeof m->hash);
    joined(text, sizeof text, "step ", step, " ");
    joined(m->what, sizeof m->what, text, name, "");
    joined(text, sizeof text, m->what, " ", m->hash);
    log_add(text);
}

static void on_fail(const char *p)
{
    char step[20], kind[12], text[40];

    p = word(p, step, sizeof step);
    p = word(p, kind, sizeof kind);
    joined(text, sizeof text, "step ", step, ": ");
    joined(why, sizeof why, text, kind, ": ");
    joined(text, sizeof text, why, "", "");
    word(p, why + length(why), sizeof why - (unsigned)length(why));
    has_failed = 1;
}

/* One whole line, or the beginning of a long one. */
static void on_line(void)
{
    char name[12], nonce[33], first[COLUMNS], text[COLUMNS + 1];
    const char *p = word(line, name, sizeof name);

    is_done = 0;
    p = word(p, nonce, sizeof nonce);
    if (equal(name, "xboot")) {
        log_add("started");
    } else if (equal(name, "hello")) {
        word(p, script, sizeof script);
        log_add("the script is read");
    } else if (equal(name, "source")) {
        word(p, first, sizeof first);
        joined(text, sizeof text, "source ", first, "");
        log_add(text);
    } else if (equal(name, "begin")) {
        word(p, first, sizeof first);
        joined(text, sizeof text, "step ", first, " ...");
        log_add(text);
    } else if (equal(name, "output")) {
        on_output(p);
    } else if (equal(name, "fail")) {
        on_fail(p);
    } else if (equal(name, "done")) {
        is_done = !has_failed;
    }
}

void story_hears(const char *bytes, unsigned long n)
{
    if (!started++)
        sha256_init(&transcript);
    sha256_update(&transcript, bytes, n);
    for (; n; n--, bytes++) {
        if (*bytes != '\n') {
            if (kept < KEPT)
                line[kept++] = *bytes;
            continue;
        }
        line[kept] = 0;
        kept = 0;
        on_line();
    }
}

int story_answers(void)
{
    return answered < sizeof ANSWER - 1 ? ANSWER[answered++] : -1;
}

/* Until the script's hash is told there are no builders: so these are the guest's own words. The last line is kept. */
void story_notes(const char *bytes, unsigned long n)
{
    static unsigned used;

    for (; n && !script[0]; n--, bytes++) {
        if (used && note[used - 1] == '\n')
            used = 0;
        if (used < sizeof note - 1)
            note[used++] = *bytes;
        note[used] = 0;
    }
}

static void show_hash(unsigned row, unsigned colour, const char *what, const char *hash)
{
    screen_put(row, 0, TEXT, colour, what);
    screen_put(row + 1, 0, 32, BRIGHT, hash);
    screen_put(row + 2, 0, 32, BRIGHT, hash + 32);
}

static void upper(char *text)
{
    for (; *text; text++)
        if (*text >= 'a' && *text <= 'f')
            *text = (char)(*text - 'a' + 'A');
}

static void show_result(void)
{
    char hash[65], text[sizeof MARK + 2 * 64 + 1];
    unsigned i, first = made_count > SHOWN ? made_count - SHOWN : 0;

    sha256_hex(&transcript, hash);
    screen_put(0, 0, TEXT, GOOD, "xboot: all steps are done.");
    screen_put(1, 0, TEXT, PLAIN, "Unattended: believed as far as you");
    screen_put(2, 0, TEXT, PLAIN, "believe this screen.");
    show_hash(4, PLAIN, "script sha256", script);
    show_hash(7, PLAIN, "transcript sha256", hash);
    for (i = first; i < made_count; i++)
        show_hash(11 + 3 * (i - first), PLAIN, made[i % SHOWN].what, made[i % SHOWN].hash);
    if (first)
        screen_put(23, 0, COLUMNS, PLAIN, "The last outputs; the transcript holds all. Check with: xboot check-screen");
    else
        screen_put(24, 0, COLUMNS, PLAIN, "Check with: xboot check-screen");
    joined(text, sizeof text, MARK, script, ":");
    joined(text + length(text), (unsigned)(sizeof text - length(text)), hash, "", "");
    upper(text);
    screen_qr(text);
}

static void show_failure(void)
{
    const char *rest = has_failed ? why : note;
    unsigned row;

    show_heading();
    screen_put(0, 0, COLUMNS, BAD, has_failed ? "xboot: FAILED. There is no result." : "xboot: GAVE UP. There is no result.");
    screen_put(1, 0, COLUMNS, PLAIN, "");
    for (row = 4; row < ROWS && *rest; row++)
        rest = screen_put(row, 0, COLUMNS, BRIGHT, rest);
}

void story_ends(void)
{
    if (has_ended++)
        return;
    screen_clear();
    if (is_done && !kept && script[0]) /* nothing came after it */
        show_result();
    else
        show_failure();
    screen_draw();
}
