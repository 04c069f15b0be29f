/* The nonce of the run: who knows it can speak for the executor. OCaml hands it over character by character, so that no string with it ever lies in the
 * heap, and from then on it can only be said. Its page is mapped nowhere, except for the moment in which it is said or taken: what reads it by mistake,
 * or reads all memory that it can find, meets a fault, which ends the machine.
 */
#include "base.h"

static u8 nonce_page[PAGE] __attribute__((aligned(4096)));

/* The page's entry in the image's view, and in HHDM's. */
static void set(int view, u64 bits) {
    u64 address = (u64)nonce_page - IMAGE_BASE, va = view ? (u64)nonce_page : HHDM + address;
    u64 *entry = kernel_entry(va);
    if (!entry) panic("the nonce's page has no entry of its own");
    *entry = bits ? address | bits | P_NX : 0;
    flush_page(va);
}

/* At boot: HHDM never shows the page again. */
void nonce_hide(void) { set(0, 0), set(1, 0); }

void nonce_put(u64 index, u8 c) {
    if (index >= 32) panic("a nonce of more than 32 characters");
    set(1, P_PRESENT | P_WRITE);
    nonce_page[index] = c;
    set(1, 0);
}

void nonce_say(void) {
    set(1, P_PRESENT);
    channel_put(nonce_page, 32);
    set(1, 0);
}
