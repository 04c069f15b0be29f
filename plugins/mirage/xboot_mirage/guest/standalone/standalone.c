/* An image that runs without a host. The linker (--wrap) leads here whatever the other objects ask of the serial ports and of the machine's end:
 * what the guest says on the channel is heard, and answered, by the C of core/xboot/guest/standalone, and comes to the screen. No other file of
 * the image is changed for it.
 */
#include "base.h"

#define SCREEN 0xb8000
#define CELLS (2 * 80) /* what a panic writes over: two lines */
#define BAD 0x4f00     /* white on red */

void story_hears(const char *bytes, u64 n);
int story_answers(void);
void story_notes(const char *bytes, u64 n);
void story_ends(void);

void __real_console_put(const u8 *text, u64 length);
_Noreturn void __real_machine_exit(int byte);
_Noreturn void __real_panic(const char *why);

void __wrap_channel_put(const u8 *text, u64 length) { story_hears((const char *)text, length); }
int __wrap_channel_get(void) { return story_answers(); }

void __wrap_console_put(const u8 *text, u64 length) {
    story_notes((const char *)text, length);
    __real_console_put(text, length);
}

_Noreturn void __wrap_machine_exit(int byte) {
    story_ends();
    __real_machine_exit(byte);
}

_Noreturn void __wrap_panic(const char *why) {
    volatile u16 *cell = phys(SCREEN);
    const char *said = "xboot: the kernel gave up. There is no result. ";
    const char *rest = why;
    for (int i = 0; i < CELLS; i++) {
        if (!*said) said = rest, rest = "";
        cell[i] = (u16)(BAD | (*said >= ' ' && *said <= '~' ? *said : ' '));
        if (*said) said++;
    }
    __real_panic(why);
}

void screen_show(const u16 *cells, u64 size) { __builtin_memcpy(phys(SCREEN), cells, size); }

/* What that C takes from the C executor elsewhere. */
u64 length(const char *s) { return __builtin_strlen(s); }
int equal(const char *a, const char *b) { return !__builtin_strcmp(a, b); }
void copy(void *to, const void *from, u64 n) { __builtin_memcpy(to, from, n); }
void fill(void *to, int byte, u64 n) { __builtin_memset(to, byte, n); }
