/* fuzz.c: many processes make random system calls with hostile arguments. Nothing may crash, no rule of the machine may be broken (fake.c), process 1 must always be able to end
   the machine, and when all is over everything must have been given back. Arguments: seed, number of calls, frames. */

#include <stdio.h>
#define _SYS_WAIT_H
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "socket.h"

static unsigned long long seed;
static unsigned left;
static address arena; /* mapped in every process: the program's data */

static unsigned draw(unsigned below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(seed >> 33) % below;
}

static const char *const paths[] = { "a", "b", "dir", "dir/x", "dir/../a", "/", ".", "..", "link", "fifo", "", "dir/", "a/b", "/prog", "loop", "/dev/null", "/dev/zero", "/dev/full",
	"script", "/dev/ttyS1", "/dev/mem", "/dev/port", "/dev/console", "dir/sub", "dir/sub/deep", "//dir//x", "dir/self/fd", "dir/self/exe", "dir/1/maps", "dir/self/fd/3", "dir/stat", "dir/self/../self/cwd/a", "proc", "/dev/ptmx", "/dev/0", "/dev/1", "/dev/tty" };

static unsigned hostile(void)
{
	static const unsigned odd[] = { 0, 1, 4095, 4096, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffff000, 0x7effffff, 0x7f000000, 0x10000, 0x08048000 };

	switch (draw(8)) {
	case 0:
		return odd[draw(sizeof odd / sizeof *odd)];
	case 1:
		return draw(12); /* a descriptor */
	case 2:
		return draw(70000);
	case 3:
		return (unsigned)seed;
	default:
		return arena + draw(3 * PAGE_SIZE); /* mostly something that exists */
	}
}

static void prepare(struct process *p)
{
	char text[64];
	unsigned i, vector[8];

	for (i = 0; i < 24; i++) { /* texts and vectors to point at */
		strcpy(text, paths[draw(sizeof paths / sizeof *paths)]);
		machine_write(p->memory->space, arena + i * 64, text, (unsigned)strlen(text) + 1);
	}
	for (i = 0; i < 8; i++)
		vector[i] = draw(3) ? arena + draw(24) * 64 : draw(2) ? 0 : hostile();
	machine_write(p->memory->space, arena + 2048, vector, sizeof vector);
}

static unsigned argument(void)
{
	switch (draw(5)) {
	case 0:
		return arena + draw(24) * 64; /* a path */
	case 1:
		return arena + 2048; /* a vector */
	default:
		return hostile();
	}
}

/* Calls that may wait for ever; process 1 makes none of them. */
static int waits(unsigned number)
{
	static const unsigned those[] = { 102, 117, 420, 177, 187, 239, 240, 256, 284, 308, 309, 313, 315, 319, 333, 334, 359, 360, 361, 362, 363, 364, 369, 370, 371, 372, 378, 379, 413, 414, 421, 422, 441 };
	unsigned i;

	for (i = 0; i < sizeof those / sizeof *those; i++)
		if (those[i] == number)
			return 1;
	return 0;
}

static void put_words(struct process *p, address at, const unsigned *words, unsigned count)
{
	machine_write(p->memory->space, at, words, count * 4);
}

static void socket_name(struct process *p, address at)
{
	static const unsigned hosts[] = { 0, 0x0100007f, 0x08080808, 0xffff0000, 0x01000000 };
	unsigned words[7] = { 1 | (draw(2) ? 0 : 'a' << 16), draw(3), 0, 0, 0, 0, 0 };

	if (draw(2)) { /* of the loopback: a few ports from 4096 on, and hosts of either version */
		words[0] = (draw(2) ? AF_INET : AF_INET6) | 0x10u << 16 | draw(4) << 24;
		words[1] = hosts[draw(5)];
		words[4] = draw(2) ? 0 : hosts[3];
		words[5] = hosts[draw(5)];
	}
	put_words(p, at, words, 7);
}

/* A struct msghdr with a piece, and descriptors among its control messages. */
static void letter(struct process *p, address at)
{
	unsigned header[7] = { 0, 0, at + 28, 1, at + 36, 16 + draw(3) * 4, 0 }, piece[2], control[5];

	piece[0] = draw(8) ? arena : hostile();
	piece[1] = draw(2) ? draw(4) : draw(9000);
	control[0] = draw(8) ? 16 + draw(2) * 4 : hostile();
	control[1] = 1;
	control[2] = draw(8) ? 1 : 2;
	control[3] = draw(14);
	control[4] = draw(14);
	put_words(p, at, header, 7);
	put_words(p, at + 28, piece, 2);
	put_words(p, at + 36, control, 5);
}

/* Its terminals are made in /dev. */
static void mount_terminals(struct process *p)
{
	struct node *dev = directory_find(root_node, "dev", 3)->node;

	if (p->group->terminals)
		return;
	if (!directory_find(dev, "ptmx", 4)) {
		terminals_mount(p, dev);
		return;
	}
	node_keep(dev);
	p->group->terminals = dev;
}

/* What a terminal is asked, mostly of one. */
static void ask_terminal(struct machine_registers *r)
{
	static const unsigned requests[] = { 0x5401, 0x5402, 0x5403, 0x5404, 0x5409, 0x540a, 0x540b, 0x540e, 0x540f, 0x5410, 0x5411, 0x5412, 0x5413, 0x5414, 0x541b, 0x5422, 0x5429,
		0x5441, 0x5441, 0x80045430, 0x40045431, 0x40045431, 0x80045439 };

	r->ebx = draw(14);
	r->ecx = requests[draw(sizeof requests / sizeof *requests)];
	if (r->ecx == 0x540a || r->ecx == 0x540b || r->ecx == 0x540e)
		r->edx = draw(4);
	if (r->ecx == 0x5441)
		r->edx = 2 | (draw(2) ? O_NONBLOCK : 0) | (draw(2) ? O_NOCTTY : 0);
}

/* System V's calls, on a few keys, numbers and places. */
static void shared(struct process *p, struct machine_registers *r)
{
	unsigned operations[3] = { draw(3) | (draw(5) - 2) << 16, (draw(3) ? 0 : 010000) | draw(3) << 16, (draw(5) - 2) & 0xffff };

	r->edx = 01600;
	switch (r->eax) {
	case 393:
	case 395:
		r->ebx = draw(4);
		r->ecx = r->eax == 393 ? draw(5) : draw(5) * 3000;
		return;
	case 398:
	case 397:
		r->edx = draw(2) ? 0 : draw(16) << 12;
		r->ecx = draw(2) ? 0 : arena + 0x100000 + draw(64) * PAGE_SIZE;
		r->ebx = r->eax == 398 ? arena + 0x100000 + draw(64) * PAGE_SIZE : draw(8);
		return;
	case 420:
		r->ecx = arena + 3600;
		put_words(p, r->ecx, operations, 3);
		r->edx = 1 + draw(2);
		r->esi = 0;
		break;
	case 394:
		r->ecx = draw(4);
		r->edx = draw(20);
		r->esi = draw(2) ? draw(6) : arena + 3400;
		break;
	default:
		r->ecx = draw(3) ? draw(4) : draw(16);
		r->edx = arena + 3400;
	}
	r->ebx = draw(8);
}

static enum machine_event step(struct machine_thread *thread, struct machine_fault *fault)
{
	struct process *p = current;
	struct machine_registers *r = machine_thread_registers(thread);
	static const unsigned frequent[] = { 54, 54, 54, 66, 57, 120, 240, 240, 270, 178, 178, 252, 311, 284, 2, 3, 4, 5, 6, 11, 42, 63, 114, 120, 192, 91, 45, 39, 38, 10, 295, 1, 190, 37, 174, 301, 9, 83, 14, 313, 315, 187, 377, 328, 329, 359, 360, 360, 360, 356, 361, 362, 363, 364, 365, 366, 369, 370, 370, 371, 372, 372, 373, 102, 117, 393, 394, 395, 395, 396, 397, 397, 398, 420, 420, 255, 256, 322, 325, 327, 309, 308, 177, 353, 219, 218, 125, 67, 119, 173, 179, 93, 12, 40 };

	if (!left || p->pid != 1)
		(void)fault;
	if (left == 0 || (left-- , left == 0)) {
		if (p->pid == 1) {
			unsigned i;

			for (i = 0; i < PROCESSES; i++) /* all others go; what remains is process 1 */
				if (processes[i] && processes[i]->pid != 1 && processes[i]->state != ZOMBIE)
					signal_send(processes[i], SIGKILL);
			left = 0;
			r->eax = 158; /* sched_yield: let them die */
			for (i = 0; i < PROCESSES; i++)
				if (processes[i] && processes[i]->pid != 1 && processes[i]->state != ZOMBIE)
					return MACHINE_CALL;
			machine_exit(0x31);
		}
		if (left == 0) {
			fault->signal = SIGSEGV;
			fault->trap = 13;
			return MACHINE_FAULT;
		}
	}
	if (draw(50) == 0) {
		r->eip = hostile();
		r->esp = draw(2) ? arena + 12 * 1024 : hostile();
		r->eflags = hostile();
	}
	if (p->pid != 1 && draw(60) == 0) {
		fault->signal = draw(2) ? SIGSEGV : SIGFPE;
		fault->trap = 14;
		fault->at = hostile();
		fault->code = 1;
		return MACHINE_FAULT;
	}
	if (draw(40) == 0)
		return MACHINE_TICK;
	mount_terminals(p);
	if (draw(4) == 0 || p->no_new_privileges == 0)
		prepare(p);
	r->eax = draw(3) ? frequent[draw(sizeof frequent / sizeof *frequent)] : draw(460);
	r->ebx = argument();
	r->ecx = argument();
	r->edx = argument();
	r->esi = argument();
	r->edi = argument();
	r->ebp = argument();
	if (r->eax == 120 && draw(2))
		r->ebx = draw(2) ? 0x3d0f00u & (draw(8) ? ~0x80000u : ~0u) : SIGCHLD | (draw(3) ? 0 : CLONE_NEWPID) | (draw(4) ? 0 : CLONE_VM | CLONE_VFORK); /* 0x3d0f00: a thread, as glibc makes one */
	if (r->eax == 240 || r->eax == 422) { /* words that several may wait for */
		r->ebx = arena + 2560 + draw(4) * 4;
		r->ecx = draw(11);
		r->edx = draw(3);
		r->esi = draw(2) ? 0 : draw(3);
		r->edi = arena + 2560 + draw(4) * 4;
		r->ebp = draw(2) ? ~0u : draw(3);
	}
	if (r->eax == 270 && draw(2)) {
		r->ebx = p->leader->local;
		r->ecx = p->local;
		r->edx = draw(65);
	}
	if (r->eax == 192 && draw(2)) {
		r->ebx = draw(2) ? 0 : arena + 0x100000 + draw(64) * PAGE_SIZE;
		r->ecx = draw(20) * 1000;
		r->edx = draw(8);
		r->esi = 2 | (draw(2) ? 0x20 : 0) | (draw(3) ? 0 : 0x10);
		r->ebp = draw(4);
	}
	if (r->eax == 54 && draw(8))
		ask_terminal(r);
	if (r->eax == 5 && draw(2))
		r->ecx = draw(3) | (draw(2) ? 0100 : 0) | (draw(4) ? O_NONBLOCK : 0);
	if ((r->eax == 359 || r->eax == 360) && draw(8)) {
		r->ebx = draw(2) ? AF_UNIX : draw(2) ? AF_INET : AF_INET6;
		r->ecx = (draw(2) ? STREAM : draw(2) ? DATAGRAM : SEQPACKET) | (draw(2) ? O_NONBLOCK : 0);
		r->edx = 0;
	}
	if (r->eax >= 361 && r->eax <= 373 && draw(8)) {
		r->ebx = draw(14);
		if (r->eax <= 363)
			r->edx = draw(3) ? draw(2) ? 16 : 28 : draw(2) ? 2 : 3 + draw(20);
		if (r->eax == 361 || r->eax == 362)
			socket_name(p, r->ecx = arena + 3072);
		if (r->eax == 370 || r->eax == 372)
			letter(p, r->ecx = arena + 3200);
		if (r->eax >= 369 && draw(3))
			r->edx &= 0x40 | PAGE_MASK;
	}
	if ((r->eax == 420 || (r->eax >= 393 && r->eax <= 398)) && draw(8))
		shared(p, r);
	if (r->eax == 178 && draw(2)) {
		unsigned info[6] = { 0, 0, ~0u, 1, 1, 7 };

		r->ebx = p->leader->local;
		r->ecx = 32 + draw(33);
		r->edx = arena + 3072;
		put_words(p, r->edx, info, 6);
	}
	if (r->eax == 356 && draw(8))
		r->ecx = draw(4);
	if ((r->eax == 55 || r->eax == 221) && draw(4)) {
		r->ebx = draw(14);
		r->ecx = 1033 + draw(2);
		r->edx = 1u << draw(5);
	}
	if (r->eax == 91 || r->eax == 125) {
		r->ebx = (draw(2) ? arena : arena + 0x100000) + draw(64) * PAGE_SIZE;
		r->ecx = draw(8) * PAGE_SIZE;
		if (r->ebx < arena + 0x100000 && draw(20))
			r->ebx += 0x100000; /* seldom the arena itself */
	}
	/* process 1 must live, and wait for nothing that may never come */
	if (p->pid == 1 && (r->eax == 1 || r->eax == 252 || r->eax == 11 || r->eax == 29 || r->eax == 179 || r->eax == 162 || r->eax == 267 || r->eax == 407 || r->eax == 119 ||
			    r->eax == 173 || r->eax == 72 || r->eax == 168 || r->eax == 142 || r->eax == 3 || r->eax == 145 || r->eax == 4 || r->eax == 146 || r->eax == 5 || r->eax == 295 || r->eax == 8 || r->eax == 174 || r->eax == 67 || r->eax == 48 ||
			    r->eax == 6 || r->eax == 91 || r->eax == 45 || waits(r->eax)))
		r->eax = 20;
	if (p->pid == 1 && (r->eax == 7 || r->eax == 114)) {
		r->eax = 114;
		r->ebx = ~0u;
		r->ecx = 0;
		r->edx = 1;
		r->esi = 0;
	}
	if (p->pid == 1 && (r->eax == 190 || r->eax == 120)) /* process 1 makes no threads: they would need the same care */
		r->eax = 2;
	return MACHINE_CALL;
}

int main(int argc, char **argv)
{
	static char archive[1 << 16];
	FILE *file = argc == 5 ? fopen(argv[4], "rb") : 0;
	unsigned long size = file ? fread(archive, 1, sizeof archive, file) : 0;
	int status;

	if (!size)
		return 2;
	seed = strtoull(argv[1], 0, 10);
	left = (unsigned)strtoul(argv[2], 0, 10);
	frame_limit = (unsigned)strtoul(argv[3], 0, 10);
	arena = 0x08048000;
	run_hook = step;
	status = fake_run(archive, size);
	printf("status %d %s frames %u spaces %u threads %u\n", status, status < 0 ? panic_text : "", frames_used, spaces, threads);
	return status == 0x31 ? 0 : 1;
}
