/* personality.h: the nouns of the Linux personality and the functions between its files. Layering: README.md. The machine below: machine.h.

   Conventions: functions return 0 or a positive result, or a negative Linux error number. WAIT means: put to sleep, the call is made again later.
   KEEP means: the registers are already as they shall be. */

#ifndef PERSONALITY_H
#define PERSONALITY_H

#include "machine.h"
#include "abi.h"

#define WAIT (-10001)
#define KEEP (-10002)

/* limits, each with an error that names it (limit.c) */
#define PROCESSES 512      /* fork: EAGAIN */
#define DESCRIPTORS 256    /* open: EMFILE */
#define REGIONS 4096       /* mmap: ENOMEM */
#define LINKS_FOLLOWED 40  /* ELOOP */
#define PIPE_FRAMES 16     /* 64 KiB a pipe, as in Linux, unless another size is asked for; and that is 1 MiB at most: */
#define PIPE_FRAMES_MOST 256
#define ARGUMENTS_LIMIT (1024 * 1024) /* exec: E2BIG */
#define STACK_LIMIT (8 * 1024 * 1024)
#define STACK_TOP 0x7eff0000u
#define MMAP_TOP 0x7e000000u

/* ---- pool.c: memory for structures of at most a page; vector.c: sparse arrays ------------------------------------------------------------------------------ */

enum pool_kind { POOL_PLAIN, POOL_TEXT, POOL_NODES, POOL_FILES, POOL_PIPES, POOL_MEMORIES, POOL_REGIONS, POOL_ENTRIES, POOL_VECTORS, POOL_SOCKETS, POOL_MESSAGES, POOL_BYTES, POOL_TERMINALS, POOL_SEGMENTS, POOL_SETS, POOL_KINDS };

void *pool_of(enum pool_kind kind, unsigned size); /* zeroed; 0: no memory */
void pool_back(enum pool_kind kind, void *block, unsigned size);
void pool_settle(void);                            /* when no builder lives */
#define pool_get(size) pool_of(POOL_PLAIN, size)
#define pool_put(block, size) pool_back(POOL_PLAIN, block, size)

void count_more(u32 *count);                       /* count.c; both panic rather than lose count */
u32 count_less(u32 *count);                        /* what is left */

#define SLOTS ((unsigned)(PAGE_SIZE / sizeof(void *)))
#define ROOTS (sizeof(void *) / 4 * (sizeof(void *) / 4)) /* so that all machines have the same limit: */
#define FILE_LIMIT ((u64)ROOTS * SLOTS * SLOTS * PAGE_SIZE) /* bytes of a file, 4 GiB: EFBIG */

struct vector {
	void **small;    /* up to SLOTS slots */
	void ***root[ROOTS]; /* more: each SLOTS pages of SLOTS slots */
	unsigned room;   /* slots in small */
};

void **vector_slot(struct vector *v, unsigned i, int make); /* 0: not there (no memory, when make) */
void vector_free(struct vector *v);

/* ---- text.c ----------------------------------------------------------------------------------------------------------------------------------------- */

unsigned text_length(const char *s);
int text_same(const char *a, const char *b);
void note(const char *text);                       /* to the console */
void note_number(unsigned n);
void limit_reached(unsigned *once, const char *text); /* "limit: text" on the console, the first time */

/* ---- node.c, directory.c, content.c: files -------------------------------------------------------------------------------------------------------- */

struct stamp {
	u32 seconds, nanoseconds;
};

struct pipe;
struct socket;
struct process;

struct motions { /* how often something came that can be read, and went, so that there is room: what edges are (epoll.c) */
	u32 came, went;
};

struct node {
	u32 mode, links, uid, gid;
	u32 number;            /* inode number */
	u32 users;             /* descriptors, working directories, mappings in the making */
	u32 device;            /* character devices: major << 8 | minor */
	struct lock *locks;    /* lock.c */
	u32 view;              /* directory: of /proc (proc.c) */
	u32 linkable;          /* a file without a name (O_TMPFILE) that may still be given one */
	struct event *event;   /* eventfd and its kin (event.c, epoll.c) */
	struct segment *segment; /* whose memory it is (segment.c) */
	u32 nameless;          /* no directory ever holds it: a pipe without a name, a link of /proc */
	struct stamp access, modify, change;
	u64 size;
	struct vector slots;   /* regular: frames (0: hole); directory: entries */
	char *target;          /* symbolic link, size + 1 bytes */
	struct pipe *pipe;     /* while it is open */
	struct socket *bound;  /* of a socket's name: whom it leads to, while he lives */
	struct node *parent;   /* directory; 0 when it has been removed */
	u32 entries, top;      /* directory: number of entries; first slot never used */
	u32 readers;           /* directory: descriptors that may be reading it */
	u32 writers;           /* regular: descriptors and shared mappings that may write it */
	u32 mapped, shared;    /* regular: regions that show it, and of these the shared ones */
	u32 written;           /* regular: of the shared ones those that may write it, or may yet get the right to */
	u32 memory, seals;     /* regular: made by memfd_create; what may not be done to it any more (seal.c) */
	u32 running;           /* regular: memories that run it as their program: it cannot be written meanwhile */
};

#define KIND(node) ((node)->mode & S_IFMT)

struct entry {
	struct entry *next;    /* same hash */
	struct node *directory, *node;
	u32 hash, slot;
	u8 length;
	char name[1];
};

extern struct node *root_node;
void stamp_now(struct stamp *stamp);
void stamp_access(struct process *p, struct node *node); /* p has read it */
void stamp_refresh(void);
extern nanoseconds date_offset;                    /* from the machine's clock to the date; the executor sets it for each step */
struct node *node_new(u32 mode, u32 uid, u32 gid); /* no links, one user */
struct node *node_nameless(struct process *p, u32 mode); /* the same, p's own, and it never gets a name */
void node_keep(struct node *node);
void node_drop(struct node *node);
void node_unlinked(struct node *node);             /* one link less */

struct entry *directory_find(struct node *directory, const char *name, unsigned length);
int directory_add(struct node *directory, const char *name, unsigned length, struct node *node);
struct entry *directory_names(struct node *node);  /* one of its names, by looking at all there are; 0: it has none */
void directory_remove(struct entry *entry);        /* the node's link count is the caller's business */

int content_read(struct node *node, u64 at, struct process *p, address to, unsigned length);       /* never short except at the end */
int content_write(struct node *node, u64 at, struct process *p, address from, unsigned length);
int content_get(struct node *node, u64 at, void *to, unsigned length);                             /* into our own memory */
int content_put(struct node *node, u64 at, const void *from, unsigned length);
int content_truncate(struct node *node, u64 size);
void *content_frame(struct node *node, unsigned page);                                             /* for mapping; 0: a hole */
void *content_make(struct node *node, unsigned page);                                             /* the same, made if it is a hole; 0: no memory */
void content_zero(struct node *node, u64 at, u64 end);
u32 content_pages_left(void);                                                                     /* that files may still fill */
void content_free(struct node *node);

/* seal.c: 1 if it is forbidden */
struct view;
int seal_stops_write(struct node *node, u64 end);
int seal_stops_size(struct node *node, u64 size);
int seal_stops_view(struct node *node, u32 protection, struct view *view);

/* ---- path.c -------------------------------------------------------------------------------------------------------------------------------------------- */

struct file;
struct process;

struct found {
	struct node *directory;        /* holds the last component */
	struct node *node;             /* 0: does not exist */
	struct entry *entry;           /* 0: does not exist, or the path ends in . or .. or is / */
	char name[NAME_LIMIT + 1];     /* the last component */
	unsigned length;
	int slash;                     /* the path ended in a slash */
	int outside;                   /* the last component lies in /proc: it can be opened and looked at, nothing else */
};

#define MAY_EXECUTE 1u
#define MAY_WRITE 2u
#define MAY_READ 4u

int path_get(struct process *p, address path, char to[PATH_LIMIT]);      /* copies a path in; its length */
#define FOLLOW_NEVER 2 /* a link at the path's end is what is meant, even if a slash comes after it: names that are made, moved, removed */

int path_walk(struct process *p, int at, const char *path, int follow, struct found *f); /* follow: 1, 0 (but for a slash), FOLLOW_NEVER */
int path_find(struct process *p, int at, address path, int follow, struct node **node); /* of something that exists */
int path_make(struct process *p, int at, address path, struct found *f); /* of something to be made: EEXIST when it is there */
int may(struct process *p, struct node *node, u32 wanted);               /* 0 or -EACCES */
int path_text(struct process *p, struct node *node, char to[PATH_LIMIT]); /* getcwd; its length */
unsigned node_text(struct process *p, struct node *node, char to[PATH_LIMIT]); /* of anything, for /proc; its length */

/* ---- proc.c ---- */

void proc_forget(void);                                                  /* what the walk before was lent */
int proc_is(struct process *p, struct node *directory);                  /* a directory of /proc, as p sees it */
/* What a name means in such a directory: lent until the next walk, 0 if there is nothing. 0 or an error. */
int proc_find(struct process *p, struct node *directory, const char *name, u32 length, int follow, struct node **node);
struct node *proc_parent(struct process *p, struct node *directory);     /* 0: no memory */
/* The name with this index, and what getdents shows of it. 1; 0: none under this one; -1: this was the last. */
int proc_entry(struct process *p, struct node *directory, u32 index, char name[NAME_LIMIT + 1], struct node *like);

/* ---- pipe.c, device.c, file.c ---------------------------------------------------------------------------------------------------------------------------- */

struct pipe {
	void **frames;            /* a ring of so many; each is there only while it holds something */
	u32 frame_count, start, length;
	struct motions moved;
	u32 readers, writers;     /* open descriptions */
	u32 read_opens, write_opens; /* ever, for the meeting of a named pipe's two ends */
};

#define FILE_LIVES 0x66696c65u

struct file { /* an open file description */
	u32 mark;                 /* FILE_LIVES */
	struct node *node;        /* always there */
	struct pipe *pipe;        /* pipes, with and without a name */
	struct socket *socket;
	struct terminal *terminal; /* either end; and the turn that it was opened in (tty.h) */
	u32 turn;
	u32 flags;                /* O_* */
	u32 users;
	u64 offset;
	struct watch *watches;    /* of it by epoll */
};

char *byte_of(struct process *p, struct file *f, int write);             /* call_data.c: where the next byte is, or comes, if moving it is all there is to do; 0: it is not */
void bytes_moved(struct process *p, struct file *f, int write, u32 n);   /* so many of them were */

int pipe_read(struct process *p, struct file *f, address to, unsigned length);
int pipe_write(struct process *p, struct file *f, address from, unsigned length);
int pipe_open(struct file *f); /* a named pipe */
struct pipe *pipe_new(void);
u32 pipe_room(struct pipe *pipe);                                       /* bytes that it can hold */
int pipe_resize(struct process *p, struct pipe *pipe, u32 size);        /* its new size, or an error */
void pipe_free(struct pipe *pipe); /* one that nobody has opened */
void pipe_close(struct file *f);
unsigned pipe_peek(struct pipe *pipe, void *to, unsigned length);       /* the next bytes, which stay; how many */
void pipe_consume(struct pipe *pipe, unsigned length);                  /* so many go; whoever waits is the caller's business */
int pipe_append(struct pipe *pipe, const void *from, unsigned length);  /* how many went in, or -ENOMEM */

int device_open(struct process *p, struct node *node);
int device_placeless(struct node *node);
int device_read(struct process *p, struct file *f, address to, unsigned length);
int device_write(struct process *p, struct file *f, address from, unsigned length);
int device_ioctl(struct process *p, struct file *f, u32 request, address argument);
int device_put(struct file *f, const char *from, unsigned length);      /* from our own memory */
extern int channel; /* its address: what waits for the result channel */
void random_bytes(void *to, unsigned length);

struct file *file_of(struct process *p, int fd);       /* what may be read, written, asked; 0: EBADF */
struct file *descriptor_of(struct process *p, int fd); /* also what was opened with O_PATH: only to be looked at, duplicated, closed, started from */
int file_install(struct process *p, struct file *f, unsigned from, int close_on_exec); /* takes over the caller's reference; frees it on error */
u32 file_most(struct process *p);                       /* descriptors that it may have */
int file_room(struct process *p);                      /* a free descriptor for file_install: 0 or -EMFILE */
struct file *file_new(struct node *node, u32 flags);
void file_keep(struct file *f); /* one use more */
void file_drop(struct file *f);
int file_close(struct process *p, int fd);
void locks_drop(struct node *node, void *owner); /* of a process that closes the file, or of an open file */

/* ---- call_tty.c: terminals as files ---- */

int terminal_is(struct node *node);                                                              /* a device that terminal_open opens */
struct terminal *terminal_at(struct node *node);                                                 /* whose other end it is; 0: of none that lives */
int terminals_mount(struct process *p, struct node *directory);
int terminal_open(struct process *p, struct file *f);
void terminal_close(struct file *f);
int terminal_read(struct process *p, struct file *f, address to, u32 length);                    /* bytes, WAIT, or an error */
int terminal_write(struct process *p, struct file *f, address from, u32 length);
int terminal_ready(struct file *f);                                                              /* POLL* bits */
void terminal_motions(struct file *f, struct motions *to);
int terminal_ioctl(struct process *p, struct file *f, u32 request, address at);
void terminal_leader_ends(struct process *leader);                                               /* a process ends: if it led a session, that has no terminal any more */
int process_orphaned(struct process *p);                                                         /* its process group is nobody's job: it is not stopped by keys */

/* ---- socket.c, message.c: sockets as files ------------------------------------------------------------------------------------------------------------------- */

int socket_move(struct process *p, struct file *f, address at, u32 length, int write);           /* bytes, WAIT, or an error */
int socket_move_many(struct process *p, struct file *f, address vector, u32 count, int write);   /* the same, from and to pieces: one message if it has borders */
int socket_append(struct process *p, struct file *f, const char *from, u32 length);              /* from our own memory */
int socket_room(struct process *p, struct file *f, int wait);                                    /* for a page at most; WAIT, -EAGAIN */
int socket_ready(struct file *f);                                                                /* POLL* bits */
void socket_motions(struct file *f, struct motions *to);
int socket_waiting(struct file *f);                                                              /* bytes to be read */
void socket_close(struct file *f);
void sockets_collect(void);                                                                      /* frees what travels in circles */

/* ---- event.c, epoll.c: what can be waited for like a file: a node without a name and without a kind, and what it counts ------------------------------------ */

enum event_kind { EVENT_COUNT, EVENT_TIMER, EVENT_SIGNALS, EVENT_WATCHES };

struct event {
	enum event_kind kind;
	struct motions moved;       /* COUNT, TIMER */
	u64 count;                  /* COUNT */
	u32 one_by_one;             /* COUNT: a read takes 1 */
	nanoseconds next, interval; /* TIMER: due on the machine's clock, 0: not set */
	u32 real, told;             /* TIMER: of the real clock; its time has come and was told */
	const nanoseconds *cpu;     /* TIMER: next is of this processor time; 0: of the machine's clock */
	struct timer *owner;        /* TIMER: of timer_create; 0: a file's */
	u64 set;                    /* SIGNALS */
	struct watch *watches;      /* WATCHES */
	struct event *after;        /* TIMER: the list of all */
};

int event_file(struct process *p, struct event *e, u32 flags);  /* a descriptor for it, which it takes over; freed on error */
struct event *event_new(enum event_kind kind);
void event_free(struct event *e);
int event_ready(struct file *f);                                /* POLL* bits */
int event_read(struct process *p, struct file *f, address to, unsigned length);
int event_write(struct process *p, struct file *f, address from, unsigned length);
u64 event_go_on(struct event *e);                               /* a timer counts from now on; how often its time had come */
/* What timerfd_settime and timer_settime say in their last three arguments; and a timer as struct itimerspec: interval, then what is left. 0 or an error. */
int event_set(struct process *p, struct event *e, struct machine_registers *r, int wide);
int event_tell(struct process *p, address to, struct event *e, int wide);
nanoseconds event_timers(void);                                 /* wakes those whose time has come; the next time, 0: none */
int epoll_ready(struct event *e);
void watches_drop(struct watch **list);                         /* of a file or an epoll that is no more */
extern int signals_come;                                        /* what reads of a signalfd wait for */

/* ---- region.c, exec.c: memory of processes -------------------------------------------------------------------------------------------------------------- */

struct view {              /* what a region shows */
	u32 protection, most;  /* most: what mprotect may give it */
	struct node *node;     /* a file, kept and counted by the region; 0: memory that begins as zeros */
	u32 page;              /* of the file, at the region's start */
	u32 shared;            /* what is written there is written to the file */
};

struct region {
	struct region *next;
	address start, end;
	struct view view;
	u32 stack;             /* grows downwards */
};

struct memory {
	struct machine_space *space;
	struct region *regions; /* sorted */
	u32 region_count, users;
	struct node *program;   /* what runs in it; 0: nothing yet */
	address brk_start, brk;
	address arguments, environment, strings_end, stack_start; /* for /proc: where the strings of either begin, where they end */
};

address range_end(address at, machine_word size, address limit); /* the only sum of an address and a size; 0: that is no range of pages below limit */
struct memory *memory_new(void);
struct memory *memory_copy(struct memory *m);
void memory_drop(struct memory *m);
int region_add(struct memory *m, address at, address end, const struct view *view);        /* only the list, at a free place */
struct region *region_at(struct memory *m, address at); /* 0: none */
int region_covers(struct memory *m, address at, address end); /* all of it is mapped */
void region_join(struct memory *m, address at); /* what lies there with what follows, as long as that shows what comes next, in the same way */
int region_unmap(struct memory *m, address at, address end);
int region_protect(struct memory *m, address at, address end, u32 protection);
int region_forget(struct memory *m, address at, address end); /* drops pages; what shows them provides them anew */
int region_move(struct memory *m, address at, address end, address to);
address region_gap(struct memory *m, address hint, machine_word size); /* 0: none */
int region_free(struct memory *m, address at, address end);   /* nothing is mapped there */
void address_space_full(void);                                /* says so on the console */
u32 rights_of(u32 personality, u32 protection);               /* what PROT_* of a program of this personality are as PROTECT_* */

/* mapping.c */
int region_map(struct memory *m, address at, address end, u32 protection, struct node *node, u32 page); /* private; at a free place */
int region_view(struct memory *m, address at, address end, const struct view *view);                     /* the same, any */
int region_fault(struct memory *m, address at, int write); /* 0: there now; or the signal that it is */
void region_cut(struct node *node, u32 page);            /* a file has lost its pages from this one on: so has whoever maps it */
void memory_runs(struct memory *m, struct node *program);
int memory_read(struct memory *m, void *to, address from, unsigned length);        /* 0 or -1 */
int memory_write(struct memory *m, address to, const void *from, unsigned length); /* 0 or -1 */
int user_read(struct process *p, void *to, address from, unsigned length);  /* 0 or -EFAULT */
int user_write(struct process *p, address to, const void *from, unsigned length);
#define WORD(p) (WIDE(p) ? 8u : 4u)                                         /* bytes of a pointer, size or time of the program's */
u32 word_of_user(unsigned long long word);                                  /* what is too wide is ~0: no memory lies there, nothing is so large */
int user_words(struct process *p, u32 *to, address from, u32 count);        /* words as the program has them; 0 or -EFAULT */
int user_numbers(struct process *p, long long *to, address from, u32 count); /* the same, of words that have a sign and are no addresses */
int user_give(struct process *p, address to, const u32 *words, u32 count);  /* the other way of user_words */
void cpio_unpack(const u8 *archive, unsigned long size);

#define ELF_SEGMENTS 32
int elf_headers(struct node *node, struct elf_header *h, struct elf_segment s[ELF_SEGMENTS], u32 *wide); /* elf.c */
int exec_run(struct process *p, int at, const char *path, address argv, address envp);
int exec_init(struct process *p);

#define UNBLOCKABLE (1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1))

/* ---- process.c, signal.c, clock.c -------------------------------------------------------------------------------------------------------------------------- */

struct action {
	address handler;
	u32 flags;
	address restorer;
	u64 mask;
};

struct origin { /* of a signal, for those who ask: si_code, si_pid, si_uid, and si_status or si_value */
	int code;
	u32 pid, uid, value;
};

struct handlers {
	struct action actions[SIGNALS];
	struct origin origins[32]; /* of the signal that came last under this number; the first one: of the last one from 32 on that was taken */
};

enum ipc_kind { IPC_SEGMENTS, IPC_SETS, IPC_KINDS };

struct group { /* a process namespace */
	u32 users, last;       /* last: the number given last */
	struct process *first; /* process 1 of it */
	struct node *proc;     /* where it has mounted /proc; 0: nowhere */
	struct node *terminals; /* and /dev/pts */
	struct ipc *ipc[IPC_KINDS]; /* System V's segments and sets of semaphores (ipc.c) */
	u32 ipc_next[IPC_KINDS], ipc_count[IPC_KINDS];
	u32 port;              /* of the loopback that was given last (inet.c) */
};

#define NO_LIMIT (~0ull)

enum resource { LIMIT_FSIZE = 1, LIMIT_STACK = 3, LIMIT_CORE = 4, LIMIT_PROCESSES = 6, LIMIT_FILES = 7, LIMIT_SPACE = 9, LIMIT_NICE = 13, LIMIT_PRIORITY = 14, LIMITS = 16 };

struct limit {
	u64 soft, hard;
};

struct crew { /* what the threads of a process share */
	u32 users, living;      /* structures that point here; threads that have not ended */
	struct handlers *handlers;
	u64 pending;            /* signals to the process, for whichever thread takes them */
	struct queued *queue;   /* those from 32 on, each time they were sent */
	u32 signalled;          /* how often one was sent to it or to a thread of its */
	struct { nanoseconds at, interval; } alarms[3]; /* of setitimer: on the machine's clock; on cpu, twice */
	nanoseconds cpu, children; /* processor time: of its threads, and of children that were waited for (and theirs) */
	struct timer *timers;   /* of timer_create; */
	u32 timer_next;         /* the number that the next one gets */
	struct limit limits[LIMITS]; /* of resources: those on files' sizes, processes, descriptors and the address space hold, all are shown */
	struct file *files[DESCRIPTORS];
	u8 close_on_exec[DESCRIPTORS];
};

enum state { RUNNING, WAITING, STOPPED, ZOMBIE };

struct process {
	enum state state;
	int again;              /* a call is to be made again */
	void *wait;             /* what it waits for */
	nanoseconds deadline;   /* 0: none */
	int timed;              /* deadline is set for this call */
	u32 progress;           /* bytes done of a call that waits */
	struct machine_thread *thread;
	struct machine_registers *r;
	u32 call;               /* the number of the call that it makes or made last, as i386 numbers them */
	struct memory *memory;
	struct process *parent;
	struct group *group;
	struct process *leader; /* the process that this is a thread of: itself, mostly */
	u32 pid, local;         /* in the first namespace, in its own */
	u32 pgid, sid;          /* numbers of its own namespace */
	u32 uid, euid, suid, gid, egid, sgid;
	u32 groups[16], group_count;
	u32 umask, personality, no_new_privileges;
	u32 policy;             /* of scheduling, which has no effect; */
	int nice;               /* neither has this */
	u32 executed;           /* since it was forked */
	u32 no_terminal;        /* it gave its session's up for itself (TIOCNOTTY) */
	struct node *root, *cwd;
	struct crew *crew;      /* what its threads share; and in there: */
	struct file **files;
	u8 *close_on_exec;
	struct handlers *handlers;
	struct action *actions;
	u64 pending, blocked, saved_mask;
	struct queued *queue;   /* as the crew's */
	int stopped, continued; /* leader: a signal that stopped it, or that it goes on, which its parent has not been told */
	void *futex_base;       /* it waits for a word of this memory ... */
	address futex_at;       /* ... here; */
	u32 futex_bits, futex_turn;
	void *lock_owner;       /* it waits for a lock that this one holds */
	struct attempt *attempt; /* it waits for semaphores, or they were changed for it (semaphore.c) */
	int futex_woken;        /* it was woken, and has not heard of it */
	u64 awaited;            /* sigtimedwait: these may be blocked */
	int mask_saved;         /* sigsuspend: saved_mask comes back after the handler */
	address alternate, alternate_size; /* sigaltstack */
	int exit_signal, exit_code;        /* exit_code as wait reports it */
	struct process *vfork_parent;
	address clear_tid, robust;
	nanoseconds started, cpu;
	char name[16];
	address last_fault;
	struct file *opening;   /* a named pipe that waits for its other end */
	u32 opening_seen;
	u32 slot;               /* in the table */
	int detached;           /* a zombie that nobody waits for */
	struct process *next;   /* run queue */
	int queued;
};

extern struct process *processes[PROCESSES];
extern struct process *current;
int privileged(void);                       /* current may use the reserve: it is process 1's namespace */
struct process *process_new(struct process *parent);
int process_fork(struct process *p, u32 flags, address stack, address parent_tid, address child_tid, address tls);
void process_exit(struct process *p, int code); /* code as wait reports it */
void process_memory_released(struct process *p); /* a vforked child lets its parent go on */
void process_free(struct process *p);       /* one that has ended */
void process_stop(struct process *p, int number);
void process_continue(struct process *p);
void thread_exit(struct process *p, int code); /* the process ends with its last thread */
void thread_alone(struct process *p);

struct crew *crew_new(void);                /* 0: no memory */
void crew_join(struct process *p, struct crew *crew);
void crew_drop(struct crew *crew);

struct news { /* of a child */
	struct process *child;
	int code;   /* si_code; 0: none */
	u32 status, uid;
};

int process_wait(struct process *p, u32 kind, u32 wanted, u32 options, struct news *found);
void process_waited(struct news *found);
extern struct group *first_group;
void queue_out(struct process *p);
int futex_wake(struct process *p, address at, u32 number, u32 bits); /* how many */
void futex_robust(struct process *p);

struct process *thread_by_number(struct process *p, u32 number); /* in p's own namespace */
struct process *process_by_number(struct process *p, u32 number); /* as p's namespace numbers them */
u32 process_number(struct process *seen_by, struct process *p);
void make_runnable(struct process *p);
int sleep_on(struct process *p, void *what); /* WAIT */
void yield(void);                           /* others first, after this call */
void account(void);                         /* what current has used of the processor until now goes onto its account */
void wake(void *what);
void out_of_memory(struct process *p);      /* ends the step */

void signal_send(struct process *p, int number);                       /* from the kernel */
void signal_send_from(struct process *p, int number, const struct origin *origin);   /* to the process */
void signal_send_thread(struct process *p, int number, const struct origin *origin);
void timer_fired(struct timer *t);                                        /* its event has come */
void timer_taken(struct process *p, int signal, struct origin *origin);   /* a timer's signal: it counts anew, and the origin says how often it had come once more */
void timers_drop(struct crew *crew);
void timers_stand(struct process *p);                                     /* a thread is no more: those on its processor time are off */
struct origin *signal_origin(struct process *p, int number);
void origin_tell(struct process *p, u32 info[32], int number, const struct origin *origin); /* as a siginfo */
int signal_kill(struct process *p, int pid, int number, const struct origin *origin); /* origin 0: p itself */
int signal_kill_thread(struct process *p, u32 leader, u32 number, int signal);
int signal_waiting(struct process *p);      /* one is deliverable */
int signal_take(struct process *p, u64 set);   /* the first of these that is pending, which it then is no more; 0: none */
u64 signals_pending(struct process *p);
int signals_full(void);                     /* no more can wait */
struct queued;
void signals_drop(struct queued **list, int number); /* 0: all */
int signal_on_alternate(struct process *p);
void signal_deliver(struct process *p);
void signal_fault(struct process *p, const struct machine_fault *fault);
int signal_return(struct process *p, int with_info);
int signal_return_code(struct process *p);  /* a frame's code is to be run where nothing can be: done instead. 1: so it was */

int sleep_interrupted(struct process *p); /* by a handler: what the call answers */
int usage_tell(struct process *p, address to, nanoseconds cpu); /* struct rusage. 0 or -EFAULT */
int timer_wait(struct process *p, nanoseconds length); /* WAIT, or 0 when the time is over */
nanoseconds timers_check(void);             /* fires what is due; when the next is due, 0: none */

/* ---- ipc.c, segment.c, semaphore.c: System V's shared memory and semaphores --------------------------------------------------------------------------------- */

void ipc_end(struct group *group);          /* what a step leaves goes */
void segment_left(struct node *node);       /* a region shows a segment's file no more */
void sets_undo(struct process *p);          /* the process ends: what it did to semaphores and asked to be undone */
int attempt_end(struct process *p, int result); /* p->attempt is over: what its call answers, `result` if nobody made its changes */

/* ---- table.c ------------------------------------------------------------------------------------------------------------------------------------------------ */

typedef long (*call)(struct process *p, struct machine_registers *r);
#ifdef MACHINE_WIDE
/* ---- x86_64/wide.c: programs of 64 bits; all else is told by WIDE(p) where it differs ---- */
struct machine_registers *wide_arguments(struct process *p, u32 *number); /* of its call, as i386 has them: what no call has is number 0 */
int wide_refuse(struct process *p);         /* -ENOSYS, and a word about it on the console, once */
int wide_push(struct process *p, int number, struct action *a, address sp, u64 mask, const struct machine_fault *fault); /* 0 or -EFAULT */
int wide_return(struct process *p);         /* 0 or -EFAULT */
#endif

int serve(struct process *p);               /* the call in p's registers; WAIT, or 0 */
const char *call_name(u32 number);

#endif
