/* call_tty.c: pseudo-terminals as programs see them: /dev/ptmx, /dev/pts/N, /dev/tty; reading, writing and asking. Nothing of a terminal outlives its step, and none
   leads to the console or the result channel: all that one gives was typed or printed by the builder itself. */

#include "proc.h" /* number_text */
#include "tty.h"

#define TENTH 100000000u
#define PIECE 256u

int terminal_master(struct file *f)
{
	return f->node->device == TTY_MASTER;
}

int terminal_dead(struct file *f)
{
	return !terminal_master(f) && f->turn != f->terminal->turn;
}

int terminal_is(struct node *node)
{
	return KIND(node) == S_IFCHR && (node->device == TTY_OWN || node->device == TTY_MASTER || (node->device & 0xff00) == TTY_SLAVE);
}

/* devpts is mounted here, once in a step: /dev/ptmx makes its terminals in this directory. 0 or an error. */
int terminals_mount(struct process *p, struct node *directory)
{
	struct node *node;
	int error;

	if (p->group->terminals)
		return -EBUSY;
	node = node_new(S_IFCHR | 0666, 0, 0);
	if (!node)
		return -ENOMEM;
	node->device = TTY_MASTER;
	error = directory_add(directory, "ptmx", 4, node);
	if (!error) {
		node->links = 1;
		node_keep(directory);
		p->group->terminals = directory;
	}
	node_drop(node);
	return error;
}

/* ---- opening and closing ---- */

void terminal_take(struct process *p, struct terminal *t)
{
	u32 i;

	t->sid = p->sid;
	t->pgid = p->leader->pgid;
	for (i = 0; i < PROCESSES; i++)
		if (processes[i] && processes[i]->group == p->group && processes[i]->sid == p->sid)
			processes[i]->no_terminal = 0;
}

int terminal_leads(struct process *p)
{
	return p->sid == p->leader->local;
}

static int open_master(struct process *p, struct file *f)
{
	static unsigned once;
	u32 number = terminal_free_number(p), length;
	struct terminal *t;
	char name[12];
	int error;

	if (!p->group->terminals)
		return -ENODEV;
	if (number >= TERMINALS) {
		limit_reached(&once, "256 terminals in a step (ENOSPC)");
		return -ENOSPC;
	}
	t = terminal_new(p);
	if (!t)
		return -ENOMEM;
	t->number = number;
	t->node->device = TTY_SLAVE | number;
	length = number_text(name, number);
	error = directory_add(p->group->terminals, name, length, t->node);
	if (error) {
		terminal_gone(t);
		return error;
	}
	t->node->links = 1;
	t->directory = p->group->terminals;
	node_keep(t->directory);
	t->masters = 1;
	f->terminal = t;
	return 0;
}

/* The description is new. 0, or an error: then it is to be dropped. */
int terminal_open(struct process *p, struct file *f)
{
	struct terminal *t;
	u32 noctty = f->flags & O_NOCTTY;

	f->flags &= ~O_NOCTTY;
	if (terminal_master(f))
		return open_master(p, f);
	t = f->node->device == TTY_OWN ? terminal_of(p) : terminal_at(f->node);
	if (!t)
		return f->node->device == TTY_OWN ? -ENXIO : -EIO;
	if (!t->masters || t->locked)
		return -EIO;
	f->terminal = t;
	f->turn = t->turn;
	t->slaves++;
	t->opened = 1;
	if (!noctty && terminal_leads(p) && !terminal_of(p) && !t->sid && (f->flags & O_ACCMODE) != O_WRONLY)
		terminal_take(p, t);
	return 0;
}

void terminal_close(struct file *f)
{
	struct terminal *t = f->terminal;
	struct entry *e;
	char name[12];

	if (terminal_master(f)) {
		e = directory_find(t->directory, name, number_text(name, t->number));
		if (e && e->node == t->node) {
			directory_remove(e);
			node_unlinked(t->node);
		}
		t->masters = 0;
		terminal_hang_up(t);
	} else {
		count_less(&t->slaves);
		terminal_turned(t);
	}
	if (!t->masters && !t->slaves)
		terminal_gone(t);
}

/* ---- the foreground ---- */

/* Nobody in its process group has a parent outside of it who could let it go on. */
int process_orphaned(struct process *p)
{
	struct process *q, *parent;
	u32 i;

	for (i = 0; i < PROCESSES; i++) {
		q = processes[i];
		if (!q || q->leader != q || q->group != p->group || q->pgid != p->leader->pgid || !q->crew->living)
			continue;
		parent = q->parent;
		if (parent->group == q->group && parent->pgid != q->pgid && parent->sid == q->sid)
			return 0;
	}
	return 1;
}

/* Who is in the background is stopped before it reads (SIGTTIN), prints or changes (SIGTTOU). 0, WAIT, or -EIO. */
int terminal_foreground(struct process *p, struct terminal *t, int number)
{
	struct process *q;
	u32 i;

	if (terminal_of(p) != t || !t->pgid || t->pgid == p->leader->pgid)
		return 0;
	if (p->blocked >> (number - 1) & 1 || p->actions[number - 1].handler == SIG_IGN)
		return number == SIGTTIN ? -EIO : 0;
	if (process_orphaned(p))
		return -EIO;
	sleep_on(p, t);
	for (i = 0; i < PROCESSES; i++) {
		q = processes[i];
		if (q && q->leader == q && q->group == p->group && q->pgid == p->leader->pgid)
			signal_send(q, number);
	}
	return WAIT;
}

/* ---- reading and writing ---- */

/* May something be read? In bytes, poll wants as many as a read waits for. */
static int has_input(struct terminal *t, int polled)
{
	const u8 *k = t->set.keys;

	if (t->set.local & ICANON)
		return t->canon != t->tail;
	return t->head - t->tail >= (polled && !k[KEY_TIME] && k[KEY_MIN] ? k[KEY_MIN] : 1u);
}

/* Bytes from here on go to the program. 0 or -EFAULT. */
static int give_bytes(struct process *p, struct terminal *t, address to, u32 length)
{
	u32 part = TTY_INPUT - t->tail % TTY_INPUT;

	if (part > length)
		part = length;
	return user_write(p, to, &TTY_AT(t, t->tail), part) || (length > part && user_write(p, to + part, t->bytes, length - part)) ? -EFAULT : 0;
}

/* One line, or as much of it as there is room for. Its end may be one that is not read. */
static int give_line(struct process *p, struct terminal *t, address to, u32 length)
{
	u32 n = 0, ends = 0;
	int error;

	while (!ends && n < length && t->tail + n != t->canon) {
		ends = TTY_ENDS(t, t->tail + n);
		n += ends && !TTY_AT(t, t->tail + n) ? 0 : 1;
	}
	if (!ends && t->tail + n != t->canon && TTY_ENDS(t, t->tail + n) && !TTY_AT(t, t->tail + n))
		ends = 1; /* the room ends where the line does */
	error = give_bytes(p, t, to, n);
	t->tail += n; /* be there a place for it or not, as in Linux */
	if (ends && t->tail != t->canon && TTY_ENDS(t, t->tail) && !TTY_AT(t, t->tail))
		t->tail++;
	return error ? error : (int)n;
}

static int waited(struct process *p, int result)
{
	p->timed = 0;
	p->deadline = 0;
	return result;
}

/* Bytes as they come: MIN of them at least, or none after TIME tenths of a second, counted from the first if MIN is not 0. */
static int read_bytes(struct process *p, struct file *f, address to, u32 length, u32 done)
{
	struct terminal *t = f->terminal;
	u32 least = t->set.keys[KEY_MIN], part = t->head - t->tail;
	nanoseconds time = (nanoseconds)t->set.keys[KEY_TIME] * TENTH;

	if (part > length - done)
		part = length - done;
	if (part) {
		if (give_bytes(p, t, to + done, part)) {
			t->tail += part;
			return waited(p, done ? (int)done : -EFAULT);
		}
		t->tail += part;
		done += part;
		t->read++;
		wake(t);
	}
	if (done == length || (done && done >= least) || (!least && !time))
		return waited(p, (int)done);
	if (f->flags & O_NONBLOCK)
		return waited(p, done ? (int)done : -EAGAIN);
	if (part)
		p->timed = 0; /* the time begins anew */
	if (time && (done || !least) && timer_wait(p, time) != WAIT)
		return waited(p, (int)done);
	p->progress = done;
	return sleep_on(p, t);
}

static int read_master(struct process *p, struct file *f, address to, u32 length)
{
	struct terminal *t = f->terminal;
	char part[PIECE];
	u32 done = 0, n;

	if (t->output->length == t->held) {
		if (t->opened && !t->slaves)
			return -EIO;
		return f->flags & O_NONBLOCK ? -EAGAIN : sleep_on(p, t);
	}
	while (done < length && t->output->length > t->held) {
		n = t->output->length - t->held;
		n = n < length - done ? n : length - done;
		n = pipe_peek(t->output, part, n < PIECE ? n : PIECE);
		pipe_consume(t->output, n);
		if (user_write(p, to + done, part, n))
			return done ? (int)done : -EFAULT;
		done += n;
	}
	t->taken++;
	wake(t);
	return (int)done;
}

int terminal_read(struct process *p, struct file *f, address to, u32 length)
{
	struct terminal *t = f->terminal;
	u32 done = p->progress;
	int error;

	p->progress = 0;
	if (terminal_dead(f) || !length)
		return waited(p, (int)done);
	if (terminal_master(f))
		return read_master(p, f, to, length);
	error = terminal_foreground(p, t, SIGTTIN);
	if (error) {
		p->progress = done;
		return error;
	}
	if (!(t->set.local & ICANON))
		return read_bytes(p, f, to, length, done);
	if (done)
		return waited(p, (int)done); /* lines came to be meanwhile */
	if (t->canon == t->tail) {
		waited(p, 0); /* it may have begun among bytes, with a time */
		return f->flags & O_NONBLOCK ? -EAGAIN : sleep_on(p, t);
	}
	error = give_line(p, t, to, length);
	t->read++;
	wake(t);
	return error;
}

/* A master's bytes are typed, a slave's printed, one after the other while there is room. */
int terminal_write(struct process *p, struct file *f, address from, u32 length)
{
	struct terminal *t = f->terminal;
	u32 done = p->progress, n, i;
	u8 part[PIECE];
	int error = 0;

	p->progress = 0;
	if (terminal_dead(f))
		return done ? (int)done : -EIO;
	if (!terminal_master(f) && t->set.local & TOSTOP)
		error = terminal_foreground(p, t, SIGTTOU);
	if (error) {
		p->progress = done;
		return error;
	}
	while (!error && done < length) {
		n = length - done < PIECE ? length - done : PIECE;
		if (user_read(p, part, from + done, n)) {
			error = -EFAULT;
			break;
		}
		for (i = 0; i < n && !error; i++) {
			if (terminal_master(f) ? !terminal_room(t) : t->stopped || t->output->length >= TTY_OUTPUT)
				break;
			if (terminal_master(f))
				terminal_type(t, part[i]);
			else
				error = terminal_print(t, part[i]);
		}
		done += i - (error ? 1 : 0);
		if (i < n && !error)
			error = f->flags & O_NONBLOCK ? -EAGAIN : WAIT;
	}
	if (terminal_master(f)) {
		terminal_show(t);
		t->typed++;
	}
	wake(t);
	if (error == WAIT) {
		p->progress = done;
		return sleep_on(p, t);
	}
	return error && !done ? error : (int)done;
}

int terminal_ready(struct file *f)
{
	struct terminal *t = f->terminal;

	if (terminal_dead(f))
		return POLLIN | POLLOUT | POLLERR | POLLHUP;
	if (terminal_master(f))
		return (t->output->length > t->held ? POLLIN : 0) | (t->opened && !t->slaves ? POLLHUP : 0) | (t->head - t->tail < TTY_INPUT / 2 || t->canon == t->tail ? POLLOUT : 0);
	return (has_input(t, 1) ? POLLIN : 0) | (!t->stopped && t->output->length < TTY_OUTPUT ? POLLOUT : 0);
}

void terminal_motions(struct file *f, struct motions *to)
{
	struct terminal *t = f->terminal;

	to->came = t->turned + (terminal_master(f) ? t->output->moved.came : t->typed);
	to->went = t->turned + (terminal_master(f) ? t->read : t->taken);
}
