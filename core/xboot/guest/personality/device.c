/* device.c: character devices. Those of the machine itself (memory, ports, the result channel) open for process 1 alone, whatever the modes say. */

#include "personality.h"

#define MEM 0x101
#define NULL_DEVICE 0x103
#define PORT 0x104
#define ZERO 0x105
#define FULL 0x107
#define RANDOM 0x108
#define URANDOM 0x109
#define CHANNEL 0x441 /* ttyS1 */
#define CONSOLE 0x501

#define EXIT_PORT 0xf4
#define TCGETS 0x5401u
#define TCSETS 0x5402u
#define TCSETSW 0x5403u
#define TCSETSF 0x5404u
#define TCFLSH 0x540bu
#define TCSBRK 0x5409u

int channel;
static char buffer[PAGE_SIZE];
static const char zero_bytes[PAGE_SIZE];

static int is_first(struct process *p)
{
	return p->pid == 1;
}

int device_open(struct process *p, struct node *node)
{
	switch (node->device) {
	case NULL_DEVICE:
	case ZERO:
	case FULL:
	case RANDOM:
	case URANDOM:
	case CONSOLE:
		return 0;
	case MEM:
	case PORT:
	case CHANNEL:
		return is_first(p) ? 0 : -EPERM;
	default:
		return terminal_is(node) ? 0 : -ENXIO; /* terminal_open has the last word */
	}
}

/* One that has no places: wherever one would go to, it is 0. */
int device_placeless(struct node *node)
{
	u32 d = node->device;

	return KIND(node) == S_IFCHR && (d == NULL_DEVICE || d == ZERO || d == FULL || d == RANDOM || d == URANDOM);
}

/* Deterministic: the same run draws the same numbers. splitmix64. */
void random_bytes(void *to, unsigned length)
{
	static u64 state = 1700000000;
	u64 z = 0;
	unsigned i;

	for (i = 0; i < length; i++, z >>= 8) {
		if (i % 8 == 0) {
			state += 0x9e3779b97f4a7c15ull;
			z = (state ^ state >> 30) * 0xbf58476d1ce4e5b9ull;
			z = (z ^ z >> 27) * 0x94d049bb133111ebull;
			z ^= z >> 31;
		}
		((u8 *)to)[i] = (u8)z;
	}
}

int device_read(struct process *p, struct file *f, address to, unsigned length)
{
	unsigned done, part;
	int n;

	if (f->terminal)
		return terminal_read(p, f, to, length);
	switch (f->node->device) {
	case ZERO:
	case FULL:
	case RANDOM:
	case URANDOM:
		for (done = 0; done < length; done += part) {
			part = length - done < PAGE_SIZE ? length - done : PAGE_SIZE;
			if (f->node->device == RANDOM || f->node->device == URANDOM)
				random_bytes(buffer, part);
			if (user_write(p, to + done, f->node->device == RANDOM || f->node->device == URANDOM ? buffer : zero_bytes, part))
				return done ? (int)done : -EFAULT;
		}
		return (int)done;
	case CHANNEL:
		if (!length)
			return 0;
		n = machine_result_read(buffer, length < PAGE_SIZE ? length : PAGE_SIZE);
		if (!n)
			return f->flags & O_NONBLOCK ? -EAGAIN : sleep_on(p, &channel);
		if (user_write(p, to, buffer, (unsigned)n))
			n = -EFAULT;
		memset(buffer, 0, sizeof buffer); /* the run's nonce passes here: no copy of it stays */
		return n;
	default: /* null; the console has no keyboard */
		return 0;
	}
}

int device_write(struct process *p, struct file *f, address from, unsigned length)
{
	unsigned done, part;

	if (f->terminal)
		return terminal_write(p, f, from, length);
	switch (f->node->device) {
	case FULL:
		return length ? -ENOSPC : 0;
	case PORT:
		if (f->offset != EXIT_PORT || length != 1 || user_read(p, buffer, from, 1))
			return -EPERM;
		machine_exit((u8)buffer[0]);
		return -EIO;
	case CONSOLE:
	case CHANNEL:
		for (done = 0; done < length; done += part) {
			part = length - done < PAGE_SIZE ? length - done : PAGE_SIZE;
			if (user_read(p, buffer, from + done, part))
				return done ? (int)done : -EFAULT;
			if (f->node->device == CONSOLE)
				machine_put(buffer, part);
			else
				machine_result_write(buffer, part);
		}
		if (f->node->device == CHANNEL)
			memset(buffer, 0, sizeof buffer);
		return (int)done;
	case MEM:
		return -EPERM;
	default:
		return (int)length;
	}
}

int device_put(struct file *f, const char *from, unsigned length)
{
	switch (f->node->device) {
	case NULL_DEVICE:
	case ZERO:
		return (int)length;
	case FULL:
		return -ENOSPC;
	case CONSOLE:
		machine_put(from, length);
		return (int)length;
	default:
		return -EINVAL;
	}
}

/* The channel can be told to be raw, which it is. Of what belongs to the machine nothing else is a terminal. */
int device_ioctl(struct process *p, struct file *f, u32 request, address argument)
{
	if (f->terminal)
		return terminal_ioctl(p, f, request, argument);
	if (f->node->device != CHANNEL)
		return -ENOTTY;
	switch (request) {
	case TCGETS:
		return user_write(p, argument, zero_bytes, 36);
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
	case TCFLSH:
	case TCSBRK:
		return 0;
	default:
		return -ENOTTY;
	}
}
