/* ask_tty.c: what a terminal is asked and told (ioctl): its settings and size, whose it is, who stands in its foreground, and of a master its other end. */

#include "tty.h"

/* struct termio, of System V: the lower halves, and the first keys */
struct old_settings {
	u16 input, output, control, local;
	u8 line, keys[8];
};

static int tell_old(struct process *p, struct terminal *t, address to)
{
	struct old_settings old;

	memset(&old, 0, sizeof old);
	old.input = (u16)t->set.input;
	old.output = (u16)t->set.output;
	old.control = (u16)t->set.control;
	old.local = (u16)t->set.local;
	old.line = t->set.line;
	memcpy(old.keys, t->set.keys, sizeof old.keys);
	return user_write(p, to, &old, sizeof old);
}

/* The settings as they will be; 0 or -EFAULT. */
static int read_old(struct process *p, struct terminal *t, struct settings *new, address from)
{
	struct old_settings old;

	if (user_read(p, &old, from, sizeof old))
		return -EFAULT;
	*new = t->set;
	new->input = (new->input & ~0xffffu) | old.input;
	new->output = (new->output & ~0xffffu) | old.output;
	new->control = (new->control & ~0xffffu) | old.control;
	new->local = (new->local & ~0xffffu) | old.local;
	new->line = old.line;
	memcpy(new->keys, old.keys, sizeof old.keys);
	return 0;
}

static int set(struct process *p, struct terminal *t, u32 request, address from)
{
	struct settings new;
	int old = request >= 0x5406, flush = request == 0x5404 || request == 0x5408;

	if (old ? read_old(p, t, &new, from) : user_read(p, &new, from, sizeof new))
		return -EFAULT;
	new.control = (new.control & ~0430u) | 0260u; /* eight bits, no parity, as every pseudo-terminal */
	if (flush)
		terminal_flush(t);
	terminal_set(t, &new);
	terminal_show(t);
	terminal_turned(t);
	return 0;
}

static int set_size(struct process *p, struct terminal *t, address from)
{
	u16 size[4];

	if (user_read(p, size, from, sizeof size))
		return -EFAULT;
	if (!memcmp(size, t->size, sizeof size))
		return 0;
	memcpy(t->size, size, sizeof size);
	terminal_signal(t, SIGWINCH);
	return 0;
}

static int become_controlling(struct process *p, struct file *f)
{
	struct terminal *t = f->terminal;

	if (terminal_leads(p) && terminal_of(p) == t)
		return 0;
	if (!terminal_leads(p) || terminal_of(p) || t->sid || (f->flags & O_ACCMODE) == O_WRONLY)
		return -EPERM;
	terminal_take(p, t);
	return 0;
}

static int leave_terminal(struct process *p, struct terminal *t)
{
	if (terminal_of(p) != t)
		return -ENOTTY;
	p->no_terminal = p->leader->no_terminal = 1;
	if (terminal_leads(p)) {
		terminal_signal(t, SIGHUP);
		terminal_signal(t, SIGCONT);
		t->sid = t->pgid = 0;
	}
	return 0;
}

static int set_foreground(struct process *p, struct terminal *t, address from)
{
	struct process *q;
	u32 i, pgid, found = 0;

	if (terminal_of(p) != t)
		return -ENOTTY;
	if (user_read(p, &pgid, from, 4))
		return -EFAULT;
	if ((int)pgid < 0)
		return -EINVAL;
	for (i = 0; i < PROCESSES; i++) {
		q = processes[i];
		if (!q || q->group != p->group || q->pgid != pgid)
			continue;
		if (q->sid != p->sid)
			return -EPERM;
		found = 1;
	}
	if (!found)
		return -ESRCH;
	t->pgid = pgid;
	return 0;
}

/* TIOCGPTPEER: the other end, without its name. */
static int open_peer(struct process *p, struct terminal *t, u32 flags)
{
	struct file *f;
	int error;

	if ((flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	node_keep(t->node);
	f = file_new(t->node, flags & (O_ACCMODE | O_NONBLOCK | O_NOCTTY));
	if (!f) {
		node_drop(t->node);
		return -ENOMEM;
	}
	error = terminal_open(p, f);
	if (error) {
		file_drop(f);
		return error;
	}
	return file_install(p, f, 0, flags & O_CLOEXEC ? 1 : 0);
}

/* Bytes that can be read: whole lines, without ends that are not, or all. */
static u32 readable(struct terminal *t)
{
	u32 at, count = 0;

	if (!(t->set.local & ICANON))
		return t->head - t->tail;
	for (at = t->tail; at != t->canon; at++)
		count += !TTY_ENDS(t, at) || TTY_AT(t, at);
	return count;
}

static int flush_end(struct terminal *t, int master, u32 which)
{
	if (which > 2)
		return -EINVAL;
	if (which != 1 && master)
		pipe_consume(t->output, t->output->length - t->held);
	else if (which != 1)
		terminal_flush(t);
	terminal_turned(t);
	return 0;
}

/* tcflow: what is printed stops, goes on; the key that stops the other end, or lets it go on, is sent. */
static int flow(struct terminal *t, u32 which)
{
	if (which > 3)
		return -EINVAL;
	if (which < 2)
		t->stopped = !which;
	else
		terminal_put(t, t->set.keys[which == 2 ? KEY_STOP : KEY_START]);
	terminal_show(t);
	terminal_turned(t);
	return 0;
}

/* What a master alone is asked. -ENOTTY: nothing of that kind. */
static int ask_master(struct process *p, struct terminal *t, u32 request, address at)
{
	int word;

	switch (request) {
	case 0x80045430: /* TIOCGPTN */
		return user_write(p, at, &t->number, 4);
	case 0x40045431: /* TIOCSPTLCK */
		if (user_read(p, &word, at, 4))
			return -EFAULT;
		t->locked = word != 0;
		return 0;
	case 0x80045439: /* TIOCGPTLCK */
		return user_write(p, at, &t->locked, 4);
	case 0x5441: /* TIOCGPTPEER */
		return open_peer(p, t, at);
	default:
		return -ENOTTY;
	}
}

int terminal_ioctl(struct process *p, struct file *f, u32 request, address at)
{
	struct terminal *t = f->terminal;
	int master = terminal_master(f), error = 0;
	struct settings none;
	u32 word = 0;
	u8 c;

	if (terminal_dead(f))
		return request == 0x5410 ? -ENOTTY : -EIO;
	switch (request) {
	case 0x5402: case 0x5403: case 0x5404: case 0x5406: case 0x5407: case 0x5408: case 0x5409: case 0x540a: case 0x540b: case 0x5410: case 0x5425: case 0x5427: case 0x5428:
		error = terminal_foreground(p, t, SIGTTOU);
	}
	if (error)
		return error == -EIO && request == 0x5410 ? -ENOTTY : error;
	switch (request) {
	case 0x5401: /* TCGETS */
		return user_write(p, at, &t->set, sizeof t->set);
	case 0x5402: /* TCSETS, TCSETSW, TCSETSF */
	case 0x5403:
	case 0x5404:
	case 0x5406: /* TCSETA, TCSETAW, TCSETAF */
	case 0x5407:
	case 0x5408:
		return set(p, t, request, at);
	case 0x5405: /* TCGETA */
		return tell_old(p, t, at);
	case 0x5456: /* TIOCGLCKTRMIOS: no setting is locked; TIOCSLCKTRMIOS: root's alone */
		memset(&none, 0, sizeof none);
		return user_write(p, at, &none, sizeof none);
	case 0x5457:
		return -EPERM;
	case 0x5409: /* TCSBRK: a break, which nobody sees; tcdrain: all is where it goes */
	case 0x5425:
	case 0x5427:
	case 0x5428:
		return 0;
	case 0x540a: /* TCXONC */
		return flow(t, at);
	case 0x540b: /* TCFLSH */
		return flush_end(t, master, at);
	case 0x540e: /* TIOCSCTTY */
		return become_controlling(p, f);
	case 0x540f: /* TIOCGPGRP: of a master, whoever asks */
		return !master && terminal_of(p) != t ? -ENOTTY : user_write(p, at, &t->pgid, 4);
	case 0x5410: /* TIOCSPGRP */
		return set_foreground(p, t, at);
	case 0x5411: /* TIOCOUTQ */
	case 0x5424: /* TIOCGETD */
		return user_write(p, at, &word, 4);
	case 0x5412: /* TIOCSTI: into one's own terminal alone */
		if (terminal_of(p) != t)
			return -EPERM;
		if (user_read(p, &c, at, 1))
			return -EFAULT;
		if (terminal_room(t))
			terminal_type(t, c);
		terminal_show(t);
		terminal_turned(t);
		return 0;
	case 0x5413: /* TIOCGWINSZ */
		return user_write(p, at, t->size, sizeof t->size);
	case 0x5414: /* TIOCSWINSZ */
		return set_size(p, t, at);
	case 0x541b: /* FIONREAD: whole lines, or bytes */
		word = master ? t->output->length - t->held : readable(t);
		return user_write(p, at, &word, 4);
	case 0x541d: /* TIOCCONS: the console is not to be had */
		return -EPERM;
	case 0x5422: /* TIOCNOTTY */
		return leave_terminal(p, t);
	case 0x5429: /* TIOCGSID */
		return (!master && terminal_of(p) != t) || !t->sid ? -ENOTTY : user_write(p, at, &t->sid, 4);
	default:
		return master ? ask_master(p, t, request, at) : -ENOTTY;
	}
}
