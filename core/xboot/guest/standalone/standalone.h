/* standalone.h: what a guest needs that runs by itself, without a host (README.md): these files, and nothing of an attended guest's. */
#ifndef STANDALONE_H
#define STANDALONE_H

#include "xboot.h"

#define COLUMNS 80
#define ROWS    25
#define SCREEN  0xb8000 /* physical: the cells of a PC's text mode, 16 bits each */
#define QR_SIZE 37      /* modules in a row */

/* ---- qr.c */

/* The code that says `text`: at most 154 of the characters 0-9, A-Z and colon. 1: a dark module. */
void qr_code(const char *text, u8 modules[QR_SIZE][QR_SIZE]);

/* ---- screen.c: a page of cells, which screen_show brings to the screen */

enum { PLAIN = 0x07,
    BRIGHT = 0x0f,
    GOOD = 0x0a,
    BAD = 0x0c };

void screen_clear(void);
/* As much of `text` as `room` cells hold, from there on; the rest of them is blank. The text goes on behind what was put. */
const char *screen_put(unsigned row, unsigned column, unsigned room, unsigned colour, const char *text);
void screen_qr(const char *text); /* on the right, 45 cells wide */

/* Brings the page to the screen: each kernel's own way. When it cannot, it says so on the console, and stands still. */
void screen_show(const u16 *cells, unsigned long size);
void screen_draw(void);

/* ---- story.c: in the host's place */

void story_hears(const char *bytes, unsigned long n); /* what the guest says on the channel */
int story_answers(void);                              /* the next byte of what the host would say; -1: nothing more */
void story_notes(const char *bytes, unsigned long n); /* what the guest itself says on the console */
void story_ends(void);                                /* the guest is at its end: the last page */

#endif
