/* tty.h: pseudo-terminals, between tty.c (their life, and the line discipline), call_tty.c (opening,
   reading, writing) and ask_tty.c (ioctl). */

#ifndef TTY_H
#define TTY_H

#include "call.h"

#define TTY_OWN 0x500u     /* 5:0: the terminal of who opens it */
#define TTY_MASTER 0x502u  /* 5:2: ptmx, a new one each time */
#define TTY_SLAVE 0x8800u  /* 136:N: the other end of number N */
#define TERMINALS 256u     /* in a step; open: ENOSPC */
#define TTY_INPUT PAGE_SIZE /* bytes that wait to be read, and no more than that in a line */
#define TTY_OUTPUT 8192u   /* bytes that wait for the master, before a writer does */

/* struct termios, as the kernel has it, and its bits */
struct settings {
	u32 input, output, control, local;
	u8 line, keys[19];
};

enum { KEY_INTR, KEY_QUIT, KEY_ERASE, KEY_KILL, KEY_EOF, KEY_TIME, KEY_MIN, KEY_START = 8, KEY_STOP, KEY_SUSP, KEY_EOL, KEY_REPRINT, KEY_WERASE = 14, KEY_LNEXT, KEY_EOL2 };

#define ISTRIP 040u
#define INLCR 0100u
#define IGNCR 0200u
#define ICRNL 0400u
#define IUCLC 01000u
#define IXON 02000u
#define IXANY 04000u
#define IUTF8 040000u
#define OPOST 01u
#define OLCUC 02u
#define ONLCR 04u
#define OCRNL 010u
#define ONOCR 020u
#define ONLRET 040u
#define TABDLY 014000u
#define ISIG 01u
#define ICANON 02u
#define ECHO 010u
#define ECHOE 020u
#define ECHOK 040u
#define ECHONL 0100u
#define NOFLSH 0200u
#define TOSTOP 0400u
#define ECHOCTL 01000u
#define ECHOKE 04000u
#define IEXTEN 0100000u

/* One terminal, both its ends. It lives while a description of either is open. */
struct terminal {
	struct terminal *next;
	struct group *group;          /* the step it belongs to: only compared */
	u32 number;
	u32 masters, slaves;          /* open descriptions of either end; there is one master, or none any more */
	u32 opened;                   /* the other end was open once: without one a master then reads no further */
	u32 locked, turn;             /* turn: how often it was hung up. A description of an earlier turn is dead */
	u32 sid, pgid;                /* the session it controls, and its process group in the foreground; 0: none */
	struct node *node, *directory; /* N, and where it stands; held */
	struct settings set;
	u16 size[4];
	u8 *bytes;                    /* a frame: what was typed, a ring */
	u32 tail, canon, head;        /* counted for ever: what is read next, where whole lines end, where the next byte goes */
	u32 ends[TTY_INPUT / 32];     /* which of these bytes end a line */
	u32 literal, stopped, column, canon_column;
	u32 typed, read, taken, turned; /* how often something was typed, and read; the master took what was printed; all of it changed (terminal_motions) */
	struct pipe *output;          /* what the master will read; */
	u32 held;                     /* of that, echoes which are not shown yet: while bytes are typed, or what is printed stands still */
};

struct terminal *terminal_new(struct process *p);                        /* 0: no memory */
struct terminal *terminal_of(struct process *p);                         /* that controls its session; 0: none */
u32 terminal_free_number(struct process *p);
void terminal_gone(struct terminal *t);                                  /* no description is left */
void terminal_hang_up(struct terminal *t);
void terminal_turned(struct terminal *t);
void terminal_signal(struct terminal *t, int number);                    /* to the foreground */
void terminal_flush(struct terminal *t);                                 /* what was typed and not read */
void terminal_set(struct terminal *t, const struct settings *set);
void terminal_show(struct terminal *t);                                  /* echoes, unless it is stopped */
int terminal_room(struct terminal *t);                                   /* may one more byte be typed? */
void terminal_type(struct terminal *t, u8 c);
int terminal_put(struct terminal *t, u8 c);                              /* as it is; 0 or -ENOMEM */
int terminal_print(struct terminal *t, u8 c);                            /* as the settings say; 0 or -ENOMEM */

/* call_tty.c */
int terminal_master(struct file *f);
int terminal_dead(struct file *f);                                       /* it was hung up since this was opened */
int terminal_leads(struct process *p);                                   /* its session */
void terminal_take(struct process *p, struct terminal *t);               /* for its session */
int terminal_foreground(struct process *p, struct terminal *t, int number); /* 0, or who is in the background gets the signal: WAIT, -EIO */

#define TTY_AT(t, i) ((t)->bytes[(i) % TTY_INPUT])
#define TTY_ENDS(t, i) ((t)->ends[(i) % TTY_INPUT / 32] >> (i) % 32 & 1)

#endif
