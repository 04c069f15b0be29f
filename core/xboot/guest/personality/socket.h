/* socket.h: sockets of the step's own (AF_UNIX, and AF_INET and AF_INET6 on its loopback), between socket.c (their life), message.c (what travels), socket_file.c, socket_name.c,
   inet.c, option.c, call_socket.c and call_message.c (the calls). */

#ifndef SOCKET_H
#define SOCKET_H

#include "call.h"

#define AF_UNIX 1u
#define AF_INET 2u
#define AF_INET6 10u

#define STREAM 1u
#define DATAGRAM 2u
#define SEQPACKET 5u

#define SHUT_IN 1u
#define SHUT_OUT 2u

#define MSG_OOB 1u
#define MSG_PEEK 2u
#define MSG_CTRUNC 8u
#define MSG_TRUNC 0x20u
#define MSG_DONTWAIT 0x40u
#define MSG_WAITALL 0x100u
#define MSG_NOSIGNAL 0x4000u
#define MSG_CLOEXEC 0x40000000u

#define SOCKET_NAME 108u      /* bytes of a name; one more ends a path */
#define SOCKET_ROOM 212992u   /* bytes under way from one socket, as in Linux */
#define SOCKET_QUEUE 10u      /* datagrams that wait for one reader, and one more */
#define RIGHTS 253u           /* descriptors in one message: EINVAL */
#define CONNECTIONS 4096u     /* that wait to be accepted by one */
#define FLYING 256u           /* descriptors in messages under way: ETOOMANYREFS */

enum { SO_REUSEADDR = 2, SO_REUSEPORT = 15 };

enum socket_state { CLOSED, LISTENS, CONNECTED, ENDED };

struct credentials {
	u32 pid, uid, gid;
};

/* An address of the loopback: of version 4 a host as a number, of version 6 ::1, the last bit; 0: any. A port of 0: none. */
struct inet {
	u32 version, host, port;
};

#define OTHER_HOST 2u         /* of version 6: all that are not here */
#define TUNINGS 8u            /* options that are remembered (option.c) */

/* A socket lives as long as its description, or the queue in which it waits to be accepted, or a peer or a message that names it, holds it. It is ENDED, and holds
   nothing any more, once the first of these has let it go. */
struct socket {
	struct socket *next, *previous; /* all that have not ended */
	u32 users;
	u32 family, style;
	enum socket_state state;
	struct file *file;              /* its description; 0: it waits to be accepted, or has ended */
	struct socket *peer;            /* held */
	struct node *place;             /* the file that it is bound to, held */
	struct message *first, *last;   /* what waits for it */
	u32 waiting;                    /* how many */
	struct socket *connections, *after; /* held, oldest first: those that wait to be accepted here; the one behind this one */
	u32 connection_count, backlog;
	u32 sent, room;                 /* bytes under way from it, each message with its own cost; how many there may be */
	u32 shut;
	int error;                      /* to be told once, as a positive number */
	struct credentials other;       /* of who made the other end; of who listens */
	u32 pass_credentials;
	u32 options, linger[2], low_water, told_room; /* option.c */
	nanoseconds receive_wait, send_wait;          /* 0: no end */
	u32 in_flight;                  /* messages that carry its description */
	struct motions moved;           /* what came to it; and went, of what it had sent */
	u32 reached;                    /* sockets_collect */
	struct socket *work;            /* the same */
	struct inet own, other_end, from; /* inet.c: its address, whom it is joined to, and whose address what it sends now bears */
	u32 only6;                      /* of AF_INET6: nothing of version 4 */
	enum { NOT_BEGUN, JOINED, REFUSED } begun; /* a connection that nobody waited for has ended so, and connect has not said it */
	int tuning[TUNINGS];
	u32 bound;                      /* the name is its own, not its listener's; the port was asked for */
	u32 name_length;                /* 0: none */
	char name[SOCKET_NAME + 1];     /* begins with 0: no file has it */
};

struct message {
	struct message *next;
	struct socket *from;            /* held, for its name, and what is under way from it */
	struct credentials sender;
	struct inet source;             /* of a datagram of AF_INET */
	u32 length, taken, cost;
	u32 right_count;
	struct file **rights;           /* descriptions, held */
	void *small;                    /* the bytes; or, if they are many, */
	struct vector frames;
};

/* socket.c */
struct socket *socket_new(u32 style);                                                  /* 0: no memory */
void socket_hold(struct socket *s);
void socket_let_go(struct socket *s);
void socket_turned(struct socket *s);                                                  /* both its ways, perhaps: whoever waits looks anew */
void socket_end(struct socket *s);                                                     /* takes over what its description or its queue held */
int socket_enter(struct process *p, struct socket *s, u32 flags);                      /* a descriptor for it, or an error, and it has ended */
struct socket *socket_abstract(const char *name, u32 length, u32 style);
void socket_join(struct socket *s, struct socket *peer);
void socket_attach(struct socket *s, struct socket *end, struct socket *to);           /* joins it to an end that waits to be accepted */
struct socket *socket_first(void);                                                     /* of all that have not ended */
void rights_fly(struct message *m);
void rights_land(struct message *m);                                                   /* the caller now holds them */
void message_forget(struct message *m);                                                /* and all it holds; it stands in no queue any more */
int flying_room(u32 count);                                                            /* 0 or -ETOOMANYREFS */

/* message.c, socket_file.c: where the bytes of a call come from, or go */
int pieces_one(address at, u32 length, u32 *total);
int pieces_many(struct process *p, address vector, u32 count, u32 *total);             /* 0, -EFAULT, -EINVAL */

struct letter { /* to be sent: what the pieces hold, or own */
	u32 total, flags;
	struct socket *target;          /* of a datagram with an address; 0: the peer */
	const char *own;                /* bytes of our own memory; 0: the pieces */
	u32 right_count;
	struct file **rights;           /* not held */
	u32 refused;                    /* nobody has the port that it is for, and the sender is to hear of it */
};

struct arrival { /* what was received */
	u32 count, whole;               /* bytes; of all the packet */
	int any;                        /* there was a message: what follows holds */
	struct credentials sender;
	struct inet source;
	u32 name_length;
	char name[SOCKET_NAME + 1];
	u32 right_count;                /* held: whoever asked must install them or drop them */
	struct file *rights[RIGHTS];
};

int letter_send(struct process *p, struct socket *s, const struct letter *letter);     /* bytes, WAIT, or an error */
int letter_receive(struct process *p, struct socket *s, u32 total, u32 flags, struct arrival *to); /* 0, WAIT, or an error */
void rights_drop(struct arrival *from);
int wait_socket(struct process *p, struct socket *what, int may_wait, nanoseconds length); /* WAIT, or -EAGAIN */
int may_wait(struct socket *s, u32 flags);
struct arrival *arrival_of_call(void);

/* socket_name.c */
struct name {
	u32 length;                     /* a path's with the 0 at its end */
	char text[SOCKET_NAME + 1];
};

int name_take(struct process *p, address at, u32 length, struct name *name);           /* from a struct sockaddr_un; 0 or an error */
int name_give(struct process *p, address to, address length_at, const char *text, u32 length);
int name_free(struct socket *s);                                                       /* one that nobody has */
int name_own(struct socket *s);                                                        /* sees to it that he has one, if he needs it */
int name_leads(struct process *p, struct socket *s, address at, u32 length, struct socket **found);

/* inet.c */
int inet_is(struct socket *s);
int inet_bind(struct process *p, struct socket *s, address at, u32 length);
int inet_listen(struct process *p, struct socket *s);                                  /* may it? 0 or an error */
int inet_connect(struct process *p, struct socket *s, address at, u32 length);
int inet_give(struct process *p, u32 family, address to, address length_at, const struct inet *from);
int inet_target(struct process *p, struct socket *s, address at, u32 length, struct letter *letter);
void inet_lost(struct socket *s, int unread);                                          /* its other end has ended */

/* call_message.c */
int socket_send_to(struct process *p, u32 *a);
int socket_send_message(struct process *p, u32 *a);
int socket_receive_from(struct process *p, u32 *a);
int socket_receive_message(struct process *p, u32 *a);

/* option.c */
int socket_get_option(struct process *p, u32 *a);
int socket_set_option(struct process *p, u32 *a);
void options_begin(struct socket *s);
struct socket *socket_of(struct process *p, u32 fd, int *error);
int credentials_of(struct process *p, struct credentials *c);

#endif
