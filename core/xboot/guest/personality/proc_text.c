/* proc_text.c: the texts of /proc that are not constant. Programs read them for few things: where the stack is, how much memory there is, who one is; what
   nobody counts here (times, faults, switches) is 0. */

#include "proc.h"

static char line[512];
static u32 length;
static u64 written;
static int failed;

static void flush_line(struct node *node)
{
	if (length && content_put(node, written, line, length) != (int)length)
		failed = 1;
	written += length;
	length = 0;
}

static void say_text(struct node *node, const char *text)
{
	for (; *text; text++) {
		if (length == sizeof line)
			flush_line(node);
		line[length++] = *text;
	}
}

u32 number_text(char *to, u32 number)
{
	char digits[12];
	u32 i = 0, n = 0;

	do
		digits[i++] = (char)('0' + number % 10);
	while (number /= 10);
	while (i)
		to[n++] = digits[--i];
	to[n] = 0;
	return n;
}

static void say_number(struct node *node, u32 number)
{
	char text[12];

	number_text(text, number);
	say_text(node, text);
}

static void say_hexadecimal(struct node *node, u64 number, u32 digits)
{
	char text[17];

	text[digits] = 0;
	for (; digits; number >>= 4)
		text[--digits] = "0123456789abcdef"[number & 15];
	say_text(node, text);
}

/* "name: number unit" and a new line */
static void say_named(struct node *node, const char *name, u32 number, const char *unit)
{
	say_text(node, name);
	say_text(node, ":\t");
	say_number(node, number);
	say_text(node, unit);
	say_text(node, "\n");
}

static void say_numbers(struct node *node, const char *name, u32 a, u32 b, u32 c)
{
	say_text(node, name);
	say_number(node, a);
	say_text(node, "\t");
	say_number(node, b);
	say_text(node, "\t");
	say_number(node, c);
	say_text(node, "\t");
	say_number(node, b); /* of the file system: the effective one */
	say_text(node, "\n");
}

u32 proc_self(struct process *p, char to[32], int thread)
{
	u32 n = number_text(to, p->leader->local);

	if (thread) {
		memcpy(to + n, "/task/", 6);
		n += 6 + number_text(to + n + 6, p->local);
	}
	return n;
}

static u32 pages_mapped(struct memory *m)
{
	struct region *r;
	u32 pages = 0;

	for (r = m->regions; r; r = r->next)
		pages += (r->end - r->start) / PAGE_SIZE;
	return pages;
}

static u32 threads_of(struct process *about)
{
	u32 i, n = 0;

	for (i = 0; i < PROCESSES; i++)
		n += processes[i] && processes[i]->leader == about->leader && processes[i]->state != ZOMBIE;
	return n;
}

static const char *state_of(struct process *p)
{
	return p->state == RUNNING ? "R" : p->state == STOPPED ? "T" : "S";
}

static void maps(struct node *node, struct process *about)
{
	struct region *r;

	for (r = about->memory->regions; r; r = r->next) {
		say_hexadecimal(node, r->start, 8);
		say_text(node, "-");
		say_hexadecimal(node, r->end, 8);
		say_text(node, r->view.protection & PROTECT_READ ? " r" : " -");
		say_text(node, r->view.protection & PROTECT_WRITE ? "w" : "-");
		say_text(node, r->view.protection & PROTECT_EXECUTE ? "x" : "-");
		say_text(node, r->view.shared ? "s" : "p");
		say_text(node, " 00000000 00:00 0");
		say_text(node, r->stack ? "                          [stack]\n" : r->start == about->memory->brk_start ? "                          [heap]\n" : "\n");
	}
}

static void status(struct node *node, struct process *p, struct process *about)
{
	u64 ignored = 0, caught = 0;
	u32 i, pages = pages_mapped(about->memory);

	for (i = 0; i < SIGNALS; i++) {
		ignored |= (u64)(about->actions[i].handler == SIG_IGN) << i;
		caught |= (u64)(about->actions[i].handler > SIG_IGN) << i;
	}
	say_text(node, "Name:\t");
	say_text(node, about->name);
	say_text(node, "\nState:\t");
	say_text(node, state_of(about));
	say_text(node, about->state == RUNNING ? " (running)\n" : about->state == STOPPED ? " (stopped)\n" : " (sleeping)\n");
	say_named(node, "Tgid", about->leader->local, "");
	say_named(node, "Pid", about->local, "");
	say_named(node, "PPid", process_number(p, about->leader->parent), "");
	say_named(node, "TracerPid", 0, "");
	say_numbers(node, "Uid:\t", about->uid, about->euid, about->suid);
	say_numbers(node, "Gid:\t", about->gid, about->egid, about->sgid);
	say_named(node, "FDSize", DESCRIPTORS, "");
	say_named(node, "VmSize", pages * 4, " kB");
	say_named(node, "VmRSS", pages * 4, " kB");
	say_named(node, "Threads", threads_of(about), "");
	say_text(node, "SigPnd:\t");
	say_hexadecimal(node, about->pending, 16);
	say_text(node, "\nSigBlk:\t");
	say_hexadecimal(node, about->blocked, 16);
	say_text(node, "\nSigIgn:\t");
	say_hexadecimal(node, ignored, 16);
	say_text(node, "\nSigCgt:\t");
	say_hexadecimal(node, caught, 16);
	say_text(node, "\nCapEff:\t0000000000000000\n");
	say_named(node, "NoNewPrivs", about->no_new_privileges, "");
	say_text(node, "Cpus_allowed:\t1\nCpus_allowed_list:\t0\n");
}

/* The 52 fields of Linux; 28 is where the stack begins, which garbage collectors ask for. */
static void one_line(struct node *node, struct process *p, struct process *about)
{
	u32 i;

	say_number(node, about->local);
	say_text(node, " (");
	say_text(node, about->name);
	say_text(node, ") ");
	say_text(node, state_of(about));
	for (i = 4; i <= 52; i++) {
		say_text(node, " ");
		switch (i) {
		case 4: say_number(node, process_number(p, about->leader->parent)); break;
		case 5: say_number(node, about->pgid); break;
		case 6: say_number(node, about->sid); break;
		case 8: say_text(node, "-1"); break;
		case 18: say_text(node, "20"); break;
		case 20: say_number(node, threads_of(about)); break;
		case 23: say_number(node, pages_mapped(about->memory) * PAGE_SIZE); break;
		case 24: say_number(node, pages_mapped(about->memory)); break;
		case 25: say_text(node, "4294967295"); break;
		case 28: say_number(node, about->memory->stack_start); break;
		case 38: say_text(node, "17"); break;
		default: say_text(node, "0");
		}
	}
	say_text(node, "\n");
}

/* The bytes of a process's own memory from one address to another, as they stand there now. */
static void memory_text(struct node *node, struct process *about, address from, address end)
{
	static char piece[256];
	u32 part;

	for (; from < end && !failed; from += part) {
		part = end - from < sizeof piece ? end - from : (u32)sizeof piece;
		if (memory_read(about->memory, piece, from, part))
			return;
		if (content_put(node, written, piece, part) != (int)part)
			failed = 1;
		written += part;
	}
}

static void uuid(struct node *node)
{
	u64 a, b;

	random_bytes(&a, 8);
	random_bytes(&b, 8);
	say_hexadecimal(node, a >> 32, 8);
	say_text(node, "-");
	say_hexadecimal(node, a >> 16, 4);
	say_text(node, "-4");
	say_hexadecimal(node, a, 3);
	say_text(node, "-8");
	say_hexadecimal(node, b >> 48, 3);
	say_text(node, "-");
	say_hexadecimal(node, b, 12);
	say_text(node, "\n");
}

int proc_text(struct process *p, struct process *about, u32 kind, struct node *node)
{
	u32 total = machine_frames_total(), free = machine_frames_free();

	length = 0;
	written = 0;
	failed = 0;
	switch (kind) {
	case VIEW_MEMINFO:
		say_named(node, "MemTotal", total * 4, " kB");
		say_named(node, "MemFree", free * 4, " kB");
		say_named(node, "MemAvailable", free * 4, " kB");
		say_text(node, "Buffers:\t0 kB\nCached:\t0 kB\nSwapTotal:\t0 kB\nSwapFree:\t0 kB\n");
		break;
	case VIEW_SYSTEM:
		say_text(node, "cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\nintr 0\nctxt 0\nbtime ");
		say_number(node, (u32)(date_offset / 1000000000u));
		say_text(node, "\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n");
		break;
	case VIEW_UPTIME:
		say_number(node, (u32)(machine_clock() / 1000000000u));
		say_text(node, ".00 0.00\n");
		break;
	case VIEW_UUID:
		uuid(node);
		break;
	case VIEW_CMDLINE:
		memory_text(node, about, about->memory->arguments, about->memory->environment);
		break;
	case VIEW_ENVIRON:
		memory_text(node, about, about->memory->environment, about->memory->strings_end);
		break;
	case VIEW_COMM:
		say_text(node, about->name);
		say_text(node, "\n");
		break;
	case VIEW_MAPS:
		maps(node, about);
		break;
	case VIEW_STAT:
		one_line(node, p, about);
		break;
	case VIEW_STATM:
		say_number(node, pages_mapped(about->memory));
		say_text(node, " ");
		say_number(node, pages_mapped(about->memory));
		say_text(node, " 0 0 0 0 0\n");
		break;
	case VIEW_STATUS:
		status(node, p, about);
		break;
	default:
		break;
	}
	flush_line(node);
	return failed ? -ENOMEM : 0;
}
