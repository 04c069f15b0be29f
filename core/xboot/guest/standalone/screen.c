/* screen.c: a page of text, 80 by 25 cells: a character of code page 437, and its colours. */
#include "standalone.h"

#define QUIET 4                     /* light modules around a code (ISO/IEC 18004, 6.3.8) */
#define WIDE  (QR_SIZE + 2 * QUIET) /* a module is one cell wide, and half a cell high */

static const u8 halves[2][2] = {{' ', 0xdc}, {0xdf, 0xdb}}; /* a cell by its upper and its lower half: is it light? */

static u16 page[ROWS * COLUMNS];

void screen_clear(void)
{
    unsigned i;

    for (i = 0; i < ROWS * COLUMNS; i++)
        page[i] = PLAIN << 8 | ' ';
}

void screen_draw(void)
{
    screen_show(page, sizeof page);
}

const char *screen_put(unsigned row, unsigned column, unsigned room, unsigned colour, const char *text)
{
    u16 *cell = page + row * COLUMNS + column;

    for (; room; room--, cell++)
        *cell = (u16)(colour << 8 | (*text >= ' ' && *text <= '~' ? *text++ : ' '));
    return text;
}

/* Light is what stands bright on black: a screen is dark around the page. */
void screen_qr(const char *text)
{
    static u8 modules[QR_SIZE][QR_SIZE];
    static u8 light[WIDE + 1][WIDE]; /* a row more, dark, makes whole cells */
    unsigned x, y;

    qr_code(text, modules);
    for (y = 0; y < WIDE; y++)
        for (x = 0; x < WIDE; x++)
            light[y][x] = y < QUIET || x < QUIET || y >= QUIET + QR_SIZE || x >= QUIET + QR_SIZE || !modules[y - QUIET][x - QUIET];
    for (y = 0; y < WIDE; y += 2)
        for (x = 0; x < WIDE; x++)
            page[y / 2 * COLUMNS + COLUMNS - WIDE + x] = (u16)(BRIGHT << 8 | halves[light[y][x]][light[y + 1][x]]);
}
