/* device.h: the devices that the two machines on i386 have alike: serial ports, interval timer, exit (device.c). */

#ifndef DEVICE_H
#define DEVICE_H

#define CONSOLE 0x3f8 /* the first serial port */
#define CHANNEL 0x2f8 /* the second: the result channel */
#define EXIT_PORT 0xf4
#define PIT_RATE 1193182u

void out8(unsigned port, unsigned value);
unsigned in8(unsigned port);
void serial_setup(void); /* both ports, without interrupts */
void clock_setup(void);  /* machine_clock counts from here on */
int channel_ready(void); /* the result channel has input */

/* the machine's own words on the console */
void say(const char *text);
void say_hex(unsigned value);
void say_no_exit(unsigned status); /* the machine goes on after the byte to the exit device: so a reader of the console learns what it was */

/* In a guest that runs by itself (guest/standalone), SCREEN_CELLS is defined: where the machine sees the cells of the screen. */
#define SCREEN 0xb8000u /* and where they are: one page */
void screen_panic(const char *why);

#endif
