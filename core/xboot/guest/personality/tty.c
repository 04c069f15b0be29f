/* tty.c: pseudo-terminals: their life, and the line discipline, which is between what a master types and what is read at the other end (Linux's n_tty; without
   parity marks, printed erasure and packets). */

#include "tty.h"

static struct terminal *terminals;

static const struct settings settings_first = { ICRNL | IXON, OPOST | ONLCR, 0xbf, ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN, 0,
	{ 3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0 } };

/* ---- life ---- */

struct terminal *terminal_of(struct process *p)
{
	struct terminal *t;

	for (t = terminals; t && (t->group != p->group || !t->sid || t->sid != p->sid); t = t->next)
		;
	return p->leader->no_terminal ? 0 : t;
}

struct terminal *terminal_at(struct node *node)
{
	struct terminal *t;

	for (t = terminals; t && t->node != node; t = t->next)
		;
	return t;
}

u32 terminal_free_number(struct process *p)
{
	struct terminal *t;
	u32 number = 0;

	for (t = terminals; t;) {
		if (t->group == p->group && t->number == number) {
			number++;
			t = terminals;
		} else {
			t = t->next;
		}
	}
	return number;
}

struct terminal *terminal_new(struct process *p)
{
	struct terminal *t = pool_of(POOL_TERMINALS, sizeof *t);

	if (!t)
		return 0;
	t->bytes = machine_frame(privileged());
	t->output = pipe_new();
	t->node = node_new(S_IFCHR | 0620, p->euid, p->egid);
	if (!t->bytes || !t->output || !t->node) {
		if (t->bytes)
			machine_frame_drop(t->bytes);
		if (t->output)
			pipe_free(t->output);
		if (t->node)
			node_drop(t->node);
		pool_back(POOL_TERMINALS, t, sizeof *t);
		return 0;
	}
	t->group = p->group;
	t->set = settings_first;
	t->locked = 1;
	t->next = terminals;
	terminals = t;
	return t;
}

void terminal_gone(struct terminal *t)
{
	struct terminal **place;

	for (place = &terminals; *place != t; place = &(*place)->next)
		;
	*place = t->next;
	pipe_free(t->output);
	machine_frame_drop(t->bytes);
	node_drop(t->node);
	if (t->directory)
		node_drop(t->directory);
	pool_back(POOL_TERMINALS, t, sizeof *t);
}

void terminal_signal(struct terminal *t, int number)
{
	struct process *q;
	u32 i;

	for (i = 0; i < PROCESSES && t->pgid; i++) {
		q = processes[i];
		if (q && q->leader == q && q->group == t->group && q->pgid == t->pgid)
			signal_send(q, number);
	}
}

/* Whoever waits for either end looks at it anew. */
void terminal_turned(struct terminal *t)
{
	t->turned++;
	wake(t);
}

/* Descriptions of the other end are dead from now on, and the session that it controlled has no terminal. */
void terminal_hang_up(struct terminal *t)
{
	struct process *q;
	u32 i;

	t->turn++;
	for (i = 0; i < PROCESSES && t->sid; i++) {
		q = processes[i];
		if (q && q->leader == q && q->group == t->group && q->local == t->sid) {
			signal_send(q, SIGHUP);
			signal_send(q, SIGCONT);
		}
	}
	t->sid = t->pgid = 0;
	terminal_set(t, &settings_first);
	terminal_flush(t);
	terminal_turned(t);
}

/* Its session loses its terminal; what is open stays so. */
void terminal_leader_ends(struct process *leader)
{
	struct terminal *t = leader->sid == leader->local ? terminal_of(leader) : 0;

	if (!t)
		return;
	terminal_signal(t, SIGHUP);
	t->sid = t->pgid = 0;
}

/* ---- what is printed ---- */

int terminal_put(struct terminal *t, u8 c)
{
	if (t->output->length == pipe_room(t->output))
		return 0; /* an echo that nobody reads is lost */
	return pipe_append(t->output, &c, 1) == 1 ? 0 : -ENOMEM;
}

static int is_control(u8 c)
{
	return c < 32 || c == 127;
}

/* A byte that continues a character of UTF-8. */
static int continues(struct terminal *t, u8 c)
{
	return t->set.input & IUTF8 && (c & 0xc0) == 0x80;
}

int terminal_print(struct terminal *t, u8 c)
{
	u32 o = t->set.output, spaces;
	int error = 0;

	if (!(o & OPOST))
		return terminal_put(t, c);
	switch (c) {
	case '\n':
		if (o & (ONLRET | ONLCR))
			t->column = 0;
		if (o & ONLCR)
			error = terminal_put(t, '\r');
		t->canon_column = t->column;
		break;
	case '\r':
		if (o & ONOCR && !t->column)
			return 0;
		if (o & OCRNL)
			c = '\n';
		if (!(o & OCRNL) || o & ONLRET)
			t->canon_column = t->column = 0;
		break;
	case '\t':
		spaces = 8 - t->column % 8;
		t->column += spaces;
		if ((o & TABDLY) != TABDLY)
			break;
		while (!error && spaces--)
			error = terminal_put(t, ' ');
		return error;
	case '\b':
		t->column -= t->column ? 1 : 0;
		break;
	default:
		if (o & OLCUC && c >= 'a' && c <= 'z')
			c -= 'a' - 'A';
		t->column += is_control(c) || continues(t, c) ? 0 : 1;
	}
	return error ? error : terminal_put(t, c);
}

void terminal_show(struct terminal *t)
{
	if (t->stopped)
		return;
	t->output->moved.came += t->held != 0;
	t->held = 0;
}

/* What is typed is echoed: held until all of one write is typed. */
static void show(struct terminal *t, u8 c)
{
	u32 before = t->output->length;

	terminal_print(t, c);
	t->held += t->output->length - before;
}

/* An echo: a control character as ^X. */
static void echo(struct terminal *t, u8 c)
{
	if (t->set.local & ECHOCTL && is_control(c) && c != '\t') {
		show(t, '^');
		c ^= 0100;
	}
	show(t, c);
}

/* ---- what is typed ---- */

void terminal_flush(struct terminal *t)
{
	t->tail = t->canon = t->head;
	t->literal = 0;
	memset(t->ends, 0, sizeof t->ends);
}

/* Changing between lines and bytes: what waits is one line, or so many bytes. */
void terminal_set(struct terminal *t, const struct settings *set)
{
	u32 changed = (t->set.local ^ set->local) & ICANON;

	t->set = *set;
	if (!(set->input & IXON))
		t->stopped = 0;
	if (!changed)
		return;
	memset(t->ends, 0, sizeof t->ends);
	t->literal = 0;
	t->canon = t->tail;
	if (set->local & ICANON && t->head != t->tail) {
		t->canon = t->head;
		t->ends[(t->head - 1) % TTY_INPUT / 32] |= 1u << (t->head - 1) % 32;
	}
}

/* A line that is full takes its end alone; what else is typed then is lost, its last byte first. */
int terminal_room(struct terminal *t)
{
	if (t->head - t->tail < TTY_INPUT - 1)
		return 1;
	if (!(t->set.local & ICANON) || t->canon != t->tail)
		return 0;
	if (t->head - t->tail == TTY_INPUT)
		t->head--;
	return 1;
}

static void keep(struct terminal *t, u8 c)
{
	TTY_AT(t, t->head) = c;
	t->ends[t->head % TTY_INPUT / 32] &= ~(1u << t->head % 32); /* a line may have ended here a ring ago */
	t->head++;
}

static void line_ends(struct terminal *t, u8 c)
{
	keep(t, c);
	t->ends[(t->head - 1) % TTY_INPUT / 32] |= 1u << (t->head - 1) % 32;
	t->canon = t->head;
}

static void plain(struct terminal *t, u8 c)
{
	if (t->set.local & ECHO) {
		if (t->canon == t->head)
			t->canon_column = t->column;
		echo(t, c);
	}
	keep(t, c);
}

/* A tab goes from the screen: back to where it began. */
static void unprint_tab(struct terminal *t)
{
	u32 at = t->head, width = t->canon_column;
	u8 c;

	while (at != t->canon) {
		c = TTY_AT(t, --at);
		if (c == '\t') {
			width -= t->canon_column;
			break;
		}
		width += is_control(c) ? (t->set.local & ECHOCTL ? 2 : 0) : !continues(t, c);
	}
	for (width = 8 - width % 8; width; width--)
		show(t, '\b');
}

static void unprint(struct terminal *t, u8 c, u8 key)
{
	u32 times = is_control(c) ? (t->set.local & ECHOCTL ? 2 : 0) : 1, i;

	if (!(t->set.local & ECHO))
		return;
	if (key == t->set.keys[KEY_ERASE] && !(t->set.local & ECHOE)) {
		echo(t, key);
	} else if (c == '\t') {
		unprint_tab(t);
	} else {
		for (i = 0; i < times * 3; i++)
			show(t, i % 3 == 1 ? ' ' : '\b');
	}
}

static int in_word(u8 c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_' || (c >= 0xc0 && c != 0xd7 && c != 0xf7);
}

/* The last character, word, or all of the line so far. */
static void erase(struct terminal *t, u8 key)
{
	u32 local = t->set.local, whole = key != t->set.keys[KEY_ERASE] && key != t->set.keys[KEY_WERASE], at, seen = 0;
	u8 c;

	if (t->head == t->canon)
		return;
	if (whole && (local & (ECHO | ECHOK | ECHOKE | ECHOE)) != (ECHO | ECHOK | ECHOKE | ECHOE)) {
		t->head = t->canon;
		if (local & ECHO)
			echo(t, key);
		if (local & ECHO && local & ECHOK)
			show(t, '\n');
		return;
	}
	while (t->head != t->canon) {
		at = t->head;
		do
			c = TTY_AT(t, --at);
		while (continues(t, c) && at != t->canon);
		if (continues(t, c))
			break;
		if (key == t->set.keys[KEY_WERASE] && key != t->set.keys[KEY_ERASE]) {
			if (in_word(c))
				seen = 1;
			else if (seen)
				break;
		}
		t->head = at;
		unprint(t, c, key);
		if (key == t->set.keys[KEY_ERASE])
			break;
	}
}

static void key_signal(struct terminal *t, u8 c, int number)
{
	terminal_signal(t, number);
	if (!(t->set.local & NOFLSH)) {
		terminal_flush(t);
		t->output->length -= t->held;
		t->held = 0;
	}
	if (t->set.input & IXON)
		t->stopped = 0;
	if (t->set.local & ECHO)
		echo(t, c);
}

/* What a key does to a line. 1: that was all. */
static int edited(struct terminal *t, u8 c, const u8 *k)
{
	u32 local = t->set.local, extended = local & IEXTEN, at;

	if (c == k[KEY_ERASE] || c == k[KEY_KILL] || (c == k[KEY_WERASE] && extended)) {
		erase(t, c);
	} else if (c == k[KEY_LNEXT] && extended) {
		t->literal = 1;
		if (local & ECHO && local & ECHOCTL) {
			show(t, '^');
			show(t, '\b');
		}
	} else if (c == k[KEY_REPRINT] && local & ECHO && extended) {
		echo(t, c);
		show(t, '\n');
		for (at = t->canon; at != t->head; at++)
			echo(t, TTY_AT(t, at));
	} else if (c == '\n') {
		if (local & (ECHO | ECHONL))
			show(t, '\n');
		line_ends(t, c);
	} else if (c == k[KEY_EOF]) {
		line_ends(t, 0); /* which is not read */
	} else if (c == k[KEY_EOL] || (c == k[KEY_EOL2] && extended)) {
		if (local & ECHO) {
			if (t->canon == t->head)
				t->canon_column = t->column;
			echo(t, c);
		}
		line_ends(t, c);
	} else {
		return 0;
	}
	return 1;
}

void terminal_type(struct terminal *t, u8 c)
{
	u32 input = t->set.input, local = t->set.local;
	const u8 *k = t->set.keys;
	int returned = 0;

	if (input & ISTRIP)
		c &= 0x7f;
	if (t->literal) {
		t->literal = 0;
		plain(t, c);
		return;
	}
	if (input & IUCLC && local & IEXTEN && c >= 'A' && c <= 'Z')
		c += 'a' - 'A';
	if (c && input & IXON && (c == k[KEY_START] || c == k[KEY_STOP])) {
		t->stopped = c != k[KEY_START];
		return;
	}
	if (c && local & ISIG && (c == k[KEY_INTR] || c == k[KEY_QUIT] || c == k[KEY_SUSP])) {
		key_signal(t, c, c == k[KEY_INTR] ? SIGINT : c == k[KEY_QUIT] ? SIGQUIT : SIGTSTP);
		return;
	}
	if (input & IXANY && input & IXON)
		t->stopped = 0;
	if (c == '\r' && input & IGNCR)
		return;
	if (c == '\r' && input & ICRNL)
		c = '\n', returned = 1;
	else if (c == '\n' && input & INLCR)
		c = '\r';
	if (c && local & ICANON && edited(t, c, k))
		return;
	if (returned && local & ECHO) { /* in bytes: it is shown as a line feed, and another line feed is shown as ^J */
		show(t, c);
		keep(t, c);
		return;
	}
	plain(t, c);
}
