/* failing.c: memory that ends anywhere. Each call is made with its first request of memory refused, then with its second, and so on, until it gets through without one
   being refused; each time in a builder of its own. A call that was refused memory must answer an error that says so, or less than was asked (or the builder ends, as it
   would on Linux); names, descriptors and mapped memory are as before; the same call succeeds then, when there is memory; and when the builder is gone, nothing of it
   is left: no frame, block, space or thread. One line for each call. Arguments: the payload. */

#define _SYS_WAIT_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"

#define ARENA 0x08048000u
#define TEXT (ARENA + 0x1000)
#define DATA (ARENA + 0x2000)
#define FREE 0x20000000u
#define DEAD (-20000)

static struct process *one, *builder;

/* ---- a builder's calls ---- */

static int ask(unsigned number, unsigned a, unsigned b, unsigned c, unsigned d, unsigned e, unsigned f)
{
	struct machine_registers *r = builder->r;

	if (builder->state == ZOMBIE)
		return DEAD;
	r->eax = number;
	r->ebx = a;
	r->ecx = b;
	r->edx = c;
	r->esi = d;
	r->edi = e;
	r->ebp = f;
	current = builder;
	serve(builder);
	current = one;
	if (builder->state == ZOMBIE)
		return DEAD;
	if (builder->again || builder->state == WAITING) { /* it waits, which is an answer here */
		builder->again = 0;
		builder->state = RUNNING;
		builder->wait = 0;
		return 0;
	}
	return (int)builder->r->eax;
}

#define CALL0(n) ask(n, 0, 0, 0, 0, 0, 0)
#define CALL1(n, a) ask(n, a, 0, 0, 0, 0, 0)
#define CALL2(n, a, b) ask(n, a, b, 0, 0, 0, 0)
#define CALL3(n, a, b, c) ask(n, a, b, c, 0, 0, 0)
#define CALL4(n, a, b, c, d) ask(n, a, b, c, d, 0, 0)

/* The test's own, for which there is always memory. */
static void put(address at, const void *from, unsigned length)
{
	unsigned kept = fail_in;

	fail_in = 0;
	if (machine_write(builder->memory->space, at, from, length))
		abort();
	fail_in = kept;
}

static unsigned text(unsigned slot, const char *s)
{
	put(TEXT + slot * 256, s, (unsigned)strlen(s) + 1);
	return TEXT + slot * 256;
}

static unsigned words(unsigned slot, unsigned a, unsigned b, unsigned c, unsigned d, unsigned e, unsigned f)
{
	unsigned all[6] = { a, b, c, d, e, f };

	put(DATA + slot * 64, all, sizeof all);
	return DATA + slot * 64;
}

static int open_file(const char *name, unsigned flags)
{
	return CALL3(5, text(9, name), flags, 0666);
}

/* ---- scenarios: what comes before, and what is tried ---- */

static int fd, other;

static void nothing(void) { fd = other = 0; }
static void file(void) { fd = open_file("dir/file", O_RDWR | O_CREAT); CALL3(4, fd, DATA, 100); }
static void named_pipe(void) { CALL3(14, text(0, "dir/new"), S_IFIFO | 0666, 0); }
static void two(void) { file(); CALL3(19, fd, 0, 0); other = open_file("dir/other", O_RDWR | O_CREAT); }
static void shown(void) { file(); ask(192, FREE, 3 * PAGE_SIZE, 3, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0); }
static void ends(void) { int f[2]; CALL1(42, DATA); machine_read(builder->memory->space, f, DATA, 8); fd = f[0]; other = f[1]; }
static void joined(void) { int f[2]; CALL4(360, 1, 1, 0, DATA); machine_read(builder->memory->space, f, DATA, 8); fd = f[0]; other = f[1]; }
static void sets(void) { ends(); fd = CALL1(329, 0); }
static void blocked(void) { words(0, ~0u, ~0u, 0, 0, 0, 0); CALL4(175, 0, DATA, 0, 8); }
static void full_pipes(void) { int f[2]; ends(); put(DATA + 64, "some bytes", 10); CALL3(4, other, DATA + 64, 10); CALL1(42, DATA); machine_read(builder->memory->space, f, DATA, 8); other = f[1]; }
static void mem(void) { fd = CALL2(356, text(0, "m"), 2); }
static void truncates_to(unsigned size) { CALL2(93, fd, size); }
static void handler(void) { words(0, ARENA, 0, 0, 0, 0, 0); CALL4(174, 10, DATA, 0, 8); CALL2(37, builder->local, 10); }
static void listens(void)
{
	unsigned name[2] = { 1 | 'a' << 24, 'b' };

	put(DATA + 512, name, 8);
	fd = CALL3(359, 1, 1, 0);
	CALL3(361, fd, DATA + 512, 7);
	CALL2(363, fd, 5);
	other = CALL3(359, 1, 1, 0);
}
static void terminals(void) { terminals_mount(builder, directory_find(root_node, "dir", 3)->node); }
static void terminal(void)
{
	unsigned unlocked = 0;

	terminals();
	fd = open_file("dir/ptmx", O_RDWR | O_NOCTTY);
	put(DATA, &unlocked, 4);
	CALL3(54, fd, 0x40045431, DATA);
	other = CALL3(54, fd, 0x5441, O_RDWR | O_NOCTTY);
}
static void connected(void) { listens(); CALL3(362, other, DATA + 512, 7); }

static int make(void) { return open_file("dir/new", O_RDWR | O_CREAT | O_EXCL) >= 0 ? 0 : -(int)-builder->r->eax; }
static int folder(void) { return CALL2(39, text(0, "dir/new"), 0777); }
static int symbolic(void) { return CALL2(83, text(0, "a target"), text(1, "dir/new")); }
static int hard(void) { return CALL2(9, text(0, "dir/file"), text(1, "dir/new")); }
static int renamed(void) { return CALL2(38, text(0, "dir/file"), text(1, "dir/new")); }
static int fifo(void) { return CALL3(14, text(0, "dir/new"), S_IFIFO | 0666, 0); }
static int fifo_open(void) { return open_file("dir/new", O_RDWR); }
static int unnamed(void) { return open_file("dir", O_RDWR | O_TMPFILE | O_DIRECTORY); }
static int writes(void) { return CALL3(4, fd, ARENA, 0x6000); }
static int writes_far(void) { return ask(181, fd, ARENA, 5000, 5u << 22, 0, 0); }
static int appends_pipe(void) { return CALL3(4, other, ARENA, 0x3000); }
static int forks(void) { return CALL0(2); }
static int vforks(void) { int r = CALL0(190); if (builder->state == WAITING) builder->state = RUNNING; return r; }
static int threads_one(void) { return ask(120, 0x3d0f00 & ~0x180000u, ARENA + 0x7000, 0, 0, 0, 0); }
static int executes(void) { unsigned v = words(0, text(0, "/prog"), text(1, "argument"), 0, 0, 0, 0); return CALL3(11, TEXT, v, v + 4); }
static int executes_script(void) { unsigned v = words(0, text(0, "/script"), text(1, "argument"), 0, 0, 0, 0); return CALL3(11, TEXT, v, v + 4); }
static int maps(void) { return ask(192, FREE, 3 * PAGE_SIZE, 3, MAP_PRIVATE | MAP_FIXED_NOREPLACE | MAP_ANONYMOUS, -1, 0) == FREE ? 0 : (int)builder->r->eax; }
static int maps_shared(void) { return ask(192, FREE, 3 * PAGE_SIZE, 3, MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_ANONYMOUS, -1, 0) == FREE ? 0 : (int)builder->r->eax; }
static int maps_file(void) { return ask(192, FREE, 3 * PAGE_SIZE, 3, MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd, 0) == FREE ? 0 : (int)builder->r->eax; }
static int unmaps(void) { return CALL2(91, FREE + PAGE_SIZE, PAGE_SIZE); }
static int protects(void) { return CALL3(125, FREE + PAGE_SIZE, PAGE_SIZE, 1); }
static int grows(void) { return ask(163, FREE, 3 * PAGE_SIZE, 6 * PAGE_SIZE, 1, 0, 0) == FREE ? 0 : (int)builder->r->eax; }
static int moves(void) { return ask(163, FREE, 3 * PAGE_SIZE, 6 * PAGE_SIZE, 3, FREE + 0x100000, 0) == FREE + 0x100000 ? 0 : (int)builder->r->eax; }
static int forgets(void) { return CALL3(219, FREE, 3 * PAGE_SIZE, 4); }
static int breaks(void) { unsigned now = (unsigned)CALL1(45, 0); return (unsigned)CALL1(45, now + 3 * PAGE_SIZE) == now + 3 * PAGE_SIZE ? 0 : -ENOMEM; }
static int pipes(void) { return CALL1(42, DATA); }
static int pairs(void) { return CALL4(360, 1, 1, 0, DATA); }
static int says(void) { return ask(369, fd, ARENA, 0x5000, 0, 0, 0); }
static int says_little(void) { return ask(369, fd, ARENA, 50, 0, 0, 0); }
static int passes(void)
{
	unsigned head[7] = { 0, 0, DATA + 64, 1, DATA + 128, 16, 0 }, piece[2] = { ARENA, 10 }, control[4] = { 16, 1, 1, (unsigned)fd };

	put(DATA, head, sizeof head);
	put(DATA + 64, piece, 8);
	put(DATA + 128, control, 16);
	return CALL3(370, fd, DATA, 0);
}
static int passes_and_takes(void)
{
	unsigned head[7] = { 0, 0, DATA + 64, 1, DATA + 128, 64, 0 };
	int r = passes();

	if (r < 0)
		return r;
	put(DATA, head, sizeof head);
	return CALL3(372, other, DATA, 0);
}
static int binds(void) { unsigned name[3] = { 1 | 'd' << 16 | 'i' << 24, 'r' | '/' << 8 | 'n' << 16 | 'e' << 24, 'w' }; put(DATA, name, 12); return CALL3(361, fd, DATA, 9); }
static void plain_socket(void) { fd = CALL3(359, 1, 1, 0); }
static int connects(void) { return CALL3(362, other, DATA + 512, 7); }
static int accepts(void) { return CALL4(364, fd, 0, 0, 0); }
static void name_at_loopback(void) { unsigned name[4] = { 2 | 0x10u << 16, 0x0100007f, 0, 0 }; put(DATA, name, 16); }
static int socket_on_loopback(unsigned kind) { int s = CALL3(359, 2, kind, 0); name_at_loopback(); return s; }
static void listens_there(void) { fd = socket_on_loopback(1); CALL3(361, fd, DATA, 16); CALL2(363, fd, 5); other = CALL3(359, 2, 1, 0); name_at_loopback(); }
static int connects_there(void) { return CALL3(362, other, DATA, 16); }
static void hears_there(void) { fd = socket_on_loopback(2); CALL3(361, fd, DATA, 16); CALL3(362, fd, DATA, 16); }
static int segment(void) { int made = CALL3(395, 5, 2 * PAGE_SIZE, 01600); return made < 0 ? made : 0; }
static void has_segment(void) { fd = CALL3(395, 5, 2 * PAGE_SIZE, 01600); }
static int attaches(void) { int at = CALL3(397, fd, 0, 0); return at < 0 && at > -4096 ? at : 0; }
static int set(void) { int made = CALL3(393, 5, 3, 01600); return made < 0 ? made : 0; }
static void has_set(void) { unsigned change[2] = { 1u << 16, 010000 }; fd = CALL3(393, 5, 3, 01600); put(DATA, change, 8); }
static int changes(void) { return CALL4(420, fd, DATA, 1, 0); }
static void has_zero(void) { unsigned change[2] = { 0xffffu << 16, 010000 }; has_set(); put(DATA, change, 8); }
static int waits_for_set(void) { int result = CALL4(420, fd, DATA, 1, 0); return builder->attempt ? 0 : result; }
static int opens_terminal(void) { return open_file("dir/ptmx", O_RDWR) >= 0 ? 0 : (int)builder->r->eax; }
static int opens_end(void) { return open_file("dir/0", O_RDWR) >= 0 ? 0 : (int)builder->r->eax; }
static int opens_peer(void) { return CALL3(54, fd, 0x5441, O_RDWR) >= 0 ? 0 : (int)builder->r->eax; }
static int types(void) { return CALL3(4, fd, ARENA, 50); }
static int prints(void) { return CALL3(4, other, ARENA, 50); }
static int watches(void) { words(1, 1, 7, 7, 0, 0, 0); return CALL4(255, fd, 1, other, DATA + 64); }
static int makes_set(void) { return CALL1(329, 0); }
static int counts(void) { return CALL2(328, 1, 0); }
static int timer(void) { return CALL2(322, 1, 0); }
static int signals(void) { words(0, ~0u, ~0u, 0, 0, 0, 0); return CALL4(327, ~0u, DATA, 8, 0); }
static int mem_file(void) { return CALL2(356, text(0, "name"), 2); }
static int queues(void) { words(0, 40, 0, ~0u, 1, 1, 7); return CALL3(178, builder->local, 40, DATA); }
static int locks(void) { unsigned l[4] = { 1, 10, 20, 0 }; put(DATA, l, 16); return CALL3(55, fd, 6, DATA); }
static int lists(void) { return CALL3(220, fd, ARENA, 0x4000); }
static void opens_folder(void) { fd = open_file("dir", O_DIRECTORY); }
static int shares_written(void) { return content_put(builder->files[fd]->node, 0, "x", 1) > 0 ? CALL3(4, fd, FREE, 2 * PAGE_SIZE) : 0; }
static int sends(void) { return CALL4(187, other, fd, 0, 100); }
static int copies(void) { return ask(377, fd, 0, other, 0, 0x2000, 0); }
static int handles(void) { signal_deliver(builder); return builder->state == ZOMBIE ? DEAD : 0; }
static int truncates(void) { return CALL2(93, fd, 0x100000); }
static int splices(void) { return ask(313, fd, 0, other, 0, 5, 0); }
static int tees(void) { return CALL4(315, fd, other, 5, 0); }
static int process_text(void) { return open_file("proc/self/status", 0); }
static int process_link(void) { return CALL3(85, text(0, "proc/self/fd/0"), ARENA, 100); }
static int faults(void) { return content_put(builder->files[fd]->node, 0, "x", 1) > 0 && region_fault(builder->memory, FREE, 1) == SIGBUS ? -ENOMEM : 0; }
static void shared_file(void) { mem(); truncates_to(0x3000); ask(192, FREE, 3 * PAGE_SIZE, 3, MAP_SHARED | MAP_FIXED, fd, 0); }

static const struct scenario {
	const char *name;
	void (*before)(void);
	int (*tried)(void);
	int again; /* made once more, it succeeds: it did not do half of it */
} scenarios[] = {
	{ "open", nothing, make, 1 }, { "mkdir", nothing, folder, 1 }, { "symlink", nothing, symbolic, 1 }, { "link", file, hard, 1 }, { "rename", file, renamed, 1 },
	{ "mknod", nothing, fifo, 1 }, { "open of a fifo", named_pipe, fifo_open, 1 }, { "O_TMPFILE", nothing, unnamed, 1 }, { "write", file, writes, 1 },
	{ "pwrite", file, writes_far, 1 }, { "write to a pipe", ends, appends_pipe, 1 }, { "fork", nothing, forks, 1 }, { "vfork", nothing, vforks, 1 },
	{ "clone of a thread", nothing, threads_one, 1 }, { "execve", nothing, executes, 1 }, { "execve of a script", nothing, executes_script, 1 }, { "mmap", nothing, maps, 1 },
	{ "mmap, shared", nothing, maps_shared, 1 }, { "mmap of a file", file, maps_file, 1 }, { "munmap", shown, unmaps, 1 }, { "mprotect", shown, protects, 1 },
	{ "mremap", shown, grows, 1 }, { "mremap elsewhere", shown, moves, 1 }, { "madvise", shown, forgets, 1 }, { "brk", nothing, breaks, 1 }, { "pipe", nothing, pipes, 1 },
	{ "socketpair", nothing, pairs, 1 }, { "send", joined, says, 1 }, { "send a little", joined, says_little, 1 }, { "send a descriptor", joined, passes, 1 },
	{ "receive a descriptor", joined, passes_and_takes, 1 }, { "bind", plain_socket, binds, 1 }, { "connect", listens, connects, 1 }, { "accept", connected, accepts, 1 },
	{ "connect on the loopback", listens_there, connects_there, 1 }, { "a datagram there", hears_there, says_little, 1 }, { "shmget", nothing, segment, 1 },
	{ "shmat", has_segment, attaches, 1 }, { "semget", nothing, set, 1 }, { "semop, to be undone", has_set, changes, 1 }, { "semop that waits", has_zero, waits_for_set, 0 },
	{ "open of a terminal", terminals, opens_terminal, 1 }, { "open of its other end", terminal, opens_end, 1 }, { "that without a name", terminal, opens_peer, 1 },
	{ "typing", terminal, types, 1 }, { "printing", terminal, prints, 1 }, { "epoll_create", nothing, makes_set, 1 }, { "epoll_ctl", sets, watches, 1 }, { "eventfd", nothing, counts, 1 }, { "timerfd", nothing, timer, 1 },
	{ "signalfd", nothing, signals, 1 }, { "memfd_create", nothing, mem_file, 1 }, { "write to a memfd", mem, writes, 1 }, { "sigqueue", blocked, queues, 1 }, { "lock", file, locks, 1 },
	{ "getdents", opens_folder, lists, 1 }, { "write of what is not there yet", shown, shares_written, 1 }, { "sendfile", two, sends, 1 }, { "copy_file_range", two, copies, 1 },
	{ "a handler", handler, handles, 0 }, { "ftruncate", file, truncates, 1 }, { "splice", full_pipes, splices, 1 },
	{ "tee", full_pipes, tees, 1 }, { "a text of /proc", nothing, process_text, 1 }, { "a link of /proc", nothing, process_link, 1 }, { "a page of a shared file", shared_file, faults, 1 },
};

/* ---- what there is ---- */

struct sight {
	unsigned names, descriptors, mapped;
};

static struct sight look(void)
{
	struct sight s = { 0, 0, 0 };
	struct entry *dir = directory_find(root_node, "dir", 3);
	struct region *r;
	unsigned i;

	s.names = root_node->entries + dir->node->entries;
	if (builder->state == ZOMBIE)
		return s;
	for (i = 0; i < DESCRIPTORS; i++)
		s.descriptors += builder->files[i] != 0;
	for (r = builder->memory->regions; r; r = r->next)
		s.mapped += r->end - r->start;
	return s;
}

struct held {
	unsigned frames, blocks, spaces, threads;
};

static struct held holds(void)
{
	struct held h = { frames_used, blocks, spaces, threads };

	return h;
}

/* ---- a builder's life ---- */

static int by_one(unsigned number, unsigned a, unsigned b, unsigned c, unsigned d)
{
	builder = one;
	return ask(number, a, b, c, d, 0, 0);
}

static void begins(void)
{
	unsigned pid = (unsigned)by_one(120, SIGCHLD | CLONE_NEWPID, 0, 0, 0), i;

	for (i = 0; i < PROCESSES; i++)
		if (processes[i] && processes[i]->pid == pid)
			builder = processes[i];
	if (builder == one)
		abort();
	builder->group->proc = directory_find(root_node, "proc", 4)->node;
	node_keep(builder->group->proc);
	CALL3(210, 100, 100, 100);
	CALL3(208, 1000, 1000, 1000);
}

static void leaves(void)
{
	static const char *const names[] = { "dir/new", "dir/file", "dir/other", "dir/ptmx" };
	unsigned i;

	current = one;
	if (builder->state != ZOMBIE)
		process_exit(builder, SIGKILL);
	by_one(114, ~0u, 0, WNOHANG, 0);
	for (i = 0; i < 4; i++) {
		by_one(10, text(0, names[i]), 0, 0, 0);
		by_one(40, text(0, names[i]), 0, 0, 0);
	}
}

static int says_memory(int result)
{
	return result == DEAD || result == -ENOMEM || result == -EAGAIN || result == -ENOSPC || result == -ENFILE || result == -ENOBUFS || result == -ENOLCK || result == -EFAULT;
}

static int wrong;

static void must(int holds, const struct scenario *s, unsigned n, const char *what, int result)
{
	if (holds)
		return;
	printf("%s, request %u: %s (%d)\n", s->name, n, what, result);
	wrong++;
}

static void attempt(const struct scenario *s)
{
	struct held first, then;
	struct sight before, after;
	unsigned n, hit = 1, most = 0;
	int result, full = 0;

	for (n = 0; hit; n++) {
		first = holds();
		begins();
		s->before();
		before = look();
		fail_in = n;
		result = s->tried();
		hit = !n || !fail_in;
		fail_in = 0;
		if (!n) { /* how it goes when nothing is refused; and what is made once and for all is there from now on */
			full = result;
			must(result >= 0, s, n, "fails although there is memory", result);
		} else if (hit && result < 0) {
			after = look();
			must(says_memory(result), s, n, "answers something else", result);
			must(after.names == before.names, s, n, "a name came or went", result);
			must(result == DEAD || after.descriptors == before.descriptors, s, n, "a descriptor came or went", result);
			must(result == DEAD || after.mapped == before.mapped, s, n, "memory was mapped or unmapped", result);
			if (result != DEAD && s->again) {
				result = s->tried();
				must(result >= 0, s, n, "does not succeed afterwards", result);
			}
		} else {
			must(result <= full, s, n, "answers more than it does with memory", result);
		}
		leaves();
		then = holds();
		must(!n || !memcmp(&first, &then, sizeof then), s, n, "something is left", (int)(then.blocks - first.blocks));
		most = n;
	}
	printf("%s: %u requests\n", s->name, most - 1);
}

static enum machine_event hook(struct machine_thread *thread, struct machine_fault *fault)
{
	static int last;
	unsigned i;

	(void)thread;
	(void)fault;
	one = builder = current;
	CALL2(39, text(0, "proc"), 0755);
	for (i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
		attempt(&scenarios[i]);
		last = wrong;
	}
	machine_exit(last ? 0x11 : 0x31);
	return MACHINE_CALL;
}

int main(int argc, char **argv)
{
	static char archive[1 << 16];
	FILE *f = argc == 2 ? fopen(argv[1], "rb") : 0;
	unsigned long size = f ? fread(archive, 1, sizeof archive, f) : 0;
	int status;

	if (!size)
		return 2;
	run_hook = hook;
	status = fake_run(archive, size);
	if (status < 0)
		printf("panic: %s\n", panic_text);
	return status == 0x31 ? 0 : 1;
}
