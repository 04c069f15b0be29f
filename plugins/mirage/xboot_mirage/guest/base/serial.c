/* The two serial ports, polled: 0x3f8 is the console, 0x2f8 the result channel. And the machine's end. */
#include "base.h"

static void port_init(u16 port) {
    outb(port + 1, 0);
    outb(port + 3, 0x80);
    outb(port, 1), outb(port + 1, 0); /* 115200 baud */
    outb(port + 3, 3);
    outb(port + 2, 7);
    outb(port + 4, 0xb);
}

void serial_init(void) {
    port_init(0x3f8), port_init(0x2f8);
    outb(0x2f9, 1); /* interrupt on receipt */
}

static void put(u16 port, const u8 *text, u64 length) {
    for (u64 i = 0; i < length; i++) {
        while (!(inb(port + 5) & 0x20)) __asm__ volatile("pause");
        outb(port, text[i]);
    }
}

void console_put(const u8 *text, u64 length) { put(0x3f8, text, length); }
void channel_put(const u8 *text, u64 length) { put(0x2f8, text, length); }
int channel_get(void) { return inb(0x2fd) & 1 ? inb(0x2f8) : -1; }

void say(const char *text) { console_put((const u8 *)text, __builtin_strlen(text)); }

void say_hex(u64 value) {
    char digits[18];
    int i = 17;
    digits[i] = 0;
    do digits[--i] = "0123456789abcdef"[value & 15]; while (value >>= 4);
    say(digits + i);
}

/* isa-debug-exit: QEMU ends with status 2 * byte + 1. A machine without the device goes on, says so, and is halted. */
_Noreturn void machine_exit(int byte) {
    outb(0xf4, (u8)byte);
    say("xboot: this machine has no exit device; it is halted. What it was to end with: "), say_hex((u8)byte), say("\n");
    for (;;) __asm__ volatile("cli; hlt");
}

_Noreturn void panic(const char *why) {
    say("\nxboot: panic: "), say(why), say("\n");
    machine_exit(0x11);
}
